//! `cargo xtask generate`: reference pages made from the code, so that they cannot drift from it.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use consilience::study::file::{
    AppraisalOptions, EditOptions, EmotionOptions, ExpectOptions, ModelOptions, ObjectsOptions,
    PreprocessingOptions, RatedPicturesOptions, ReportOptions, RsaOptions, StimuliOptions,
    StudyOptions, TargetOptions,
};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

/// Writes the pages, or with `check` fails when one differs from what would be written.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let pages = [
        ("docs/reference/study.md", study_page()?),
        ("docs/reference/commands.md", commands_page()),
    ];
    let mut stale = Vec::new();
    for (name, text) in pages {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if check {
            stale.push(name);
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making {}", folder.display()))?;
        }
        std::fs::write(&path, text).with_context(|| format!("writing {name}"))?;
    }
    if !stale.is_empty() {
        bail!(
            "out of date: {}; run `cargo xtask generate`",
            stale.join(", ")
        );
    }
    Ok(())
}

fn study_page() -> Result<String> {
    let mut page = String::from(
        "# Study file\n\nA study is a TOML file. This page is generated from the code (`cargo xtask generate`).\n\n\
         Paths are looked up beside the study file first, then in the data folder (`CONSILIENCE_DATA`, else\n\
         `../shared/data` and the user's data folder). Unknown keys are errors. `--set KEY=VALUE` replaces a value,\n\
         e.g. `--set analysis.permutations=1000` or `--set model.0.name=net`.\n",
    );
    table::<StudyOptions>(&mut page, "[study]")?;
    table::<StimuliOptions>(&mut page, "[stimuli]")?;
    table::<ModelOptions>(&mut page, "[[model]]")?;
    table::<PreprocessingOptions>(&mut page, "[model.preprocessing]")?;
    table::<EditOptions>(&mut page, "[[model]] edits")?;
    table::<TargetOptions>(&mut page, "[[brain]], [[behaviour]]")?;
    table::<RsaOptions>(&mut page, "[[analysis]] with kind = \"rsa\"")?;
    table::<AppraisalOptions>(&mut page, "[[analysis]] with kind = \"appraisal\"")?;
    table::<ObjectsOptions>(&mut page, "[[analysis]] with kind = \"object2brain\"")?;
    table::<EmotionOptions>(&mut page, "[[analysis]] with kind = \"visual-emotion\"")?;
    table::<RatedPicturesOptions>(&mut page, "[[analysis.training]], [analysis.second-set]")?;
    table::<ExpectOptions>(&mut page, "[[expect]]")?;
    table::<ReportOptions>(&mut page, "[report]")?;
    Ok(page)
}

/// One table of the study file: its keys in the order of the struct, from the schema of the struct.
fn table<T: JsonSchema>(page: &mut String, title: &str) -> Result<()> {
    let schema = schema_for!(T).to_value();
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .replace('\n', " ")
    };
    let description = text(&schema, "description");
    let description = description
        .split_once(": ")
        .map_or(description.as_str(), |(_, rest)| rest);
    writeln!(page, "\n## `{title}`\n\n{}\n", capitalised(description))?;
    writeln!(
        page,
        "| key | type | default | meaning |\n|---|---|---|---|"
    )?;
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .with_context(|| format!("{title} has no keys"))?;
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|keys| keys.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    for (key, property) in properties {
        let default = match property.get("default") {
            _ if required.contains(&key.as_str()) => "required".to_owned(),
            None | Some(Value::Null) => "–".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        writeln!(
            page,
            "| `{key}` | {} | {default} | {} |",
            kind(property, &schema),
            text(property, "description").replace('|', "\\|")
        )?;
    }
    Ok(())
}

/// The type of a key in words.
fn kind(property: &Value, schema: &Value) -> String {
    let reference = property
        .get("$ref")
        .or_else(|| {
            property
                .get("allOf")
                .and_then(|all| all.get(0))
                .and_then(|first| first.get("$ref"))
        })
        .and_then(Value::as_str);
    if let Some(name) = reference.and_then(|r| r.rsplit('/').next()) {
        let variants = schema
            .get("$defs")
            .and_then(|defs| defs.get(name))
            .and_then(|d| d.get("oneOf"));
        if let Some(variants) = variants.and_then(Value::as_array) {
            let names: Vec<String> = variants
                .iter()
                .filter_map(|v| v.get("const").and_then(Value::as_str))
                .map(|v| format!("`\"{v}\"`"))
                .collect();
            return names.join(", ");
        }
    }
    let name = match property.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or("value"),
        _ => "value",
    };
    match name {
        "string" => "text".to_owned(),
        "array" if property.pointer("/items/$ref").is_some() => "list of tables".to_owned(),
        "array" => match property.pointer("/items/type").and_then(Value::as_str) {
            Some("number") => "list of numbers".to_owned(),
            _ => "list of texts".to_owned(),
        },
        "integer" => "whole number".to_owned(),
        other => other.to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn commands_page() -> String {
    let mut page = String::from(
        "# Commands\n\nThis page is generated from the code (`cargo xtask generate`).\n\n\
         Data go to standard output, everything else to standard error. Exit 0: done; 2: not done, with a message that says\n\
         what is wrong and what to do. `--threads N` works with every command and changes no result.\n",
    );
    let mut command = consilience_cli::command();
    command.build();
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        section(&mut page, sub, 2);
    }
    page
}

fn section(page: &mut String, command: &clap::Command, depth: usize) {
    let mut command = command.clone().term_width(100);
    let name = command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let help = command.render_long_help().to_string();
    // Trailing blanks of the help are not kept, so that the page is clean text.
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        page,
        "\n{} `{name}`\n\n```text\n{}\n```\n",
        "#".repeat(depth),
        help.join("\n").trim_end()
    );
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        section(page, sub, depth + 1);
    }
}
