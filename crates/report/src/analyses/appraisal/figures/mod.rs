//! The figures of an appraisal.

use consilience_core::AppraisalRecord;

use crate::figures::Plate;

pub(crate) fn plates(_analysis: &str, _appraisal: &AppraisalRecord) -> Vec<Plate> {
    Vec::new()
}
