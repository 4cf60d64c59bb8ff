//! Scratch.
mod common;
use common::{collect, relative_difference};
use consilience_io::image::RgbImage;
use consilience_models::*;
#[test]
fn probe() {
    let Some(files) = std::env::var_os("PROBE") else {
        return;
    };
    let files = files.into_string().unwrap();
    for file in files.split(',') {
        let name = file.rsplit('/').next().unwrap();
        let network = match Network::from_onnx(file.as_ref()) {
            Ok(n) => n,
            Err(e) => {
                println!("{name}: READ {e}");
                continue;
            }
        };
        let layers = network.select::<&str>(&[]).unwrap();
        if std::env::var_os("NAMES").is_some() {
            for l in network.layers() {
                println!("   {} <- {}", l.name, l.tensor);
            }
        }
        let (h, w) = match network.preprocessing.fixed_size() {
            Some([h, w]) => (h, w),
            None => (224, 224),
        };
        let pixels = (0..h * w * 3).map(|i| ((i * 7919) % 251) as u8);
        let pic = [RgbImage {
            width: w,
            height: h,
            pixels: pixels.collect(),
        }];
        let n_modules = layers.iter().filter(|l| l.name != l.tensor).count();
        let run = |executor| -> Result<_> {
            let params = ExtractParams {
                executor,
                ..ExtractParams::default()
            };
            let ex = Extractor::prepare(&network, &layers, &params)?;
            let left = ex.left_out.clone();
            Ok((
                left,
                collect(&network, &layers, Images::Decoded(&pic), &params)?,
            ))
        };
        let t = std::time::Instant::now();
        let a = run(ExecutorChoice::Rten);
        let ta = t.elapsed();
        let t = std::time::Instant::now();
        let b = run(ExecutorChoice::OnnxRuntime);
        let tb = t.elapsed();
        let mut line = format!(
            "{name}: {} nodes, {} layers ({} modules); ",
            network.graph.nodes.len(),
            layers.len(),
            n_modules
        );
        match (&a, &b) {
            (Ok((la, a)), Ok((_lb, b))) => {
                let mut worst = (0.0, String::new());
                for (x, y) in a.iter().zip(b) {
                    assert_eq!(x.0, y.0);
                    let d = relative_difference(&x.1, &y.1);
                    if d > worst.0 {
                        worst = (d, x.0.clone());
                    }
                }
                line += &format!(
                    "both run {} layers ({} left out), worst {:.1e} at {}, {:?} {:?}",
                    a.len(),
                    la.len(),
                    worst.0,
                    worst.1,
                    ta,
                    tb
                );
                if std::env::var_os("LEFT").is_some() {
                    for l in la {
                        println!("   left {l:?}");
                    }
                }
            }
            _ => {
                if let Err(e) = &a {
                    line += &format!("RTEN {e}; ");
                } else {
                    line += "rten ok; ";
                }
                if let Err(e) = &b {
                    line += &format!("ORT {e}");
                } else {
                    line += "ort ok";
                }
            }
        }
        println!("{line}");
    }
}
