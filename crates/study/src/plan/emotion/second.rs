//! A second set of pictures on which units are tested.

use serde::Serialize;

use crate::plan::PlannedStimulus;

/// Pictures from which no module learns, with what of their set was left out.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedSecond {
    /// Its name.
    pub name: String,
    /// The file pattern.
    pub images: String,
    /// Ends of the scale of its ratings.
    pub scale: [f64; 2],
    /// The pictures.
    pub pictures: Vec<PlannedStimulus>,
    /// Their ratings on the scales of the stimuli, a list for valence and one for arousal if it is learnt.
    pub ratings: Vec<Vec<f64>>,
    /// Bins that have enough pictures in both sets.
    pub shared: Vec<String>,
    /// Pictures without a rating of valence or arousal.
    pub unrated: Vec<String>,
    /// What has ratings and no picture, as the table names it.
    pub absent: Vec<String>,
    /// Pictures with the content of one before.
    pub repeated: Vec<String>,
    /// Pictures with the content of a stimulus.
    pub stimuli: Vec<String>,
    /// Pictures with the content of one that modules learn from.
    pub learnt: Vec<String>,
}

impl PlannedSecond {
    /// What was left out, in sentences.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let note =
            |names: &[String], one: &str, several: &str| left_out(&self.name, names, one, several);
        let all = [
            note(
                &self.stimuli,
                "picture of the second set is one of the stimuli and was left out, as it would test nothing anew",
                "pictures of the second set are stimuli and were left out, as they would test nothing anew",
            ),
            note(
                &self.learnt,
                "picture of the second set is learnt from and was left out",
                "pictures of the second set are learnt from and were left out",
            ),
            note(
                &self.repeated,
                "picture of the second set is there twice, of which the first was taken",
                "pictures of the second set are there twice, of which the first ones were taken",
            ),
            note(
                &self.unrated,
                "picture of the second set has no rating and was left out",
                "pictures of the second set have no rating and were left out",
            ),
            note(
                &self.absent,
                "rated picture of the second set has no file",
                "rated pictures of the second set have no file",
            ),
        ];
        all.into_iter().flatten().collect()
    }
}

/// How many pictures of a set were left out, with the first of them.
pub(super) fn left_out(set: &str, names: &[String], one: &str, several: &str) -> Option<String> {
    let (first, n) = (names.first()?, names.len());
    let (found, listed) = match n {
        1 => (format!("1 {one}"), first.clone()),
        n => (format!("{n} {several}"), format!("the first is {first}")),
    };
    Some(format!("{set}: {found} ({listed})."))
}
