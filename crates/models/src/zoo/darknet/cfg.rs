//! The text of a `.cfg` file: sections and their settings.

use super::CfgError;

/// Most sections of a file.
const MAX_SECTIONS: usize = 4096;

/// A section: `[name]` and the `key=value` lines below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub line: usize,
    pub name: String,
    settings: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    line: usize,
    key: String,
    value: String,
}

/// Splits a text into sections. White space does not count, lines that begin with `#` or `;` are
/// comments.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, CfgError> {
    let mut blocks: Vec<Block> = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        let bare: String = written.chars().filter(|c| !c.is_whitespace()).collect();
        let wrong = |expected| CfgError::Line {
            line,
            found: written.chars().take(60).collect(),
            expected,
        };
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = bare.strip_prefix('[') {
            if blocks.len() == MAX_SECTIONS {
                return Err(wrong("no more than 4096 sections"));
            }
            let name = name.strip_suffix(']').ok_or_else(|| wrong("[section]"))?;
            blocks.push(Block {
                line,
                name: name.to_owned(),
                settings: Vec::new(),
            });
            continue;
        }
        let (key, value) = bare.split_once('=').ok_or_else(|| wrong("key=value"))?;
        let block = blocks.last_mut().ok_or_else(|| wrong("[net] first"))?;
        block.settings.push(Setting {
            line,
            key: key.to_owned(),
            value: value.to_owned(),
        });
    }
    Ok(blocks)
}

impl Block {
    /// The first setting of that name, as darknet takes it.
    fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// The value as it is written.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.setting(key).map(|setting| setting.value.as_str())
    }

    /// The error that `key` has a wrong value or is missing.
    pub fn wrong(&self, key: &'static str, expected: impl Into<String>) -> CfgError {
        let setting = self.setting(key);
        CfgError::Setting {
            line: setting.map_or(self.line, |setting| setting.line),
            key,
            found: setting.map_or("(missing)".into(), |setting| {
                setting.value.chars().take(60).collect()
            }),
            expected: expected.into(),
        }
    }

    /// A whole number of a range; `default` when it is not set, an error without one.
    pub fn number(
        &self,
        key: &'static str,
        default: Option<usize>,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, CfgError> {
        let value = match self.text(key) {
            Some(text) => text.parse().ok().filter(|value| range.contains(value)),
            None => default,
        };
        value.ok_or_else(|| {
            let (low, high) = range.into_inner();
            self.wrong(key, format!("a whole number from {low} to {high}"))
        })
    }

    /// The numbers of a list with commas.
    pub fn list<T: std::str::FromStr>(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Vec<T>, CfgError> {
        let text = self.text(key).unwrap_or_default();
        // Darknet's own files end some lists with a comma.
        let items = text.strip_suffix(',').unwrap_or(text).split(',');
        items
            .map(|item| item.parse().map_err(|_| self.wrong(key, expected)))
            .collect()
    }

    /// Refuses a setting that changes the numbers in a way that is not implemented.
    pub fn refuse(&self, key: &'static str, harmless: &'static str) -> Result<(), CfgError> {
        match self.text(key) {
            Some(value) if value != harmless => {
                Err(self.wrong(key, format!("{harmless} (nothing else is supported)")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_comments_do_not_count() {
        let blocks =
            blocks("# a\n\n[ net ]\r\nwidth = 3 2\n;b=1\n anchors = 1, 2,\nwidth=9").unwrap();
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].name, "net");
        assert_eq!(blocks[0].number("width", None, 1..=40).unwrap(), 32);
        assert_eq!(
            blocks[0].list::<f64>("anchors", "pairs").unwrap(),
            [1.0, 2.0]
        );
        assert_eq!(blocks[0].number("b", Some(5), 1..=9).unwrap(), 5);
        let message = blocks[0]
            .number("width", None, 1..=9)
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("line 4: width is \"32\""), "{message}");
        let message = blocks[0]
            .number("size", None, 1..=9)
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("line 3: size is \"(missing)\""),
            "{message}"
        );
    }

    #[test]
    fn other_lines_are_named() {
        for (text, expected) in [
            ("[net", "line 1"),
            ("[net]\n\nwidth", "line 3"),
            ("width=1", "[net] first"),
        ] {
            let message = blocks(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert!(blocks(&"[net]\n".repeat(4097)).is_err());
    }
}
