use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::Mutex;

use super::*;

/// What the server does with the next request.
#[derive(Clone, Copy)]
enum Answer {
    Whole,
    /// Answers a range with the whole file.
    IgnoreRange,
    /// Promises the file and closes after so many bytes.
    CutAfter(usize),
    /// Right size, wrong bytes.
    Wrong,
    /// More bytes than the file has.
    TooLong,
    /// Fewer bytes than the file has, and says so.
    TooShort,
    Status(&'static str),
}

/// A server on this machine, its address, and the requests it saw (path, first byte).
struct Server {
    base: String,
    seen: Arc<Mutex<Vec<(String, usize)>>>,
}

impl Server {
    fn start(content: Vec<u8>, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let mut answers = VecDeque::from(answers);
        std::thread::spawn(move || {
            while let Some(answer) = answers.pop_front() {
                let (stream, _) = listener.accept().unwrap();
                let (path, start) = request(&stream);
                log.lock().unwrap().push((path, start));
                // The client may hang up first.
                let _ = respond(&stream, &content, start, answer);
            }
        });
        Self { base, seen }
    }

    fn options(&self) -> Options {
        Options {
            base: self.base.clone(),
            ..Options::default()
        }
    }
}

fn request(stream: &std::net::TcpStream) -> (String, usize) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let mut start = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        let line = line.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().unwrap();
        }
    }
    (path, start)
}

fn respond(
    mut stream: &std::net::TcpStream,
    content: &[u8],
    start: usize,
    answer: Answer,
) -> std::io::Result<()> {
    let n = content.len();
    let (status, start) = match answer {
        Answer::Status(status) => (status, n),
        Answer::IgnoreRange => ("200 OK", 0),
        _ if start > 0 => ("206 Partial Content", start),
        _ => ("200 OK", 0),
    };
    let mut body = content[start..].to_vec();
    match answer {
        Answer::Wrong => body[0] ^= 1,
        Answer::TooLong => body.extend([0; 10]),
        Answer::TooShort => body.truncate(body.len() - 10),
        _ => {}
    }
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    )?;
    if status.starts_with("206") {
        write!(stream, "Content-Range: bytes {start}-{}/{n}\r\n", n - 1)?;
    }
    stream.write_all(b"\r\n")?;
    let n_sent = match answer {
        Answer::CutAfter(n_sent) => n_sent,
        _ => body.len(),
    };
    stream.write_all(&body[..n_sent])
}

fn content() -> Vec<u8> {
    (0..3_000_000_u32).map(|i| (i % 251) as u8).collect()
}

/// A data set of one file.
fn data_set(content: &[u8], terms: &str) -> DataSet {
    toml::from_str(&format!(
        r#"
        name = "small"
        title = "One file"
        terms = "{terms}"
        licence = "MIT"
        citation = "none"
        [[source]]
        repository = "owner/name"
        commit = "0000000000000000000000000000000000000000"
        files = [{{ path = "sub/a b.bin", n-bytes = {}, sha256 = "{}" }}]
        "#,
        content.len(),
        hash::sha256(content)
    ))
    .unwrap()
}

struct Run {
    server: Server,
    set: DataSet,
    folder: tempfile::TempDir,
}

