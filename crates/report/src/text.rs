//! How wide text is, and how to make it fit, without a font.
//!
//! The estimate is deliberately generous (the advance widths of DejaVu Sans, the widest of the
//! families that the figures name), so that what fits here fits everywhere.

/// Estimated width of a character in em.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.30,
        ' ' | '.' | ',' | ':' | ';' => 0.33,
        'f' | 'r' | 't' | '/' | '\\' | '(' | ')' | '[' | ']' | '!' | '-' | 'I' => 0.41,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' | '—' | '−' | '±' | '×' | '≤' | '≥' | '<' | '>' => {
            1.0
        }
        'a'..='z' | '0'..='9' | '_' | '·' | '–' => 0.64,
        c if c.is_ascii_uppercase() => 0.74,
        c if u32::from(c) >= 0x2e80 => 1.05,
        _ => 0.7,
    }
}

/// Estimated width in the unit of `size`.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(advance).sum::<f64>()
}

/// The text, with characters left out of its middle when it is wider than `limit`.
pub(crate) fn fit(text: &str, size: f64, limit: f64) -> String {
    if width(text, size) <= limit {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    // The end of a layer name says more than its beginning.
    for n_kept in (1..chars.len()).rev() {
        let head = n_kept * 2 / 5;
        let tail = n_kept - head;
        let shortened: String = chars[..head]
            .iter()
            .chain(['…'].iter())
            .chain(&chars[chars.len() - tail..])
            .collect();
        if width(&shortened, size) <= limit {
            return shortened;
        }
    }
    "…".to_owned()
}

/// Names that stand beside each other, each at most `limit` wide: when one is too wide, what all
/// share at the end, at the beginning or at both is left out first, so that what tells them apart
/// stays.
pub(crate) fn fit_all(names: &[&str], size: f64, limit: f64) -> Vec<String> {
    if names.iter().all(|name| width(name, size) <= limit) {
        return names.iter().map(|&name| name.to_owned()).collect();
    }
    let (head, tail) = shared_ends(names);
    let mark = |cut: usize| if cut > 0 { "…" } else { "" };
    let without = |head: usize, tail: usize| -> Vec<String> {
        names
            .iter()
            .map(|name| {
                format!(
                    "{}{}{}",
                    mark(head),
                    &name[head..name.len() - tail],
                    mark(tail)
                )
            })
            .collect()
    };
    [(0, tail), (head, 0)]
        .into_iter()
        .map(|(head, tail)| without(head, tail))
        .find(|short| short.iter().all(|name| width(name, size) <= limit))
        .unwrap_or_else(|| {
            let short = without(head, tail);
            short.iter().map(|name| fit(name, size, limit)).collect()
        })
}

/// Bytes at the beginning and at the end that all names share, in whole parts between `.` or `/`;
/// none when a name would have nothing left.
fn shared_ends(names: &[&str]) -> (usize, usize) {
    let Some((first, others)) = names.split_first().filter(|(_, others)| !others.is_empty()) else {
        return (0, 0);
    };
    let separator = |b: &u8| matches!(b, b'.' | b'/');
    let bytes = first.as_bytes();
    let head = others.iter().fold(bytes.len(), |n, other| {
        let alike = first.bytes().zip(other.bytes());
        n.min(alike.take_while(|(a, b)| a == b).count())
    });
    let tail = others.iter().fold(bytes.len(), |n, other| {
        let alike = first.bytes().rev().zip(other.bytes().rev());
        n.min(alike.take_while(|(a, b)| a == b).count())
    });
    let head = bytes[..head]
        .iter()
        .rposition(separator)
        .map_or(0, |at| at + 1);
    let tail = bytes[bytes.len() - tail..]
        .iter()
        .position(separator)
        .map_or(0, |at| tail - at);
    if names.iter().all(|name| head + tail < name.len()) {
        (head, tail)
    } else {
        (0, 0)
    }
}

/// The text in at most `n_lines` lines that are not wider than `limit`, broken at spaces where
/// that is possible; what is left over is shortened into the last line.
pub(crate) fn wrap(text: &str, size: f64, limit: f64, n_lines: usize) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for (idx, word) in words.iter().enumerate() {
        let longer = if line.is_empty() {
            (*word).to_owned()
        } else {
            format!("{line} {word}")
        };
        if line.is_empty() || width(&longer, size) <= limit {
            line = longer;
        } else if lines.len() + 1 < n_lines {
            lines.push(fit(&line, size, limit));
            line = (*word).to_owned();
        } else {
            line = format!("{line} {}", words[idx..].join(" "));
            break;
        }
    }
    if !line.is_empty() {
        lines.push(fit(&line, size, limit));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitted_text_fits() {
        for limit in [0.0, 8.0, 20.0, 55.0, 90.0, 400.0] {
            for name in [
                "",
                "features.12.expand3x3_activation",
                "视觉皮层的表征几何",
                "WWWW",
            ] {
                let short = fit(name, 10.0, limit);
                assert!(width(&short, 10.0) <= limit || short == "…");
            }
        }
        assert_eq!(fit("features.12", 10.0, 100.0), "features.12");
    }

    #[test]
    fn what_tells_names_apart_stays() {
        let names = ["features.7.conv.activation", "features.12.conv.activation"];
        assert_eq!(fit_all(&names, 10.0, 80.0), ["features.7…", "features.12…"]);
        assert_eq!(fit_all(&names, 10.0, 50.0), ["…7…", "…12…"]);
        assert_eq!(fit_all(&names, 10.0, 800.0), names);
        assert_eq!(shared_ends(&["a.b", "a.b"]), (0, 0));
        assert_eq!(shared_ends(&["a.bé", "a.cé"]), (2, 0));
        assert_eq!(shared_ends(&["same"]), (0, 0));
    }

    #[test]
    fn wrapping_keeps_words_and_counts_lines() {
        let lines = wrap("human inferior temporal cortex", 10.0, 110.0, 3);
        assert_eq!(lines.join(" "), "human inferior temporal cortex");
        assert!(lines.len() > 1);
        let long = wrap(&"word ".repeat(60), 10.0, 110.0, 2);
        assert_eq!(long.len(), 2);
        assert!(long[1].contains('…'));
        assert!(wrap("", 10.0, 100.0, 2).is_empty());
    }
}
