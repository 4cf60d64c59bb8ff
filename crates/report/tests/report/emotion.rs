//! Reports of visual emotion.

use consilience_core::{AnalysisRecord, EmotionRecord, Record};
use consilience_report::{Figure, Rendered, ReportError, render};

use crate::{
    RENDERED, assert_shows_nothing_of,
    common::{
        self,
        emotion::{Emotion, record},
        valence::{Valence, valence},
    },
    get, rows, table,
};

fn usual() -> Record {
    record(&Emotion::default())
}

fn of(record: &mut Record) -> &mut EmotionRecord {
    match &mut record.analyses[0] {
        AnalysisRecord::VisualEmotion(emotion) => emotion,
        _ => panic!("not visual emotion"),
    }
}

fn rendered(name: &str) -> &'static Rendered {
    let found = RENDERED.iter().find(|(n, _)| *n == name);
    &found.unwrap().1
}

fn figure<'a>(rendered: &'a Rendered, name: &str) -> &'a Figure {
    let name = format!("visual-emotion-1-{name}");
    let found = rendered.figures.iter().find(|f| f.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

/// Text of the page with plain spaces.
fn told(record: &Record) -> String {
    render(record).unwrap().html.replace('\u{a0}', " ")
}

fn number(row: &[(&str, &str)], column: &str) -> Option<f64> {
    get(row, column).parse().ok()
}

#[test]
fn every_asked_figure_is_there() {
    let names = [
        "nuclei",
        "predictions",
        "plane",
        "history",
        "modules",
        "selectivity",
        "shares",
        "tuning",
        "consistency",
        "geometry",
        "dimensions",
        "regions",
        "region-epochs",
        "gains",
        "gains-by-bin",
        "connections",
        "read-outs",
        "rdms",
        "mds",
    ];
    for name in names {
        figure(rendered("emotion"), name);
        figure(rendered("emotion-wide"), name);
    }
    // What a small study lacks has no figure: one rating, one module, no bin, no region.
    let bare: Vec<&str> = rendered("emotion-bare")
        .figures
        .iter()
        .map(|f| f.name.rsplit('-').next().unwrap())
        .collect();
    assert_eq!(bare, ["nuclei", "predictions"]);
}

#[test]
fn scores_are_those_of_the_record() {
    let mut record = usual();
    let rendered = render(&record).unwrap();
    let rows = rows(&rendered, "scores.csv");
    let emotion = of(&mut record);
    let n = emotion.modules.len() * 2 * 2;
    assert_eq!(rows.len(), n + emotion.baselines.len() * 2);
    let mut at = rows.iter();
    for (idx, module) in emotion.modules.iter().enumerate() {
        for (rating, of) in emotion.ratings.iter().enumerate() {
            for (stage, scores, plane) in
                [("before", &module.before, 0), ("after", &module.after, 1)]
            {
                let row = at.next().unwrap();
                assert_eq!(get(row, "encoder"), module.encoder);
                assert_eq!(get(row, "structure"), module.structure);
                assert_eq!((get(row, "rating"), get(row, "stage")), (&*of.name, stage));
                assert_eq!(get(row, "is_main"), (idx == emotion.main).to_string());
                assert_eq!(number(row, "r"), scores[rating].r);
                assert_eq!(number(row, "r_of_mean"), scores[rating].r_of_mean);
                assert_eq!(
                    number(row, "ci_high"),
                    scores[rating].r_interval.map(|i| i[1])
                );
                assert_eq!(number(row, "r2_refit"), scores[rating].r2_refit);
                let plane = module.plane.unwrap()[plane];
                assert_eq!(number(row, "disparity"), plane.disparity);
                assert_eq!(number(row, "ceiling"), of.ceiling);
            }
        }
    }
    let ridge = rows.last().unwrap();
    assert_eq!(get(ridge, "model"), "ridge");
    assert_eq!(number(ridge, "r"), emotion.baselines[1].scores[1].r);
}

#[test]
fn means_of_bins_and_training_sets_are_told() {
    let mut record = record(
        &common::emotion::emotions()
            .into_iter()
            .find(|(name, _)| *name == "emotion-wide")
            .unwrap()
            .1,
    );
    let rendered = render(&record).unwrap();
    let page = rendered.html.replace('\u{a0}', " ");
    let emotion = of(&mut record);
    let bins = rows(&rendered, "quantiles.csv");
    assert_eq!(bins.len(), emotion.modules.len() * 2 * 5);
    let table = emotion.modules[0].quantiles[1].as_ref().unwrap();
    assert_eq!(get(&bins[7], "rating"), "arousal");
    assert_eq!(number(&bins[7], "above"), Some(table.edges[2]));
    assert_eq!(number(&bins[7], "predicted"), Some(table.predicted[2]));
    let scores = rows(&rendered, "scores.csv");
    let [before, after] =
        [0, 1].map(|row| [number(&scores[row], "r"), number(&scores[row], "r_bins")]);
    assert!(
        before[1].is_none()
            && after[1] == emotion.modules[0].quantiles[0].as_ref().unwrap().score.r
    );
    let caption = &figure(&rendered, "predictions").caption;
    assert!(caption.contains("Rings: means in 5 bins"), "{caption}");
    assert!(page.contains("r of bins: of the means in 5 bins"));

    let sets = rows(&rendered, "training_sets.csv");
    assert_eq!(get(&sets[1], "set"), "video frames");
    assert_eq!(number(&sets[1], "n_stimuli"), Some(4.0));
    assert!(page.contains(
        "700 pictures of naps, rated from 1 to 9; 700 pictures of video frames, rated from 0 to 100"
    ));
    of(&mut record).modules[0].quantiles.pop();
    assert!(render(&record).is_err());
}

#[test]
fn tables_are_complete() {
    let mut record = usual();
    let rendered = render(&record).unwrap();
    let ids: Vec<String> = record.stimuli.iter().map(|s| s.id.clone()).collect();
    let emotion = of(&mut record);
    let count = |name| rows(&rendered, name).len();
    let n_runs: usize = emotion.modules.iter().map(|m| m.runs.len()).sum();
    assert_eq!(count("emotion_predictions.csv"), n_runs * ids.len() * 2);
    let n_epochs: usize = emotion.modules.iter().map(|m| m.history.len()).sum();
    assert_eq!(count("history.csv"), n_epochs * 5);
    assert_eq!(count("module_comparisons.csv"), emotion.comparisons.len());
    assert_eq!(count("bins.csv"), 9);
    assert_eq!(count("selectivity.csv"), 5 * 9);
    let n_points: usize = emotion.geometry.iter().map(|g| g.epochs.len()).sum();
    let n_dimensions: usize = emotion.dimensionality.iter().map(|g| g.epochs.len()).sum();
    assert_eq!(count("geometry.csv"), n_points + n_dimensions);
    assert_eq!(count("regions.csv"), emotion.regions[0].scores.len());
    assert_eq!(
        count("region_epochs.csv"),
        emotion.regions[0].curve.epochs.len()
    );
    let n_gains: usize = emotion.gains.iter().map(|g| g.gains.len()).sum();
    assert_eq!(count("gains.csv"), n_gains);
    assert_eq!(count("connections.csv"), emotion.connections.len());
    let lesion = rows(&rendered, "connections.csv").pop().unwrap();
    assert_eq!(get(&lesion, "to"), emotion.connections.last().unwrap().to);
    assert_eq!(
        number(&lesion, "change"),
        emotion.connections.last().unwrap().change
    );
    // Intact, lesioned, enhanced.
    assert_eq!(count("read_outs.csv"), emotion.read_outs.len() * 3);
    let enhanced = rows(&rendered, "read_outs.csv").pop().unwrap();
    assert_eq!(
        (get(&enhanced, "nucleus"), get(&enhanced, "change")),
        ("all", "enhanced")
    );
    let last = emotion.read_outs.last().unwrap().enhanced.as_ref().unwrap();
    assert_eq!(
        (number(&enhanced, "f1"), number(&enhanced, "p")),
        (last.f1, last.p)
    );
    let tuned: usize = emotion
        .selectivity
        .iter()
        .flat_map(|s| &s.tuning)
        .flatten()
        .map(Vec::len)
        .sum();
    assert_eq!(count("tuning.csv"), tuned);

    let last = rows(&rendered, "emotion_predictions.csv").pop().unwrap();
    let run = emotion.modules.last().unwrap().runs.last().unwrap();
    assert_eq!(get(&last, "stimulus"), ids.last().unwrap());
    assert_eq!(get(&last, "seed"), run.seed.to_string());
    assert_eq!(number(&last, "after"), run.after[1].last().copied());
    assert_eq!(
        number(&last, "given"),
        emotion.ratings[1].values.last().copied()
    );
}

#[test]
fn the_first_kind_has_the_table_of_scores() {
    let names = |record: &Record| -> Vec<String> {
        let rendered = render(record).unwrap();
        rendered.tables.into_iter().map(|t| t.name).collect()
    };
    let alone = usual();
    assert_eq!(names(&alone)[0], "scores.csv");
    let mut all = common::record(&common::Shape {
        n_stimuli: alone.stimuli.len(),
        ..common::Shape::default()
    });
    let mut more = valence(&Valence {
        n_stimuli: alone.stimuli.len(),
        ..Valence::default()
    });
    all.analyses.append(&mut more.analyses);
    all.analyses.extend(alone.analyses.clone());
    let mut unique = names(&all);
    let n = unique.len();
    assert!(unique.contains(&"emotion-scores.csv".to_owned()));
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), n);

    // Beside visual emotion alone, an appraisal keeps its place.
    all.analyses.retain(|a| {
        matches!(
            a,
            AnalysisRecord::Appraisal(_) | AnalysisRecord::VisualEmotion(_)
        )
    });
    let both = render(&all).unwrap();
    assert!(table(&both, "scores.csv").starts_with("analysis,model,layer,layer_idx,is_whole"));
    assert!(table(&both, "emotion-scores.csv").contains("visual-emotion-2,"));
}

