//! The pictures and films, in their order.

use std::path::{Path, PathBuf};

use consilience_core::{InputFile, Stimuli, Stimulus, Warning};
use consilience_io::IoError;
use consilience_io::table::Table;
use consilience_io::video::{Sampling, Selection, Span, UnknownSpan};
use consilience_models::{Clip, ClipPool, Clips, ModelError};

use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, StimuliOptions, Study};
use crate::places::Places;
use crate::plan::{PlannedClip, PlannedStimulus};

/// The stimuli as the analyses, the plan and the networks see them.
pub(super) struct Loaded {
    pub stimuli: Stimuli,
    pub planned: Vec<PlannedStimulus>,
    pub clips: Clips,
}

pub(super) fn load_stimuli(
    study: &Study,
    places: &Places,
    inputs: &mut Vec<InputFile>,
    warnings: &mut Vec<Warning>,
) -> Result<Loaded> {
    let options = &study.stimuli;
    let key = KeyPath::root("stimuli");
    let images_key = key.clone().key("images");
    let mut paths = places.matching(&images_key, &options.images)?;
    let (mut categories, mut conditions) = (vec![None; paths.len()], vec![None; paths.len()]);
    if let Some(name) = &options.table {
        let table_key = key.clone().key("table");
        let path = places.file(&table_key, name)?;
        inputs.push(input("stimulus table", name, &path)?);
        let rows = Table::read(&path).map_err(|e| at(&table_key, e))?;
        let files = rows
            .column(&options.file_column)
            .map_err(|e| at(&key.clone().key("file-column"), e))?;
        let chosen = rows_of(&files, &paths, options.subset_of_table);
        let column = |name: &str, column: &str| {
            let cells = rows
                .column(column)
                .map_err(|e| at(&key.clone().key(name), e))?;
            let cells = chosen.iter().map(|&row| Some(cells[row].to_owned()));
            Ok::<Vec<Option<String>>, crate::StudyError>(cells.collect())
        };
        if let Some(named) = &options.category_column {
            categories = column("category-column", named)?;
        }
        if let Some(named) = &options.condition_column {
            conditions = column("condition-column", named)?;
        }
        let files: Vec<&str> = chosen.iter().map(|&row| files[row]).collect();
        paths = in_table_order(&files, &paths, &table_key, name)?;
    } else {
        let columns = [
            ("category-column", &options.category_column),
            ("condition-column", &options.condition_column),
        ];
        if let Some((name, _)) = columns.into_iter().find(|(_, column)| column.is_some()) {
            return Err(invalid(
                &key.key(name),
                &format!("{name} needs a table; add `table = \"stimuli.tsv\"`"),
            ));
        }
    }
    let clips = open_clips(options, &key, &paths)?;
    let mut items = Vec::with_capacity(paths.len());
    let mut planned = Vec::with_capacity(paths.len());
    let labels = categories.into_iter().zip(conditions);
    for ((path, (category, condition)), clip) in paths.into_iter().zip(labels).zip(clips.clips()) {
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let file = input(
            "stimulus",
            &path.file_name().unwrap_or_default().to_string_lossy(),
            &path,
        )?;
        planned.push(PlannedStimulus {
            id: id.clone(),
            category: category.clone(),
            condition: condition.filter(|condition| !condition.trim().is_empty()),
            blake3: file.blake3.clone(),
            clip: planned_clip(clip, clips.selection()),
        });
        inputs.push(file);
        items.push(Stimulus { id, path, category });
    }
    if items.len() < 3 {
        return Err(invalid(
            &images_key,
            &format!(
                "{} pictures or films match {:?}; an RDM needs at least 3",
                items.len(),
                options.images
            ),
        ));
    }
    let stimuli = Stimuli::new(items).map_err(|e| invalid(&images_key, &e.to_string()))?;
    warnings.extend(short_films(&clips, &planned));
    Ok(Loaded {
        stimuli,
        planned,
        clips,
    })
}

