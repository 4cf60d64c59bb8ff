//! Edits as text: `kind option=value …`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Edit, EditError, Fill, Head, Indices, Part};
use crate::suggest::nearest;

const KINDS: [(&str, &[&str]); 5] = [
    ("cut", &["layer"]),
    ("tap", &["layer"]),
    (
        "lesion",
        &[
            "layer", "channels", "units", "heads", "of", "tokens", "with", "means",
        ],
    ),
    (
        "gain",
        &[
            "layer", "channels", "units", "heads", "of", "tokens", "alpha",
        ],
    ),
    ("replace-head", &["layer", "weights", "outputs", "seed"]),
];

/// Parts, as options; at most one of them.
const PARTS: [&str; 4] = ["channels", "units", "heads", "tokens"];

impl Edit {
    /// The edit of kind `kind` with these options and their values.
    ///
    /// # Errors
    ///
    /// [`EditError`], whose [`option`](EditError::option) says which one is at fault.
    pub fn from_options<'a>(
        kind: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, EditError> {
        let Some(&(kind, known)) = KINDS.iter().find(|(name, _)| *name == kind) else {
            let kinds = KINDS.iter().map(|(name, _)| *name);
            return Err(EditError::UnknownKind {
                found: kind.to_owned(),
                nearest: resembling(kind, kinds),
            });
        };
        let mut given = Options::default();
        for (option, value) in options {
            let Some(name) = known.iter().find(|name| **name == option) else {
                return Err(EditError::UnknownOption {
                    kind,
                    found: option.to_owned(),
                    expected: known,
                    nearest: resembling(option, known.iter().copied()),
                });
            };
            if given.0.insert(name, value).is_some() {
                return Err(EditError::Twice {
                    option: option.to_owned(),
                });
            }
        }
        let layer = given
            .take("layer")
            .filter(|layer| !layer.is_empty())
            .ok_or(EditError::Missing {
                kind,
                option: "layer",
                example: "layer=features.8",
            })?
            .to_owned();
        Ok(match kind {
            "cut" => Self::Cut { layer },
            "tap" => Self::Tap { layer },
            "lesion" => Self::Lesion {
                layer,
                part: given.part()?,
                with: given.fill()?,
            },
            "gain" => Self::Gain {
                layer,
                part: given.part()?,
                alpha: given.alpha()?,
            },
            _ => Self::ReplaceHead {
                layer,
                head: given.head()?,
            },
        })
    }
}

/// Options that are known to the kind and have not been used.
#[derive(Default)]
struct Options<'a>(BTreeMap<&'static str, &'a str>);

impl<'a> Options<'a> {
    fn take(&mut self, option: &str) -> Option<&'a str> {
        self.0.remove(option)
    }

    fn part(&mut self) -> Result<Part, EditError> {
        let mut named = PARTS.into_iter().filter(|part| self.0.contains_key(part));
        let (option, second) = (named.next(), named.next());
        if let (Some(first), Some(second)) = (option, second) {
            return Err(EditError::Exclusive { first, second });
        }
        let of = self.take("of");
        let Some(option) = option else {
            return match of {
                None => Ok(Part::All),
                Some(_) => Err(missing_heads("heads", "heads=0,3 of=12")),
            };
        };
        let text = self.take(option).unwrap_or_default();
        let list: Indices = text
            .parse()
            .map_err(|source| EditError::List { option, source })?;
        let of = match (option, of) {
            ("heads", Some(of)) => number("of", of, "the number of heads")?,
            ("heads", None) => return Err(missing_heads("of, the number of heads", "of=12")),
            (_, Some(_)) => {
                return Err(EditError::Exclusive {
                    first: option,
                    second: "of",
                });
            }
            (_, None) => 0,
        };
        Ok(match option {
            "channels" => Part::Channels(list),
            "units" => Part::Units(list),
            "tokens" => Part::Tokens(list),
            _ => Part::Heads { heads: list, of },
        })
    }

    fn fill(&mut self) -> Result<Fill, EditError> {
        match (self.take("with"), self.take("means")) {
            (None | Some("zero"), None) => Ok(Fill::Zero),
            (Some("mean"), None) => Ok(Fill::Mean),
            (None | Some("mean"), Some(file)) => Ok(Fill::MeanIn(file.into())),
            (Some("zero"), Some(_)) => Err(EditError::Exclusive {
                first: "with=zero",
                second: "means",
            }),
            (Some(other), _) => Err(EditError::Value {
                option: "with",
                expected: "zero or mean",
                found: other.to_owned(),
            }),
        }
    }

    fn alpha(&mut self) -> Result<f32, EditError> {
        let text = self.take("alpha").ok_or(EditError::Missing {
            kind: "gain",
            option: "alpha",
            example: "alpha=0.5",
        })?;
        text.parse()
            .ok()
            .filter(|alpha: &f32| alpha.is_finite())
            .ok_or_else(|| EditError::Value {
                option: "alpha",
                expected: "a number, 0 for no change",
                found: text.to_owned(),
            })
    }

    fn head(&mut self) -> Result<Head, EditError> {
        match (
            self.take("weights"),
            self.take("outputs"),
            self.take("seed"),
        ) {
            (Some(file), None, None) => Ok(Head::Weights(file.into())),
            (None, Some(n_outputs), seed) => Ok(Head::Seeded {
                n_outputs: number("outputs", n_outputs, "a number from 1 to 1000000")
                    .and_then(at_most_a_million)?,
                seed: match seed {
                    Some(seed) => number("seed", seed, "a seed")?,
                    None => 0,
                },
            }),
            (Some(_), second, _) => Err(EditError::Exclusive {
                first: "weights",
                second: if second.is_some() { "outputs" } else { "seed" },
            }),
            (None, None, _) => Err(EditError::Missing {
                kind: "replace-head",
                option: "weights, or outputs and seed",
                example: "weights=head.safetensors",
            }),
        }
    }
}

