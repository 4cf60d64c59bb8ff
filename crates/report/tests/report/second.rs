//! Reports of units in two sets of pictures, and of single bins within nuclei.

use consilience_core::{AnalysisRecord, EmotionRecord, EmotionSecondSet, GainCurve, Record};
use consilience_report::{Figure, Rendered, render};

use crate::{
    common::emotion::{Emotion, record},
    get, rows, table,
};

fn of(record: &mut Record) -> &mut EmotionRecord {
    match &mut record.analyses[0] {
        AnalysisRecord::VisualEmotion(emotion) => emotion,
        _ => panic!("not visual emotion"),
    }
}

fn second(record: &mut Record) -> &mut EmotionSecondSet {
    of(record).second.as_mut().unwrap()
}

fn figure<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a Figure> {
    let name = format!("visual-emotion-1-{name}");
    rendered.figures.iter().find(|f| f.name == name)
}

fn number(row: &[(&str, &str)], column: &str) -> Option<f64> {
    get(row, column).parse().ok()
}

#[test]
fn tables_are_those_of_the_record() {
    let mut record = record(&Emotion::default());
    let rendered = render(&record).unwrap();
    let set = second(&mut record).clone();
    let all = rows(&rendered, "consistency.csv");
    assert_eq!(all.len(), set.nuclei.len() * (set.shared.len() + 1));
    let mut at = all.iter();
    for nucleus in &set.nuclei {
        for overlap in &nucleus.overlaps {
            let row = at.next().unwrap();
            let names = (get(row, "nucleus"), get(row, "bin"));
            assert_eq!(names, (nucleus.nucleus.as_str(), overlap.bin.as_str()));
            assert_eq!(number(row, "n_units"), Some(nucleus.n_units as f64));
            for (column, value) in [
                ("first", overlap.first),
                ("second", overlap.second),
                ("both", overlap.both),
                ("expected", overlap.expected),
                ("p", overlap.p),
            ] {
                assert_eq!(number(row, column), Some(value), "{column}");
            }
            assert_eq!(number(row, "kept"), overlap.kept);
            assert_eq!(number(row, "jaccard"), overlap.jaccard);
        }
    }
    let preferences = rows(&rendered, "preferences.csv");
    for (row, nucleus) in preferences.iter().zip(&set.nuclei) {
        assert_eq!(number(row, "same"), nucleus.preference.same);
        assert_eq!(
            number(row, "genuine_expected"),
            Some(nucleus.preference.genuine_expected)
        );
    }
    assert_eq!(preferences.len(), set.nuclei.len());
    let sets = table(&rendered, "second_set.csv");
    assert!(sets.contains("naps,naps/*.jpg,1,9,350,2,3,1,4,5"), "{sets}");
    let bins = rows(&rendered, "second_bins.csv");
    let shared = bins.iter().filter(|row| get(row, "is_shared") == "true");
    let shared: Vec<&str> = shared.map(|row| get(row, "bin")).collect();
    assert_eq!(shared, set.shared);
    // The page has it too, and offers it.
    assert!(rendered.html.contains("Units in both sets of pictures"));
    assert!(rendered.html.contains("data-file=\"consistency.csv\""));
    assert!(rendered.html.contains("id=\"visual-emotion-1-2-table\""));
}

#[test]
fn sentences_say_how_many_units_are_kept() {
    let mut record = record(&Emotion::default());
    let all = second(&mut record).nuclei.last_mut().unwrap();
    let any = all.overlaps.last_mut().unwrap();
    (any.first, any.both, any.kept) = (40.0, 22.5, Some(0.5625));
    (any.expected, any.p) = (11.2, 0.0004);
    let preference = &mut all.preference;
    (preference.same, preference.shuffled) = (Some(0.31), Some(0.14));
    preference.p = Some(0.02);
    let html = render(&record).unwrap().html.replace('\u{a0}', " ");
    for sentence in [
        "Of 40 units that are selective for a bin of both sets in the stimuli, 22.5 (0.56 of them) are selective for the same one in naps; 11.2 would be by \
         chance (p &lt; 0.001). 0.31 of all units prefer the same bin in both, with shuffled bins 0.14 (p = 0.020).",
        "The same units were tested on 350 pictures of naps (rated from 1 to 9",
        "dealt to the modules of the folds",
    ] {
        assert!(html.contains(sentence), "{sentence}");
    }
}

