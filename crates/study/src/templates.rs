//! Study files to start from, written by `consilience init`.

use crate::planted::Planted;

/// A kind of study and its files.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// Name on the command line.
    pub kind: &'static str,
    /// File names and texts.
    pub files: &'static [(&'static str, &'static str)],
    /// Whether data are generated beside them, see [`planted`](crate::planted).
    pub data: Option<Planted>,
}

macro_rules! files {
    ($folder:literal) => {
        &[
            ("study.toml", include_str!(concat!($folder, "/study.toml"))),
            ("README.md", include_str!(concat!($folder, "/README.md"))),
        ]
    };
}

/// Every kind there is.
pub const TEMPLATES: &[Template] = &[
    Template {
        kind: "rsa",
        files: files!("../templates/rsa"),
        data: None,
    },
    Template {
        kind: "valence-appraisal",
        files: files!("../templates/valence-appraisal"),
        data: None,
    },
    Template {
        kind: "visual-emotion",
        files: files!("../templates/visual-emotion"),
        data: None,
    },
    Template {
        kind: "object2brain-planted",
        files: files!("../../../examples/object2brain-planted"),
        data: Some(Planted::Category),
    },
    Template {
        kind: "object2brain-null",
        files: files!("../../../examples/object2brain-null"),
        data: Some(Planted::NoCategory),
    },
    Template {
        kind: "visual-emotion-planted",
        files: files!("../../../examples/visual-emotion-planted"),
        data: Some(Planted::Emotion),
    },
    Template {
        kind: "visual-emotion-null",
        files: files!("../../../examples/visual-emotion-null"),
        data: Some(Planted::NoEmotion),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::StudyText;

    #[test]
    fn every_study_file_is_valid() {
        for template in TEMPLATES {
            let (_, text) = template
                .files
                .iter()
                .find(|(name, _)| *name == "study.toml")
                .unwrap();
            let study = StudyText::new("study.toml", *text).parse(&[]);
            assert!(study.is_ok(), "{}: {}", template.kind, study.unwrap_err());
        }
    }
}
