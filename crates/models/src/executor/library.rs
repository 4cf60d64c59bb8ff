//! Where ONNX Runtime's shared library is looked for.
//!
//! 1. The file that `ORT_DYLIB_PATH` names; nothing else when the variable is set.
//! 2. The `onnxruntime` Python wheel, which carries the library: in the active environment
//!    (`VIRTUAL_ENV`, `CONDA_PREFIX`), in the user's packages (`~/.local`), in the system's.
//! 3. The system's library folders.
//!
//! Python itself is never run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What to say when the search finds nothing.
pub(super) const NOT_FOUND: &str = "its shared library was found neither in the onnxruntime Python \
    package of the active environment nor in the system's folders; install that package or set \
    ORT_DYLIB_PATH to the library file";

/// Files that may be the library, best first.
#[must_use]
pub fn find() -> Vec<PathBuf> {
    candidates(|name| std::env::var_os(name))
}

/// [`find`] with the environment as an argument.
fn candidates(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let path = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(file) = path("ORT_DYLIB_PATH") {
        return vec![file];
    }
    let mut found = Vec::new();
    let user = path("HOME").map(|home| home.join(".local"));
    let system = ["/usr/local", "/usr"].map(PathBuf::from);
    let prefixes = [path("VIRTUAL_ENV"), path("CONDA_PREFIX"), user]
        .into_iter()
        .flatten()
        .chain(system);
    for prefix in prefixes {
        for packages in package_folders(&prefix) {
            found.extend(libraries_in(&packages.join("onnxruntime").join("capi")));
        }
    }
    for folder in [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/homebrew/lib",
    ] {
        found.extend(libraries_in(Path::new(folder)));
    }
    found
}

/// Folders of installed Python packages under `prefix`, newest Python first.
fn package_folders(prefix: &Path) -> Vec<PathBuf> {
    let lib = prefix.join("lib");
    let mut pythons = names_in(&lib, |name| name.starts_with("python3"));
    // `python3.9` before `python3.11` as text, so order by the number.
    pythons.sort_by_key(|name| {
        let minor = name
            .strip_prefix("python3.")
            .and_then(|n| n.parse::<u32>().ok());
        std::cmp::Reverse(minor)
    });
    let unix = pythons.into_iter().flat_map(|python| {
        ["site-packages", "dist-packages"].map(|packages| lib.join(&python).join(packages))
    });
    unix.chain([prefix.join("Lib").join("site-packages")])
        .collect()
}

/// Files in `folder` that are named as the library is on Linux, macOS and Windows.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let mut names = names_in(folder, |name| {
        name == "onnxruntime.dll"
            || name == "libonnxruntime.so"
            || name.starts_with("libonnxruntime.so.")
            || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
    });
    names.sort_unstable();
    names.into_iter().map(|name| folder.join(name)).collect()
}

fn names_in(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| wanted(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wheel_of_the_active_environment_comes_first() {
        let environment = tempfile::tempdir().unwrap();
        for python in ["python3.9", "python3.11"] {
            let capi = format!("lib/{python}/site-packages/onnxruntime/capi");
            let capi = environment.path().join(capi);
            fs::create_dir_all(&capi).unwrap();
            for file in [
                "libonnxruntime.so.1.31.1",
                "libonnxruntime_providers_shared.so",
            ] {
                fs::write(capi.join(file), "").unwrap();
            }
        }
        let root = environment.path().as_os_str().to_owned();
        let found = candidates(|name| (name == "VIRTUAL_ENV").then(|| root.clone()));
        let inside: Vec<_> = found
            .iter()
            .filter_map(|path| path.strip_prefix(environment.path()).ok())
            .collect();
        assert_eq!(
            inside,
            ["3.11", "3.9"].map(|version| {
                PathBuf::from(format!(
                    "lib/python{version}/site-packages/onnxruntime/capi/libonnxruntime.so.1.31.1"
                ))
            })
        );
        assert_eq!(found[0], environment.path().join(inside[0]));
    }

    #[test]
    fn a_named_file_is_the_only_candidate() {
        let found = candidates(|name| (name == "ORT_DYLIB_PATH").then(|| "/there/lib.so".into()));
        assert_eq!(found, [PathBuf::from("/there/lib.so")]);
    }
}
