//! Studies with a known truth.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use consilience_methods::objects::{DetectedObject, PictureBox};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Array3};
use rayon::prelude::*;

use super::super::{
    Category, CategoryEffect, CutLayer, CutScan, LayerOutcome, Object2BrainParams, ObjectInputs,
    PictureObjects, Pool,
};
use crate::head::{HeadOutput, RatingHead, RunHeads};

const N_CATEGORIES: usize = 6;
/// Filters of each category; as many again have none.
const N_OWN: usize = 6;
const N_FILTERS: usize = 2 * N_CATEGORIES * N_OWN;
const N_STIMULI: usize = 80;
const SIDE: usize = 8;
/// The category whose filters carry the planted part.
const PLANTED: usize = 2;

/// What filters of a category answer to, besides noise.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// The box of their object, so strongly as the object is there: filters of a category go together.
    Objects,
    /// Something of their own, which lies in the box if there is one: filters are independent.
    Alone,
}

/// What the targets follow.
#[derive(Clone, Copy, PartialEq)]
enum Truth {
    /// Objects of the planted category, by whose filters the networks rate; other filters add next to nothing.
    Planted,
    /// The rating, which all filters add to alike.
    Rating,
}

/// Ratings of two runs, one target that follows the truth and one of noise.
fn study(i: u64, answer: Answer, truth: Truth) -> LayerOutcome {
    let mut draw = Stream::new(71, Domain::Simulation, i);
    let classes: Vec<String> = (0..N_CATEGORIES).map(|c| format!("class {c}")).collect();
    let categories: Vec<Category> = (0..N_CATEGORIES)
        .map(|c| Category {
            name: format!("category {c}"),
            classes: vec![c],
        })
        .collect();
    let (mut pictures, mut activations) = (Vec::new(), Vec::new());
    let mut targets = Array2::zeros((2, N_STIMULI));
    let weight = |filter: usize| match truth {
        Truth::Rating => 1.0,
        Truth::Planted if filter / N_OWN == PLANTED => 1.0,
        Truth::Planted => 0.02,
    };
    for picture in 0..N_STIMULI {
        let corners: Vec<[usize; 2]> = (0..N_CATEGORIES)
            .map(|_| [0, 1].map(|_| draw.below(SIDE as u32 - 2) as usize))
            .collect();
        let there: Vec<bool> = corners.iter().map(|_| draw.uniform() < 0.5).collect();
        let strength: Vec<f64> = corners.iter().map(|_| 0.5 + draw.uniform()).collect();
        let mut activation = Array3::<f32>::zeros((N_FILTERS, SIDE, SIDE));
        for (filter, mut map) in activation.outer_iter_mut().enumerate() {
            // Few positions are high, as after a ReLU.
            map.mapv_inplace(|_| draw.uniform().powi(6) as f32 * 0.5);
            let own = filter / N_OWN;
            let has_box = own < N_CATEGORIES && there[own];
            let (answers, by) = match answer {
                Answer::Objects => (has_box, strength[own % N_CATEGORIES]),
                Answer::Alone => (true, 2.0 * draw.uniform()),
            };
            if answers {
                let elsewhere = [0, 1].map(|_| draw.below(SIDE as u32 - 2) as usize);
                let [y, x] = if has_box { corners[own] } else { elsewhere };
                map.slice_mut(ndarray::s![y..y + 3, x..x + 3])
                    .mapv_inplace(|v| v + by as f32);
            }
            let mean = map.iter().map(|&v| f64::from(v)).sum::<f64>() / map.len() as f64;
            targets[[0, picture]] += weight(filter) * mean;
        }
        let object = |(class, [y, x]): (usize, &[usize; 2])| {
            let [top, left] = [y, x].map(|&at| at as f64 * 10.0);
            there[class].then(|| DetectedObject {
                bounds: PictureBox::new(left, top, left + 30.0, top + 30.0),
                class,
                score: 0.8,
            })
        };
        pictures.push(PictureObjects {
            size: [SIDE as f64 * 10.0; 2],
            objects: corners.iter().enumerate().filter_map(object).collect(),
        });
        activations.push(activation);
    }
    // Half of the variance of the first target is noise.
    let signal: Vec<f64> = targets.row(0).to_vec();
    let mean = signal.iter().sum::<f64>() / N_STIMULI as f64;
    let variance = signal.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / N_STIMULI as f64;
    for picture in 0..N_STIMULI {
        targets[[0, picture]] += draw.normal() * variance.sqrt();
        targets[[1, picture]] = draw.normal();
    }
    let mut run = || RunHeads {
        heads: vec![RatingHead {
            weights: (0..N_FILTERS)
                .map(|filter| (weight(filter) * (0.8 + 0.4 * draw.uniform())) as f32)
                .collect(),
            bias: 0.0,
            output: HeadOutput::Linear,
        }],
        head_of: vec![0; N_STIMULI],
    };
    let runs = [run(), run()];
    let subsets = Array2::from_elem((1, N_STIMULI), true);
    let inputs = ObjectInputs {
        classes: &classes,
        categories: &categories,
        pictures: &pictures,
        targets: targets.view(),
        subsets: subsets.view(),
    };
    let params = Object2BrainParams {
        random_sets: 199,
        permutations: 199,
        seed: i,
        ..Object2BrainParams::default()
    };
    let layer = CutLayer {
        runs: &runs,
        pool: Pool::Mean,
    };
    let mut scan = CutScan::new(layer, [N_FILTERS, SIDE, SIDE], inputs, params).unwrap();
    for activation in &activations {
        scan.add(activation.view()).unwrap();
    }
    scan.finish().unwrap()
}

