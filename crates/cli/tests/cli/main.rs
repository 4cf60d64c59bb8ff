//! The program as its users meet it: arguments in, files, output and exit codes out.
//!
//! - `studies`: whole studies, from the demo to a run that is killed and taken up again
//! - `real`: the 92-image study on real data
//! - `appraisal`: networks as raters, and the objects behind their ratings
//! - `objects`: the steps of Object2Brain, each alone
//! - `films`: films in `extract` and in studies
//! - `steps`, `ridge`, `encoding`, `head`, `extract`: the commands on arrays and pictures that scripts rely on
//! - `arrange`: arrangements of items
//! - `reliability`: how far data can be predicted at all; other controls on arrays and pictures
//! - `behaviour`: statistics of ratings and of selective units
//! - `emotion`: valence and arousal, predicted, binned, and in units, layers and regions
//! - `choices`: odd-one-out choices and error consistency
//! - `correlate`: tables of correlations
//! - `detect`: boxes and faces in pictures
//! - `downloads`: `consilience data`
//! - `models`: published weights, and comparing executors
//! - `visual_emotion`: studies of valence and arousal on generated pictures
//! - `weights`: one of several state dicts of a file
//! - `bad_study`, `bad_files`: what is refused, and how that is said

mod support;

mod appraisal;
mod arrange;
mod bad_files;
mod bad_study;
mod behaviour;
mod betas;
mod choices;
mod correlate;
mod detect;
mod downloads;
mod edits;
mod emotion;
mod encoding;
mod extract;
mod films;
mod head;
mod models;
mod module;
mod objects;
mod real;
mod reliability;
mod ridge;
mod steps;
mod studies;
mod visual_emotion;
mod weights;
