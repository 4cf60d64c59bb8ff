//! Whether what is planted is found, and nothing else.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use consilience_core::{AnalysisRecord, LesionEffect, ObjectsRecord};
use consilience_models::Network;
use ndarray::Axis;

use super::super::testing::{kolmogorov_smirnov, most, n_studies, rate, record, share};
use super::super::{Planted, SIDE, SQUARE, colours};
use super::{CATEGORIES, PLANTED, scene};

/// What one study says of objects.
fn study(planted: Planted, seed: u64, sets: &[&str]) -> ObjectsRecord {
    let record = record(planted, seed, sets);
    let [_, AnalysisRecord::Objects(objects)] = &record.analyses[..] else {
        panic!("an appraisal and its objects");
    };
    (**objects).clone()
}

fn name<'a>(objects: &'a ObjectsRecord, effect: &LesionEffect) -> (&'a str, &'a str) {
    let category = objects.categories[effect.category].name.as_str();
    (category, objects.targets[effect.target].name.as_str())
}

/// By the rule of the report.
fn is_found(objects: &ObjectsRecord, effect: &LesionEffect) -> bool {
    let both = [effect.p_corrected, effect.p_permutation];
    both.iter().all(|p| p.unwrap() < objects.settings.alpha)
}

#[test]
fn each_filter_answers_to_its_colour_alone() {
    let network = Network::from_onnx_bytes(colours::network()).unwrap();
    let scene = scene(3, 0);
    let differentiable = consilience_learn::Differentiable::new(&network);
    let pixels = scene.picture.pixels.iter();
    let levels: Vec<f32> = pixels
        .map(|&level| (f32::from(level) - 128.0) / 100.0)
        .collect();
    let picture = ndarray::Array3::from_shape_vec((SIDE, SIDE, 3), levels).unwrap();
    let picture = picture
        .permuted_axes([2, 0, 1])
        .as_standard_layout()
        .to_owned();
    let layers = network.select(&["filters"]).unwrap();
    let batch = picture.insert_axis(Axis(0));
    let maps = differentiable.forward(batch.view(), &layers).unwrap();
    let answers = colours::answers(&scene.picture);
    for (filter, answer) in answers.iter().enumerate() {
        let map = maps[0].index_axis(Axis(1), filter);
        let mean = f64::from(map.sum()) / map.len() as f64;
        assert!((mean - answer).abs() < 1e-6, "filter {filter}: {mean}");
        for (at, &value) in map.indexed_iter() {
            let [left, top] = [at[2], at[1]].map(|cell| 4 * cell / SQUARE * SQUARE);
            let is_there = scene.squares[filter] == Some([left, top]);
            assert_eq!(value > 0.0, is_there, "filter {filter} at {at:?}: {value}");
        }
    }
}

#[test]
fn the_planted_category_is_found() {
    let objects = study(
        Planted::Category,
        1,
        &[
            "analysis[1].random-sets=400",
            "analysis[1].permutations=200",
        ],
    );
    assert_eq!(objects.categories.len(), CATEGORIES.len());
    for effect in &objects.effects {
        assert!((effect.n_filters - 4.0).abs() < 1e-12, "{effect:?}");
        let (category, target) = name(&objects, effect);
        let delta = effect.delta.unwrap();
        if category == PLANTED {
            let rises = target == "LLR";
            assert!(
                is_found(&objects, effect) && (delta > 0.2) == rises,
                "{target} {effect:?}"
            );
            assert!(delta.abs() > 0.2, "{target} {delta}");
        } else {
            assert!(delta.abs() < 0.15, "{category} {target} {delta}");
        }
    }
}

fn studies(planted: Planted) -> Vec<ObjectsRecord> {
    let seeds = 1000..1000 + n_studies();
    seeds.map(|seed| study(planted, seed, &[])).collect()
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn planted_categories_are_found_in_study_after_study() {
    let studies = studies(Planted::Category);
    for target in ["True", "LLR", "HLR"] {
        let (mut hits, mut errors, mut by_filters) = (Vec::new(), Vec::new(), Vec::new());
        let mut deltas = Vec::new();
        for objects in &studies {
            for effect in objects
                .effects
                .iter()
                .filter(|e| name(objects, e).1 == target)
            {
                let found = is_found(objects, effect);
                let delta = effect.delta.unwrap();
                if name(objects, effect).0 == PLANTED {
                    hits.push(found && (delta > 0.0) == (target == "LLR"));
                    deltas.push(delta);
                } else {
                    errors.push(found);
                    by_filters.push(effect.p_random.unwrap() <= 0.05);
                }
            }
        }
        let [hits, errors, by_filters] = [hits, errors, by_filters].map(|of| share(of.iter()));
        let mean = deltas.iter().sum::<f64>() / deltas.len() as f64;
        eprintln!(
            "{target}: planted category found with its sign {hits:?}, mean change {mean:.3}; others found {errors:?}, with p_random ≤ 0.05 uncorrected {by_filters:?}"
        );
        assert!(rate(hits) > 0.9, "{target}");
        assert!(rate(errors) < most(), "{target}");
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn where_nothing_is_planted_p_is_uniform() {
    let studies = studies(Planted::NoCategory);
    type P = fn(&LesionEffect) -> Option<f64>;
    let p_random: P = |effect| effect.p_random;
    let p_permutation: P = |effect| effect.p_permutation;
    for (target, of, p) in [
        ("True", "random filters", p_random),
        ("LLR", "random filters", p_random),
        ("HLR", "random filters", p_random),
        ("HLR", "permuted stimuli", p_permutation),
    ] {
        let values = |category: Option<&str>| -> Vec<f64> {
            let effects = studies.iter().flat_map(|objects| {
                let effects = objects.effects.iter();
                effects.map(move |effect| (name(objects, effect), effect))
            });
            effects
                .filter(|(named, _)| named.1 == target && category.is_none_or(|c| c == named.0))
                .map(|(_, effect)| p(effect).unwrap())
                .collect()
        };
        // Categories of a study share their pictures, so the distance of all is held to as many studies as there are.
        let mut all = values(None);
        let at_5 = share(all.iter().map(|p| *p <= 0.05).collect::<Vec<_>>().iter());
        let (d_all, d_one) = (
            kolmogorov_smirnov(&mut all),
            kolmogorov_smirnov(&mut values(Some(PLANTED))),
        );
        let bound = 1.36 / (n_studies() as f64).sqrt();
        eprintln!(
            "{target}, {of}: p ≤ 0.05 {at_5:?}; Kolmogorov–Smirnov distance of all {d_all:.3}, of category {PLANTED} {d_one:.3}, bound {bound:.3}"
        );
        assert!(d_all < bound && d_one < bound, "{target}, {of}");
        assert!(rate(at_5) < most(), "{target}, {of}");
    }
    let found = studies.iter().flat_map(|objects| {
        objects
            .effects
            .iter()
            .map(|effect| is_found(objects, effect))
    });
    eprintln!(
        "called significant: {:?}",
        share(found.collect::<Vec<_>>().iter())
    );
}