#[test]
fn bars_of_units_in_both_sets_are_hollow_when_chance_would_do() {
    let mut record = record(&Emotion::default());
    let filled = |record: &Record| {
        let rendered = render(record).unwrap();
        let svg = &figure(&rendered, "consistency").unwrap().svg;
        let shapes = svg.split("<polygon points=\"").skip(1);
        let is_filled = |s: &&str| s.split('>').next().unwrap().contains("f-s0 k-s0");
        shapes.filter(is_filled).count()
    };
    let overlaps = |record: &mut Record, p: f64| {
        for nucleus in &mut second(record).nuclei {
            nucleus.overlaps.iter_mut().for_each(|of| of.p = p);
        }
    };
    overlaps(&mut record, 0.2);
    assert_eq!(filled(&record), 0);
    overlaps(&mut record, 0.01);
    let n = second(&mut record).nuclei.len() * second(&mut record).shared.len();
    assert_eq!(filled(&record), n);
    second(&mut record).nuclei[0].overlaps[0].p = 0.05;
    assert_eq!(filled(&record), n - 1);
}

/// The curve of valence with units of BA that are selective for a bin.
fn cell<'a>(emotion: &'a mut EmotionRecord, bin: &str) -> &'a mut GainCurve {
    let is_it = |c: &&mut GainCurve| c.nucleus == "BA" && c.units == bin && c.rating == "valence";
    emotion.gains.iter_mut().find(is_it).unwrap()
}

/// Every cell has the change of r with its stars, or a dash where there is no unit.
#[test]
fn single_bins_within_nuclei_are_cells() {
    let mut record = record(&Emotion::default());
    let emotion = of(&mut record);
    let main = emotion.main;
    emotion.modules[main].after[0].r = Some(0.5);
    let lesion = cell(emotion, "HP");
    // The generator's gains begin with −1.
    assert_eq!(lesion.gains[0], -1.0);
    (lesion.r[0], lesion.p[0], lesion.n_units) = (Some(0.123), Some(0.004), 7.4);
    let none = cell(emotion, "HN");
    none.n_units = 0.0;
    let rendered = render(&record).unwrap();
    let svg = &figure(&rendered, "gains-by-bin").unwrap().svg;
    assert!(svg.contains(">−0.38**</text>") && svg.contains(">7.4</text>"));
    // Silenced and enhanced.
    assert_eq!(svg.matches(">–</text>").count(), 2);
    assert!(svg.contains("intact r 0.50"));
    // They are no panels of the other figure, and all are in its table.
    let gains = figure(&rendered, "gains").unwrap();
    assert!(!gains.svg.contains("BA, units selective for HP"));
    assert!(gains.svg.contains("all nuclei, units selective for HP"));
    let rows = rows(&rendered, "gains.csv");
    let of_cell = rows.iter().filter(|row| {
        (get(row, "nucleus"), get(row, "units"), get(row, "rating")) == ("BA", "HP", "valence")
    });
    assert_eq!(of_cell.count(), 13);
    // Without such curves there is no figure.
    of(&mut record)
        .gains
        .retain(|c| c.nucleus == "all" || c.units == "any" || c.units == "whole");
    let rendered = render(&record).unwrap();
    assert!(figure(&rendered, "gains-by-bin").is_none() && figure(&rendered, "gains").is_some());
}

#[test]
fn units_of_both_sets_stand_beside_those_of_the_stimuli_only() {
    let record = record(&Emotion {
        consistent: true,
        ..Emotion::default()
    });
    let rendered = render(&record).unwrap();
    let gains = &figure(&rendered, "gains").unwrap().svg;
    for title in ["any bin in both sets", "any bin in the stimuli only"] {
        assert!(gains.contains(title), "{title}");
    }
    let cells = &figure(&rendered, "gains-by-bin").unwrap().svg;
    assert!(cells.contains("selective in both sets; intact r"));
    let rows = rows(&rendered, "gains.csv");
    for which in ["both sets", "stimuli only"] {
        assert!(rows.iter().any(|row| get(row, "selective_in") == which));
    }
    assert!(rendered.html.contains("were changed separately"));
}

#[test]
fn a_study_without_a_second_set_says_nothing_of_one() {
    let record = record(&Emotion {
        second: false,
        ..Emotion::default()
    });
    let rendered = render(&record).unwrap();
    assert!(figure(&rendered, "consistency").is_none());
    assert!(!rendered.html.contains("both sets"));
    assert_eq!(rows(&rendered, "consistency.csv").len(), 0);
}
