//! What the classes of detectors are called.
//!
//! The lists are facts about public data sets, in the order of darknet's weights: the 80 thing classes
//! of COCO 2014 (under darknet's names, e.g. `motorbike`) and the 601 boxable classes of Open Images.

use super::DetectError;

pub(crate) const COCO: &str = include_str!("coco.txt");
pub(crate) const OPEN_IMAGES: &str = include_str!("open_images.txt");

/// Most classes of a list.
const MAX_CLASSES: usize = 100_000;

/// The 80 classes of COCO.
///
/// # Example
///
/// ```
/// use consilience_models::detect::classes;
///
/// assert_eq!(classes::coco()[16], "dog");
/// assert_eq!(classes::open_images().len(), 601);
/// ```
///
/// # References
///
/// Lin et al. (2014), doi:10.1007/978-3-319-10602-1_48.
#[must_use]
pub fn coco() -> Vec<String> {
    COCO.lines().map(str::to_owned).collect()
}

/// The 601 classes of Open Images that have boxes.
///
/// # References
///
/// Kuznetsova et al. (2020), doi:10.1007/s11263-020-01316-z.
#[must_use]
pub fn open_images() -> Vec<String> {
    OPEN_IMAGES.lines().map(str::to_owned).collect()
}

/// The names of `n_classes` classes where a data set of that size is known: 80 for COCO, 601 for Open
/// Images.
///
/// # Errors
///
/// [`DetectError::UnknownClasses`] for every other number.
pub fn usual(n_classes: usize) -> Result<Vec<String>, DetectError> {
    match n_classes {
        80 => Ok(coco()),
        601 => Ok(open_images()),
        _ => Err(DetectError::UnknownClasses { n_classes }),
    }
}

/// Names from a text with one a line; blank lines at the end are ignored.
///
/// # Errors
///
/// [`DetectError::ClassList`] for a blank or repeated name, or more than 100,000 of them.
pub fn parse(text: &str) -> Result<Vec<String>, DetectError> {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
    let fault = |line_idx: usize, found: &str| DetectError::ClassList {
        line: line_idx + 1,
        found: found.to_owned(),
    };
    if lines.len() > MAX_CLASSES {
        return Err(fault(MAX_CLASSES, "more than 100,000 names"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (line_idx, name) in lines.iter().enumerate() {
        if name.is_empty() {
            return Err(fault(line_idx, "an empty line"));
        }
        if !seen.insert(*name) {
            return Err(fault(line_idx, &format!("{name:?} once more")));
        }
    }
    Ok(lines.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_and_each_name_stands_once() {
        assert_eq!(parse(COCO).unwrap().len(), 80);
        assert_eq!(parse(OPEN_IMAGES).unwrap().len(), 601);
        assert_eq!(usual(80).unwrap(), coco());
        assert!(usual(3).unwrap_err().to_string().contains("3 classes"));
    }

    #[test]
    fn a_list_says_which_line_is_wrong() {
        assert_eq!(parse("cat\r\n dog \n\n").unwrap(), ["cat", "dog"]);
        for (text, expected) in [("cat\n\ndog", "line 2"), ("cat\ndog\ncat", "line 3")] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
