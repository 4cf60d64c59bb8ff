//! What pictures are rated by.

use std::fmt::Write;
use std::ops::Range;

use consilience_stats::random::{Domain, Stream};

use super::super::pictures::Scene;
use super::{CATEGORIES, N_CLASSES, N_COLOURS, N_LIGHT, N_OBJECTS, PLANTED};

const N_RATERS: usize = 4;
/// The first stream that no picture has.
const FIRST_STREAM: u64 = 1 << 32;

/// What raters agree on, and how far each is off.
struct Target {
    name: &'static str,
    parts: Vec<(f64, Range<usize>)>,
    noise: f64,
}

fn targets(is_planted: bool) -> [Target; 3] {
    let first = CATEGORIES.iter().position(|&name| name == PLANTED);
    let first = N_CLASSES * first.expect("the planted category is one of them");
    let category = first..first + N_CLASSES;
    let light = N_OBJECTS..N_OBJECTS + N_LIGHT;
    let all = 0..N_COLOURS;
    let [learnt, high, low] = match is_planted {
        true => [
            vec![(0.8, category.clone()), (0.4, light.clone())],
            vec![(1.0, category)],
            vec![(1.0, light)],
        ],
        false => [vec![(1.0, all.clone())], vec![], vec![(1.0, all)]],
    };
    let target = |name, parts, noise| Target { name, parts, noise };
    [
        target("True", learnt, 1.0),
        target("LLR", low, 1.5),
        target("HLR", high, 1.5),
    ]
}

/// A table with a row for each picture and columns `TARGET_RATER`.
pub fn table(scenes: &[Scene], names: &[String], is_planted: bool, seed: u64) -> String {
    let targets = targets(is_planted);
    let mut text = "file".to_owned();
    for target in &targets {
        for rater in 1..=N_RATERS {
            let _ = write!(text, ",{}_{rater}", target.name);
        }
    }
    let mut draws: Vec<Stream> = (FIRST_STREAM..)
        .take(targets.len())
        .map(|stream| Stream::new(seed, Domain::Simulation, stream))
        .collect();
    for (scene, name) in scenes.iter().zip(names) {
        let _ = write!(text, "\n{name}");
        for (target, draw) in targets.iter().zip(&mut draws) {
            let parts = target.parts.iter();
            let signal: f64 = parts
                .map(|(weight, of)| weight * amount(scene, of.clone()))
                .sum();
            for _ in 0..N_RATERS {
                let _ = write!(text, ",{:.4}", signal + target.noise * draw.normal());
            }
        }
    }
    text.push('\n');
    text
}

/// How many of some colours a picture shows, in standard deviations from what is to be expected.
fn amount(scene: &Scene, colours: Range<usize>) -> f64 {
    let n = colours.len() as f64;
    let there = scene.squares[colours].iter().flatten().count() as f64;
    (there - n / 2.0) / (n.sqrt() / 2.0)
}
