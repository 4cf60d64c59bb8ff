//! Modules with as many parameters as another.

use super::{Features, Nuclei, NucleiError};

impl Nuclei {
    /// The module with hidden units such that it has about `n_parameters`, so that modules differ in their wiring and not in
    /// their size.
    ///
    /// # Definition
    ///
    /// Transformers get another number of hidden units, nuclei of linear maps one more map, of that number of units, before the
    /// others, and relays nothing; the number is the same everywhere, at least 1, and comes closest to `n_parameters`. That count is linear in it.
    ///
    /// # Errors
    ///
    /// As [`Nuclei::build`].
    pub fn matched_to(
        &self,
        n_parameters: usize,
        features: Features,
        n_ratings: usize,
    ) -> Result<Self, NucleiError> {
        let count = |hidden: usize| -> Result<usize, NucleiError> {
            let module = self.with_hidden(hidden).build(features, n_ratings)?;
            Ok(module.n_parameters())
        };
        let (one, two) = (count(1)?, count(2)?);
        let slope = (two - one).max(1);
        let above = n_parameters.saturating_sub(one);
        Ok(self.with_hidden(1 + (above + slope / 2) / slope))
    }

    fn with_hidden(&self, hidden: usize) -> Self {
        let mut changed = self.clone();
        let nuclei = changed.nucleus.iter_mut();
        for nucleus in nuclei.filter(|nucleus| !nucleus.is_relay()) {
            match &mut nucleus.transformer {
                Some(transformer) => transformer.hidden = hidden,
                None => nucleus.widths.insert(0, hidden),
            }
        }
        changed
    }
}
