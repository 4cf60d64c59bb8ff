//! `VAR`, `VAR[3]`, `VAR.field`, `VAR[0].image`.

use crate::{IoError, Result};

/// One step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    Index(usize),
}

/// Splits a selector into the variable and the steps from it.
pub(super) fn parse(selector: &str) -> Result<(String, Vec<Step>)> {
    let fail = |rest: &str, expected: &'static str| IoError::Selector {
        selector: selector.to_owned(),
        position: selector.chars().count() - rest.chars().count(),
        found: rest
            .chars()
            .next()
            .map_or("the end".into(), |c| format!("{c:?}")),
        expected,
    };
    let name = |rest: &mut &str| -> Result<String> {
        let n = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(n);
        if name.is_empty() {
            return Err(fail(rest, "a name"));
        }
        *rest = after;
        Ok(name.to_owned())
    };
    let mut rest = selector;
    let variable = name(&mut rest)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            steps.push(Step::Field(name(&mut rest)?));
        } else if let Some(after) = rest.strip_prefix('[') {
            let n = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(after.len());
            let index = after[..n]
                .parse()
                .map_err(|_| fail(after, "an index counted from 0"))?;
            rest = after[n..]
                .strip_prefix(']')
                .ok_or_else(|| fail(&after[n..], "']'"))?;
            steps.push(Step::Index(index));
        } else {
            return Err(fail(rest, "'.' and a field, or '[' and an index"));
        }
    }
    Ok((variable, steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_variable() {
        let field = |name: &str| Step::Field(name.into());
        for (selector, steps) in [
            ("X", vec![]),
            ("X[3]", vec![Step::Index(3)]),
            ("X.a.b", vec![field("a"), field("b")]),
            ("X[0].image", vec![Step::Index(0), field("image")]),
        ] {
            assert_eq!(parse(selector).unwrap(), ("X".into(), steps), "{selector}");
        }
    }

    #[test]
    fn errors_point_at_the_character() {
        for (selector, position) in [
            ("", 0),
            (".a", 0),
            ("X.", 2),
            ("X[", 2),
            ("X[1", 3),
            ("X[-1]", 2),
            ("X[99999999999999999999999]", 2),
            ("X y", 1),
            ("ü[a]", 2),
        ] {
            match parse(selector).unwrap_err() {
                IoError::Selector { position: p, .. } => assert_eq!(p, position, "{selector}"),
                other => panic!("{other}"),
            }
        }
    }
}
