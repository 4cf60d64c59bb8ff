//! The figures of Object2Brain.

mod importance;
mod matrices;
mod overlays;
mod triangle;
mod triangles;

use consilience_core::ObjectsRecord;

use super::changes;
use crate::figures::Plate;

pub(crate) fn plates(analysis: &str, objects: &ObjectsRecord) -> Vec<Plate> {
    let mut plates = vec![triangles::last_layers(analysis, objects)];
    plates.extend(triangles::layers(analysis, objects));
    plates.extend([
        importance::plate(analysis, objects),
        overlays::plate(analysis, objects),
        matrices::plate(analysis, objects),
    ]);
    plates
}
