//! What can be wrong with a detector or with its boxes.

/// A detector that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// No detector of that name.
    #[error("no detector is called {name:?}; expected one of {expected}, or a darknet .cfg file")]
    UnknownDetector {
        /// The name that was given.
        name: String,
        /// The names that exist.
        expected: String,
    },
    /// A network whose outputs are not those of the detector.
    #[error(
        "the network is no {detector}: {what} is {found}, expected {expected}; give the file of that detector"
    )]
    NotThisDetector {
        /// Which detector was asked for.
        detector: &'static str,
        /// What does not fit.
        what: &'static str,
        /// What was found.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// A face detector that is none of those known.
    #[error(
        "the network takes images of {found}, which is none of the known face detectors ({known}); give its kind"
    )]
    UnknownFaceDetector {
        /// Height and width that it takes.
        found: String,
        /// Those that are known.
        known: String,
    },
    /// A number of classes that no known data set has.
    #[error("the names of {n_classes} classes are not known; give a file with a name a line")]
    UnknownClasses {
        /// How many classes the network has.
        n_classes: usize,
    },
    /// Class names that do not fit the network.
    #[error("{found} class names for a network of {expected} classes; give one name for each")]
    ClassCount {
        /// Classes of the network.
        expected: usize,
        /// Names that were given.
        found: usize,
    },
    /// A list of class names that cannot be used.
    #[error("line {line} of the class names holds {found}; write each name once, one a line")]
    ClassList {
        /// Line, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A threshold out of its range.
    #[error("the {what} threshold must lie in {range}, found {found}")]
    Threshold {
        /// Which threshold.
        what: &'static str,
        /// Where it must lie.
        range: &'static str,
        /// What was given.
        found: f64,
    },
    /// Five points that determine no alignment.
    #[error(
        "the landmarks of the face lie in one point, so that it cannot be aligned; leave it out"
    )]
    CoincidentLandmarks,
}
