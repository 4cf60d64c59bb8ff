//! Fetching the data sets of the [catalogue](crate::catalogue), and single files whose hash is known.
//!
//! Each file grows as `NAME.part` beside its place and is renamed once its size and SHA-256 are the
//! pinned ones. An interrupted download goes on where it stopped; a file that is already right is not
//! fetched again. Only https is spoken, except to this machine itself.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{StatusCode, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::catalogue::{BASE, DataSet, Terms};
use crate::error::AtPath;
use crate::{IoError, Result, hash, unpack};

/// How to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether the user accepts restricted terms. Default no.
    pub accept_terms: bool,
    /// Where addresses start; a mirror has the same paths. Default [`BASE`].
    pub base: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            accept_terms: false,
            base: BASE.to_owned(),
        }
    }
}

/// What is known of a file before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin<'a> {
    /// Size in bytes, where it is known; else the server's word counts for the progress only.
    pub n_bytes: Option<u64>,
    /// SHA-256, hexadecimal: all 64 digits, or the first ones where no more were published.
    pub sha256: &'a str,
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file at hand, within the data set.
    pub path: &'a str,
    /// Bytes of the whole data set that are in place, those of this file included.
    pub n_done: u64,
    /// Bytes of the whole data set.
    pub n_bytes: u64,
}

/// What a download did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The folder of the data set.
    pub folder: PathBuf,
    /// Files that were fetched.
    pub n_fetched: usize,
    /// Files that were already right.
    pub n_kept: usize,
    /// Files that were made from the fetched ones.
    pub derived: Vec<PathBuf>,
}

/// Fetches a data set into `folder/NAME` and [derives](crate::unpack) what belongs to it.
///
/// `progress` is called for every file and about once a mebibyte.
///
/// # Errors
///
/// [`IoError::TermsNotAccepted`] before anything is fetched; [`IoError::Network`] when the connection
/// fails (call again to resume); [`IoError::Status`], [`IoError::WrongContent`],
/// [`IoError::InsecureAddress`], [`IoError::Os`].
pub fn get(
    set: &DataSet,
    folder: impl AsRef<Path>,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary> {
    if set.terms == Terms::Restricted && !options.accept_terms {
        return Err(IoError::TermsNotAccepted {
            name: set.name.clone(),
            licence: set.licence.clone(),
        });
    }
    let folder = folder.as_ref().join(&set.name);
    let client = client(&options.base)?;
    let n_bytes = set.n_bytes();
    let mut n_before = 0;
    let mut summary = Summary {
        folder: folder.clone(),
        ..Summary::default()
    };
    for file in set.files() {
        let path = folder.join(file.path);
        let mut report = |n_of_file: u64| {
            progress(Progress {
                path: file.path,
                n_done: n_before + n_of_file,
                n_bytes,
            });
        };
        let pin = Pin {
            n_bytes: Some(file.n_bytes),
            sha256: file.sha256,
        };
        if is_right(&path, pin)? {
            summary.n_kept += 1;
            report(file.n_bytes);
        } else {
            let address = format!("{}{}", options.base, file.address);
            fetch(&client, &address, &path, pin, &mut |n, _| report(n))?;
            summary.n_fetched += 1;
        }
        n_before += file.n_bytes;
    }
    summary.derived = unpack::derive(&set.name, &folder)?;
    Ok(summary)
}

/// Fetches one file to `path`; gives whether it had to be, as it may be there already.
///
/// `progress` is called about once a mebibyte with the bytes in place and the size, where that is
/// known.
///
/// # Errors
///
/// As [`get`], terms excepted.
pub fn get_file(
    address: &str,
    path: impl AsRef<Path>,
    pin: Pin<'_>,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<bool> {
    let path = path.as_ref();
    let client = client(address)?;
    if is_right(path, pin)? {
        return Ok(false);
    }
    fetch(&client, address, path, pin, progress)?;
    Ok(true)
}

/// A client for addresses that start with `base`.
fn client(base: &str) -> Result<Agent> {
    let uri: Option<Uri> = base.parse().ok();
    let uri = uri.as_ref();
    let scheme = uri.and_then(Uri::scheme_str);
    let host = uri.and_then(Uri::host);
    let this_machine = matches!(host, Some("127.0.0.1" | "localhost" | "[::1]"));
    if scheme != Some("https") && !(scheme == Some("http") && this_machine) {
        return Err(IoError::InsecureAddress {
            address: base.to_owned(),
        });
    }
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .https_only(!this_machine)
        .max_redirects(if this_machine { 0 } else { 5 })
        .user_agent(concat!("consilience/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(60)));
    let config = if this_machine {
        config.proxy(None)
    } else {
        config
    };
    Ok(config.build().new_agent())
}

/// Most bytes of a file whose size nobody knows.
const MAX_BYTES: u64 = 8 << 30;

impl Pin<'_> {
    fn fits(&self, n_bytes: u64, sha256: &str) -> bool {
        self.n_bytes.is_none_or(|pinned| pinned == n_bytes) && sha256.starts_with(self.sha256)
    }
}

/// Whether the file is there with its pinned content.
fn is_right(path: &Path, pin: Pin<'_>) -> Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) if pin.n_bytes.is_none_or(|n| n == metadata.len()) => {
            Ok(pin.fits(metadata.len(), &hash::sha256_file(path)?))
        }
        _ => Ok(false),
    }
}

