//! Cross-products of a table of scores, once within subjects and once of their means.

use std::collections::BTreeMap;

use faer::{Mat, MatRef};

/// A score with its row of the design: one of the models, and the covariates.
pub(super) struct Observation {
    pub model: usize,
    pub covariates: Vec<f64>,
    pub score: f64,
}

/// All that the likelihood needs of the scores, whatever the variances.
///
/// Columns are those of the design (models, then covariates), and the scores last.
pub(super) struct Products {
    /// Columns of the design.
    pub n_fixed: usize,
    pub n_scores: usize,
    pub n_subjects: usize,
    /// Products of deviations from the subjects' means.
    pub within: Mat<f64>,
    /// Products of subjects' sums over √n, of all subjects who have n scores. Subjects are as many as those of all n.
    pub between: Vec<Between>,
    /// A subject's sums over √n, with n.
    pub sums: Vec<(f64, Vec<f64>)>,
}

/// Subjects with equally many scores.
pub(super) struct Between {
    pub n_scores: f64,
    pub n_subjects: f64,
    pub products: Mat<f64>,
}

impl Products {
    /// `subjects` have at least one score each.
    pub fn new(subjects: &[Vec<Observation>], n_models: usize, n_covariates: usize) -> Self {
        let n_fixed = n_models + n_covariates;
        let width = n_fixed + 1;
        let mut within = Mat::zeros(width, width);
        let mut between: BTreeMap<usize, Between> = BTreeMap::new();
        let mut sums = Vec::new();
        for subject in subjects {
            let n = subject.len() as f64;
            let rows: Vec<Vec<f64>> = subject
                .iter()
                .map(|o| {
                    let mut row = vec![0.0; n_models];
                    row[o.model] = 1.0;
                    row.extend(&o.covariates);
                    row.push(o.score);
                    row
                })
                .collect();
            let sum: Vec<f64> = (0..width)
                .map(|c| rows.iter().map(|row| row[c]).sum())
                .collect();
            for row in &rows {
                let deviation: Vec<f64> = row.iter().zip(&sum).map(|(v, s)| v - s / n).collect();
                add_square(&mut within, &deviation);
            }
            let scaled: Vec<f64> = sum.iter().map(|s| s / n.sqrt()).collect();
            let kin = between.entry(rows.len()).or_insert_with(|| Between {
                n_scores: n,
                n_subjects: 0.0,
                products: Mat::zeros(width, width),
            });
            kin.n_subjects += 1.0;
            add_square(&mut kin.products, &scaled);
            sums.push((n, scaled));
        }
        Self {
            n_fixed,
            n_scores: subjects.iter().map(Vec::len).sum(),
            n_subjects: subjects.len(),
            within,
            between: between.into_values().collect(),
            sums,
        }
    }

    /// Products within subjects, and those of sums with a weight that depends on how many scores a subject has.
    pub fn weighted(&self, within: f64, weight: impl Fn(f64) -> f64) -> Mat<f64> {
        let mut out = Mat::from_fn(self.within.nrows(), self.within.ncols(), |i, j| {
            within * self.within[(i, j)]
        });
        for kin in &self.between {
            let weight = weight(kin.n_scores);
            for j in 0..out.ncols() {
                for i in 0..out.nrows() {
                    out[(i, j)] += weight * kin.products[(i, j)];
                }
            }
        }
        out
    }

    /// Σ over subjects of a value that depends on how many scores they have.
    pub fn sum(&self, value: impl Fn(f64) -> f64) -> f64 {
        self.between
            .iter()
            .map(|kin| kin.n_subjects * value(kin.n_scores))
            .sum()
    }
}

fn add_square(products: &mut Mat<f64>, row: &[f64]) {
    for (j, right) in row.iter().enumerate() {
        for (i, left) in row.iter().enumerate() {
            products[(i, j)] += left * right;
        }
    }
}

/// v′Mv.
pub(super) fn quadratic(matrix: MatRef<'_, f64>, v: &[f64]) -> f64 {
    let column = |j: usize| (0..v.len()).map(|i| v[i] * matrix[(i, j)]).sum::<f64>();
    v.iter()
        .enumerate()
        .map(|(j, value)| value * column(j))
        .sum()
}
