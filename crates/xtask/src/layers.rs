//! `cargo xtask check-layers`: a crate may use only what its row of the crate map names.
//!
//! The crate map in `ARCHITECTURE.md` is the one source of the rule: this reads its table and
//! compares it with the dependencies that each manifest declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Compares every manifest under `crates/` with the table in `ARCHITECTURE.md`.
pub fn check(root: &Path) -> Result<()> {
    let text =
        std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("reading ARCHITECTURE.md")?;
    let allowed = crate_map(&text)?;
    let mut wrong = Vec::new();
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("crates")).context("listing crates/")? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let manifest = std::fs::read_to_string(path.join("Cargo.toml"))
            .with_context(|| format!("reading the manifest of {name}"))?;
        folders.insert(name.clone());
        let Some(may_use) = allowed.get(&name) else {
            wrong.push(format!(
                "crates/{name} has no row in the crate map of ARCHITECTURE.md"
            ));
            continue;
        };
        for used in uses(&manifest)? {
            if !may_use.contains(&used) {
                wrong.push(format!(
                    "{name} uses {used}, but its row in ARCHITECTURE.md allows only: {}",
                    may_use.iter().cloned().collect::<Vec<_>>().join(", ")
                ));
            }
        }
    }
    for name in allowed.keys().filter(|name| !folders.contains(*name)) {
        wrong.push(format!(
            "the crate map of ARCHITECTURE.md names {name}, which does not exist"
        ));
    }
    if !wrong.is_empty() {
        bail!("layers are broken:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// Rows `| `name` | charter | may use |` of the crate map, "all above" spelled out.
fn crate_map(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut rows = BTreeMap::new();
    let mut above: BTreeSet<String> = BTreeSet::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _, may_use, _] = cells[..] else {
            continue;
        };
        let Some(name) = name.strip_prefix('`').and_then(|n| n.strip_suffix('`')) else {
            continue;
        };
        let may_use = match may_use {
            "–" => BTreeSet::new(),
            "all above" => above.clone(),
            list => list
                .split(',')
                .map(|n| n.trim().trim_matches('`').to_owned())
                .collect(),
        };
        above.insert(name.to_owned());
        ensure!(
            rows.insert(name.to_owned(), may_use).is_none(),
            "the crate map of ARCHITECTURE.md has two rows for {name}"
        );
    }
    ensure!(
        !rows.is_empty(),
        "ARCHITECTURE.md holds no crate map (| `name` | charter | may use |)"
    );
    Ok(rows)
}

/// Crates of this workspace that a manifest depends on, dev-dependencies included.
fn uses(manifest: &str) -> Result<BTreeSet<String>> {
    let table: toml::Table = manifest.parse()?;
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    Ok(sections
        .iter()
        .filter_map(|section| table.get(*section)?.as_table())
        .flat_map(toml::Table::keys)
        .filter_map(|name| match name.as_str() {
            "consilience" => Some("consilience".to_owned()),
            other => other.strip_prefix("consilience-").map(str::to_owned),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "\
| crate | charter | may use |
|---|---|---|
| `stats` | numbers | – |
| `core` | nouns | – |
| `io` | files | core |
| `study` | order | all above |
";

    #[test]
    fn the_map_is_read() {
        let map = crate_map(MAP).unwrap();
        assert!(map["stats"].is_empty());
        assert_eq!(map["io"].iter().collect::<Vec<_>>(), ["core"]);
        assert_eq!(map["study"].len(), 3);
        assert!(crate_map("no table").is_err());
    }

    #[test]
    fn uses_are_found_in_every_section() {
        let manifest = "[dependencies]\nconsilience-core = {}\nndarray = \"1\"\n\
                        [dev-dependencies]\nconsilience-io.workspace = true";
        assert_eq!(
            uses(manifest).unwrap().into_iter().collect::<Vec<_>>(),
            ["core", "io"]
        );
    }
}