/// The files with what is taken of each film.
fn open_clips(options: &StimuliOptions, key: &KeyPath, paths: &[PathBuf]) -> Result<Clips> {
    let rate_key = key.clone().key("frames-per-second");
    let span_key = key.clone().key("span");
    let sampling = match options.frames_per_second {
        None => Sampling::All,
        Some(rate) if rate > 0.0 && rate.is_finite() => Sampling::PerSecond(rate),
        Some(rate) => {
            let message = format!("expected a number of frames above 0, found {rate}");
            return Err(invalid(&rate_key, &message));
        }
    };
    let span = match &options.span {
        None => Span::default(),
        Some(text) => text
            .parse()
            .map_err(|error: UnknownSpan| at(&span_key, error))?,
    };
    let selection = Selection { sampling, span };
    let clips = Clips::open(paths, selection, ClipPool::Mean).map_err(|error| {
        let is_span = matches!(&error, ModelError::File(IoError::At { problem, .. })
            if matches!(**problem, IoError::Span { .. }));
        match is_span && options.span.is_some() {
            true => at(&span_key, error),
            false => at(&key.clone().key("images"), error),
        }
    })?;
    let given = [
        (rate_key, options.frames_per_second.is_some()),
        (span_key, options.span.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) if !clips.has_films() => Err(invalid(
            &key,
            &format!(
                "{:?} matches no film, and this option is for films; leave it out",
                options.images
            ),
        )),
        _ => Ok(clips),
    }
}

/// Whether each stimulus has a name or category that a pattern fits.
pub(super) fn blurred(patterns: &[String], stimuli: &[PlannedStimulus]) -> Result<Vec<bool>> {
    let mut blurred = vec![false; stimuli.len()];
    for (idx, text) in patterns.iter().enumerate() {
        let key = KeyPath::root("report").key("blur").index(idx);
        let pattern = glob::Pattern::new(text).map_err(|e| at(&key, e))?;
        let is_meant = |stimulus: &PlannedStimulus| {
            let category = stimulus.category.as_deref();
            pattern.matches(&stimulus.id) || category.is_some_and(|name| pattern.matches(name))
        };
        // A misspelt name would show what its author meant to hide.
        if !stimuli.iter().any(is_meant) {
            let message = format!(
                "no stimulus and no category is called {text:?}; write names as in the table of stimuli, `*` for any letters"
            );
            return Err(invalid(&key, &message));
        }
        for (is_blurred, stimulus) in blurred.iter_mut().zip(stimuli) {
            *is_blurred |= is_meant(stimulus);
        }
    }
    Ok(blurred)
}

/// What is averaged of a film.
pub(super) fn planned_clip(clip: &Clip, selection: &Selection) -> Option<PlannedClip> {
    clip.film.as_ref().map(|film| PlannedClip {
        selection: *selection,
        n_frames: film.positions.len(),
        of: film.video.times.len(),
    })
}

/// A warning when films end before the span does.
fn short_films(clips: &Clips, planned: &[PlannedStimulus]) -> Option<Warning> {
    let end = clips.selection().span.end?;
    let short: Vec<String> = clips
        .clips()
        .iter()
        .zip(planned)
        .filter_map(|(clip, stimulus)| {
            let ends = clip.film.as_ref()?.video.duration;
            (ends < end - SHORT).then(|| format!("{} ({ends:.2} s)", stimulus.id))
        })
        .collect();
    (!short.is_empty()).then(|| Warning {
        about: "stimuli".to_owned(),
        message: format!(
            "films that end before {end} s, where the span ends, are taken to their end: {}",
            short.join(", ")
        ),
    })
}

/// Seconds by which a film may be shorter than the span without a word: less than any frame lasts.
const SHORT: f64 = 1e-3;

/// Whether a cell of a table names a file, with or without its ending.
fn is_named(path: &Path, cell: &str) -> bool {
    let cell = Path::new(cell.trim()).file_name();
    cell.is_some() && (path.file_name() == cell || path.file_stem() == cell)
}

/// The rows of a table to use: all, or those that name one of the files.
fn rows_of(files: &[&str], paths: &[PathBuf], is_subset: bool) -> Vec<usize> {
    let is_used = |row: &usize| !is_subset || paths.iter().any(|path| is_named(path, files[*row]));
    (0..files.len()).filter(is_used).collect()
}

/// The pictures or films in the order of a table's file column; both must name the same files.
fn in_table_order(
    files: &[&str],
    paths: &[PathBuf],
    key: &KeyPath,
    table_name: &str,
) -> Result<Vec<PathBuf>> {
    let ordered = files
        .iter()
        .map(|file| {
            paths.iter().find(|path| is_named(path, file)).cloned().ok_or_else(|| {
                invalid(
                    key,
                    &format!(
                        "{table_name} names {file:?}, which is not among the {} files of `images`; correct one of them",
                        paths.len()
                    ),
                )
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if ordered.len() != paths.len() {
        return Err(invalid(
            key,
            &format!(
                "{table_name} has {} rows, but `images` matches {} files; expected a row for each",
                ordered.len(),
                paths.len()
            ),
        ));
    }
    Ok(ordered)
}