#[test]
fn findings_stand_in_sentences() {
    let mut record = usual();
    let emotion = of(&mut record);
    let main = emotion.main;
    let module = &mut emotion.modules[main];
    (module.after[0].r, module.after[0].r_sd) = (Some(0.614), Some(0.021));
    module.after[0].r_of_mean = Some(0.631);
    module.after[0].r_interval = Some([0.51, 0.70]);
    (module.before[0].r, module.before[0].r_sd) = (Some(-0.08), Some(0.05));
    emotion.baselines[0].scores[0].r = Some(0.553);
    emotion.baselines[0].scores[0].r_sd = Some(0.01);
    emotion.baselines[0].scores[0].r_of_mean = Some(0.56);
    emotion.baselines[0].scores[0].r_interval = None;
    let all = emotion.selectivity.last_mut().unwrap();
    let any = all.counts.last_mut().unwrap();
    (any.before, any.after, any.shuffled) = (40.0, 310.5, Some(3.0));
    any.p_change = Some(0.0002);
    let region = &mut emotion.regions[0];
    let whole = region
        .scores
        .iter_mut()
        .find(|s| s.name == "all nuclei")
        .unwrap();
    (whole.rho, whole.p) = (Some(0.121), Some(0.004));
    (whole.partial, whole.partial_p) = (Some(0.09), Some(0.013));
    for gain in &mut emotion.gains {
        gain.p.fill(Some(0.8));
    }
    let gain = &mut emotion.gains[4];
    (gain.r[0], gain.p[0]) = (Some(0.31), Some(0.01));
    // α = −1 comes first in the curves, 0 third.
    gain.r[2] = Some(0.62);
    let html = told(&record);
    for sentence in [
        "squeezenet1_1 IV predicts it for stimuli that it did not learn from with r = 0.61 ± 0.02 (mean prediction 0.63, 95 % interval 0.51 to 0.70), \
         before training with r = −0.08 ± 0.05. Ridge regression on the same features reaches r = 0.55 ± 0.01 (mean prediction 0.56). The noise ceiling \
         is 1.00.",
        "310.5 of 2048 units are selective for at least one bin after training, 40 before (p &lt; 0.001); with shuffled bins it \
         would be 3.",
        "The geometry of the nuclei together agrees with it by ρ = 0.12 (p = 0.004); given squeezenet1_1 features.12 and pixels, by \
         0.09 (p = 0.013)",
        "Without the 31.4 units of LA that are selective for any bin, the correlation with valence goes from 0.62 to 0.31 (p = 0.010 \
         against equally many random units).",
    ] {
        assert!(html.contains(sentence), "{sentence}");
    }
    of(&mut record).gains[4].p[0] = Some(0.3);
    assert!(told(&record).contains("No lesion of selective units takes more"));
}

