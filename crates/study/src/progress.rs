//! Telling someone how far the work is.

/// A listener for long work: a terminal, a notebook, or nobody.
pub trait Progress: Sync {
    /// A stage of `total` steps begins.
    fn begin(&self, name: &str, total: u64);
    /// `done` steps of the stage are done.
    fn advance_to(&self, done: u64);
    /// The stage is over.
    fn end(&self);
    /// Something worth a line.
    fn note(&self, text: &str);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance_to(&self, _: u64) {}
    fn end(&self) {}
    fn note(&self, _: &str) {}
}