impl Run {
    fn new(answers: Vec<Answer>) -> Self {
        let content = content();
        let set = data_set(&content, "permissive");
        Self {
            server: Server::start(content, answers),
            set,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn get(&self) -> Result<Summary> {
        get(
            &self.set,
            self.folder.path(),
            &self.server.options(),
            &mut |_| {},
        )
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("small/sub/a b.bin")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("small/sub/a b.bin.part")
    }

    fn starts(&self) -> Vec<usize> {
        let seen = self.server.seen.lock().unwrap();
        seen.iter().map(|(_, start)| *start).collect()
    }
}

#[test]
fn a_file_is_fetched_once() {
    let run = Run::new(vec![Answer::Whole]);
    let mut last = None;
    let summary = get(
        &run.set,
        run.folder.path(),
        &run.server.options(),
        &mut |progress| last = Some((progress.n_done, progress.n_bytes)),
    );
    assert_eq!(summary.unwrap().n_fetched, 1);
    assert_eq!(last, Some((3_000_000, 3_000_000)));
    assert_eq!(std::fs::read(run.file()).unwrap(), content());
    assert!(!run.part().exists());
    // The server would not answer a second request.
    assert_eq!(run.get().unwrap().n_kept, 1);
    let seen = run.server.seen.lock().unwrap();
    assert!(seen[0].0.ends_with("/sub/a%20b.bin"), "{}", seen[0].0);
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let run = Run::new(vec![
        Answer::CutAfter(1_234_567),
        Answer::CutAfter(0),
        Answer::Whole,
    ]);
    for _ in 0..2 {
        let error = run.get().unwrap_err();
        assert!(error.is_network(), "{error}");
        assert!(error.to_string().contains("to resume"), "{error}");
        assert!(!run.file().exists());
    }
    assert_eq!(run.get().unwrap().n_fetched, 1);
    assert_eq!(std::fs::read(run.file()).unwrap(), content());
    assert_eq!(run.starts(), [0, 1_234_567, 1_234_567]);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let run = Run::new(vec![Answer::CutAfter(1000), Answer::IgnoreRange]);
    run.get().unwrap_err();
    run.get().unwrap();
    assert_eq!(std::fs::read(run.file()).unwrap(), content());
}

#[test]
fn wrong_bytes_are_thrown_away() {
    for answer in [Answer::Wrong, Answer::TooLong, Answer::TooShort] {
        let run = Run::new(vec![answer, Answer::Whole]);
        let message = run.get().unwrap_err().to_string();
        assert!(
            message.contains("sha256") && message.contains("a b.bin"),
            "{message}"
        );
        assert!(!run.part().exists() && !run.file().exists());
        run.get().unwrap();
        assert_eq!(std::fs::read(run.file()).unwrap(), content());
    }
}

#[test]
fn a_changed_file_is_fetched_again() {
    let run = Run::new(vec![Answer::Whole]);
    std::fs::create_dir_all(run.file().parent().unwrap()).unwrap();
    std::fs::write(run.file(), b"old").unwrap();
    assert_eq!(run.get().unwrap().n_fetched, 1);
    assert_eq!(std::fs::read(run.file()).unwrap(), content());
}

#[test]
fn a_refusal_is_told_with_its_status() {
    let run = Run::new(vec![Answer::Status("404 Not Found")]);
    let message = run.get().unwrap_err().to_string();
    assert!(message.contains("404"), "{message}");
    assert!(!run.file().exists());
}

#[test]
fn only_https_leaves_this_machine() {
    let set = data_set(b"x", "permissive");
    let folder = tempfile::tempdir().unwrap();
    for base in [
        "http://example.org",
        "ftp://example.org",
        "file:///etc",
        "http://127.0.0.1@example.org",
        "http://localhost.example.org",
        "",
    ] {
        let options = Options {
            base: base.to_owned(),
            ..Options::default()
        };
        let error = get(&set, folder.path(), &options, &mut |_| {}).unwrap_err();
        assert!(
            matches!(error, IoError::InsecureAddress { .. }),
            "{base}: {error}"
        );
    }
}

#[test]
fn restricted_terms_have_to_be_accepted() {
    let content = content();
    let set = data_set(&content, "restricted");
    let server = Server::start(content, vec![Answer::Whole]);
    let folder = tempfile::tempdir().unwrap();
    let mut options = server.options();
    let message = get(&set, folder.path(), &options, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(message.contains("--accept-terms"), "{message}");
    options.accept_terms = true;
    get(&set, folder.path(), &options, &mut |_| {}).unwrap();
}

/// Fetches the content as one file with the first eight digits of its hash, size unknown.
fn get_one(run: &Run, prefix: &str) -> (Result<bool>, Vec<(u64, Option<u64>)>) {
    let mut told = Vec::new();
    let pin = Pin {
        n_bytes: None,
        sha256: prefix,
    };
    let address = format!("{}/one.pth", run.server.base);
    let path = run.folder.path().join("one.pth");
    let outcome = get_file(&address, path, pin, &mut |n, total| told.push((n, total)));
    (outcome, told)
}

#[test]
fn a_single_file_needs_no_more_than_the_first_digits_of_its_hash() {
    let run = Run::new(vec![
        Answer::CutAfter(1_000_000),
        Answer::Whole,
        Answer::Status("416 Range Not Satisfiable"),
    ]);
    let sha256 = hash::sha256(&content());
    let (broken, _) = get_one(&run, &sha256[..8]);
    assert!(broken.unwrap_err().is_network());
    let (fetched, told) = get_one(&run, &sha256[..8]);
    assert!(fetched.unwrap());
    assert_eq!(told.last(), Some(&(3_000_000, Some(3_000_000))));
    assert_eq!(run.starts(), [0, 1_000_000]);
    assert!(!get_one(&run, &sha256[..8]).0.unwrap(), "it is there");
    // A whole part whose renaming was interrupted.
    let path = run.folder.path().join("one.pth");
    std::fs::rename(&path, run.folder.path().join("one.pth.part")).unwrap();
    assert!(get_one(&run, &sha256[..8]).0.unwrap());
    assert_eq!(std::fs::read(path).unwrap(), content());
}

#[test]
fn a_single_file_with_another_hash_is_not_kept() {
    let run = Run::new(vec![Answer::Wrong]);
    let sha256 = hash::sha256(&content());
    let error = get_one(&run, &sha256[..8]).0.unwrap_err();
    assert!(error.to_string().contains("sha256 is"), "{error}");
    assert_eq!(std::fs::read_dir(run.folder.path()).unwrap().count(), 0);
}