#[test]
fn one_token_is_named_wherever_it_matters() {
    let warning = "Attention over one token is a linear map; queries and keys have no effect";
    let mut record = usual();
    let html = told(&record);
    assert!(html.contains(warning));
    assert!(html.contains("Transformers of squeezenet1_1 II, squeezenet1_1 IV"));
    assert!(
        figure(rendered("emotion"), "nuclei")
            .svg
            .contains(">one token</text>")
    );
    // With attention over several tokens there is nothing to warn of.
    let tokens = rendered("emotion-wide");
    assert!(!tokens.html.contains(warning));
    assert!(
        figure(tokens, "nuclei")
            .svg
            .contains(">entropy 0.90</text>")
    );
    // Linear units have no attention at all.
    of(&mut record)
        .modules
        .retain(|m| m.structure == "I" || m.structure == "III");
    of(&mut record).comparisons.clear();
    of(&mut record).main = 1;
    assert!(!told(&record).contains(warning));
}

#[test]
fn simulated_regions_are_named_wherever_they_are_shown() {
    let rendered = rendered("emotion");
    let sentence = "amygdala is simulated.";
    assert!(rendered.html.contains(&format!("<b>{sentence}</b>")));
    for name in ["regions", "region-epochs"] {
        let figure = figure(rendered, name);
        assert!(figure.caption.contains(sentence));
        // The picture says so too, wherever it is taken.
        assert!(figure.svg.contains(">simulated, 20 subjects"), "{name}");
    }
    let real = self::rendered("emotion-wide");
    assert!(!real.html.contains("simulated"));
}

