//! Laws that every report obeys, over records of several shapes.

mod common;
mod emotion;
mod second;
mod valence;

use std::sync::LazyLock;

use common::{
    emotion::emotions,
    record, shapes,
    valence::{valence, valences},
};
use consilience_core::{AnalysisRecord, Record};
use consilience_report::{Rendered, ReportError, png, render};

/// Generous width of a letter in em: wider than the average letter of any family that is named.
const LETTER: f64 = 0.5;

/// Records of all kinds and shapes, by name.
fn records() -> Vec<(&'static str, Record)> {
    let rsa = shapes().into_iter();
    let valence_shapes = valences().into_iter();
    let emotion_shapes = emotions().into_iter();
    rsa.map(|(name, shape)| (name, record(&shape)))
        .chain(valence_shapes.map(|(name, shape)| (name, valence(&shape))))
        .chain(emotion_shapes.map(|(name, shape)| (name, common::emotion::record(&shape))))
        .collect()
}

/// The same, rendered once for all tests that only look.
static RENDERED: LazyLock<Vec<(&'static str, Rendered)>> = LazyLock::new(|| {
    let records = records().into_iter();
    records
        .map(|(name, record)| (name, render(&record).unwrap()))
        .collect()
});

#[test]
fn figures_are_well_formed_and_named_once() {
    for (name, rendered) in RENDERED.iter() {
        let mut names: Vec<_> = rendered.figures.iter().map(|f| &f.name).collect();
        let n = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n, "{name}");
        for figure in &rendered.figures {
            let svg = roxmltree::Document::parse(&figure.svg)
                .unwrap_or_else(|e| panic!("{name} {}: {e}", figure.name));
            assert_eq!(svg.root_element().tag_name().name(), "svg");
            assert_numbers(&svg, name);
            assert!(figure.caption.ends_with('.'), "{}", figure.caption);
        }
    }
}

/// No attribute holds a number that is none. Pictures are base64, in which any letters can follow
/// each other, so they are not looked at.
fn assert_numbers(svg: &roxmltree::Document<'_>, name: &str) {
    let attributes = svg.descendants().flat_map(|node| node.attributes());
    for value in attributes
        .map(|a| a.value())
        .filter(|v| !v.starts_with("data:"))
    {
        assert!(
            !value.contains("NaN") && !value.ends_with("inf"),
            "{name}: {value}"
        );
    }
}

/// Upper-left offset of an element from the transforms of its ancestors.
fn offset(node: roxmltree::Node<'_, '_>) -> (f64, f64) {
    node.ancestors().skip(1).fold((0.0, 0.0), |(x, y), parent| {
        let shift = parent
            .attribute("transform")
            .and_then(|t| t.strip_prefix("translate("))
            .and_then(|t| t.split(')').next())
            .map(|t| {
                t.split(' ')
                    .map(|v| v.parse::<f64>().unwrap())
                    .collect::<Vec<_>>()
            });
        match shift.as_deref() {
            Some([dx, dy]) => (x + dx, y + dy),
            _ => (x, y),
        }
    })
}

#[test]
fn text_stays_inside_the_figure() {
    for (name, rendered) in RENDERED.iter() {
        for figure in &rendered.figures {
            let svg = roxmltree::Document::parse(&figure.svg).unwrap();
            let number = |node: roxmltree::Node<'_, '_>, key: &str| -> f64 {
                node.attribute(key).unwrap().parse().unwrap()
            };
            let (width, height) = (
                number(svg.root_element(), "width"),
                number(svg.root_element(), "height"),
            );
            let texts = svg.descendants().filter(|n| n.has_tag_name("text"));
            for node in texts {
                let text = node.text().unwrap();
                let (dx, dy) = offset(node);
                let (x, y) = (number(node, "x") + dx, number(node, "y") + dy);
                let extent = LETTER * number(node, "font-size") * text.chars().count() as f64;
                let back = match node.attribute("text-anchor") {
                    Some("end") => extent,
                    Some("middle") => extent / 2.0,
                    _ => 0.0,
                };
                let turn = node
                    .attribute("transform")
                    .and_then(|t| t.strip_prefix("rotate("))
                    .and_then(|t| t.split(' ').next())
                    .map_or(0.0, |t| t.parse::<f64>().unwrap())
                    .to_radians();
                for along in [-back, extent - back] {
                    let (ex, ey) = (x + along * turn.cos(), y + along * turn.sin());
                    assert!(
                        (0.0..=width).contains(&ex) && (0.0..=height).contains(&ey),
                        "{name} {}: {text:?} reaches ({ex}, {ey}) of {width} × {height}",
                        figure.name
                    );
                }
            }
        }
    }
}

