//! Choosing layers by name.

use super::{Graph, Layer};
use crate::suggest::nearest;
use crate::{ModelError, Result};

impl Graph {
    /// The layers that any of the patterns matches, in network order, each once.
    ///
    /// # Definition
    ///
    /// A pattern is a name in which `*` stands for any run of characters (dots included) and `?`
    /// for any one character; a comma separates patterns. No pattern at all means
    /// [`Graph::default_layers`], and so does a lone `*`.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownLayer`] for the first pattern that matches nothing, with the nearest
    /// names.
    pub fn select<S: AsRef<str>>(&self, patterns: &[S]) -> Result<Vec<Layer>> {
        let patterns: Vec<&str> = patterns
            .iter()
            .flat_map(|pattern| pattern.as_ref().split(','))
            .map(str::trim)
            .filter(|pattern| !pattern.is_empty())
            .collect();
        if patterns.iter().all(|pattern| *pattern == "*") {
            return Ok(self.default_layers());
        }
        let mut chosen = vec![false; self.layers.len()];
        for pattern in patterns {
            let mut found = false;
            for (layer, chosen) in self.layers.iter().zip(&mut chosen) {
                if matches(pattern, &layer.name) {
                    *chosen = true;
                    found = true;
                }
            }
            if !found {
                let wanted: String = pattern.chars().filter(|c| !"*?".contains(*c)).collect();
                let names = self.layers.iter().map(|layer| layer.name.as_str());
                return Err(ModelError::UnknownLayer {
                    pattern: pattern.to_owned(),
                    nearest: nearest(&wanted, names, 3),
                });
            }
        }
        Ok(self
            .layers
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| *chosen)
            .map(|(layer, _)| layer.clone())
            .collect())
    }
}

/// Whether `name` as a whole matches `pattern`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when a character does not fit: after the last star, one character later.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut retry {
                Some((after_star, from)) => {
                    *from += 1;
                    (p, n) = (*after_star, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph() -> Graph {
        let layer = |name: &str, tensor: &str| Layer {
            name: name.into(),
            tensor: tensor.into(),
        };
        Graph {
            lists_tensors: true,
            layers: vec![
                layer("features.0", "t0"),
                layer("t0", "t0"),
                layer("features.3.squeeze", "t1"),
                layer("features.3", "t2"),
                layer("features", "t2"),
                layer("t3", "t3"),
            ],
            ..Graph::default()
        }
    }

    fn names(patterns: &[&str]) -> Vec<String> {
        let chosen = graph().select(patterns).unwrap();
        chosen.into_iter().map(|layer| layer.name).collect()
    }

    #[test]
    fn patterns_choose_in_network_order() {
        assert_eq!(
            names(&["features.3*"]),
            ["features.3.squeeze", "features.3"]
        );
        assert_eq!(names(&["features, t0", "features"]), ["t0", "features"]);
        assert_eq!(names(&["features.?"]), ["features.0", "features.3"]);
        assert_eq!(names(&["*sq*ze"]), ["features.3.squeeze"]);
    }

    #[test]
    fn without_a_pattern_each_module_and_each_nameless_tensor_comes() {
        let all = [
            "features.0",
            "features.3.squeeze",
            "features.3",
            "features",
            "t3",
        ];
        assert_eq!(names(&[]), all);
        assert_eq!(names(&["*"]), all);
    }

    #[test]
    fn an_unknown_name_is_answered_with_near_ones() {
        match graph().select(&["features.3", "featurs.0"]) {
            Err(ModelError::UnknownLayer { pattern, nearest }) => {
                assert_eq!(pattern, "featurs.0");
                assert_eq!(nearest[0], "features.0");
            }
            other => panic!("{other:?}"),
        }
        assert!(graph().select(&["layer4.*"]).is_err());
    }

    /// The definition itself, without cleverness.
    fn matches_slowly(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                matches_slowly(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(_, n)| matches_slowly(pattern, n))
            }
            (Some((p, rest)), Some((n, name))) => {
                (*p == '?' || p == n) && matches_slowly(rest, name)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_follows_its_definition(pattern in "[ab.*?]{0,7}", name in "[ab.]{0,7}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(matches(&pattern, &name), matches_slowly(&p, &n));
        }
    }
}
