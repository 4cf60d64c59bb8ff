//! Reports of raters and objects.

use consilience_core::{AnalysisRecord, AppraisalRecord, ObjectsRecord, Record};
use consilience_report::{ReportError, render};

use crate::{
    RENDERED, assert_shows_nothing_of,
    common::{
        self,
        valence::{Valence, appraisal, valence, valences},
    },
    get, rows, table,
};

fn usual() -> Record {
    valence(&Valence::default())
}

fn shape(name: &str) -> Record {
    let found = valences().into_iter().find(|(n, _)| *n == name);
    valence(&found.unwrap().1)
}

fn raters(record: &mut Record) -> &mut AppraisalRecord {
    match &mut record.analyses[0] {
        AnalysisRecord::Appraisal(appraisal) => appraisal,
        _ => panic!("not an appraisal"),
    }
}

fn objects(record: &mut Record) -> &mut ObjectsRecord {
    match &mut record.analyses[1] {
        AnalysisRecord::Objects(objects) => objects,
        _ => panic!("not Object2Brain"),
    }
}

#[test]
fn every_effect_has_a_row_of_scores() {
    let mut record = usual();
    let rendered = render(&record).unwrap();
    let header = table(&rendered, "scores.csv").lines().next().unwrap();
    assert_eq!(
        header,
        "analysis,model,layer,layer_idx,target,kind,simulated,subset,category,n_stimuli,n_filters,n_filters_of,n_runs,\
         r,r_lesioned,delta,delta_sd,p_random_filters,p_corrected,p_permutation,random_mean,random_sd,note"
    );
    let rows = rows(&rendered, "scores.csv");
    let objects = objects(&mut record);
    assert_eq!(rows.len(), objects.effects.len());
    for (row, effect) in rows.iter().zip(&objects.effects) {
        assert_eq!(get(row, "analysis"), "object2brain-2");
        assert_eq!(get(row, "model"), objects.layers[effect.layer].model);
        assert_eq!(
            get(row, "category"),
            objects.categories[effect.category].name
        );
        assert_eq!(get(row, "subset"), objects.subsets[effect.subset].name);
        let target = &objects.targets[effect.target];
        assert_eq!(get(row, "target"), target.name);
        assert_eq!(get(row, "simulated"), target.is_simulated.to_string());
        assert_eq!(get(row, "delta").parse::<f64>().ok(), effect.delta);
        assert_eq!(
            get(row, "p_random_filters").parse::<f64>().ok(),
            effect.p_random
        );
    }
    // Layers count within their model.
    let first = rows.iter().find(|row| get(row, "model") == "alexnet");
    assert_eq!(get(first.unwrap(), "layer_idx"), "0");
}

#[test]
fn tables_of_raters_are_complete() {
    let mut record = usual();
    let rendered = render(&record).unwrap();
    let n_stimuli = record.stimuli.len();
    let of = raters(&mut record);
    let n_runs: usize = of.raters.iter().map(|r| r.runs.len()).sum();
    let count = |name| rows(&rendered, name).len();
    assert_eq!(count("correlations.csv"), of.correlations.len());
    assert_eq!(count("correlation_differences.csv"), of.differences.len());
    assert_eq!(count("predictions.csv"), n_runs * n_stimuli);
    assert_eq!(count("raters.csv"), n_runs);
    assert_eq!(count("targets.csv"), of.targets.len() * n_stimuli);
    for (row, c) in rows(&rendered, "correlations.csv")
        .iter()
        .zip(&of.correlations)
    {
        assert_eq!(get(row, "r").parse::<f64>().ok(), c.of_mean);
        assert_eq!(get(row, "r_sd").parse::<f64>().ok(), c.sd);
        assert_eq!(get(row, "subset"), of.subsets[c.subset].name);
    }
    let last = rows(&rendered, "predictions.csv").pop().unwrap();
    let run = of.raters.last().unwrap().runs.last().unwrap();
    assert_eq!(get(&last, "seed"), run.seed.to_string());
    assert_eq!(
        get(&last, "prediction").parse::<f64>().ok(),
        run.predictions.last().copied()
    );
}

#[test]
fn tables_of_categories_are_square() {
    let mut record = usual();
    let rendered = render(&record).unwrap();
    let n = objects(&mut record).categories.len();
    for name in ["overlap.csv", "co_occurrence.csv"] {
        assert_eq!(rows(&rendered, name).len(), n * n, "{name}");
    }
    let importance = rows(&rendered, "importance.csv");
    assert_eq!(importance.len(), objects(&mut record).importance.len());
}

