//! The modules of Liu et al. 2025.

use serde::{Deserialize, Serialize};

use super::{Nuclei, Nucleus, Transformer};

/// One of the four modules that Liu et al. 2025 compare.
///
/// The work states the widths of the last one only, which are those of its released weights; the others' follow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Variant {
    /// I: linear maps in series, D → D → 256 → 256 → D + 512.
    #[serde(rename = "I")]
    SerialLinear,
    /// II: transformers in series, all of width D, then a linear map to D + 512.
    #[serde(rename = "II")]
    SerialTransformer,
    /// III: linear maps, wired as the amygdala's nuclei.
    #[serde(rename = "III")]
    AnatomicalLinear,
    /// IV: transformers, wired as the amygdala's nuclei; the released one.
    #[serde(rename = "IV")]
    AnatomicalTransformer,
}

impl Variant {
    /// All four, in their order.
    pub const ALL: [Self; 4] = [
        Self::SerialLinear,
        Self::SerialTransformer,
        Self::AnatomicalLinear,
        Self::AnatomicalTransformer,
    ];

    /// Its number in the work.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SerialLinear => "I",
            Self::SerialTransformer => "II",
            Self::AnatomicalLinear => "III",
            Self::AnatomicalTransformer => "IV",
        }
    }

    /// The module for features of `width` numbers.
    #[must_use]
    pub fn nuclei(self, width: usize) -> Nuclei {
        let joined = width + 512;
        let linear = |name: &str, reads: &[&str], width, dropout| {
            nucleus(name, reads, None, &[width], dropout)
        };
        let attending = |name: &str, reads: &[&str], layers, heads, widths: &[usize], dropout| {
            let transformer = Transformer {
                layers,
                heads,
                hidden: 512,
                dropout: 0.1,
            };
            nucleus(name, reads, Some(transformer), widths, dropout)
        };
        let all = ["LA", "BA", "BL"];
        let nucleus = match self {
            Self::SerialLinear => vec![
                linear("LA", &["visual"], width, 0.1),
                linear("BA", &["LA"], 256, 0.1),
                linear("BL", &["BA"], 256, 0.1),
                linear("CE", &["BL"], joined, 0.5),
            ],
            Self::SerialTransformer => vec![
                attending("LA", &["visual"], 2, 4, &[], 0.0),
                attending("BA", &["LA"], 1, 1, &[], 0.0),
                attending("BL", &["BA"], 1, 1, &[], 0.0),
                attending("CE", &["BL"], 2, 2, &[joined], 0.5),
            ],
            Self::AnatomicalLinear => vec![
                linear("LA", &["visual"], width, 0.1),
                linear("BA", &["LA"], 256, 0.1),
                linear("BL", &["LA"], 256, 0.1),
                linear("CE", &all, joined, 0.5),
            ],
            Self::AnatomicalTransformer => vec![
                attending("LA", &["visual"], 2, 4, &[], 0.0),
                attending("BA", &["LA"], 1, 1, &[256], 0.1),
                Nucleus {
                    starts_as: Some("BA".to_owned()),
                    ..attending("BL", &["LA"], 1, 1, &[256], 0.1)
                },
                attending("CE", &all, 2, 2, &[joined], 0.5),
            ],
        };
        Nuclei {
            nucleus,
            read_out: "CE".to_owned(),
            read_out_key: "LastFC".to_owned(),
            steps: 1,
        }
    }
}

fn nucleus(
    name: &str,
    reads: &[&str],
    transformer: Option<Transformer>,
    widths: &[usize],
    dropout: f64,
) -> Nucleus {
    Nucleus {
        name: name.to_owned(),
        reads: reads.iter().map(|&source| source.to_owned()).collect(),
        inhibited_by: Vec::new(),
        feedback: Vec::new(),
        transformer,
        starts_as: None,
        widths: widths.to_vec(),
        dropout,
    }
}
