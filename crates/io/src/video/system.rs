//! Films of other kinds through the programs `ffprobe` and `ffmpeg`, if they are installed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{Source, Video, check_frame_size, check_frames, picture};
use crate::image::RgbImage;
use crate::{IoError, Limits, Result};

/// Bytes that `ffprobe` may print about a frame.
const BYTES_A_FRAME: usize = 64;
/// Bytes of a program's complaint that are shown.
const COMPLAINT: u64 = 600;
/// What both programs are told: to talk only about errors, and to open nothing but this file.
const COMMON: [&str; 4] = ["-v", "error", "-protocol_whitelist", "file,pipe"];

/// The name that keeps a path from being taken for an option or a network address.
fn file_name(path: &Path) -> std::ffi::OsString {
    let mut name = std::ffi::OsString::from("file:");
    name.push(path);
    name
}

/// Starts a program; `None` when it is not installed.
fn start(command: &mut Command, complaints: &File) -> Result<Option<Child>> {
    let complaints = complaints
        .try_clone()
        .map_err(IoError::os("keep the program's messages"))?;
    let started = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(complaints)
        .spawn();
    match started {
        Ok(child) => Ok(Some(child)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(IoError::os("start ffmpeg")(error)),
    }
}

fn complaint_file() -> Result<File> {
    tempfile::tempfile().map_err(IoError::os("keep the program's messages"))
}

/// What a program said last, in one line.
fn failed(program: &'static str, mut complaints: File) -> IoError {
    let length = complaints.metadata().map_or(0, |metadata| metadata.len());
    let mut text = Vec::new();
    // Without its words the failure is still one.
    let _ = complaints
        .seek(SeekFrom::Start(length.saturating_sub(COMPLAINT)))
        .and_then(|_| complaints.take(COMPLAINT).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    IoError::Program {
        program,
        message: match lines.is_empty() {
            true => "it says nothing about the cause".to_owned(),
            false => lines.join("; "),
        },
    }
}

/// Opens a film of which `what` says why it is not read here.
pub(super) fn open(path: &Path, what: &str, limits: &Limits) -> Result<Video> {
    let complaints = complaint_file()?;
    let entries = "stream=codec_name,width,height:format=duration:frame=best_effort_timestamp_time";
    let mut command = Command::new("ffprobe");
    command
        .args(COMMON)
        .args(["-select_streams", "v:0", "-show_entries", entries])
        .args(["-of", "default=noprint_wrappers=1", "-i"])
        .arg(file_name(path));
    let Some(mut child) = start(&mut command, &complaints)? else {
        return Err(IoError::Unsupported {
            what: format!("{what}, and no ffprobe and ffmpeg are installed to do it,"),
            cure: "install FFmpeg, or convert it: ffmpeg -i FILE -c:v libx264 -pix_fmt yuv420p OUT.mp4",
        });
    };
    let mut text = Vec::new();
    let most = limits.max_frames.saturating_mul(BYTES_A_FRAME) as u64;
    let reading = match child.stdout.take() {
        Some(out) => out.take(most).read_to_end(&mut text),
        None => Ok(0),
    };
    reading.map_err(IoError::os("read what ffprobe says"))?;
    // Nobody listens any more if it says more than that.
    let status = child.wait().map_err(IoError::os("wait for ffprobe"))?;
    if text.len() as u64 == most {
        check_frames(f64::INFINITY, limits.max_frames)?;
    }
    if !status.success() {
        return Err(failed("ffprobe", complaints));
    }
    let probe = Probe::parse(&String::from_utf8_lossy(&text))?;
    check_frame_size((probe.width, probe.height), limits)?;
    check_frames(probe.times.len() as f64, limits.max_frames)?;
    Ok(Video {
        width: probe.width as usize,
        height: probe.height as usize,
        codec: probe.codec,
        times: probe.times,
        duration: probe.duration,
        path: path.to_owned(),
        source: Source::Ffmpeg,
        limits: *limits,
    })
}

/// What `ffprobe` says.
#[derive(Debug, Default, PartialEq)]
struct Probe {
    codec: String,
    width: u64,
    height: u64,
    times: Vec<f64>,
    duration: f64,
}

impl Probe {
    fn parse(text: &str) -> Result<Self> {
        let mut probe = Self::default();
        let mut announced = None;
        for (key, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
            match key {
                "codec_name" => value.clone_into(&mut probe.codec),
                "width" => probe.width = value.parse().unwrap_or(0),
                "height" => probe.height = value.parse().unwrap_or(0),
                "duration" => announced = value.parse().ok().filter(|d: &f64| d.is_finite()),
                "best_effort_timestamp_time" => match value.parse::<f64>() {
                    Ok(time) if time.is_finite() => probe.times.push(time),
                    _ => {
                        return Err(IoError::malformed(
                            "film",
                            "the time of a frame",
                            value,
                            "seconds",
                        ));
                    }
                },
                _ => {}
            }
        }
        if probe.codec.is_empty() {
            return Err(IoError::NoFrames);
        }
        // Some containers count from another second than 0.
        let zero = probe.times.first().copied().unwrap_or(0.0);
        probe.times.iter_mut().for_each(|time| *time -= zero);
        if !probe.times.is_sorted() {
            return Err(IoError::malformed(
                "film",
                "the order of its frames",
                "not that of time",
                "ascending times",
            ));
        }
        // The last frame is shown as long as the one before it, where nothing better is known.
        let last = probe.times.last().copied().unwrap_or(0.0);
        let step = match probe.times.as_slice() {
            [.., before, last] => last - before,
            _ => 0.04,
        };
        probe.duration = (last + step).max(announced.unwrap_or(0.0));
        Ok(probe)
    }
}

/// Frames of a film in order.
#[derive(Debug)]
pub(super) struct Reader {
    child: Child,
    out: ChildStdout,
    complaints: Option<File>,
    size: (usize, usize),
    next: usize,
}

impl Reader {
    pub(super) fn start(path: &Path, size: (usize, usize)) -> Result<Self> {
        let complaints = complaint_file()?;
        let mut command = Command::new("ffmpeg");
        command
            .args(["-nostdin", "-noautorotate"])
            .args(COMMON)
            .arg("-i")
            .arg(file_name(path))
            .args(["-map", "0:v:0", "-fps_mode", "passthrough"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
        let child = start(&mut command, &complaints)?;
        let missing = || IoError::Program {
            program: "ffmpeg",
            message: "ffprobe is installed, but ffmpeg is not; install FFmpeg as a whole"
                .to_owned(),
        };
        let mut child = child.ok_or_else(missing)?;
        let out = child.stdout.take().ok_or_else(missing)?;
        Ok(Self {
            child,
            out,
            complaints: Some(complaints),
            size,
            next: 0,
        })
    }

    /// The frame at `position`; positions that are asked for have to ascend.
    pub(super) fn frame(&mut self, position: usize) -> Result<RgbImage> {
        let (width, height) = self.size;
        let mut pixels = vec![0; width * height * 3];
        while self.next <= position {
            if self.out.read_exact(&mut pixels).is_err() {
                let complaints = self.complaints.take();
                return Err(match complaints {
                    Some(complaints) => failed("ffmpeg", complaints),
                    None => IoError::NoFrames,
                });
            }
            self.next += 1;
        }
        Ok(picture(self.size, pixels))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ffprobe_says_is_understood() {
        let text = "best_effort_timestamp_time=1.500000\nbest_effort_timestamp_time=1.540000\n\
                    codec_name=vp9\nwidth=64\nheight=48\nduration=0.070000\n";
        let probe = Probe::parse(text).unwrap();
        assert_eq!(
            (probe.codec.as_str(), probe.width, probe.height),
            ("vp9", 64, 48)
        );
        assert!((probe.times[1] - 0.04).abs() < 1e-9 && probe.times[0] == 0.0);
        assert!((probe.duration - 0.08).abs() < 1e-9);
        assert!(matches!(
            Probe::parse("duration=3\n"),
            Err(IoError::NoFrames)
        ));
        assert!(Probe::parse("codec_name=vp9\nbest_effort_timestamp_time=N/A\n").is_err());
    }
}