#[test]
fn links_of_nuclei_are_drawn_by_their_kind() {
    let wide = figure(rendered("emotion-wide"), "nuclei");
    assert!(wide.caption.contains("Lines that end in a bar inhibit."));
    assert!(
        wide.caption
            .contains("Dashed: what a nucleus gets of the step before.")
    );
    let plain = figure(rendered("emotion"), "nuclei");
    assert!(!plain.caption.contains("inhibit"));
    // Structure IV: what it reads, five edges among nuclei, the read-out; then I, II and III with 5, 5 and 7.
    assert_eq!(plain.svg.matches("<path").count(), 7 + 5 + 5 + 7);
    assert!(plain.svg.contains("18 131 458 trainable parameters"));
}

#[test]
fn stars_and_hollow_bars_follow_their_p() {
    let mut record = usual();
    let emotion = of(&mut record);
    for count in emotion.selectivity.iter_mut().flat_map(|s| &mut s.counts) {
        (count.p_change, count.p_shuffled) = (Some(0.6), Some(0.001));
    }
    let count = |record: &Record, what: &str| {
        let rendered = render(record).unwrap();
        figure(&rendered, "selectivity").svg.matches(what).count()
    };
    assert_eq!(count(&record, ">*</text>"), 0);
    let hollow = "<polygon points=\"";
    let filled = |record: &Record| {
        let rendered = render(record).unwrap();
        let svg = &figure(&rendered, "selectivity").svg;
        let shapes = svg.split(hollow).skip(1);
        shapes
            .filter(|s| s.split('>').next().unwrap().contains("f-s0 k-s0"))
            .count()
    };
    let before = filled(&record);
    let first = &mut of(&mut record).selectivity[0].counts[0];
    (first.p_change, first.p_shuffled) = (Some(0.03), Some(0.4));
    assert_eq!(count(&record, ">*</text>"), 1);
    assert_eq!(filled(&record), before - 1);
}

#[test]
fn notes_are_shown_and_what_is_undefined_is_marked() {
    let rendered = rendered("emotion-gaps");
    assert!(
        rendered
            .html
            .contains("2 stimuli without arousal were left out")
    );
    for table in &rendered.tables {
        assert!(!table.csv.contains("NaN"), "{}", table.name);
    }
    assert!(figure(rendered, "modules").svg.contains(">–</text>"));
    assert!(figure(rendered, "regions").svg.contains(">–</text>"));
    assert!(
        figure(rendered, "geometry")
            .caption
            .contains("A single repeat")
    );
}

