//! Writes reports of made-up records into a folder, to be looked at:
//! `cargo run -p consilience-report --example sample -- OUT`.

#[path = "../tests/report/common/mod.rs"]
mod common;

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let out: PathBuf = env::args_os()
        .nth(1)
        .ok_or("expected one argument: the folder to write into")?
        .into();
    let plain = common::shapes().into_iter();
    let plain = plain.map(|(name, shape)| (name, common::record(&shape)));
    let valence = common::valence::valences().into_iter();
    let valence = valence.map(|(name, shape)| (name, common::valence::valence(&shape)));
    let emotion = common::emotion::emotions().into_iter();
    let emotion = emotion.map(|(name, shape)| (name, common::emotion::record(&shape)));
    for (name, record) in plain.chain(valence).chain(emotion) {
        let rendered = consilience_report::render(&record)?;
        let folder = out.join(name);
        fs::create_dir_all(folder.join("figures"))?;
        fs::write(folder.join("report.html"), &rendered.html)?;
        for table in &rendered.tables {
            fs::write(folder.join(&table.name), &table.csv)?;
        }
        for figure in &rendered.figures {
            let path = folder.join("figures").join(&figure.name);
            fs::write(path.with_extension("svg"), &figure.svg)?;
            let png = consilience_report::png(&figure.svg, 2.0)?;
            fs::write(path.with_extension("png"), png)?;
        }
    }
    Ok(())
}
