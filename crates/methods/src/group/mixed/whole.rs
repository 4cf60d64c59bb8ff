//! The mixed model of a table of scores.

use consilience_core::pairs;
use consilience_stats::correction::{Procedure, corrected};
use consilience_stats::dense::eigenvalues;
use consilience_stats::tails::{student_t_isf, student_t_sf};
use ndarray::ArrayView2;

use super::criterion::Fit;
use super::error::MixedError;
use super::params::MixedParams;
use super::products::{Products, quadratic};
use super::result::{MixedModel, MixedPair, MixedTest};
use super::table::{Table, check_covariates};
use crate::Result;
use crate::error::at_least;
use crate::group::Alternative;
use crate::group::whole::check;

/// A linear mixed model of scores: a mean for each model, an intercept for each subject.
///
/// # Shapes
///
/// `scores` is `(n_models, n_subjects)`, with NaN for missing scores when these are omitted. Each of `covariates` has the same
/// shape; it must be finite where there is a score.
///
/// # Definition
///
/// Score of model m of subject i = μ_m + Σ_k γ_k·(x_kmi − x̄_k) + b_i + e_mi, with independent b_i ~ N(0, σ_b²) and e_mi ~ N(0, σ²); x̄_k is
/// the mean over all scores that take part, so μ_m is model m's mean at average covariates.
/// - The restricted likelihood (REML) depends on the ratio λ = σ_b²/σ² ≥ 0 alone once the rest is at its best. It is looked at on a grid
///   that includes 0, then the root of its derivative is found.
/// - Means, slopes and differences are those of generalised least squares; with σ² = r′H⁻¹r/(N − p) and H = I + λZZ′ their
///   covariance is σ²(X′H⁻¹X)⁻¹.
/// - Degrees of freedom are Satterthwaite's, 2·f²/var(f̂) with f the squared standard error, whose own variance comes from the
///   expected information of (σ_b², σ²), also where σ_b² is 0. When no score is missing and σ_b² > 0, a difference of n subjects and m
///   models has (n − 1)(m − 1), and with two models its test is the paired t-test.
/// - p is corrected by Holm over models, over pairs, and over covariates.
///
/// Missing scores are assumed to be missing for reasons that the other scores of the table explain.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) models (2) or subjects (2), [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`MethodsError::OptionOutOfRange`](crate::MethodsError::OptionOutOfRange),
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch) of a covariate, and [`MixedError`] where the model is undefined.
///
/// # Example
///
/// ```
/// use consilience_methods::group::{MixedParams, mixed_model};
/// use ndarray::array;
///
/// let scores = array![[0.21, 0.30, 0.18, 0.25, 0.27, 0.16], [0.20, 0.22, 0.15, 0.19, 0.28, 0.10]];
/// let found = mixed_model(scores.view(), &[], &MixedParams::default())?;
/// let difference = found.pairs[0].test;
/// assert!((difference.estimate - 0.23 / 6.0).abs() < 1e-12 && (difference.dof - 5.0).abs() < 1e-9);
/// assert!(found.icc > 0.5);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Patterson & Thompson 1971, doi:10.1093/biomet/58.3.545; Laird & Ware 1982, doi:10.2307/2529876; Satterthwaite 1946,
/// doi:10.2307/3002019; Giesbrecht & Burns 1985, doi:10.2307/2530872; Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13.
///
/// # Peers
///
/// statsmodels 0.15.0 `MixedLM(reml=True)`: estimates, variances, likelihood and the means' block of its Hessian to what its optimiser
/// reaches (1e-5). The standard errors that it prints come from the Hessian of means and variances together, and are larger where scores are
/// missing or covariates are given. It has no degrees of freedom; these agree with their definition on dense matrices.
pub fn mixed_model(
    scores: ArrayView2<'_, f64>,
    covariates: &[ArrayView2<'_, f64>],
    params: &MixedParams,
) -> Result<MixedModel> {
    params.validate()?;
    check(scores, params.nan)?;
    check_covariates(scores, covariates)?;
    let (n_models, n_subjects) = scores.dim();
    for (what, found) in [("models", n_models), ("subjects", n_subjects)] {
        at_least(what, 2, found)?;
    }
    let table = Table::new(scores, covariates)?;
    let products = Products::new(&table.subjects, n_models, covariates.len());
    check_design(&products)?;
    let fit = Fit::best(&products)
        .filter(|fit| table.varies(fit.variance))
        .ok_or(MixedError::NoVariance { within_only: true })?;
    let information = fit.information(&products);

    let unit = table.unit;
    let test = |contrast: &[f64], origin: f64, against: f64, scale: f64, alternative| {
        let estimate = contrast
            .iter()
            .zip(&fit.coefficients)
            .map(|(c, v)| c * v)
            .sum::<f64>();
        let sem = (fit.variance * quadratic(fit.inverse.as_ref(), contrast)).sqrt() * scale;
        let dof = information.dof(&fit, contrast);
        tested(origin + estimate * scale, sem, dof, against, alternative)
    };
    let column = |entries: &[(usize, f64)]| {
        let mut contrast = vec![0.0; products.n_fixed];
        for &(idx, value) in entries {
            contrast[idx] = value;
        }
        contrast
    };
    let mut models: Vec<MixedTest> = (0..n_models)
        .map(|m| {
            let contrast = column(&[(m, 1.0)]);
            let origin = table.means[m];
            test(&contrast, origin, params.chance, unit, params.alternative)
        })
        .collect();
    let mut pairs: Vec<MixedPair> = pairs::iter(n_models)
        .map(|(a, b)| {
            let contrast = column(&[(a, 1.0), (b, -1.0)]);
            let origin = table.means[a] - table.means[b];
            MixedPair {
                models: [a, b],
                test: test(&contrast, origin, 0.0, unit, params.pair_alternative),
            }
        })
        .collect();
    let mut slopes: Vec<MixedTest> = (0..covariates.len())
        .map(|k| {
            let contrast = column(&[(n_models + k, 1.0)]);
            let scale = unit / table.covariate_units[k];
            test(&contrast, 0.0, 0.0, scale, Alternative::TwoSided)
        })
        .collect();
    correct(&mut models.iter_mut().collect::<Vec<_>>());
    correct(
        &mut pairs
            .iter_mut()
            .map(|pair| &mut pair.test)
            .collect::<Vec<_>>(),
    );
    correct(&mut slopes.iter_mut().collect::<Vec<_>>());

    let n_scores = products.n_scores;
    let n_missing = n_models * n_subjects - n_scores;
    let free = n_scores as f64 - products.n_fixed as f64;
    // The determinant of the design is in units of the covariates as given.
    let ln_units = free * unit.ln() + table.covariate_units.iter().map(|u| u.ln()).sum::<f64>();
    Ok(MixedModel {
        models,
        pairs,
        covariates: slopes,
        n_scores,
        n_missing,
        n_subjects: products.n_subjects,
        subject_variance: fit.ratio * fit.variance * unit * unit,
        residual_variance: fit.variance * unit * unit,
        icc: fit.ratio / (1.0 + fit.ratio),
        at_boundary: fit.ratio == 0.0,
        ln_likelihood: -0.5 * fit.deviance - ln_units,
        notes: notes(&products, &fit, n_missing, n_subjects),
    })
}

/// Whether the coefficients and both variances can be told apart.
fn check_design(products: &Products) -> Result<()> {
    let p = products.n_fixed;
    let rank = |matrix: &faer::Mat<f64>| {
        let scale = (0..p).fold(0.0_f64, |l, i| l.max(products_diagonal(products, i)));
        let tolerance = scale * p as f64 * 1e-12;
        eigenvalues(matrix.submatrix(0, 0, p, p)).map_or(0, |values| {
            values.iter().filter(|v| **v > tolerance).count()
        })
    };
    if rank(&products.weighted(1.0, |_| 1.0)) < p {
        return Err(MixedError::Collinear.into());
    }
    let rank_within = rank(&products.within);
    let (n_scores, n_subjects) = (products.n_scores, products.n_subjects);
    let within = n_scores.saturating_sub(n_subjects + rank_within);
    let between = (n_subjects + rank_within).saturating_sub(p);
    if within == 0 || between == 0 {
        return Err(MixedError::Inseparable {
            n_scores,
            n_subjects,
            within,
            between,
        }
        .into());
    }
    Ok(())
}

/// Sum of squares of a column of the design.
fn products_diagonal(products: &Products, i: usize) -> f64 {
    let between: f64 = products
        .between
        .iter()
        .map(|kin| kin.products[(i, i)])
        .sum();
    products.within[(i, i)] + between
}

fn tested(estimate: f64, sem: f64, dof: f64, against: f64, alternative: Alternative) -> MixedTest {
    let t = (estimate - against) / sem;
    let half = student_t_isf(0.025, dof) * sem;
    let p = alternative.p([student_t_sf(-t, dof), student_t_sf(t, dof)]);
    MixedTest {
        estimate,
        sem,
        interval: [estimate - half, estimate + half],
        t,
        dof,
        p,
        p_corrected: p,
    }
}

fn correct(tests: &mut [&mut MixedTest]) {
    let p: Vec<f64> = tests.iter().map(|test| test.p).collect();
    for (test, p) in tests.iter_mut().zip(corrected(&p, Procedure::Holm)) {
        test.p_corrected = p;
    }
}

fn notes(products: &Products, fit: &Fit, n_missing: usize, n_subjects: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if n_missing > 0 {
        let n_all = products.n_scores + n_missing;
        notes.push(format!(
            "mixed model: {n_missing} of {n_all} scores are missing; the others of their subjects and models stand for them"
        ));
    }
    let silent = n_subjects - products.n_subjects;
    if silent > 0 {
        notes.push(format!(
            "mixed model: {silent} of {n_subjects} subjects have no score and say nothing"
        ));
    }
    if fit.ratio == 0.0 {
        notes.push(
            "mixed model: the variance between subjects is 0, the end of its range: scores of a subject have no more in common than those of \
             different ones, so that errors of differences are those of unrelated scores"
                .to_owned(),
        );
    }
    notes
}