#[test]
fn nothing_is_called_tested_that_was_not() {
    let mut record = usual();
    of(&mut record).comparisons.clear();
    let rendered = render(&record).unwrap();
    let modules = figure(&rendered, "modules");
    assert!(modules.caption.contains("No difference was tested."));
    assert!(
        rendered
            .html
            .contains("No difference between modules was tested.")
    );
    assert!(!modules.svg.contains(">***</text>"));
}

#[test]
fn values_that_are_no_numbers_leave_gaps() {
    let bad = [f64::NAN, f64::INFINITY, -1e300, f64::MAX];
    for value in bad {
        let mut record = usual();
        let emotion = of(&mut record);
        emotion.ratings[0].values.fill(value);
        emotion.ratings[1].scale = [value, value];
        emotion.ratings[0].ceiling = Some(value);
        for module in &mut emotion.modules {
            for score in module.before.iter_mut().chain(&mut module.after) {
                (score.r, score.r_sd, score.rmse) = (Some(value), Some(value), value);
                (score.r_of_mean, score.r_interval) = (Some(value), Some([value, value]));
            }
            for epoch in &mut module.history {
                epoch.r.fill(Some(value));
                (epoch.disparity, epoch.disparity_sd) = (Some(value), Some(value));
                (epoch.training, epoch.epoch) = (Some(value), usize::MAX);
            }
            module.runs[0].after[0].fill(value);
            module.runs[0].epochs.fill(usize::MAX);
            for plane in module.plane.iter_mut().flatten() {
                (plane.disparity, plane.energy) = (Some(value), value);
            }
            module.nuclei[0].attention_entropy = Some(value);
            module.nuclei[0].width = usize::MAX;
        }
        for c in &mut emotion.comparisons {
            (c.difference, c.p_corrected) = (value, Some(value));
        }
        for s in &mut emotion.selectivity {
            for count in &mut s.counts {
                (count.before, count.after, count.shuffled) = (value, value, Some(value));
                count.after_sem = Some(value);
            }
            for row in s.tuning.iter_mut().flatten() {
                row.fill(value);
            }
        }
        for of in emotion.second.iter_mut().flat_map(|s| &mut s.nuclei) {
            for overlap in &mut of.overlaps {
                (overlap.first, overlap.both, overlap.expected) = (value, value, value);
                (overlap.kept, overlap.both_sd, overlap.p) = (Some(value), Some(value), value);
            }
            of.preference.same = Some(value);
            (of.preference.shuffled_sd, of.preference.genuine) = (Some(value), value);
        }
        for curve in &mut emotion.geometry {
            curve.means.fill(Some(value));
        }
        for curve in &mut emotion.dimensionality {
            curve.means[0] = Some(value);
        }
        for region in &mut emotion.regions {
            region.ceiling.as_mut().unwrap().upper = value;
            region.curve.sems.fill(Some(value));
            for score in &mut region.scores {
                (score.rho, score.partial) = (Some(value), Some(value));
                score.estimate.as_mut().unwrap().value = value;
            }
        }
        for gain in &mut emotion.gains {
            gain.gains[1] = value;
            (gain.n_units, gain.r[0], gain.random[2]) = (value, Some(value), Some(value));
        }
        let rendered = render(&record).unwrap();
        for figure in &rendered.figures {
            let svg = roxmltree::Document::parse(&figure.svg).unwrap();
            crate::assert_numbers(&svg, &figure.name);
        }
        for table in &rendered.tables {
            assert!(!table.csv.contains("NaN") && !table.csv.contains("inf"));
        }
    }
}

#[test]
fn pictures_from_elsewhere_are_not_shown() {
    let mut record = usual();
    for stimulus in &mut record.stimuli {
        stimulus.thumbnail = Some("https://example.org/tracker.png".into());
    }
    assert_shows_nothing_of(&record, "tracker.png");
}

