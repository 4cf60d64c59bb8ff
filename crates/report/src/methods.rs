//! Sentences of the methods that all kinds of analyses share.

use consilience_core::{Provenance, Record};

use crate::view::{count, listed, plural};

/// Names of the references with their numbers, for the end of the text.
pub(crate) fn citation_sentence(provenance: &Provenance) -> Option<String> {
    let uses: Vec<String> = provenance
        .citations
        .iter()
        .enumerate()
        .map(|(idx, c)| format!("{} [{}]", c.used_for, idx + 1))
        .collect();
    (!uses.is_empty()).then(|| format!("References: {}.", listed(&uses)))
}

/// `"1 stimulus"`, `"2 stimuli"`.
pub(crate) fn n_stimuli(n: usize) -> String {
    if n == 1 {
        "1 stimulus".to_owned()
    } else {
        format!("{} stimuli", count(n))
    }
}

/// How activations of the named models came about; sentences that begin with a space.
pub(crate) fn activations(record: &Record, names: &[&str]) -> String {
    let mut out = films(record);
    for model in &record.provenance.models {
        if names.contains(&model.name.as_str()) {
            let architecture = if model.architecture == model.name {
                String::new()
            } else {
                format!(" ({})", model.architecture)
            };
            out.push_str(&format!(
                " Activations of {}{architecture} were computed with {} after this preprocessing: \
                 {}.",
                model.name,
                model.executor,
                model.preprocessing.trim_end_matches('.')
            ));
            if !model.edits.is_empty() {
                out.push_str(&format!(
                    " The network was changed before: {}.",
                    model.edits.join("; ")
                ));
            }
        }
    }
    out
}

/// Which frames of films were averaged, if stimuli are films.
fn films(record: &Record) -> String {
    let clips = record.stimuli.iter().filter_map(|s| s.clip.as_ref());
    let Some(first) = clips.clone().next() else {
        return String::new();
    };
    let (least, most) = clips.clone().fold((usize::MAX, 0), |(least, most), clip| {
        (least.min(clip.n_frames), most.max(clip.n_frames))
    });
    let n_frames = match least == most {
        true => plural(most, "frame"),
        false => format!("{} to {}", count(least), plural(most, "frame")),
    };
    let who = match clips.count() == record.stimuli.len() {
        true => "The stimuli are films",
        false => "Some stimuli are films",
    };
    format!(
        " {who}; the activations of a film are the mean over its frames ({}: {n_frames} a film).",
        first.frames
    )
}

pub(crate) fn software(provenance: &Provenance) -> String {
    format!(
        "The analysis was done with consilience {} (seed {}).",
        provenance.version, provenance.seed
    )
}
