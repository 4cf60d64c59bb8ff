//! The nouns of consilience: stimuli, RDMs, arrangements, estimates and records.
//!
//! Everything here is plain data whose invariants are checked when it is made. Nothing reads a
//! file, a clock or a random number.
//!
//! # Conventions
//!
//! - An RDM vector is the strict upper triangle in row-major order, the order of SciPy's `pdist`:
//!   (0,1), (0,2), …, (0,n−1), (1,2), …; see [`pairs`].
//! - Several RDMs are one array of shape `(n_rdms, n_pairs)`.
//! - Patterns are `(n_stimuli, n_channels)`.
//!
//! # Not here
//!
//! Numerics (`consilience-stats`), files (`consilience-io`), figures (`consilience-report`).

mod appraisal;
pub mod csv;
mod emotion;
mod error;
mod estimate;
mod objects;
pub mod pairs;
mod provenance;
mod rdms;
mod record;
mod stimuli;
mod trials;

pub use appraisal::{
    AppraisalRecord, AppraisalSettings, DifferenceOf, Rater, RaterRun, RatingCorrelation,
    RatingDifference, RatingReliability, RatingTarget, Subset,
};
pub use emotion::{
    CategoryReadOut, ConnectionLesion, DimensionCurve, EmotionBaseline, EmotionBin, EmotionEpoch,
    EmotionModule, EmotionPictureSet, EmotionQuantiles, EmotionRating, EmotionRecord,
    EmotionRegion, EmotionRun, EmotionSecondSet, EmotionSettings, GainCurve, GainedReadOut,
    GeometryCurve, ModuleComparison, NucleusConsistency, NucleusInfo, NucleusSelectivity,
    PlaneScore, PredictionScore, RegionAgreement, SelectiveCount, UnitOverlap, UnitPreference,
};
pub use error::{CoreError, Result};
pub use estimate::{Ceiling, Estimate};
pub use objects::{
    CategoryImportance, CategoryMatrix, LesionEffect, LesionedLayer, ObjectCategory, ObjectOverlay,
    ObjectTarget, ObjectsRecord, ObjectsSettings, OverlayBox,
};
pub use provenance::{Citation, InputFile, ModelProvenance, Provenance};
pub use rdms::Rdms;
pub use record::{
    AnalysisRecord, ClipRecord, DisplayRdm, Expectation, MdsMap, Predictor, Record, RsaRecord,
    RsaScore, RsaSettings, RsaTarget, StimulusRecord, StudyInfo, TargetKind, Warning,
};
pub use stimuli::{Stimuli, Stimulus};
pub use trials::{ArrangementProblem, Trial, Trials, ascending};