fn fetch(
    client: &Agent,
    address: &str,
    path: &Path,
    pin: Pin<'_>,
    report: &mut dyn FnMut(u64, Option<u64>),
) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(IoError::os("make the folder"))
            .at(folder)?;
    }
    let n_there = std::fs::metadata(&part).map_or(0, |metadata| metadata.len());
    if pin.n_bytes.is_none_or(|n_bytes| n_there < n_bytes) {
        receive(client, address, &part, n_there, pin, report)?;
    }
    let n_bytes = std::fs::metadata(&part)
        .map_err(IoError::os("inspect the file"))
        .at(&part)?
        .len();
    let found = hash::sha256_file(&part)?;
    if !pin.fits(n_bytes, &found) {
        std::fs::remove_file(&part)
            .map_err(IoError::os("remove the wrong file"))
            .at(&part)?;
        return Err(IoError::WrongContent {
            found,
            expected: pin.sha256.to_owned(),
            n_bytes,
        }
        .at(path));
    }
    std::fs::rename(&part, path)
        .map_err(IoError::os("name the finished file"))
        .at(path)
}

/// Appends to the part what is missing of the file; one byte more at most, which the hash will tell.
fn receive(
    client: &Agent,
    address: &str,
    part: &Path,
    n_there: u64,
    pin: Pin<'_>,
    report: &mut dyn FnMut(u64, Option<u64>),
) -> Result<()> {
    let network = |source: Box<dyn std::error::Error + Send + Sync>| IoError::Network {
        source,
        address: address.to_owned(),
    };
    let request = client.get(address);
    let request = match n_there {
        0 => request,
        n => request.header(header::RANGE, format!("bytes={n}-")),
    };
    let response = request.call().map_err(|error| network(Box::new(error)))?;
    let text = |name| {
        let value = response.headers().get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let range =
        text(header::CONTENT_RANGE).filter(|range| range.starts_with(&format!("bytes {n_there}-")));
    let number = |text: &str| text.parse::<u64>().ok();
    let (mut n_done, told) = match response.status() {
        StatusCode::PARTIAL_CONTENT if range.is_some() => {
            let total = range.and_then(|range| number(range.rsplit('/').next()?));
            (n_there, total)
        }
        // The server sends the whole file.
        StatusCode::OK => (0, text(header::CONTENT_LENGTH).and_then(number)),
        // A part whose size was not known may be the whole; its hash will tell.
        StatusCode::RANGE_NOT_SATISFIABLE if pin.n_bytes.is_none() => return Ok(()),
        status => {
            return Err(IoError::Status {
                status: status.as_u16(),
                address: address.to_owned(),
            });
        }
    };
    let n_bytes = pin.n_bytes.or(told);
    let at_most = n_bytes.unwrap_or(MAX_BYTES).min(MAX_BYTES);
    // A server may have a shorter file than the pinned one and send all of it; its hash will tell.
    let n_enough = told.or(n_bytes).map(|n| n.min(at_most));
    let mut out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(part)
        .map_err(IoError::os("open the file"))
        .at(part)?;
    if n_done == 0 {
        out.set_len(0)
            .map_err(IoError::os("empty the file"))
            .at(part)?;
    }
    let mut body = limited(response.into_body(), at_most.saturating_sub(n_done) + 1);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = read_full(&mut body, &mut buffer, &mut out, part)?;
        n_done += n.bytes;
        report(n_done.min(at_most), n_bytes);
        match n.ended {
            Ended::Not => {}
            Ended::AtEnd if n_enough.is_none_or(|n_enough| n_done >= n_enough) => break,
            Ended::AtEnd => return Err(network("the connection closed early".into())),
            Ended::By(error) => return Err(network(Box::new(error))),
        }
    }
    out.sync_all()
        .map_err(IoError::os("flush the file to disk"))
        .at(part)
}

fn limited(body: Body, n_bytes: u64) -> impl Read {
    // The client's own limit would be an error; the hash gives the better one.
    body.into_with_config()
        .limit(u64::MAX)
        .reader()
        .take(n_bytes)
}

/// Bytes that were moved, and whether there are more.
struct Moved {
    bytes: u64,
    ended: Ended,
}

enum Ended {
    Not,
    AtEnd,
    By(std::io::Error),
}

/// Moves up to a buffer full; what came before a break of the connection is kept.
fn read_full(
    body: &mut impl Read,
    buffer: &mut [u8],
    out: &mut File,
    part: &Path,
) -> Result<Moved> {
    let mut n = 0;
    let ended = loop {
        if n == buffer.len() {
            break Ended::Not;
        }
        match body.read(&mut buffer[n..]) {
            Ok(0) => break Ended::AtEnd,
            Ok(more) => n += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Ended::By(error),
        }
    };
    out.write_all(&buffer[..n])
        .map_err(IoError::os("write the file"))
        .at(part)?;
    Ok(Moved {
        bytes: n as u64,
        ended,
    })
}

#[cfg(test)]
mod tests;