fn missing_heads(option: &'static str, example: &'static str) -> EditError {
    EditError::Missing {
        kind: "list of heads",
        option,
        example,
    }
}

/// A whole number; those that count things are not 0.
fn number<T: FromStr + Default + PartialEq>(
    option: &'static str,
    text: &str,
    expected: &'static str,
) -> Result<T, EditError> {
    text.parse()
        .ok()
        .filter(|value| option == "seed" || *value != T::default())
        .ok_or_else(|| EditError::Value {
            option,
            expected,
            found: text.to_owned(),
        })
}

/// No more outputs than a read-out can sensibly have, so that a slip does not ask for all memory.
fn at_most_a_million(n_outputs: usize) -> Result<usize, EditError> {
    if n_outputs > 1_000_000 {
        return Err(EditError::Value {
            option: "outputs",
            expected: "a number from 1 to 1000000",
            found: n_outputs.to_string(),
        });
    }
    Ok(n_outputs)
}

fn resembling<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let found = nearest(wanted, names, 1).pop()?;
    (strsim::damerau_levenshtein(wanted, &found) <= 2).then_some(found)
}

impl FromStr for Edit {
    type Err = EditError;

    /// Reads `kind option=value …`; a value with spaces stands in double quotes.
    fn from_str(text: &str) -> Result<Self, EditError> {
        let words = words(text);
        let (kind, rest) = match words.split_first() {
            Some((kind, rest)) => (kind.as_str(), rest),
            None => ("", words.as_slice()),
        };
        let options = rest
            .iter()
            .map(|word| {
                word.split_once('=').ok_or_else(|| EditError::NotAnOption {
                    found: word.clone(),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::from_options(kind, options)
    }
}

/// Cuts at spaces outside of double quotes; inside, a backslash takes the next character as it is.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(characters.next()),
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Cut { .. } => "cut",
            Self::Tap { .. } => "tap",
            Self::Lesion { .. } => "lesion",
            Self::Gain { .. } => "gain",
            Self::ReplaceHead { .. } => "replace-head",
        };
        write!(f, "{kind} layer={}", quoted(self.layer()))?;
        match self {
            Self::Cut { .. } | Self::Tap { .. } => Ok(()),
            Self::Lesion { part, with, .. } => {
                write!(f, "{part}")?;
                match with {
                    Fill::Zero => f.write_str(" with=zero"),
                    Fill::Mean => f.write_str(" with=mean"),
                    Fill::MeanIn(file) => write!(f, " means={}", quoted(&file.to_string_lossy())),
                }
            }
            Self::Gain { part, alpha, .. } => write!(f, "{part} alpha={alpha}"),
            Self::ReplaceHead { head, .. } => match head {
                Head::Weights(file) => write!(f, " weights={}", quoted(&file.to_string_lossy())),
                Head::Seeded { n_outputs, seed } => write!(f, " outputs={n_outputs} seed={seed}"),
            },
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Channels(list) => write!(f, " channels={list}"),
            Self::Units(list) => write!(f, " units={list}"),
            Self::Heads { heads, of } => write!(f, " heads={heads} of={of}"),
            Self::Tokens(list) => write!(f, " tokens={list}"),
        }
    }
}

fn quoted(value: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && c != '"';
    match value.chars().all(plain) {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

impl Serialize for Edit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_print_as_they_are_read() {
        for text in [
            "cut layer=avgpool",
            "tap layer=layer3",
            "lesion layer=features.8 channels=3,5-9 with=zero",
            "lesion layer=conv1 with=mean",
            "lesion layer=conv1 tokens=0 means=means/conv1.npy",
            "gain layer=attention heads=0,3 of=12 alpha=-0.25",
            "gain layer=\"odd name\" units=7 alpha=1",
            "lesion layer=\"a\\\"b\" with=zero",
            "replace-head layer=fc weights=head.safetensors",
            "replace-head layer=fc outputs=20 seed=4",
        ] {
            let edit: Edit = text.parse().unwrap();
            assert_eq!(edit.to_string(), text);
            let json = serde_json::to_string(&edit).unwrap();
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn faults_are_named() {
        for (text, expected) in [
            ("", "unknown kind"),
            ("lesionn layer=a", "did you mean \"lesion\"?"),
            ("lesion channels=3", "needs layer"),
            ("lesion layer=a chanels=3", "did you mean \"channels\"?"),
            ("lesion layer=a layer=b", "given twice"),
            ("lesion layer=a channels=5..9", "found \"5..9\""),
            ("lesion layer=a channels=1 units=2", "exclude each other"),
            ("lesion layer=a heads=1", "needs of"),
            ("lesion layer=a of=12", "needs heads"),
            ("lesion layer=a channels=1 of=12", "exclude each other"),
            ("lesion layer=a with=one", "expected zero or mean"),
            ("lesion layer=a with=zero means=m.npy", "exclude each other"),
            ("gain layer=a", "needs alpha"),
            ("gain layer=a alpha=nan", "expected a number"),
            ("gain layer=a alpha", "option=value"),
            ("cut layer=a units=3", "has no option \"units\""),
            ("replace-head layer=fc", "needs weights"),
            ("replace-head layer=fc outputs=0", "found \"0\""),
            ("replace-head layer=fc weights=w seed=1", "exclude"),
        ] {
            let message = text.parse::<Edit>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }
}
