//! Choices by their names.

use consilience_methods::MethodsError;

use crate::error::Result;

/// The choice called `name`; a name that is not known is refused with all that are.
pub(crate) fn parse<T: Copy>(
    what: &'static str,
    name: &str,
    known: &[(&'static str, T)],
) -> Result<T> {
    let found = known.iter().find(|(known, _)| *known == name);
    found.map(|&(_, choice)| choice).ok_or_else(|| {
        MethodsError::UnknownName {
            what,
            name: name.to_owned(),
            nearest: None,
            known: known.iter().map(|&(name, _)| name).collect(),
        }
        .into()
    })
}
