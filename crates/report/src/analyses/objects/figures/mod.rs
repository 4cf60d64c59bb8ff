//! The figures of Object2Brain.

use consilience_core::ObjectsRecord;

use crate::figures::Plate;

pub(crate) fn plates(_analysis: &str, _objects: &ObjectsRecord) -> Vec<Plate> {
    Vec::new()
}
