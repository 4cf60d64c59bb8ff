//! Options as kebab-case names: parsing with a suggestion.

use crate::{MethodsError, Result};

/// Looks up `name` among the named values of the option `what`.
///
/// # Errors
///
/// [`MethodsError::UnknownName`] with every known name and the nearest one.
pub(crate) fn parse<T: Copy>(
    what: &'static str,
    name: &str,
    known: &[(&'static str, T)],
) -> Result<T> {
    if let Some(&(_, value)) = known.iter().find(|(k, _)| *k == name) {
        return Ok(value);
    }
    let names: Vec<&'static str> = known.iter().map(|&(k, _)| k).collect();
    Err(MethodsError::UnknownName {
        what,
        name: name.to_owned(),
        nearest: nearest(name, &names),
        known: names,
    })
}

/// The name of an option's value.
pub(crate) fn name_of<T: PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    names
        .iter()
        .find(|(_, named)| *named == value)
        .map(|&(name, _)| name)
        .expect("every value of an option has a name")
}

/// An option that is displayed and parsed by its `NAMES`; the text says what it chooses, for messages.
macro_rules! named {
    ($type:ty, $what:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad($crate::names::name_of(*self, &Self::NAMES))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::MethodsError;

            fn from_str(name: &str) -> $crate::Result<Self> {
                $crate::names::parse($what, name, &Self::NAMES)
            }
        }
    };
}
pub(crate) use named;

/// The known name that takes the fewest edits to reach from `name`, unless that would replace
/// more than half of it.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let name = name.to_lowercase();
    known
        .iter()
        .map(|&candidate| (strsim::levenshtein(&name, candidate), candidate))
        .min_by_key(|&(edits, _)| edits)
        .filter(|&(edits, candidate)| 2 * edits <= candidate.chars().count())
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["correlation", "cosine"];
        assert_eq!(nearest("corelation", &known), Some("correlation"));
        assert_eq!(nearest("Cosine", &known), Some("cosine"));
        assert_eq!(nearest("mutual-information", &known), None);
    }
}
