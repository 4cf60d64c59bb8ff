//! Arrangements as JSON.
//!
//! The own form is an object with a list of trials; `items` sets the order of the RDM and may be left out:
//!
//! ```json
//! {
//!   "items": ["cat", "dog", "owl"],
//!   "trials": [
//!     {"trial": "1", "positions": [{"item": "cat", "x": 0.1, "y": 0.2}, {"item": "dog", "x": 0.5, "y": 0.4}]},
//!     {"items": ["dog", "owl"], "x": [0.3, 0.9], "y": [0.1, 0.4]}
//!   ]
//! }
//! ```
//!
//! A trial without a name has its number, counted from 1. Names may be texts or numbers. The list of trials may
//! also stand alone, and a list of objects with `trial`, `item`, `x` and `y` is read like the rows of a table.
//!
//! Of Meadows' trees, the fields `task.name`, `task.task_type`, `stimuli[].id`, `stimuli[].name`, `trials[].positions[]`
//! (`id`, `x`, `y`) and `rdm` are read, for one task (an object with `trials`), for the tasks of one participant
//! (an object with `tasks`), and for several participants (an object with one of those for each). Tasks that are
//! no arrangements are left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Place, ReadOptions, Session, session, sorted_rdm};
use crate::{IoError, Named, Result};

type Object = Map<String, Value>;