#[test]
fn layer_names_do_not_collide() {
    let of_layers = |(_, rendered): &&(&str, Rendered)| rendered.figures[0].name == "rsa-1-layers";
    for (name, rendered) in RENDERED.iter().filter(of_layers) {
        let figure = &rendered.figures[0];
        let svg = roxmltree::Document::parse(&figure.svg).unwrap();
        for panel in svg
            .root_element()
            .children()
            .filter(|n| n.has_tag_name("g"))
        {
            let mut at: Vec<f64> = panel
                .children()
                .filter(|n| {
                    n.attribute("transform")
                        .is_some_and(|t| t.starts_with("rotate"))
                })
                .map(|n| n.attribute("x").unwrap().parse().unwrap())
                .collect();
            at.sort_by(f64::total_cmp);
            assert!(at.windows(2).all(|w| w[1] - w[0] >= 12.9), "{name}: {at:?}");
        }
    }
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    let names = ["usual", "models", "valence", "valence-gaps", "emotion-gaps"];
    for (_, record) in records().into_iter().filter(|(n, _)| names.contains(n)) {
        let first = render(&record).unwrap();
        assert_eq!(first, render(&record).unwrap());
        // And after a trip through the file that records are kept in.
        let text = serde_json::to_string(&record).unwrap();
        let back: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(first, render(&back).unwrap());
        let svg = &first.figures[0].svg;
        assert_eq!(png(svg, 1.0).unwrap(), png(svg, 1.0).unwrap());
    }
}

#[test]
fn the_page_loads_nothing() {
    for (name, rendered) in RENDERED.iter() {
        let html = &rendered.html;
        // Text is escaped, so every `<` before the script begins a tag.
        let (markup, _) = html.split_once("\"use strict\"").unwrap();
        for tag in markup.split('<').filter_map(|part| part.split('>').next()) {
            for attribute in [" src=\"", " href=\"", " srcset=\"", " action=\""] {
                if let Some((_, value)) = tag.split_once(attribute) {
                    let own = value.starts_with("data:image/png;base64,") || value.starts_with('#');
                    assert!(own, "{name}: <{tag}>");
                }
            }
        }
        assert!(!html.contains("url(") && !html.contains("@import"));
        assert!(html.contains("default-src 'none'"));
        assert!(
            !html.contains("style=\""),
            "inline styles need a laxer policy"
        );
    }
}

#[test]
fn hostile_names_stay_text() {
    for (_, rendered) in RENDERED.iter().filter(|(n, _)| n.ends_with("hostile")) {
        let html = &rendered.html;
        assert_eq!(
            html.matches("<script").count(),
            2,
            "data and code, nothing else"
        );
        assert_eq!(html.matches("</script").count(), 2);
        assert!(!html.contains("<img"));
        assert!(!html.contains("<svg/onload"));
        assert!(html.contains("&lt;/script&gt;"));
        for figure in &rendered.figures {
            assert!(!figure.svg.contains("<script"));
            assert!(!figure.svg.contains("<img"));
            png(&figure.svg, 1.0).unwrap();
        }
    }
}

#[test]
fn remote_thumbnails_are_not_shown() {
    let (_, shape) = shapes().into_iter().next().unwrap();
    let mut record = record(&shape);
    for stimulus in &mut record.stimuli {
        stimulus.thumbnail = Some("https://example.org/tracker.png".into());
    }
    assert_shows_nothing_of(&record, "tracker.png");
}

/// Neither the page nor a figure mentions it.
#[track_caller]
fn assert_shows_nothing_of(record: &Record, name: &str) {
    let rendered = render(record).unwrap();
    assert!(!rendered.html.contains(name));
    assert!(rendered.figures.iter().all(|f| !f.svg.contains(name)));
}

/// The table of this name.
fn table<'a>(rendered: &'a Rendered, name: &str) -> &'a str {
    let found = rendered.tables.iter().find(|t| t.name == name);
    &found.unwrap_or_else(|| panic!("no {name}")).csv
}

/// Rows of a table as fields by column name; none of these tables quotes a field.
fn rows<'a>(rendered: &'a Rendered, name: &str) -> Vec<Vec<(&'a str, &'a str)>> {
    let mut lines = table(rendered, name).lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), columns.len(), "{line}");
            columns.iter().copied().zip(fields).collect()
        })
        .collect()
}

/// The field of a row in a column.
fn get<'a>(row: &[(&str, &'a str)], column: &str) -> &'a str {
    row.iter().find(|(name, _)| *name == column).unwrap().1
}

