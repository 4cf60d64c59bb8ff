//! From a network's outputs to proposals, in pixels of its input.

use ndarray::{ArrayD, ArrayView1, ArrayView2, ArrayView3, Axis, Ix2, Ix3, Ix4, s};

use super::{BoxXyxy, DetectError, Proposal};

/// How a network states what it found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decoder {
    /// YOLOX: `(1, n_cells, 5 + n_classes)`, the grids of strides 8, 16, 32 one after the other, boxes
    /// in grid cells and log sizes, probabilities ready.
    Yolox,
    /// FastestDet: `(1, 5 + n_classes, rows, columns)`, one box a cell, probabilities ready.
    FastestDet,
    /// Darknet's `[yolo]` layers, one output each, as they leave the last convolution.
    Darknet(Vec<YoloHead>),
    /// Ready boxes as fractions of the input, with one class: output `scores` is `(1, n_boxes)` or
    /// `(1, n_boxes, 2)` with the background first, output `boxes` `(1, n_boxes, 4)`.
    ReadyBoxes {
        /// Position of the scores among the outputs.
        scores: usize,
        /// Position of the boxes among the outputs.
        boxes: usize,
    },
}

/// A `[yolo]` layer of darknet.
#[derive(Debug, Clone, PartialEq)]
pub struct YoloHead {
    /// Tensor that it decodes.
    pub tensor: String,
    /// Widths and heights of its anchors, in pixels of the network's input.
    pub anchors: Vec<[f64; 2]>,
    /// Number of classes.
    pub n_classes: usize,
    /// Stretch of the position inside a cell, darknet's `scale_x_y`.
    pub scale_x_y: f64,
}

/// The strides of YOLOX's grids.
const YOLOX_STRIDES: [usize; 3] = [8, 16, 32];

/// What is wrong with an output: what, found, expected.
type Misfit = (&'static str, String, String);

impl Decoder {
    fn name(&self) -> &'static str {
        match self {
            Self::Yolox => "YOLOX",
            Self::FastestDet => "FastestDet",
            Self::Darknet(_) => "darknet detector",
            Self::ReadyBoxes { .. } => "face detector",
        }
    }

    /// Number of classes, where it does not show in the outputs.
    pub(super) fn n_classes(&self) -> Option<usize> {
        match self {
            Self::Yolox | Self::FastestDet => None,
            Self::Darknet(heads) => heads.first().map(|head| head.n_classes),
            Self::ReadyBoxes { .. } => Some(1),
        }
    }

    /// Proposals of at least `min_score` from the outputs for one image of `size` (height, width).
    pub(super) fn decode(
        &self,
        outputs: &[ArrayD<f32>],
        size: [usize; 2],
        n_classes: usize,
        min_score: f64,
    ) -> Result<Vec<Proposal>, DetectError> {
        let decoded = match self {
            Self::Yolox => yolox(&outputs[0], size, n_classes, min_score),
            Self::FastestDet => fastest_det(&outputs[0], size, n_classes, min_score),
            Self::Darknet(heads) => {
                let mut all = Vec::new();
                let decoded = heads.iter().zip(outputs).try_for_each(|(head, output)| {
                    all.extend(yolo(head, output, size, min_score)?);
                    Ok(())
                });
                decoded.map(|()| all)
            }
            Self::ReadyBoxes { scores, boxes } => {
                ready_boxes(&outputs[*scores], &outputs[*boxes], size, min_score)
            }
        };
        decoded.map_err(|(what, found, expected)| DetectError::NotThisDetector {
            detector: self.name(),
            what,
            found,
            expected,
        })
    }
}

fn misfit<T>(output: &ArrayD<f32>, expected: impl Into<String>) -> Result<T, Misfit> {
    let found = format!("{:?}", output.shape());
    Err(("the shape of the output", found, expected.into()))
}

/// The one image's matrix of an output `(1, rows, columns)`.
fn matrix(output: &ArrayD<f32>) -> Option<ArrayView2<'_, f32>> {
    let output = output.view().into_dimensionality::<Ix3>().ok()?;
    (output.dim().0 == 1).then(|| output.index_axis_move(Axis(0), 0))
}

/// The one image's maps of an output `(1, channels, rows, columns)`.
fn maps(output: &ArrayD<f32>) -> Option<ArrayView3<'_, f32>> {
    let output = output.view().into_dimensionality::<Ix4>().ok()?;
    (output.dim().0 == 1).then(|| output.index_axis_move(Axis(0), 0))
}