#[test]
fn figures_do_not_outgrow_what_can_be_drawn() {
    // Many modules, epochs and sets of units, and stimuli that would make megabytes of dots.
    let mut record = usual();
    let n = 6000;
    let first = record.stimuli[0].clone();
    record.stimuli.resize(n, first);
    let emotion = of(&mut record);
    (emotion.rdms, emotion.maps) = (vec![], vec![]);
    let grow = |row: &mut Vec<f64>| *row = (0..n).map(|k| row[k % row.len()]).collect();
    emotion.ratings.iter_mut().for_each(|r| grow(&mut r.values));
    for module in &mut emotion.modules {
        module.runs.truncate(1);
        let run = &mut module.runs[0];
        run.before.iter_mut().chain(&mut run.after).for_each(grow);
    }
    emotion.modules.truncate(1);
    emotion.comparisons.clear();
    emotion.main = 0;
    for idx in 1..300 {
        let mut other = emotion.modules[0].clone();
        other.encoder = format!("net{}", idx / 3);
        other.runs.clear();
        emotion.modules.push(other);
    }
    let many = emotion.gains.clone();
    for copy in 0..20 {
        emotion.gains.extend(many.iter().cloned().map(|mut gain| {
            gain.units = format!("bin {copy}");
            gain
        }));
    }
    let rendered = render(&record).unwrap();
    for figure in &rendered.figures {
        let svg = roxmltree::Document::parse(&figure.svg).unwrap();
        let height = svg.root_element().attribute("height").unwrap();
        let height: f64 = height.parse().unwrap();
        assert!(height < 8000.0, "{}: {height}", figure.name);
        assert!(figure.svg.len() < 2_000_000, "{}", figure.name);
    }
    let caption = |name| figure(&rendered, name).caption.as_str();
    assert!(caption("predictions").contains("every 3rd is drawn"));
    assert!(caption("modules").contains("Not all are drawn"));
    assert!(caption("gains").contains("The first 24 of"));
}

#[test]
fn damaged_records_are_refused() {
    let whole = usual();
    let damage: [fn(&mut EmotionRecord); 38] = [
        |e| e.main = 99,
        |e| e.modules.clear(),
        |e| e.ratings[1].values.truncate(5),
        |e| e.ratings.truncate(1),
        |e| e.modules[1].before.truncate(1),
        |e| e.modules[1].after.truncate(1),
        |e| e.modules[1].history[2].r.truncate(1),
        |e| e.modules[1].history[2].r_sd.truncate(1),
        |e| e.modules[1].runs[0].before.truncate(1),
        |e| e.modules[1].runs[0].after[1].truncate(7),
        |e| e.modules[1].read_out = "nowhere".into(),
        |e| e.modules[1].nuclei[0].reads = vec!["CE".into()],
        |e| e.modules[1].nuclei[1].reads = vec!["BA".into()],
        |e| e.modules[1].nuclei[1].inhibited_by = vec!["visual".into()],
        |e| e.modules[1].nuclei[1].feedback = vec!["nowhere".into()],
        |e| e.baselines[0].scores.truncate(1),
        |e| e.comparisons[0].a = 99,
        |e| e.comparisons[0].b = 99,
        |e| e.bins[0].is_kept = false,
        |e| e.selectivity[0].counts.truncate(3),
        |e| e.selectivity[0].tuning.truncate(3),
        |e| e.selectivity[0].tuning[0].as_mut().unwrap().truncate(3),
        |e| e.second.as_mut().unwrap().nuclei[1].overlaps.truncate(3),
        |e| e.geometry[0].means.truncate(3),
        |e| e.geometry[0].sems.truncate(3),
        |e| e.geometry[0].epochs.truncate(3),
        |e| e.dimensionality[0].means.truncate(3),
        |e| e.regions[0].curve.means.truncate(3),
        |e| e.regions[0].curve.sems.truncate(3),
        |e| e.gains[0].gains.truncate(3),
        |e| e.gains[0].r.truncate(3),
        |e| e.gains[0].random.truncate(3),
        |e| e.gains[0].random_sd.truncate(3),
        |e| e.gains[0].p.truncate(3),
        |e| e.gains[0].rating = "dominance".into(),
        |e| e.rdms[0].ranks.truncate(3),
        |e| e.rdms[0].n = usize::MAX,
        |e| e.maps[0].points.truncate(3),
    ];
    for (idx, damage) in damage.iter().enumerate() {
        let mut record = whole.clone();
        damage(of(&mut record));
        let error = render(&record).unwrap_err();
        assert!(
            matches!(
                error,
                ReportError::ShapeMismatch { .. }
                    | ReportError::NoSuchEntry { .. }
                    | ReportError::NoSuchName { .. }
            ),
            "{idx}: {error}"
        );
        assert!(error.to_string().contains("run the study again"));
    }
}