fn p(effect: &CategoryEffect) -> f64 {
    effect.test.unwrap().p
}

#[test]
fn the_planted_category_is_found_with_its_filters() {
    let found = study(0, Answer::Objects, Truth::Planted);
    for (idx, category) in found.categories.iter().enumerate() {
        let own: Vec<usize> = (idx * N_OWN..(idx + 1) * N_OWN).collect();
        for run in category.filters.as_ref().unwrap() {
            assert_eq!(run.filters, own);
        }
        let effect = &category.effects[[0, 0]];
        let delta = effect.delta.unwrap().mean;
        if idx == PLANTED {
            assert!(delta < -0.2 && p(effect) <= 0.05, "{delta} {}", p(effect));
        } else {
            assert!(
                delta.abs() < 0.02 && p(effect) > 0.05,
                "{delta} {}",
                p(effect)
            );
        }
    }
}

/// Rates over as many studies as the checks have time for; the published ones are of what `CONSILIENCE_STUDIES` asks for.
fn n_studies() -> u64 {
    std::env::var("CONSILIENCE_STUDIES").map_or(100, |n| n.parse().expect("a number of studies"))
}

/// Each study's p, of the planted category, of the others, and of all with the target of noise.
struct Found {
    planted: Vec<(f64, f64)>,
    others: Vec<f64>,
    noise: Vec<f64>,
    /// Of the target of noise when its stimuli are permuted.
    permuted: Vec<f64>,
}

fn found(answer: Answer, truth: Truth) -> Found {
    let studies: Vec<LayerOutcome> = (0..n_studies())
        .into_par_iter()
        .map(|i| study(i, answer, truth))
        .collect();
    let mut found = Found {
        planted: Vec::new(),
        others: Vec::new(),
        noise: Vec::new(),
        permuted: Vec::new(),
    };
    for (idx, category) in studies.iter().flat_map(|s| s.categories.iter().enumerate()) {
        let effect = &category.effects[[0, 0]];
        found.noise.push(p(&category.effects[[0, 1]]));
        found
            .permuted
            .push(category.effects[[0, 1]].p_target.unwrap());
        match idx {
            PLANTED => found.planted.push((p(effect), effect.delta.unwrap().mean)),
            _ => found.others.push(p(effect)),
        }
    }
    found
}

fn share(p: &[f64]) -> f64 {
    p.iter().filter(|&&p| p <= 0.05).count() as f64 / p.len() as f64
}

/// Three standard errors of a rate of 0.05. Categories of a study have their pictures and random sets in common, so studies are counted, not tests.
fn chance() -> f64 {
    3.0 * (0.05 * 0.95 / n_studies() as f64).sqrt()
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn planted_categories_are_found_and_others_are_not() {
    let Found {
        planted,
        others,
        noise,
        permuted,
    } = found(Answer::Objects, Truth::Planted);
    let hits = planted
        .iter()
        .filter(|(p, delta)| *p <= 0.05 && *delta < 0.0)
        .count();
    let hits = hits as f64 / planted.len() as f64;
    eprintln!("planted category found: {hits:.3}");
    eprintln!("other categories found: {:.3}", share(&others));
    eprintln!("any category, target of noise: {:.3}", share(&noise));
    eprintln!("the same, stimuli permuted: {:.3}", share(&permuted));
    assert!(hits > 0.9);
    assert!(share(&permuted) < 0.05 + chance());
    assert!(share(&others) < 0.05 + chance());
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn without_a_planted_category_p_is_uniform() {
    let Found {
        planted,
        mut others,
        noise,
        permuted,
    } = found(Answer::Alone, Truth::Rating);
    others.extend(planted.iter().map(|(p, _)| *p));
    for (name, mut p) in [
        ("target that follows the rating", others),
        ("target of noise", noise),
        ("target of noise, stimuli permuted", permuted),
    ] {
        let rate = share(&p);
        p.sort_by(f64::total_cmp);
        let n = p.len() as f64;
        let above = p.iter().enumerate().map(|(i, p)| (i + 1) as f64 / n - p);
        let largest = above.fold(0.0, f64::max);
        eprintln!(
            "independent filters, {name}: {rate:.3} at 5 %, largest excess over uniform {largest:.3}"
        );
        assert!((rate - 0.05).abs() < chance(), "{name}: {rate}");
        assert!(
            largest < 1.36 / (n_studies() as f64).sqrt(),
            "{name}: {largest}"
        );
    }
    // Filters that go together are another matter; how much is on the explain page.
    let Found {
        planted,
        mut others,
        noise,
        permuted,
    } = found(Answer::Objects, Truth::Rating);
    others.extend(planted.iter().map(|(p, _)| *p));
    eprintln!(
        "filters that go together, target that follows the rating: {:.3}",
        share(&others)
    );
    eprintln!(
        "filters that go together, target of noise: {:.3}",
        share(&noise)
    );
    let rate = share(&permuted);
    eprintln!("the same, stimuli permuted: {rate:.3}");
    assert!((rate - 0.05).abs() < chance(), "{rate}");
}
