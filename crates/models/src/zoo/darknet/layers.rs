//! Sections as layers.

use super::cfg::Block;
use super::{CfgError, Darknet};

const KNOWN: &str = "convolutional, shortcut, route, upsample, maxpool, dropout, yolo";

/// Most channels, filters, classes or pixels along an edge.
const MAX_EXTENT: usize = 1 << 16;

/// A layer and the line where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    pub line: usize,
    pub layer: Layer,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Layer {
    Convolutional(Convolutional),
    /// Sum of the layer before and those with these numbers.
    Shortcut {
        from: Vec<usize>,
        activation: Activation,
    },
    /// Channels of the layers with these numbers, or one of `groups` parts of each.
    Route {
        from: Vec<usize>,
        groups: usize,
        group: usize,
    },
    /// Every pixel `stride` times along both axes.
    Upsample {
        stride: usize,
    },
    MaxPool {
        size: usize,
        stride: usize,
        /// Pixels added along an axis, half of them in front.
        padding: usize,
    },
    Dropout,
    Yolo {
        anchors: Vec<[f64; 2]>,
        n_classes: usize,
        scale_x_y: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Convolutional {
    pub filters: usize,
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
    pub groups: usize,
    pub batch_normalize: bool,
    pub activation: Activation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    Linear,
    Leaky,
    Relu,
    Relu6,
    Mish,
    Swish,
    Logistic,
}

impl Activation {
    const ALL: [(&'static str, Self); 7] = [
        ("linear", Self::Linear),
        ("leaky", Self::Leaky),
        ("relu", Self::Relu),
        ("relu6", Self::Relu6),
        ("mish", Self::Mish),
        ("swish", Self::Swish),
        ("logistic", Self::Logistic),
    ];

    /// Darknet's name.
    pub fn name(self) -> &'static str {
        let entry = Self::ALL.iter().find(|(_, one)| *one == self);
        entry.expect("every activation has a name").0
    }

    /// Darknet takes `default` where nothing is set.
    fn of(block: &Block, default: Self) -> Result<Self, CfgError> {
        let Some(word) = block.text("activation") else {
            return Ok(default);
        };
        let known = Self::ALL.iter().find(|(name, _)| *name == word);
        known.map(|(_, activation)| *activation).ok_or_else(|| {
            let names = Self::ALL.map(|(name, _)| name);
            block.wrong("activation", format!("one of {}", names.join(", ")))
        })
    }
}

/// The network that the sections describe.
pub(super) fn network(blocks: &[Block]) -> Result<Darknet, CfgError> {
    let Some((net, layers)) = blocks.split_first() else {
        return Err(CfgError::Line {
            line: 1,
            found: String::new(),
            expected: "[net] first",
        });
    };
    if !["net", "network"].contains(&net.name.as_str()) {
        return Err(CfgError::Line {
            line: net.line,
            found: format!("[{}]", net.name),
            expected: "[net] first",
        });
    }
    net.number("channels", Some(3), 3..=3)?;
    let sections = layers
        .iter()
        .enumerate()
        .map(|(layer_idx, block)| {
            Ok(Section {
                line: block.line,
                layer: layer(block, layer_idx)?,
            })
        })
        .collect::<Result<Vec<_>, CfgError>>()?;
    if sections.is_empty() {
        return Err(CfgError::Line {
            line: net.line,
            found: "[net] alone".into(),
            expected: "layers below it",
        });
    }
    Ok(Darknet {
        height: net.number("height", None, 1..=MAX_EXTENT)?,
        width: net.number("width", None, 1..=MAX_EXTENT)?,
        sections,
    })
}

fn layer(block: &Block, layer_idx: usize) -> Result<Layer, CfgError> {
    match block.name.as_str() {
        "convolutional" | "conv" => convolutional(block).map(Layer::Convolutional),
        "shortcut" => {
            block.refuse("weights_type", "none")?;
            Ok(Layer::Shortcut {
                from: earlier(block, "from", layer_idx)?,
                activation: Activation::of(block, Activation::Linear)?,
            })
        }
        "route" => {
            let groups = block.number("groups", Some(1), 1..=MAX_EXTENT)?;
            Ok(Layer::Route {
                from: earlier(block, "layers", layer_idx)?,
                groups,
                group: block.number("group_id", Some(0), 0..=groups - 1)?,
            })
        }
        "upsample" => {
            block.refuse("scale", "1")?;
            let stride = block.number("stride", Some(2), 1..=64)?;
            Ok(Layer::Upsample { stride })
        }
        "maxpool" => {
            for key in ["maxpool_depth", "antialiasing"] {
                block.refuse(key, "0")?;
            }
            same_strides(block)?;
            let stride = block.number("stride", Some(1), 1..=64)?;
            let size = block.number("size", Some(stride), 1..=1024)?;
            let padding = block.number("padding", Some(size - 1), 0..=size - 1)?;
            Ok(Layer::MaxPool {
                size,
                stride,
                padding,
            })
        }
        "dropout" => Ok(Layer::Dropout),
        "yolo" => yolo(block),
        _ => Err(CfgError::Section {
            line: block.line,
            section: block.name.chars().take(60).collect(),
            known: KNOWN,
        }),
    }
}

fn convolutional(block: &Block) -> Result<Convolutional, CfgError> {
    for key in ["binary", "xnor", "antialiasing", "flipped", "coordconv"] {
        block.refuse(key, "0")?;
    }
    same_strides(block)?;
    let size = block.number("size", Some(1), 1..=1024)?;
    let centred = block.number("pad", Some(0), 0..=1)? == 1;
    Ok(Convolutional {
        filters: block.number("filters", Some(1), 1..=MAX_EXTENT)?,
        size,
        stride: block.number("stride", Some(1), 1..=64)?,
        padding: if centred {
            size / 2
        } else {
            block.number("padding", Some(0), 0..=1024)?
        },
        dilation: block.number("dilation", Some(1), 1..=64)?,
        groups: block.number("groups", Some(1), 1..=MAX_EXTENT)?,
        batch_normalize: block.number("batch_normalize", Some(0), 0..=1)? == 1,
        activation: Activation::of(block, Activation::Logistic)?,
    })
}

fn same_strides(block: &Block) -> Result<(), CfgError> {
    for key in ["stride_x", "stride_y"] {
        if block.text(key).is_some() {
            return Err(block.wrong(key, "stride for both axes"));
        }
    }
    Ok(())
}

/// Numbers of layers; negative ones count back from this one.
fn earlier(block: &Block, key: &'static str, layer_idx: usize) -> Result<Vec<usize>, CfgError> {
    let expected = "numbers of earlier layers, or how many layers back";
    let stated: Vec<i64> = block.list(key, expected)?;
    let here = layer_idx as i64;
    stated
        .into_iter()
        .map(|number| {
            let at = if number < 0 {
                here.checked_add(number)
            } else {
                Some(number)
            };
            at.filter(|at| (0..here).contains(at))
                .map(|at| at as usize)
                .ok_or_else(|| block.wrong(key, expected))
        })
        .collect()
}

fn yolo(block: &Block) -> Result<Layer, CfgError> {
    block.refuse("new_coords", "0")?;
    let pairs = "width, height of each of num anchors, positive";
    let edges: Vec<f64> = block.list("anchors", pairs)?;
    let n_anchors = block.number("num", Some(1), 1..=1024)?;
    let (all, rest) = edges.as_chunks::<2>();
    let usable = edges.iter().all(|edge| *edge > 0.0 && edge.is_finite());
    if all.len() != n_anchors || !rest.is_empty() || !usable {
        return Err(block.wrong("anchors", pairs));
    }
    let chosen: Vec<usize> = match block.text("mask") {
        Some(_) => block.list("mask", "numbers of anchors")?,
        None => (0..n_anchors).collect(),
    };
    let anchors = chosen
        .into_iter()
        .map(|idx| all.get(idx).copied())
        .collect::<Option<Vec<_>>>()
        .filter(|anchors| anchors.len() <= n_anchors)
        .ok_or_else(|| block.wrong("mask", format!("numbers of anchors below {n_anchors}")))?;
    let expected = "a number from 1 to 4";
    let scale_x_y = match block.text("scale_x_y") {
        Some(text) => text.parse().ok(),
        None => Some(1.0),
    };
    Ok(Layer::Yolo {
        anchors,
        n_classes: block.number("classes", Some(20), 1..=MAX_EXTENT)?,
        scale_x_y: scale_x_y
            .filter(|scale| (1.0..=4.0).contains(scale))
            .ok_or_else(|| block.wrong("scale_x_y", expected))?,
    })
}
