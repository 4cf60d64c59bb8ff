//! Toolboxes whose conventions can be asked for.

use crate::names::named;

use crate::names;

/// A toolbox whose numbers are to be reproduced where its conventions differ from ours.
///
/// What differs is documented where it is used: [`rdm_as`](crate::rdm::rdm_as).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compat {
    /// rsatoolbox 0.3.
    Rsatoolbox,
    /// mne-rsa 1.0.
    MneRsa,
    /// nilearn 0.12.
    Nilearn,
    /// `CoSMoMVPA` 1.1.
    Cosmo,
}

impl Compat {
    const NAMES: [(&'static str, Self); 4] = [
        ("rsatoolbox", Self::Rsatoolbox),
        ("mne-rsa", Self::MneRsa),
        ("nilearn", Self::Nilearn),
        ("cosmo", Self::Cosmo),
    ];

    /// The name in study files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        names::name_of(self, &Self::NAMES)
    }
}

named!(Compat, "toolbox");
