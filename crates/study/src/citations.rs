//! What to cite for the methods that a plan uses.

use consilience_core::Citation;
use consilience_methods::rdm::Dissimilarity;
use consilience_methods::rsa::{Bootstrap, Correction, Similarity};

use crate::plan::PlannedRsa;

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
    match analysis.correction {
        Correction::Fdr => list.push(cite(
            "Benjamini Y, Hochberg Y (1995) Controlling the false discovery rate: a practical and powerful approach to multiple testing. Journal of the Royal Statistical Society B 57:289–300",
            "10.1111/j.2517-6161.1995.tb02031.x",
            "false discovery rate",
        )),
        Correction::FdrAny => list.push(cite(
            "Benjamini Y, Yekutieli D (2001) The control of the false discovery rate in multiple testing under dependency. Annals of Statistics 29:1165–1188",
            "10.1214/aos/1013699998",
            "false discovery rate",
        )),
        Correction::Fwe => list.push(Citation {
            text: "Holm S (1979) A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6:65–70".to_owned(),
            doi: None,
            used_for: "family-wise error".to_owned(),
        }),
        Correction::None | Correction::Bonferroni => {}
    }
    if analysis.permutations > 0 {
        list.push(cite(
            "Nichols TE, Holmes AP (2002) Nonparametric permutation tests for functional neuroimaging: a primer with examples. Human Brain Mapping 15:1–25",
            "10.1002/hbm.1058",
            "permutation tests and the largest statistic",
        ));
    }
    list
}

fn cite(text: &str, doi: &str, used_for: &str) -> Citation {
    Citation {
        text: text.to_owned(),
        doi: Some(doi.to_owned()),
        used_for: used_for.to_owned(),
    }
}