/// # References
///
/// Ge et al. (2021), arXiv:2107.08430.
fn yolox(
    output: &ArrayD<f32>,
    [height, width]: [usize; 2],
    n_classes: usize,
    min_score: f64,
) -> Result<Vec<Proposal>, Misfit> {
    let cells: Vec<(usize, usize, usize)> = YOLOX_STRIDES
        .iter()
        .flat_map(|&stride| {
            let (rows, columns) = (height / stride, width / stride);
            (0..rows).flat_map(move |y| (0..columns).map(move |x| (x, y, stride)))
        })
        .collect();
    let expected = (cells.len(), 5 + n_classes);
    let Some(rows) = matrix(output).filter(|rows| rows.dim() == expected) else {
        return misfit(output, format!("[1, {}, {}]", expected.0, expected.1));
    };
    let mut proposals = Vec::new();
    for ((x, y, stride), row) in cells.into_iter().zip(rows.outer_iter()) {
        let objectness = f64::from(row[4]);
        let stride = stride as f64;
        let value = |at: usize| f64::from(row[at]);
        let centre = [value(0) + x as f64, value(1) + y as f64].map(|v| v * stride);
        let extent = [value(2), value(3)].map(|v| v.exp() * stride);
        let bounds = BoxXyxy::around(centre, extent);
        every_class(
            &mut proposals,
            row.slice(s![5..]),
            |p| objectness * f64::from(p),
            bounds,
            min_score,
        );
    }
    Ok(proposals)
}

/// # References
///
/// Ma (2022), FastestDet: score = objectness^0.6 · class^0.4 of the likeliest class.
fn fastest_det(
    output: &ArrayD<f32>,
    [height, width]: [usize; 2],
    n_classes: usize,
    min_score: f64,
) -> Result<Vec<Proposal>, Misfit> {
    let Some(maps) = maps(output).filter(|maps| maps.dim().0 == 5 + n_classes) else {
        return misfit(output, format!("[1, {}, rows, columns]", 5 + n_classes));
    };
    let (_, rows, columns) = maps.dim();
    let mut proposals = Vec::new();
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        let cell = maps.slice(s![.., y, x]);
        let value = |at: usize| f64::from(cell[at]);
        let class_idx = likeliest(cell.slice(s![5..]));
        let score = value(0).max(0.0).powf(0.6) * value(5 + class_idx).max(0.0).powf(0.4);
        if score < min_score {
            continue;
        }
        let centre = [
            (x as f64 + value(1).tanh()) / columns as f64 * width as f64,
            (y as f64 + value(2).tanh()) / rows as f64 * height as f64,
        ];
        let extent = [
            logistic(value(3)) * width as f64,
            logistic(value(4)) * height as f64,
        ];
        proposals.push(Proposal {
            class_idx,
            score,
            bounds: BoxXyxy::around(centre, extent),
        });
    }
    Ok(proposals)
}

/// # Definition
///
/// With σ the logistic function, cell (x, y) of a grid of w × h cells, anchor (a, b) and scale s:
/// middle = ((x + s·σ(t₀) − (s − 1)/2) ÷ w, …), size = (a·exp t₂, b·exp t₃),
/// score of class k = σ(t₄)·σ(t₅₊ₖ).
///
/// # References
///
/// Redmon & Farhadi (2018), arXiv:1804.02767.
fn yolo(
    head: &YoloHead,
    output: &ArrayD<f32>,
    [height, width]: [usize; 2],
    min_score: f64,
) -> Result<Vec<Proposal>, Misfit> {
    let n_values = 5 + head.n_classes;
    let n_channels = head.anchors.len() * n_values;
    let Some(maps) = maps(output).filter(|maps| maps.dim().0 == n_channels) else {
        return misfit(output, format!("[1, {n_channels}, rows, columns]"));
    };
    let (_, rows, columns) = maps.dim();
    let mut proposals = Vec::new();
    for (anchor_idx, anchor) in head.anchors.iter().enumerate() {
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            let first = anchor_idx * n_values;
            let cell = maps.slice(s![first..first + n_values, y, x]);
            let objectness = logistic(cell[4].into());
            // No class scores above the objectness; most cells hold nothing.
            if objectness < min_score {
                continue;
            }
            let within = |at: usize| {
                let stretch = head.scale_x_y;
                stretch * logistic(cell[at].into()) - (stretch - 1.0) / 2.0
            };
            let centre = [
                (x as f64 + within(0)) / columns as f64 * width as f64,
                (y as f64 + within(1)) / rows as f64 * height as f64,
            ];
            let extent = [0, 1].map(|axis| anchor[axis] * f64::from(cell[2 + axis]).exp());
            every_class(
                &mut proposals,
                cell.slice(s![5..]),
                |logit| objectness * logistic(logit.into()),
                BoxXyxy::around(centre, extent),
                min_score,
            );
        }
    }
    Ok(proposals)
}

