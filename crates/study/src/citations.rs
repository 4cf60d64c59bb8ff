//! What to cite for the methods that a plan uses.

use consilience_core::Citation;
use consilience_experiments::appraise::Solver;
use consilience_methods::rdm::Dissimilarity;
use consilience_methods::rsa::{Bootstrap, Correction, Similarity};

use crate::plan::{PlannedAppraisal, PlannedEmotion, PlannedObjects, PlannedRsa};

/// Works behind a representational similarity analysis, in the order of its steps.
pub fn of_rsa(analysis: &PlannedRsa) -> Vec<Citation> {
    let mut list = vec![cite(
        "Kriegeskorte N, Mur M, Bandettini P (2008) Representational similarity analysis – connecting the branches of systems neuroscience. Frontiers in Systems Neuroscience 2:4",
        "10.3389/neuro.06.004.2008",
        "representational similarity analysis",
    )];
    if matches!(
        analysis.dissimilarity,
        Dissimilarity::Crossnobis | Dissimilarity::Mahalanobis
    ) {
        list.push(cite(
            "Walther A, Nili H, Ejaz N, Alink A, Kriegeskorte N, Diedrichsen J (2016) Reliability of dissimilarity measures for multi-voxel pattern analysis. NeuroImage 137:188–200",
            "10.1016/j.neuroimage.2015.12.012",
            "crossnobis and Mahalanobis dissimilarities",
        ));
    }
    list.push(cite(
        "Nili H, Wingfield C, Walther A, Su L, Marslen-Wilson W, Kriegeskorte N (2014) A toolbox for representational similarity analysis. PLoS Computational Biology 10:e1003553",
        "10.1371/journal.pcbi.1003553",
        "noise ceiling, comparison of RDMs by ranks",
    ));
    if matches!(
        analysis.similarity,
        Similarity::WhitenedPearson | Similarity::WhitenedCosine
    ) {
        list.push(cite(
            "Diedrichsen J, Berlot E, Mur M, Schütt HH, Shahbazi M, Kriegeskorte N (2021) Comparing representational geometries using whitened unbiased-distance-matrix similarity. Neurons, Behavior, Data Analysis, and Theory 5(3)",
            "10.51628/001c.27664",
            "whitened similarity of RDMs",
        ));
    }
    if analysis.bootstrap != Bootstrap::None {
        list.push(cite(
            "Schütt HH, Kipnis AD, Diedrichsen J, Kriegeskorte N (2023) Statistical inference on representational geometries. eLife 12:e82566",
            "10.7554/eLife.82566",
            "bootstrap over subjects and conditions with the correction of the doubled variance, tests",
        ));
    }
    list.extend(of_correction(analysis.correction));
    if analysis.permutations > 0 {
        list.push(cite(
            "Nichols TE, Holmes AP (2002) Nonparametric permutation tests for functional neuroimaging: a primer with examples. Human Brain Mapping 15:1–25",
            "10.1002/hbm.1058",
            "permutation tests and the largest statistic",
        ));
    }
    list
}

/// Works behind an appraisal.
pub fn of_appraisal(analysis: &PlannedAppraisal) -> Vec<Citation> {
    let mut list = vec![Citation {
        text: "Assessing the alignment of popular CNNs to the brain for valence appraisal (2025) arXiv:2509.21384".to_owned(),
        doi: None,
        used_for: "cut networks as raters, correlated with behaviour and brain regions".to_owned(),
    }];
    if analysis.heads.solver() == Solver::Exact {
        list.push(cite(
            "Hoerl AE, Kennard RW (1970) Ridge regression: biased estimation for nonorthogonal problems. Technometrics 12:55–67",
            "10.1080/00401706.1970.10488634",
            "heads",
        ));
    }
    list.push(cite(
        "Williams EJ (1959) The comparison of regression variables. Journal of the Royal Statistical Society B 21:396–399",
        "10.1111/j.2517-6161.1959.tb00346.x",
        "differences of dependent correlations",
    ));
    if analysis.permutations > 0 {
        list.push(cite(
            "Phipson B, Smyth GK (2010) Permutation p-values should never be zero. Statistical Applications in Genetics and Molecular Biology 9:39",
            "10.2202/1544-6115.1585",
            "permutation tests",
        ));
    }
    list.extend(of_correction(analysis.correction));
    list
}

/// Works behind an Object2Brain analysis.
pub fn of_objects(analysis: &PlannedObjects) -> Vec<Citation> {
    let mut list = vec![
        cite(
            "Selvaraju RR, Cogswell M, Das A, Vedantam R, Parikh D, Batra D (2017) Grad-CAM: visual explanations from deep networks via gradient-based localization. ICCV",
            "10.1109/ICCV.2017.74",
            "maps of layers and filters",
        ),
        Citation {
            text: "EmoCAM: toward understanding what drives CNN-based emotion recognition (2024) arXiv:2407.14314".to_owned(),
            doi: None,
            used_for: "importance of objects in maps".to_owned(),
        },
    ];
    list.extend(of_correction(analysis.correction));
    list
}

/// Works behind a visual-emotion analysis.
pub fn of_emotion(analysis: &PlannedEmotion) -> Vec<Citation> {
    let mut list = vec![
        cite(
            "Liu P, Bo K, Chen Y, Keil A, Ding M, Fang R (2025) Biologically inspired deep neural network models for visual emotion processing. bioRxiv",
            "10.1101/2025.10.20.683439",
            "modules of nuclei, their training, selectivity and geometry",
        ),
        cite(
            "Liu P, Bo K, Ding M, Fang R (2024) Emergence of emotion selectivity in deep neural networks trained to recognize visual objects. PLoS Computational Biology 20:e1011943",
            "10.1371/journal.pcbi.1011943",
            "gains and lesions of selective units, tuning values",
        ),
        cite(
            "Hoerl AE, Kennard RW (1970) Ridge regression: biased estimation for nonorthogonal problems. Technometrics 12:55–67",
            "10.1080/00401706.1970.10488634",
            "baseline of predictions",
        ),
    ];
    if !analysis.regions.is_empty() {
        list.push(cite(
            "Legendre P (2000) Comparison of permutation methods for the partial correlation and partial Mantel tests. Journal of Statistical Computation and Simulation 67:37–73",
            "10.1080/00949650008812035",
            "partial agreement with regions",
        ));
    }
    list.extend(of_correction(analysis.correction));
    list
}

/// Works behind a correction for the number of tests.
fn of_correction(correction: Correction) -> Option<Citation> {
    match correction {
        Correction::Fdr => Some(cite(
            "Benjamini Y, Hochberg Y (1995) Controlling the false discovery rate: a practical and powerful approach to multiple testing. Journal of the Royal Statistical Society B 57:289–300",
            "10.1111/j.2517-6161.1995.tb02031.x",
            "false discovery rate",
        )),
        Correction::FdrAny => Some(cite(
            "Benjamini Y, Yekutieli D (2001) The control of the false discovery rate in multiple testing under dependency. Annals of Statistics 29:1165–1188",
            "10.1214/aos/1013699998",
            "false discovery rate",
        )),
        Correction::Fwe => Some(Citation {
            text: "Holm S (1979) A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6:65–70".to_owned(),
            doi: None,
            used_for: "family-wise error".to_owned(),
        }),
        Correction::None | Correction::Bonferroni => None,
    }
}

fn cite(text: &str, doi: &str, used_for: &str) -> Citation {
    Citation {
        text: text.to_owned(),
        doi: Some(doi.to_owned()),
        used_for: used_for.to_owned(),
    }
}