/// Takes the bytes of a file.
///
/// # Errors
///
/// As [`read`](super::read).
pub fn from_bytes(bytes: &[u8], options: &ReadOptions) -> Result<Vec<Session>> {
    if bytes.len() as u64 > options.limits.max_json_bytes {
        return Err(IoError::OverLimit {
            what: "bytes of JSON",
            found: bytes.len() as u64,
            limit: options.limits.max_json_bytes,
            raise: "max_json_bytes",
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| IoError::malformed("JSON", "the text", error, "a JSON value"))?;
    let mut sessions = Vec::new();
    match &value {
        Value::Array(list) => {
            let is_place = |v: &Value| v.get("item").is_some() && v.get("x").is_some();
            if list.first().is_some_and(is_place) {
                sessions.push(session(rows(list, options)?, None, options.omit_missing)?);
            } else {
                sessions.push(task_of(list, None, options)?);
            }
        }
        Value::Object(object) if is_participant(object) => {
            participant(object, None, "", options, &mut sessions)?;
        }
        Value::Object(people) if !people.is_empty() && people.values().all(is_one) => {
            for (name, value) in people {
                let object = as_object(value, &|| format!("{name:?}"))?;
                participant(
                    object,
                    Some(name),
                    &format!("{name:?}: "),
                    options,
                    &mut sessions,
                )?;
            }
        }
        other => {
            return Err(IoError::WrongKind {
                what: "the file".into(),
                found: describe(other),
                expected: "an object with trials, with tasks, or with one of those for each participant",
            });
        }
    }
    if sessions.is_empty() {
        return Err(IoError::WrongKind {
            what: "the file".into(),
            found: "tasks of other kinds".into(),
            expected: "at least one task of the type multiarrange",
        });
    }
    Ok(sessions)
}

fn is_participant(object: &Object) -> bool {
    object.get("tasks").is_some_and(Value::is_array)
        || object.get("trials").is_some_and(Value::is_array)
}

fn is_one(value: &Value) -> bool {
    value.as_object().is_some_and(is_participant)
}

/// Adds the sessions of one participant; `place` says where in the file that is.
fn participant(
    object: &Object,
    name: Option<&String>,
    place: &str,
    options: &ReadOptions,
    sessions: &mut Vec<Session>,
) -> Result<()> {
    let Some(Value::Array(tasks)) = object.get("tasks") else {
        let found = task(object, &format!("{place}the task"), options)?;
        sessions.extend(found.map(|session| Session {
            participant: name.cloned(),
            ..session
        }));
        return Ok(());
    };
    for (idx, value) in tasks.iter().enumerate() {
        let here = format!("{place}tasks[{idx}]");
        let found = task(as_object(value, &|| here.clone())?, &here, options)?;
        sessions.extend(found.map(|session| Session {
            participant: name.cloned(),
            ..session
        }));
    }
    Ok(())
}

/// The session of one task, unless it is of another kind.
fn task(object: &Object, place: &str, options: &ReadOptions) -> Result<Option<Session>> {
    let meta = object.get("task");
    let text = |field: &str| meta?.get(field)?.as_str();
    if text("task_type").is_some_and(|kind| kind != "multiarrange") {
        return Ok(None);
    }
    let Some(trials) = object.get("trials") else {
        return Ok(None);
    };
    let trials = as_list(trials, &|| format!("{place}.trials"))?;
    let stimuli = match object.get("stimuli") {
        Some(stimuli) => Some(as_list(stimuli, &|| format!("{place}.stimuli"))?),
        None => None,
    };
    let Some(stimuli) = stimuli else {
        return own(object, trials, place, options).map(Some);
    };
    let mut names = Vec::with_capacity(stimuli.len());
    let mut by_id = BTreeMap::new();
    for (idx, stimulus) in stimuli.iter().enumerate() {
        let here = || format!("{place}.stimuli[{idx}]");
        let stimulus = as_object(stimulus, &here)?;
        let name = label(field(stimulus, "name", &here)?, &|| {
            format!("{}.name", here())
        })?;
        if let Some(id) = stimulus.get("id") {
            by_id.insert(label(id, &|| format!("{}.id", here()))?, name.clone());
        }
        names.push(name);
    }
    let stored = match object.get("rdm") {
        Some(Value::Null) | None => None,
        Some(rdm) => {
            let values = numbers(rdm, false, &|| format!("{place}.rdm"))?;
            (!values.is_empty()).then_some(values)
        }
    };
    let sorted = consilience_core::ascending(names.iter().map(String::as_str));
    let rdm = match &stored {
        Some(rdm) => Some(sorted_rdm(&names, rdm)?.1),
        None => None,
    };
    let mut found = if trials.is_empty() {
        Session {
            participant: None,
            task: None,
            items: sorted,
            trials: None,
            rdm: None,
            n_omitted: 0,
        }
    } else {
        let places = places(trials, &by_id, place, options)?;
        session(places, Some(sorted), options.omit_missing)?
    };
    found.task = text("name").map(str::to_owned);
    found.rdm = rdm;
    Ok(Some(found))
}

/// The own form: trials, and perhaps the order of the items.
fn own(object: &Object, trials: &[Value], place: &str, options: &ReadOptions) -> Result<Session> {
    let order = match object.get("items") {
        Some(items) => {
            let here = || format!("{place}.items");
            let items = as_list(items, &here)?;
            let names = items.iter().map(|item| label(item, &here));
            Some(names.collect::<Result<Vec<String>>>()?)
        }
        None => None,
    };
    task_of(trials, order, options)
}

fn task_of(trials: &[Value], order: Option<Vec<String>>, options: &ReadOptions) -> Result<Session> {
    let places = places(trials, &BTreeMap::new(), "the file", options)?;
    session(places, order, options.omit_missing)
}

/// The places of all trials; `by_id` translates what a place calls its item.
fn places(
    trials: &[Value],
    by_id: &BTreeMap<String, String>,
    place: &str,
    options: &ReadOptions,
) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for (idx, trial) in trials.iter().enumerate() {
        let here = || format!("{place}.trials[{idx}]");
        let trial = as_object(trial, &here)?;
        let name = match trial.get("trial").or_else(|| trial.get("name")) {
            Some(name) => label(name, &|| format!("{}.trial", here()))?,
            None => (idx + 1).to_string(),
        };
        let mut add = |item: &Value, x: f64, y: f64, at: &dyn Fn() -> String| -> Result<()> {
            let item = label(item, at)?;
            let item = match by_id.get(&item) {
                Some(name) => name.clone(),
                None if by_id.is_empty() => item,
                None => {
                    return Err(IoError::WrongKind {
                        what: at(),
                        found: format!("the item {item:?}"),
                        expected: "an id of the task's stimuli",
                    });
                }
            };
            places.push(Place {
                trial: name.clone(),
                item,
                position: [x, y],
            });
            Ok(())
        };
        let Some(positions) = trial.get("positions") else {
            let lists = ["items", "x", "y"].map(|name| field(trial, name, &here));
            let [items, x, y] = lists;
            let items = as_list(items?, &|| format!("{}.items", here()))?;
            let [x, y] = [("x", x), ("y", y)].map(|(name, values)| {
                numbers(values?, options.omit_missing, &|| {
                    format!("{}.{name}", here())
                })
            });
            let (x, y) = (x?, y?);
            if x.len() != items.len() || y.len() != items.len() {
                return Err(IoError::WrongKind {
                    what: here(),
                    found: format!("{} items, {} x and {} y", items.len(), x.len(), y.len()),
                    expected: "one x and one y for each item",
                });
            }
            for (k, item) in items.iter().enumerate() {
                add(item, x[k], y[k], &|| format!("{}.items[{k}]", here()))?;
            }
            continue;
        };
        let positions = as_list(positions, &|| format!("{}.positions", here()))?;
        for (k, position) in positions.iter().enumerate() {
            let at = || format!("{}.positions[{k}]", here());
            let position = as_object(position, &at)?;
            let item = ["item", "id", "name"]
                .iter()
                .find_map(|name| position.get(*name));
            let item = item.ok_or_else(|| missing("item", position, &at))?;
            let [x, y] = ["x", "y"].map(|name| {
                number(field(position, name, &at)?, options.omit_missing, &|| {
                    format!("{}.{name}", at())
                })
            });
            add(item, x?, y?, &at)?;
        }
    }
    Ok(places)
}

/// A list of objects, each a place.
fn rows(list: &[Value], options: &ReadOptions) -> Result<Vec<Place>> {
    let place = |(idx, value): (usize, &Value)| {
        let here = || format!("the file[{idx}]");
        let object = as_object(value, &here)?;
        let name = |key: &str| label(field(object, key, &here)?, &|| format!("{}.{key}", here()));
        let coordinate = |key: &str| {
            let at = || format!("{}.{key}", here());
            number(field(object, key, &here)?, options.omit_missing, &at)
        };
        Ok(Place {
            trial: name("trial")?,
            item: name("item")?,
            position: [coordinate("x")?, coordinate("y")?],
        })
    };
    list.iter().enumerate().map(place).collect()
}

fn field<'a>(object: &'a Object, name: &str, place: &dyn Fn() -> String) -> Result<&'a Value> {
    object.get(name).ok_or_else(|| missing(name, object, place))
}

