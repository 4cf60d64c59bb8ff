//! What is explained, and how.

use std::fmt;
use std::str::FromStr;

use crate::error::LearnError;

/// The class whose score is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Target {
    /// The class that the network gives the largest score, image by image.
    #[default]
    Max,
    /// One class for all images.
    Class(usize),
}

impl FromStr for Target {
    type Err = LearnError;

    fn from_str(word: &str) -> Result<Self, LearnError> {
        match (word, word.parse()) {
            ("max", _) => Ok(Self::Max),
            (_, Ok(class)) => Ok(Self::Class(class)),
            _ => Err(LearnError::UnknownChoice {
                what: "target",
                found: word.to_owned(),
                expected: "max or the number of a class",
            }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Class(class) => write!(f, "{class}"),
        }
    }
}

/// How maps of single filters are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Filters {
    /// ReLU(α_k A^k): where filter k speaks for the class.
    #[default]
    Positive,
    /// α_k A^k: also where it speaks against it.
    Signed,
}

impl FromStr for Filters {
    type Err = LearnError;

    fn from_str(word: &str) -> Result<Self, LearnError> {
        match word {
            "positive" => Ok(Self::Positive),
            "signed" => Ok(Self::Signed),
            _ => Err(LearnError::UnknownChoice {
                what: "kind of filter maps",
                found: word.to_owned(),
                expected: "positive or signed",
            }),
        }
    }
}

impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Positive => "positive",
            Self::Signed => "signed",
        })
    }
}

/// How maps are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GradCamParams {
    /// The class whose score is explained. Default [`Target::Max`].
    pub target: Target,
    /// A map for each filter instead of one for the layer. Default `None`: one for the layer.
    pub filters: Option<Filters>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_spelled_as_they_are_read() {
        for target in [Target::Max, Target::Class(207)] {
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
        for filters in [Filters::Positive, Filters::Signed] {
            assert_eq!(filters.to_string().parse::<Filters>().unwrap(), filters);
        }
        assert!("-1".parse::<Target>().is_err());
        assert!("all".parse::<Filters>().is_err());
    }
}