#[test]
fn the_first_kind_has_the_table_of_scores() {
    let names = |record: &Record| -> Vec<String> {
        let rendered = render(record).unwrap();
        rendered.tables.into_iter().map(|t| t.name).collect()
    };
    let both = usual();
    assert_eq!(names(&both)[0], "scores.csv");
    assert!(names(&both).contains(&"correlations.csv".to_owned()));

    let mut alone = both.clone();
    alone.analyses.truncate(1);
    assert_eq!(names(&alone)[0], "scores.csv");
    assert!(!names(&alone).contains(&"correlations.csv".to_owned()));

    // RSA's table keeps its bytes, whatever comes before and after it.
    let rsa = common::record(&common::Shape::default());
    let mut all = rsa.clone();
    let mut more = valence(&Valence {
        n_stimuli: rsa.stimuli.len(),
        ..Valence::default()
    });
    all.analyses.append(&mut more.analyses);
    let rendered = render(&all).unwrap();
    assert_eq!(
        table(&rendered, "scores.csv"),
        table(&render(&rsa).unwrap(), "scores.csv")
    );
    let effects = rows(&rendered, "object2brain-scores.csv");
    assert_eq!(get(&effects[0], "analysis"), "object2brain-3");
    let mut unique = names(&all);
    let n = unique.len();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), n);
}

#[test]
fn analyses_of_one_kind_share_their_tables() {
    let mut record = usual();
    record.analyses.push(record.analyses[0].clone());
    let rendered = render(&record).unwrap();
    let rows = rows(&rendered, "correlations.csv");
    let (first, second) = rows.split_at(rows.len() / 2);
    assert!(first.iter().all(|r| get(r, "analysis") == "appraisal-1"));
    assert!(second.iter().all(|r| get(r, "analysis") == "appraisal-3"));
}

#[test]
fn simulated_targets_are_named_wherever_they_are_shown() {
    let sentence = "LLR, MLR and HLR are simulated.";
    let rendered = render(&usual()).unwrap();
    let html = &rendered.html;
    let leads = html.matches("class=\"lead\"").count();
    assert!(html.matches(&format!("<b>{sentence}</b>")).count() == 2 && leads >= 2);
    let shows_targets = |name: &str| {
        let others = ["importance", "overlays", "categories"];
        !others.iter().any(|other| name.ends_with(other))
    };
    for figure in &rendered.figures {
        let says = figure.caption.contains(sentence);
        assert_eq!(says, shows_targets(&figure.name), "{}", figure.name);
    }
    // Real ones are not.
    let (_, real) = RENDERED.iter().find(|(n, _)| *n == "valence-wide").unwrap();
    assert!(!real.html.contains("simulated."));
}

#[test]
fn findings_stand_in_sentences() {
    let mut record = usual();
    let of = raters(&mut record);
    for c in &mut of.correlations {
        if c.subset == 0 && c.target == 0 {
            c.of_mean = Some(if c.rater == 3 { 0.912 } else { 0.1 });
            (c.sd, c.p_corrected) = (Some(0.031), Some(0.0004));
        }
    }
    let of = objects(&mut record);
    let effect = &mut of.effects[7];
    (effect.delta, effect.delta_sd) = (Some(-0.5), Some(0.021));
    (effect.random_mean, effect.random_sd) = (Some(0.01), Some(0.02));
    (effect.p_corrected, effect.n_filters) = (Some(0.003), 34.0);
    effect.p_permutation = Some(0.01);
    let told = |record: &Record| render(record).unwrap().html.replace('\u{a0}', " ");
    let html = told(&record);
    assert!(html.contains(
        "followed best by squeezenet1_1 features.9 over all stimuli, r = 0.91 (SD 0.03, p &lt; 0.001)"
    ));
    assert!(html.contains(
        "Without the filters for Body Parts in squeezenet1_1 features.0 (34 of 128), the correlation with HLR over \
         congruent stimuli falls by 0.500 (SD 0.021; random filters 0.010 ± 0.020; p = 0.003)."
    ));
    // What permuted targets show too is no finding.
    objects(&mut record).effects[7].p_permutation = Some(0.2);
    assert!(
        !told(&record)
            .contains("Without the filters for Body Parts in squeezenet1_1 features.0 (34")
    );
}

#[test]
fn notes_are_shown_and_what_is_undefined_is_marked() {
    let mut record = shape("valence-gaps");
    for c in &mut raters(&mut record).correlations {
        (c.of_mean, c.mean) = (None, None);
    }
    let rendered = render(&record).unwrap();
    for note in [
        "2 subjects with constant ratings were left out",
        "Ratings of some runs are constant",
        "3 classes are shown by too few stimuli",
    ] {
        assert!(rendered.html.contains(note), "{note}");
    }
    for table in &rendered.tables {
        assert!(!table.csv.contains("NaN"), "{}", table.name);
    }
    let networks = &rendered.figures[0];
    assert!(networks.svg.contains(">–</text>"));
    assert!(networks.caption.contains("undefined"));
    assert!(table(&rendered, "scores.csv").contains("all filters are sensitive"));
}

