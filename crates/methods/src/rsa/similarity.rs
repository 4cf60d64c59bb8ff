//! How alike two RDMs are: the measures by name.

use crate::names::named;

/// A measure of how alike two RDMs are.
///
/// # Definition
///
/// Over the pairs k of two RDM vectors x and y, with average ranks for ties:
///
/// | name | value |
/// |---|---|
/// | `pearson` | Pearson correlation |
/// | `spearman` | Pearson correlation of ranks |
/// | `kendall-tau-a` | (concordant − discordant) / (m·(m−1)/2) of the m dissimilarities |
/// | `kendall-tau-b` | (concordant − discordant) / √((untied in x)·(untied in y)) |
/// | `rho-a` | 12·Σ(rₖ − r̄)(sₖ − s̄) / (m³ − m): Spearman's ρ expected under random tie breaking |
/// | `cosine` | Σxy / √(Σx²·Σy²) |
/// | `whitened-cosine` | cosine of the vectors whitened by V, the covariance of RDM estimates |
/// | `whitened-pearson` | the same after subtracting the mean |
/// | `bures` | tr√(√G·H·√G) / √(tr G·tr H) of the centred kernels G of x and H of y, −½·C·D·C |
///
/// where V = (C·Cᵀ)∘(C·Cᵀ) for pairwise contrasts C of patterns with independent noise (Diedrichsen
/// et al. 2020). Every square root of a matrix leaves out negative eigenvalues, which a kernel has when
/// its RDM does not hold squared distances of points; only then is `bures` not symmetric and may pass 1.
/// Models that predict ties are favoured by `spearman` and `kendall-tau-b`; prefer
/// `rho-a` or `kendall-tau-a` for them.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::Similarity;
///
/// let similarity: Similarity = "rho-a".parse().unwrap();
/// assert_eq!(similarity, Similarity::RhoA);
/// assert_eq!(similarity.to_string(), "rho-a");
/// assert!("spearmn".parse::<Similarity>().unwrap_err().to_string().contains("\"spearman\""));
/// ```
///
/// # References
///
/// Nili et al. (2014), doi:10.1371/journal.pcbi.1003553; Diedrichsen, Berlot, Mur, Schütt, Shahbazi
/// & Kriegeskorte (2020), arXiv:2007.02789; Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023),
/// doi:10.7554/eLife.82566.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Similarity {
    /// Pearson correlation.
    Pearson,
    /// Spearman's rank correlation.
    #[default]
    Spearman,
    /// Kendall's τ without correction for ties.
    KendallTauA,
    /// Kendall's τ corrected for ties.
    KendallTauB,
    /// Spearman's ρ without correction for ties.
    RhoA,
    /// Cosine of the angle between the vectors.
    Cosine,
    /// Pearson correlation after whitening.
    WhitenedPearson,
    /// Cosine after whitening.
    WhitenedCosine,
    /// Bures similarity of the centred kernels.
    Bures,
}

impl Similarity {
    const NAMES: [(&'static str, Self); 9] = [
        ("pearson", Self::Pearson),
        ("spearman", Self::Spearman),
        ("kendall-tau-a", Self::KendallTauA),
        ("kendall-tau-b", Self::KendallTauB),
        ("rho-a", Self::RhoA),
        ("cosine", Self::Cosine),
        ("whitened-pearson", Self::WhitenedPearson),
        ("whitened-cosine", Self::WhitenedCosine),
        ("bures", Self::Bures),
    ];

    /// Every similarity, in the order of the documentation.
    pub const ALL: [Self; 9] = {
        let mut all = [Self::Pearson; 9];
        let mut i = 0;
        while i < all.len() {
            all[i] = Self::NAMES[i].1;
            i += 1;
        }
        all
    };

    /// The name in study files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        super::name_of(self, &Self::NAMES)
    }

    pub(super) fn is_rank_based(self) -> bool {
        matches!(self, Self::Spearman | Self::RhoA) || self.is_kendall()
    }

    pub(super) fn is_kendall(self) -> bool {
        matches!(self, Self::KendallTauA | Self::KendallTauB)
    }

    pub(super) fn is_whitened(self) -> bool {
        matches!(self, Self::WhitenedPearson | Self::WhitenedCosine)
    }

    pub(super) fn subtracts_mean(self) -> bool {
        matches!(self, Self::Pearson | Self::WhitenedPearson)
    }

    /// Why an RDM has no similarity with any other.
    pub(super) fn why_undefined(self) -> &'static str {
        match self {
            Self::Cosine | Self::WhitenedCosine => "all its dissimilarities are 0",
            Self::KendallTauA | Self::RhoA => "it has fewer than 2 dissimilarities",
            Self::Bures => "its dissimilarities do not sum to a positive number",
            Self::Pearson | Self::Spearman | Self::KendallTauB | Self::WhitenedPearson => {
                "all its dissimilarities are equal"
            }
        }
    }
}

named!(Similarity, "similarity");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for similarity in Similarity::ALL {
            assert_eq!(similarity.name().parse::<Similarity>().unwrap(), similarity);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let message = "kendall".parse::<Similarity>().unwrap_err().to_string();
        assert!(
            message.contains("unknown similarity \"kendall\""),
            "{message}"
        );
        assert!(message.contains("kendall-tau-b"), "{message}");
    }
}
