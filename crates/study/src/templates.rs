//! Study files to start from, written by `consilience init`.

/// A kind of study and its files.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// Name on the command line.
    pub kind: &'static str,
    /// File names and texts.
    pub files: &'static [(&'static str, &'static str)],
}

/// Every kind there is.
pub const TEMPLATES: &[Template] = &[
    Template {
        kind: "rsa",
        files: &[
            ("study.toml", include_str!("../templates/rsa/study.toml")),
            ("README.md", include_str!("../templates/rsa/README.md")),
        ],
    },
    Template {
        kind: "valence-appraisal",
        files: &[
            (
                "study.toml",
                include_str!("../templates/valence-appraisal/study.toml"),
            ),
            (
                "README.md",
                include_str!("../templates/valence-appraisal/README.md"),
            ),
        ],
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
