//! Connections that carry nothing.

use consilience_models::nuclei::Nuclei;
use consilience_stats::correlation::pearson;
use ndarray::{Array2, s};

use super::*;
use crate::visual_emotion::{Connection, Link, TrainedRepeat, connection_lesions};

/// Two nuclei that inhibit and feed back, in two steps.
fn recurrent() -> Structure {
    let nuclei = r#"
        read-out = "CE"
        steps = 2
        [[nucleus]]
        name = "LA"
        reads = ["visual"]
        widths = [6]
        feedback = ["CE"]
        [[nucleus]]
        name = "BA"
        reads = ["visual", "LA"]
        widths = [4]
        [[nucleus]]
        name = "CE"
        reads = ["LA", "BA"]
        widths = [8]
        inhibited-by = ["BA"]
    "#;
    Structure {
        name: "recurrent".to_owned(),
        nuclei: Nuclei::from_toml(nuclei).unwrap(),
        adapter: None,
        tokens: None,
    }
}

fn with(wired: &Wired, data: &Data, divisions: &[Division], runs: &[FoldRun]) -> TrainedRepeat {
    TrainedRepeat::of(wired, &data.pictures(), divisions, runs, &learning())
}

/// A connection that carries nothing is one whose weights are 0.
#[test]
fn a_silent_connection_is_one_without_weights() {
    let data = Data::new(24, 5, 4);
    let wired = recurrent().wired(5, 2).unwrap();
    let divisions = data.divisions(3);
    let (runs, repeat) = trained(&wired, &data, &divisions, 3);
    let intact = with(&wired, &data, &divisions, &runs);
    // By its key, which columns of the weights belong to a connection.
    let weights = [
        ("CE", "LA", Link::Feedback, "LA.feedback.CE.weight", 0..8),
        ("LA", "BA", Link::Reads, "BA.0.weight", 5..11),
        ("LA", "CE", Link::Reads, "CE.0.weight", 0..6),
        ("BA", "CE", Link::Reads, "CE.0.weight", 6..10),
        ("BA", "CE", Link::Inhibits, "CE.inhibition.BA.weight", 0..4),
    ];
    assert_eq!(wired.connections().len(), weights.len());
    for ((from, to, kind, key, columns), found) in weights.into_iter().zip(wired.connections()) {
        let expected = Connection {
            from: from.to_owned(),
            to: to.to_owned(),
            kind,
        };
        assert_eq!(found, expected);
        let mut changed = runs.clone();
        for run in &mut changed {
            let weight = run.weights.get_mut(key).unwrap();
            weight.slice_mut(s![.., columns.clone()].as_ref()).fill(0.0);
        }
        let expected = with(&wired, &data, &divisions, &changed).ratings(&wired, &[], 0.0);
        let found = intact.without(&wired, &found);
        assert_ne!(found, repeat.after, "{from} to {to}");
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-6, "{from} to {to}: {a} {b}");
        }
    }
}

#[test]
fn lesions_of_connections_are_scored_over_repeats() {
    let data = Data::new(24, 5, 5);
    let wired = structure().wired(5, 2).unwrap();
    let (repeats, after): (Vec<TrainedRepeat>, Vec<Array2<f64>>) = [2, 3]
        .into_iter()
        .map(|seed| {
            let divisions = data.divisions(seed);
            let (runs, repeat) = trained(&wired, &data, &divisions, seed);
            (with(&wired, &data, &divisions, &runs), repeat.after)
        })
        .unzip();
    let found = connection_lesions(&wired, &repeats, data.ratings.view(), &names());
    let named: Vec<String> = (found.iter())
        .map(|c| format!("{} {} {} {}", c.from, c.to, c.kind, c.rating))
        .collect();
    assert_eq!(
        named,
        [
            "LA BA reads valence",
            "LA BA reads arousal",
            "LA CE reads valence",
            "LA CE reads arousal",
            "BA CE reads valence",
            "BA CE reads arousal",
        ]
    );
    for (at, connection) in wired.connections().iter().enumerate() {
        for rating in 0..2 {
            let given = data.ratings.column(rating).to_vec();
            let r = |of: &Array2<f64>| pearson(&given, &of.column(rating).to_vec()).unwrap();
            let [a, b] = [0, 1].map(|k| r(&repeats[k].without(&wired, connection)));
            let [from_a, from_b] =
                [0, 1].map(|k| a * (1.0 - k as f64) + b * k as f64 - r(&after[k]));
            let lesion = &found[2 * at + rating];
            assert!((lesion.r.unwrap() - (a + b) / 2.0).abs() < 1e-12);
            assert!((lesion.change.unwrap() - (from_a + from_b) / 2.0).abs() < 1e-12);
            let spread = (from_a - from_b).abs() / 2.0_f64.sqrt();
            assert!((lesion.change_sd.unwrap() - spread).abs() < 1e-12);
        }
    }
}
