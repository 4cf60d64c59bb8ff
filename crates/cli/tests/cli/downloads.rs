//! `consilience data` against a server on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use consilience::io::catalogue;

use crate::support::{Scratch, listing, real_data};

const SET: &str = "meadows_arrangement";

/// Serves the files of [`SET`] at the addresses of the catalogue and notes what was asked for.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `spoil` turns the first byte of every file over.
    fn start(folder: PathBuf, spoil: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&stream.unwrap(), &folder, spoil, &log);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn serve(mut stream: &TcpStream, folder: &Path, spoil: bool, log: &Mutex<Vec<String>>) {
    let lines: Vec<String> = BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let Some(path) = lines.first().and_then(|line| line.split(' ').nth(1)) else {
        return;
    };
    let range = lines.iter().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("range: bytes=")
            .map(str::to_owned)
    });
    log.lock()
        .unwrap()
        .push(format!("{path} {}", range.as_deref().unwrap_or("whole")));
    let set = catalogue::find(SET).unwrap();
    let Some(file) = set.files().find(|file| file.address == path) else {
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    let mut bytes = std::fs::read(folder.join(file.path)).unwrap();
    if spoil {
        bytes[0] ^= 0xFF;
    }
    let from = range.map_or(0, |r| r.trim_end_matches('-').parse().unwrap());
    let head = match from {
        0 => "HTTP/1.1 200 OK\r\n".to_owned(),
        from => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{}\r\n",
            bytes.len() - 1,
            bytes.len()
        ),
    };
    let rest = &bytes[from..];
    let _ = write!(
        stream,
        "{head}Content-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    );
    let _ = stream.write_all(rest);
}

#[test]
fn data_sets_are_listed_and_shown() {
    let scratch = Scratch::new();
    let list = scratch.ok(&["data", "list"]);
    for set in catalogue::data_sets() {
        assert!(list.contains(&set.name), "{}", set.name);
    }
    let shown = scratch.ok(&["data", "show", SET]);
    for part in ["licence: ", "terms: open", "cite: ", "sha256 ", "bytes"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    scratch.refused(
        &["data", "show", "kriegeskorte"],
        &["\"kriegeskorte\"", "did you mean \"kriegeskorte92\""],
    );
}

#[test]
fn get_fetches_verifies_and_resumes() {
    let Some(real) = real_data("downloads::get_fetches_verifies_and_resumes") else {
        return;
    };
    let server = Server::start(real.join(SET), false);
    let scratch = Scratch::new();
    let get = ["data", "get", SET, "--from", &server.address];
    let told = scratch.ok(&get);
    let set = catalogue::find(SET).unwrap();
    let n_files = set.files().count();
    assert!(
        told.contains(&format!("{n_files} file(s) fetched, 0 already there")),
        "{told}"
    );
    assert!(
        told.contains(&format!("licence: {}", set.licence)),
        "{told}"
    );
    let folder = scratch.data().join(SET);
    for file in set.files() {
        let [fetched, original] =
            [&folder, &real.join(SET)].map(|f| std::fs::read(f.join(file.path)).unwrap());
        assert!(fetched == original, "{}", file.path);
    }
    assert_eq!(server.asked().len(), n_files);

    let told = scratch.ok(&get);
    assert!(
        told.contains(&format!("0 file(s) fetched, {n_files} already there")),
        "{told}"
    );
    assert_eq!(server.asked().len(), 0);

    // A download that broke off leaves the beginning of a file; the rest is asked for.
    let file = set.files().max_by_key(|file| file.n_bytes).unwrap();
    let path = folder.join(file.path);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let part = folder.join(format!("{}.part", file.path));
    std::fs::write(&part, &bytes[..1000]).unwrap();
    scratch.ok(&get);
    assert_eq!(server.asked(), [format!("{} 1000-", file.address)]);
    assert!(std::fs::read(&path).unwrap() == bytes && !part.exists());

    // So does damage to a file that was whole.
    std::fs::write(&path, vec![0; bytes.len()]).unwrap();
    scratch.ok(&get);
    assert_eq!(server.asked(), [format!("{} whole", file.address)]);
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[test]
fn get_refuses_other_content_addresses_and_unread_terms() {
    let scratch = Scratch::new();
    scratch.refused(
        &[
            "data",
            "get",
            "kriegeskorte92",
            "--from",
            "http://127.0.0.1:9",
        ],
        &["kriegeskorte92", "restricted terms", "--accept-terms"],
    );
    scratch.refused(
        &["data", "get", SET, "--from", "http://example.org"],
        &["address refused", "https", "http://example.org"],
    );
    // Nothing listens where a listener was just closed.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    scratch.refused(
        &["data", "get", SET, "--from", &format!("http://{closed}")],
        &["download failed", "again to resume"],
    );
    assert!(listing(scratch.data()).is_empty());

    let Some(real) = real_data("downloads::get_refuses_other_content_addresses_and_unread_terms")
    else {
        return;
    };
    let server = Server::start(real.join(SET), true);
    scratch.refused(
        &["data", "get", SET, "--from", &server.address],
        &["sha256", "expected", "not the published file"],
    );
    assert!(listing(scratch.data()).is_empty());
    scratch.refused(
        &[
            "data",
            "get",
            SET,
            "--from",
            &format!("{}/elsewhere", server.address),
        ],
        &["status 404", "/elsewhere/"],
    );
}
