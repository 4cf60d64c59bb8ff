//! Conventions of other toolboxes, on `fixtures/rdm/compat.json`, written by `fixtures/generate/compat.py`.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::Deserialize;

use crate::rdm::{Dissimilarity, RdmParams, rdm, rdm_as};
use crate::{Compat, MethodsError};

#[derive(Deserialize)]
struct Fixture {
    patterns: Vec<Vec<f64>>,
    noise: Vec<Vec<f64>>,
    cases: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[test]
fn numbers_are_those_of_the_toolbox() {
    let text = include_str!("../../../../../fixtures/rdm/compat.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    let (patterns, noise) = (matrix(&fixture.patterns), matrix(&fixture.noise));
    let mut differing = Vec::new();
    for (peer, cases) in &fixture.cases {
        for (name, expected) in cases {
            let dissimilarity: Dissimilarity = name.parse().unwrap();
            let params = RdmParams {
                dissimilarity,
                noise_precision: (dissimilarity == Dissimilarity::Mahalanobis)
                    .then(|| noise.clone()),
                ..RdmParams::default()
            };
            let found = rdm_as(peer.parse().unwrap(), patterns.view(), &params).unwrap();
            let ours = rdm(patterns.view(), &params).unwrap();
            assert_eq!(
                found.difference.is_some(),
                found.outcome != ours,
                "{peer} {name}"
            );
            if found.difference.is_some() {
                differing.push(format!("{peer} {name}"));
            }
            for (found, expected) in found.outcome.vector.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= 1e-9 * expected.abs(),
                    "{peer} {name}"
                );
            }
        }
    }
    assert_eq!(differing, ["mne-rsa mahalanobis", "rsatoolbox euclidean"]);
}

#[test]
fn what_a_toolbox_has_not_is_refused() {
    let patterns = Array2::from_shape_fn((4, 3), |(i, j)| ((i * 5 + j * 3) % 7) as f64);
    for (peer, dissimilarity) in [
        (Compat::Nilearn, Dissimilarity::Correlation),
        (Compat::Rsatoolbox, Dissimilarity::Cosine),
        (Compat::MneRsa, Dissimilarity::Crossnobis),
        (Compat::Cosmo, Dissimilarity::PoissonKl),
    ] {
        let params = RdmParams {
            dissimilarity,
            ..RdmParams::default()
        };
        let found = rdm_as(peer, patterns.view(), &params);
        assert!(
            matches!(found, Err(MethodsError::NotInPeer { .. })),
            "{found:?}"
        );
    }
    assert_eq!(
        Compat::MneRsa.to_string().parse::<Compat>().unwrap(),
        Compat::MneRsa
    );
}