fn missing(name: &str, object: &Object, place: &dyn Fn() -> String) -> IoError {
    IoError::Missing {
        kind: Named::Field,
        name: format!("{}.{name}", place()),
        available: object.keys().cloned().collect(),
    }
}

fn as_object<'a>(value: &'a Value, place: &dyn Fn() -> String) -> Result<&'a Object> {
    value.as_object().ok_or_else(|| IoError::WrongKind {
        what: place(),
        found: describe(value),
        expected: "an object",
    })
}

fn as_list<'a>(value: &'a Value, place: &dyn Fn() -> String) -> Result<&'a [Value]> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| IoError::WrongKind {
            what: place(),
            found: describe(value),
            expected: "a list",
        })
}

/// A text or number as a name.
fn label(value: &Value, place: &dyn Fn() -> String) -> Result<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(IoError::WrongKind {
            what: place(),
            found: describe(other),
            expected: "a name or number",
        }),
    }
}

/// A finite number; NaN for null where that is allowed.
fn number(value: &Value, may_lack: bool, place: &dyn Fn() -> String) -> Result<f64> {
    match value {
        Value::Null if may_lack => Ok(f64::NAN),
        value => value
            .as_f64()
            .filter(|v| v.is_finite())
            .ok_or_else(|| IoError::WrongKind {
                what: place(),
                found: describe(value),
                expected: "a finite number; fill missing places, or ask for them to be omitted",
            }),
    }
}

fn numbers(value: &Value, may_lack: bool, place: &dyn Fn() -> String) -> Result<Vec<f64>> {
    let list = as_list(value, place)?;
    let values = list.iter().enumerate();
    values
        .map(|(idx, value)| number(value, may_lack, &|| format!("{}[{idx}]", place())))
        .collect()
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(object) => {
            let keys: Vec<&str> = object.keys().take(6).map(String::as_str).collect();
            format!("an object with the fields {}", keys.join(", "))
        }
    }
}
