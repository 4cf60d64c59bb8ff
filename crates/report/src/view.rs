//! What figures, tables and sentences of every kind share: lists of names and number formats.

use consilience_core::{StimulusRecord, TargetKind};

use crate::scale::signed;

/// Whether a value exists and is a number.
pub(crate) fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite())
}

/// Categories in the order of their first stimulus.
pub(crate) fn categories(stimuli: &[StimulusRecord]) -> Vec<&str> {
    distinct(stimuli.iter().filter_map(|s| s.category.as_deref()))
}

/// Each name once, in the order in which it first comes.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// `"brain"` or `"behaviour"`.
pub(crate) fn kind(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Brain => "brain",
        TargetKind::Behaviour => "behaviour",
    }
}

/// A correction as an adjective.
pub(crate) fn corrected(correction: &str) -> &'static str {
    match correction {
        "fdr" | "fdr-any" => "FDR-corrected",
        "fwe" | "bonferroni" | "holm" => "family-wise corrected",
        _ => "uncorrected",
    }
}

/// The same, with whether it is simulated.
pub(crate) fn kind_and_origin(target: TargetKind, is_simulated: bool) -> &'static str {
    match (target, is_simulated) {
        (target, false) => kind(target),
        (TargetKind::Brain, true) => "brain, simulated",
        (TargetKind::Behaviour, true) => "behaviour, simulated",
    }
}

/// The coefficient as an axis is labelled.
pub(crate) fn coefficient(correlation: &str) -> String {
    match correlation {
        "pearson" => "Pearson r".into(),
        "spearman" => "Spearman ρ".into(),
        other => other.to_owned(),
    }
}

/// `"LLR and HLR are simulated."`
pub(crate) fn simulated_sentence(names: &[&str]) -> Option<String> {
    let verb = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty()).then(|| format!("{} {verb} simulated.", listed(names)))
}

/// A score with two decimals (three below 0.1 would suggest a precision that scores do not have).
pub(crate) fn score(value: f64) -> String {
    signed(&format!("{value:.2}"))
}

/// A score for tables.
pub(crate) fn score3(value: f64) -> String {
    signed(&format!("{value:.3}"))
}

/// A number without needless decimals, at most three of them.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    signed(text.trim_end_matches('0').trim_end_matches('.'))
}

/// A p-value as journals print it.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// A p-value as part of a sentence.
pub(crate) fn p_clause(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    }
}

/// `***` for p < 0.001, `**` for p < 0.01, `*` for p < 0.05.
pub(crate) fn stars(p: Option<f64>) -> &'static str {
    match p {
        Some(p) if p < 0.001 => "***",
        Some(p) if p < 0.01 => "**",
        Some(p) if p < 0.05 => "*",
        _ => "",
    }
}

/// A sentence whose equations are not broken between lines.
pub(crate) fn unbroken(sentence: &str) -> String {
    [" = ", " < ", " ± "]
        .iter()
        .fold(sentence.to_owned(), |text, sign| {
            text.replace(sign, &sign.replace(' ', "\u{a0}"))
        })
}

/// A count with thin spaces between thousands.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (idx, c) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// `"2nd"`, `"11th"`.
pub(crate) fn ordinal(n: usize) -> String {
    let ending = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{}{ending}", count(n))
}

/// `"a"`, `"a and b"`, `"a, b and c"`.
pub(crate) fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<_> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// `"1 layer"`, `"2 layers"`.
pub(crate) fn plural(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        assert_eq!(score(-0.004), "0.00");
        assert_eq!(score3(-0.1234), "−0.123");
        assert_eq!(count(1000), "1000");
        assert_eq!(count(10_000), "10\u{202f}000");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(plural(1, "layer"), "1 layer");
        assert_eq!(p_value(0.0004), "< 0.001");
        assert_eq!([2, 3, 11, 21].map(ordinal), ["2nd", "3rd", "11th", "21st"]);
        assert_eq!(
            [0.0, 7.0, -0.0001, 1.25].map(short),
            ["0", "7", "0", "1.25"]
        );
    }
}
