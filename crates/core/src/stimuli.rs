//! Stimuli and their labels.

use std::path::PathBuf;

use crate::{CoreError, Result};

/// One picture that was shown to people and is given to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stimulus {
    /// Unique name within the study (the file name without its ending).
    pub id: String,
    /// Where the picture lies.
    pub path: PathBuf,
    /// Category for ordering and colouring; `None` when the study declares none.
    pub category: Option<String>,
}

/// The stimuli of a study in the order of every RDM and pattern matrix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stimuli {
    items: Vec<Stimulus>,
}

impl Stimuli {
    /// Takes stimuli in their order.
    ///
    /// # Errors
    ///
    /// [`CoreError::DuplicateStimulus`] when two share an identifier.
    pub fn new(items: Vec<Stimulus>) -> Result<Self> {
        let mut ids: Vec<&str> = items.iter().map(|s| s.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|w| w[0] == w[1]) {
            return Err(CoreError::DuplicateStimulus {
                id: twice[0].to_owned(),
            });
        }
        Ok(Self { items })
    }

    /// Number of stimuli.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The stimuli in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Stimulus> {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique() {
        let s = |id: &str| Stimulus {
            id: id.into(),
            path: id.into(),
            category: None,
        };
        assert_eq!(Stimuli::new(vec![s("a"), s("b")]).unwrap().len(), 2);
        assert_eq!(
            Stimuli::new(vec![s("a"), s("b"), s("a")]),
            Err(CoreError::DuplicateStimulus { id: "a".into() })
        );
    }
}