fn ready_boxes(
    scores: &ArrayD<f32>,
    boxes: &ArrayD<f32>,
    [height, width]: [usize; 2],
    min_score: f64,
) -> Result<Vec<Proposal>, Misfit> {
    let faces: Option<ArrayView1<'_, f32>> = match scores.ndim() {
        2 => {
            let rows = scores.view().into_dimensionality::<Ix2>().ok();
            rows.filter(|rows| rows.nrows() == 1)
                .map(|rows| rows.index_axis_move(Axis(0), 0))
        }
        _ => matrix(scores)
            .filter(|rows| rows.ncols() == 2)
            .map(|rows| rows.index_axis_move(Axis(1), 1)),
    };
    let Some(faces) = faces else {
        return misfit(scores, "[1, boxes] or [1, boxes, 2]");
    };
    let Some(boxes_of_one) = matrix(boxes).filter(|rows| rows.dim() == (faces.len(), 4)) else {
        return misfit(boxes, format!("[1, {}, 4]", faces.len()));
    };
    Ok(faces
        .iter()
        .zip(boxes_of_one.outer_iter())
        .map(|(&score, edges)| (f64::from(score), edges))
        .filter(|(score, _)| *score >= min_score)
        .map(|(score, edges)| {
            let x = |at: usize| f64::from(edges[at]) * width as f64;
            let y = |at: usize| f64::from(edges[at]) * height as f64;
            Proposal {
                class_idx: 0,
                score,
                bounds: BoxXyxy::new(x(0), y(1), x(2), y(3)),
            }
        })
        .collect())
}

/// A proposal for each class that scores enough.
fn every_class(
    proposals: &mut Vec<Proposal>,
    classes: ArrayView1<'_, f32>,
    score: impl Fn(f32) -> f64,
    bounds: BoxXyxy,
    min_score: f64,
) {
    let scored = classes.iter().map(|&value| score(value)).enumerate();
    proposals.extend(
        scored
            .filter(|(_, score)| *score >= min_score)
            .map(|(class_idx, score)| Proposal {
                class_idx,
                score,
                bounds,
            }),
    );
}

/// The first of the largest.
fn likeliest(values: ArrayView1<'_, f32>) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, IxDyn};

    #[test]
    fn a_yolo_cell_is_decoded_by_hand() {
        let head = YoloHead {
            tensor: "out".into(),
            anchors: vec![[10.0, 20.0], [30.0, 60.0]],
            n_classes: 2,
            scale_x_y: 1.0,
        };
        let mut output = Array::from_elem(IxDyn(&[1, 14, 2, 4]), -20.0_f32);
        // Second anchor, row 1, column 2: the middle of the cell, twice as wide as the anchor.
        for (at, value) in [(7, 0.0), (8, 0.0), (9, 2.0_f32.ln()), (10, 0.0), (11, 20.0)] {
            output[[0, at, 1, 2]] = value;
        }
        output[[0, 13, 1, 2]] = 0.0;
        let decoder = Decoder::Darknet(vec![head.clone()]);
        let found = decoder
            .decode(&[output.clone()], [64, 128], 2, 0.1)
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].class_idx, 1);
        assert!((found[0].score - 0.5).abs() < 1e-6);
        // Cells have 32 pixels: the middle is at (80, 48).
        let expected = BoxXyxy::new(80.0 - 30.0, 48.0 - 30.0, 80.0 + 30.0, 48.0 + 30.0);
        assert!((found[0].bounds.iou(&expected) - 1.0).abs() < 1e-6);
        // The stretch moves only what is off the middle of a cell.
        let stretched = Decoder::Darknet(vec![YoloHead {
            scale_x_y: 1.2,
            ..head
        }]);
        assert_eq!(
            stretched.decode(&[output], [64, 128], 2, 0.1).unwrap(),
            found
        );
    }

    #[test]
    fn outputs_of_another_network_are_refused() {
        let output = ArrayD::<f32>::zeros(IxDyn(&[1, 9, 7]));
        for decoder in [
            Decoder::Yolox,
            Decoder::FastestDet,
            Decoder::ReadyBoxes {
                scores: 0,
                boxes: 0,
            },
        ] {
            let error = decoder
                .decode(std::slice::from_ref(&output), [32, 32], 2, 0.5)
                .unwrap_err();
            assert!(error.to_string().contains("[1, 9, 7]"), "{error}");
        }
    }

    #[test]
    fn scores_of_faces_come_with_or_without_the_background() {
        let boxes = Array::from_shape_vec(
            IxDyn(&[1, 2, 4]),
            vec![0.0, 0.0, 0.5, 0.25, 0.1, 0.1, 0.2, 0.2],
        )
        .unwrap();
        let alone = Array::from_shape_vec(IxDyn(&[1, 2]), vec![0.75, 0.25]).unwrap();
        let both = Array::from_shape_vec(IxDyn(&[1, 2, 2]), vec![0.25, 0.75, 0.75, 0.25]).unwrap();
        let decoder = Decoder::ReadyBoxes {
            scores: 0,
            boxes: 1,
        };
        for scores in [alone, both] {
            let found = decoder
                .decode(&[scores, boxes.clone()], [40, 80], 1, 0.5)
                .unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].bounds, BoxXyxy::new(0.0, 0.0, 40.0, 10.0));
        }
    }
}