#[test]
fn nothing_is_called_tested_that_was_not() {
    let rendered = render(&shape("valence-bare")).unwrap();
    assert!(
        rendered
            .html
            .contains("No change was tested against random filters.")
    );
    for figure in &rendered.figures {
        assert!(
            !figure.caption.contains("random filters"),
            "{}",
            figure.caption
        );
    }
}

#[test]
fn values_that_are_no_numbers_leave_gaps() {
    let mut record = usual();
    let of = raters(&mut record);
    for c in &mut of.correlations {
        (c.of_mean, c.mean, c.sd) = (Some(f64::NAN), Some(f64::INFINITY), Some(f64::NAN));
        c.interval = Some([f64::NAN, f64::INFINITY]);
        c.p_corrected = Some(f64::NAN);
    }
    for d in &mut of.differences {
        d.difference = Some(f64::NAN);
        d.interval = Some([f64::NEG_INFINITY, f64::NAN]);
    }
    let of = objects(&mut record);
    for e in &mut of.effects {
        (e.delta, e.delta_sd, e.n_filters) = (Some(f64::NAN), Some(f64::NAN), f64::NAN);
    }
    for i in &mut of.importance {
        (i.mean, i.sd) = (Some(f64::INFINITY), Some(f64::NAN));
    }
    of.overlap.values[0][1] = Some(f64::NAN);
    of.overlays[0].boxes[0].edges[2] = f64::NAN;
    let rendered = render(&record).unwrap();
    for figure in &rendered.figures {
        let svg = roxmltree::Document::parse(&figure.svg).unwrap();
        crate::assert_numbers(&svg, &figure.name);
    }
    for table in &rendered.tables {
        assert!(!table.csv.contains("NaN") && !table.csv.contains("inf"));
    }
}

#[test]
fn pictures_from_elsewhere_are_not_shown() {
    let mut record = usual();
    for overlay in &mut objects(&mut record).overlays {
        overlay.picture = "https://example.org/tracker.png".into();
    }
    objects(&mut record).overlays[1].size = [0, 10];
    assert_shows_nothing_of(&record, "tracker.png");
}

#[test]
fn figures_do_not_outgrow_what_can_be_drawn() {
    // Many networks: as many pairs as grow with the square of them.
    let mut record = usual();
    let models: Vec<(&'static str, usize)> = vec![("net", 1); 30];
    let mut many = appraisal(&Valence {
        models,
        ..Valence::default()
    });
    for (idx, rater) in many.raters.iter_mut().enumerate() {
        rater.model = format!("net{idx}");
    }
    record.analyses = vec![AnalysisRecord::Appraisal(Box::new(many))];
    let rendered = render(&record).unwrap();
    for figure in &rendered.figures {
        let svg = roxmltree::Document::parse(&figure.svg).unwrap();
        let height: f64 = svg
            .root_element()
            .attribute("height")
            .unwrap()
            .parse()
            .unwrap();
        assert!(height < 8000.0, "{}: {height}", figure.name);
    }
    let pairs = rendered.figures.iter().find(|f| f.name.ends_with("pairs"));
    assert!(pairs.unwrap().caption.contains("The largest differences"));
}

#[test]
fn damaged_records_are_refused() {
    let whole = usual();
    let damage: [fn(&mut Record); 16] = [
        |r| raters(r).correlations.truncate(3),
        |r| raters(r).correlations.swap(0, 1),
        |r| raters(r).correlations[0].rater = 99,
        |r| raters(r).correlations[0].runs.truncate(2),
        |r| raters(r).raters[0].runs[0].predictions.truncate(5),
        |r| raters(r).targets[0].values.truncate(5),
        |r| raters(r).differences[0].first = 99,
        |r| raters(r).differences[0].within = 99,
        |r| raters(r).differences[0].target = 99,
        |r| objects(r).effects.truncate(3),
        |r| objects(r).effects.swap(0, 1),
        |r| objects(r).importance.truncate(3),
        |r| objects(r).overlap.values.truncate(2),
        |r| objects(r).overlap.n_stimuli[0].truncate(2),
        |r| objects(r).co_occurrence.values[1].truncate(2),
        |r| objects(r).overlays[0].boxes[0].category = Some(99),
    ];
    for (idx, damage) in damage.iter().enumerate() {
        let mut record = whole.clone();
        damage(&mut record);
        let error = render(&record).unwrap_err();
        assert!(
            matches!(
                error,
                ReportError::ShapeMismatch { .. } | ReportError::NoSuchEntry { .. }
            ),
            "{idx}: {error}"
        );
        assert!(error.to_string().contains("run the study again"));
    }
}
