//! Stimuli with a map and boxes.

use base64::prelude::{BASE64_STANDARD, Engine};
use consilience_core::{ObjectOverlay, OverlayBox};
use consilience_io::image::{self, RgbImage};
use consilience_learn::gradcam;
use consilience_models::preprocess;

use super::Inputs;
use super::scan::ModelOutcome;
use crate::prepare::Prepared;
use crate::{Result, StudyError};

/// Pictures as the model saw them, with the map of its last layer and the boxes.
pub(super) fn draw_overlays(
    prepared: &Prepared,
    model: usize,
    inputs: &Inputs<'_>,
    outcome: &ModelOutcome,
) -> Result<Vec<ObjectOverlay>> {
    let planned = &prepared.plan.models[model];
    let Some(shown_layer) = &outcome.shown else {
        return Ok(Vec::new());
    };
    let mut overlays = Vec::new();
    for (&stimulus, map) in inputs.shown.iter().zip(&shown_layer.maps) {
        let Some(map) = map else { continue };
        let picture = prepared
            .clips
            .still(stimulus, planned.preprocessing.orientation)?;
        let picture = gradcam::seen(&planned.preprocessing, &picture).map_err(|source| {
            StudyError::Experiment {
                about: prepared.plan.stimuli[stimulus].id.clone(),
                source: Box::new(source.into()),
            }
        })?;
        let picture = match prepared.plan.blurred[stimulus] {
            true => preprocess::blocks(&picture),
            false => picture,
        };
        let shown: RgbImage = gradcam::overlay(&picture, map.view(), heat);
        let png = BASE64_STANDARD.encode(image::encode_png(&shown)?);
        let importance = &shown_layer.boxes[stimulus];
        let boxes = outcome.seen[stimulus]
            .picture
            .objects
            .iter()
            .zip(importance);
        overlays.push(ObjectOverlay {
            stimulus: prepared.plan.stimuli[stimulus].id.clone(),
            map: format!("{} {}", planned.name, shown_layer.layer),
            picture: format!("data:image/png;base64,{png}"),
            size: [shown.width as u32, shown.height as u32],
            boxes: boxes
                .map(|(object, importance)| OverlayBox {
                    edges: [
                        object.bounds.left,
                        object.bounds.top,
                        object.bounds.right,
                        object.bounds.bottom,
                    ],
                    class: inputs.classes[object.class].clone(),
                    category: (inputs.categories.iter())
                        .position(|category| category.classes.contains(&object.class)),
                    importance: importance.importance.ok(),
                })
                .collect(),
        });
    }
    Ok(overlays)
}

/// From black over red to yellow: reads in grey too, because it only gets lighter.
fn heat(value: f64) -> [u8; 3] {
    let part = |low: f64, high: f64| (255.0 * ((value - low) / (high - low)).clamp(0.0, 1.0)) as u8;
    [part(0.0, 0.5), part(0.35, 1.0), part(0.9, 1.3)]
}