#[test]
fn scores_are_complete_and_exact() {
    let (_, shape) = shapes().into_iter().find(|(n, _)| *n == "gaps").unwrap();
    let record = record(&shape);
    let AnalysisRecord::Rsa(rsa) = &record.analyses[0] else {
        panic!("not RSA");
    };
    let rendered = render(&record).unwrap();
    let csv = table(&rendered, "scores.csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next().unwrap(),
        "analysis,target,kind,model,layer,layer_idx,n_features,score,sem,ci_low,ci_high,p,\
         p_corrected,p_permutation,p_permutation_fwe,p_ceiling,ceiling_lower,ceiling_upper,\
         n_subjects,n_conditions"
    );
    for target in &rsa.targets {
        for (predictor, score) in rsa.predictors.iter().zip(&target.scores) {
            let fields: Vec<&str> = lines.next().unwrap().split(',').collect();
            assert_eq!(fields.len(), 20);
            assert_eq!(fields[1], target.name);
            assert_eq!(
                (fields[3], fields[4]),
                (&*predictor.model, &*predictor.layer)
            );
            match &score.estimate {
                Some(e) => assert_eq!(fields[7].parse::<f64>().unwrap(), e.value),
                None => assert!(fields[7..15].iter().all(|f| f.is_empty())),
            }
        }
    }
    assert_eq!(lines.next(), None);
    // Layers count within their model.
    assert!(csv.contains(",large,features.0,0,"));
}

#[test]
fn differences_name_each_pair_once() {
    let (_, shape) = shapes().into_iter().next().unwrap();
    let rendered = render(&record(&shape)).unwrap();
    let n = 26;
    assert_eq!(
        table(&rendered, "differences.csv").lines().count(),
        1 + 3 * n * (n - 1) / 2
    );
}

#[test]
fn every_warning_note_and_missed_expectation_is_shown() {
    let (_, shape) = shapes().into_iter().find(|(n, _)| *n == "gaps").unwrap();
    let mut record = record(&shape);
    let html = render(&record).unwrap().html;
    assert!(html.contains(&record.warnings[0].message));
    assert!(html.contains("3 layers with constant activations have no score"));
    record.warnings.clear();
    assert!(!render(&record).unwrap().html.contains("Before you believe"));
    assert!(html.contains(&record.answer));
}

#[test]
fn damaged_records_are_refused() {
    let (_, shape) = shapes().into_iter().next().unwrap();
    let whole = record(&shape);
    let damage: [fn(&mut Record); 6] = [
        |r| r.schema += 1,
        |r| rsa(r).targets[0].scores.truncate(3),
        |r| rsa(r).targets[0].best = Some(999),
        |r| rsa(r).targets[0].p_difference.truncate(2),
        |r| rsa(r).rdms[0].ranks.truncate(10),
        |r| rsa(r).maps[0].points.truncate(10),
    ];
    for (idx, damage) in damage.iter().enumerate() {
        let mut record = whole.clone();
        damage(&mut record);
        let error = render(&record).unwrap_err();
        assert!(
            matches!(
                error,
                ReportError::UnsupportedSchema { .. }
                    | ReportError::ShapeMismatch { .. }
                    | ReportError::NoSuchEntry { .. }
            ),
            "{idx}: {error}"
        );
    }
}

fn rsa(record: &mut Record) -> &mut consilience_core::RsaRecord {
    match &mut record.analyses[0] {
        AnalysisRecord::Rsa(rsa) => rsa,
        _ => panic!("not RSA"),
    }
}

#[test]
fn values_that_are_no_numbers_leave_gaps() {
    let (_, shape) = shapes().into_iter().next().unwrap();
    let mut record = record(&shape);
    let target = &mut rsa(&mut record).targets[0];
    target.ceiling = Some(consilience_core::Ceiling {
        lower: f64::NAN,
        upper: f64::INFINITY,
    });
    for score in &mut target.scores {
        score.estimate.as_mut().unwrap().value = f64::NAN;
        score.per_subject.fill(Some(f64::NEG_INFINITY));
    }
    rsa(&mut record).rdms[0].ranks.fill(f32::NAN);
    rsa(&mut record).maps[0].points.fill([f32::NAN, 0.0]);
    let rendered = render(&record).unwrap();
    for figure in &rendered.figures {
        assert_numbers(
            &roxmltree::Document::parse(&figure.svg).unwrap(),
            &figure.name,
        );
        roxmltree::Document::parse(&figure.svg).unwrap();
    }
    assert!(!table(&rendered, "scores.csv").contains("NaN"));
}

#[test]
fn a_record_without_analyses_is_a_page() {
    let (_, shape) = shapes().into_iter().next().unwrap();
    let mut record = record(&shape);
    record.analyses.clear();
    let rendered = render(&record).unwrap();
    assert!(rendered.figures.is_empty());
    assert!(rendered.html.contains("</html>"));
}
