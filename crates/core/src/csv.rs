//! Fields of tables as text.

/// A text field of a CSV table, with the quotes of RFC 4180 where it needs them.
///
/// # Example
///
/// ```
/// use consilience_core::csv::field;
///
/// assert_eq!(field("human IT"), "human IT");
/// assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
/// ```
#[must_use]
pub fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
