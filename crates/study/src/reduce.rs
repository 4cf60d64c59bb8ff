//! Fewer features a layer, on the way from the network to the disk.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use consilience_io::{IoError, npy};
use consilience_models::{Clips, ExtractParams, ExtractedLayer, Extractor, Layer, Network};
use consilience_stats::reduce::{
    Pca, ReduceError, SparseProjection, johnson_lindenstrauss_min_dim,
};
use ndarray::{Array2, ArrayView2};

use crate::progress::Progress;
use crate::{Result, StudyError};

/// Most memory that the components of all layers may take.
const COMPONENTS_BUDGET: usize = 1 << 30;

/// How many features of a layer are kept, and how they are made.
///
/// # Definition
///
/// A layer that has no more features than would come out stays as it is.
///
/// # Example
///
/// ```
/// use consilience_study::reduce::Reduction;
///
/// assert_eq!("pca=50".parse(), Ok(Reduction::Pca(50)));
/// assert_eq!("sparse=0.2".parse::<Reduction>().unwrap().to_string(), "sparse=0.2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Reduction {
    /// All features.
    #[default]
    None,
    /// A sparse random projection to that many features.
    Sparse(usize),
    /// A sparse random projection to as many features as keep every squared distance of the pictures
    /// within a factor 1 ± ε.
    SparseWithin(f64),
    /// That many principal components, fitted on pictures that are named.
    Pca(usize),
}

/// A word that is no reduction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected none, sparse (all distances within 10 %), sparse=0.2 (within 20 %), sparse=500 or pca=50 (so many features), found {found:?}"
)]
pub struct UnknownReduction {
    /// What was given.
    pub found: String,
}

impl FromStr for Reduction {
    type Err = UnknownReduction;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownReduction> {
        let unknown = || UnknownReduction {
            found: text.to_owned(),
        };
        let count = |number: &str| number.parse().ok().filter(|n: &usize| *n > 0);
        match text.split_once('=') {
            None if text == "none" => Ok(Self::None),
            None if text == "sparse" => Ok(Self::SparseWithin(0.1)),
            Some(("pca", number)) => count(number).map(Self::Pca).ok_or_else(unknown),
            Some(("sparse", number)) => match (count(number), number.parse::<f64>()) {
                (Some(n_components), _) => Ok(Self::Sparse(n_components)),
                (None, Ok(eps)) if eps > 0.0 && eps < 1.0 => Ok(Self::SparseWithin(eps)),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Sparse(n_components) => write!(f, "sparse={n_components}"),
            Self::SparseWithin(eps) => write!(f, "sparse={eps}"),
            Self::Pca(n_components) => write!(f, "pca={n_components}"),
        }
    }
}

impl Reduction {
    /// Features that come out of a layer of `n_features` for `n_images` pictures.
    #[must_use]
    pub fn n_features(self, n_features: usize, n_images: usize) -> usize {
        let wanted = match self {
            Self::None => n_features,
            Self::Sparse(n_components) | Self::Pca(n_components) => n_components,
            Self::SparseWithin(eps) => {
                johnson_lindenstrauss_min_dim(n_images, eps).map_or(n_features, |n| n.max(1))
            }
        };
        wanted.min(n_features)
    }

    /// Whether pictures to fit on are needed.
    #[must_use]
    pub fn needs_fit(self) -> bool {
        matches!(self, Self::Pca(_))
    }
}

/// A reduction that is ready for one layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reducer {
    /// All features stay.
    Keep,
    /// Sparse random projection.
    Sparse(SparseProjection),
    /// Principal components.
    Pca(Box<Pca>),
}

impl Reducer {
    /// The features that are kept, a row for each row.
    #[must_use]
    pub fn apply<'a>(&self, rows: ArrayView2<'a, f32>) -> Cow<'a, [f32]> {
        let owned = |rows: Array2<f32>| Cow::Owned(rows.into_raw_vec_and_offset().0);
        match self {
            Self::Keep => match rows.to_slice() {
                Some(values) => Cow::Borrowed(values),
                None => owned(rows.as_standard_layout().into_owned()),
            },
            Self::Sparse(projection) => owned(projection.project(rows)),
            Self::Pca(pca) => owned(pca.transform(rows)),
        }
    }
}

/// What a reduction is made from, besides the network.
#[derive(Debug, Clone, Copy)]
pub struct ReduceInputs<'a> {
    /// What is asked for.
    pub reduction: Reduction,
    /// Seed of random projections; each layer has a stream of its own, by its name.
    pub seed: u64,
    /// Number of rows (pictures, frames or means of clips) that will be reduced.
    pub n_rows: usize,
    /// Pictures and films whose rows principal components are fitted on.
    pub fit: &'a Clips,
    /// Folder for activations while components are fitted; they are removed at the end.
    pub scratch: &'a Path,
}

/// Makes the reducer of each layer of `layers`, in the order of [`Extractor::layers`].
///
/// # Errors
///
/// [`StudyError::Reduce`] naming the layer, what extraction can end with, a full disk.
pub fn reducers(
    network: &Network,
    layers: &[Layer],
    params: &ExtractParams,
    inputs: &ReduceInputs<'_>,
    progress: &dyn Progress,
) -> Result<Vec<Reducer>> {
    if inputs.reduction == Reduction::None {
        return Ok(vec![Reducer::Keep; layers.len()]);
    }
    let extractor = Extractor::prepare(network, layers, params)?;
    let described = extractor.layers.clone();
    let n_out = |layer: &ExtractedLayer| {
        let n = inputs.reduction.n_features(layer.n_features, inputs.n_rows);
        (n < layer.n_features).then_some(n)
    };
    let Reduction::Pca(n_components) = inputs.reduction else {
        return described
            .iter()
            .map(|layer| match n_out(layer) {
                None => Ok(Reducer::Keep),
                Some(n) => sparse(layer, n, inputs.seed),
            })
            .collect();
    };
    let n_bytes: usize = described
        .iter()
        .filter_map(|l| Some(n_out(l)? * l.n_features * 4))
        .sum();
    if n_bytes > COMPONENTS_BUDGET {
        return Err(StudyError::ManyComponents {
            found: n_bytes,
            limit: COMPONENTS_BUDGET,
        });
    }
    let folder = std::fs::create_dir_all(inputs.scratch)
        .and_then(|()| {
            // An extraction clears away what a killed one left under such a name.
            let mut folder = tempfile::Builder::new();
            folder.prefix(".unfinished-fit-").tempdir_in(inputs.scratch)
        })
        .map_err(os("make a folder for scratch files"))?;
    let path = |idx: usize| folder.path().join(format!("{idx}.npy"));
    let shape = |layer: &ExtractedLayer| [inputs.fit.n_rows(), layer.n_features];
    let mut writers = described
        .iter()
        .enumerate()
        .map(
            |(idx, layer)| match layer.alias_of.is_none() && n_out(layer).is_some() {
                true => npy::Writer::<f32>::create(path(idx), &shape(layer)).map(Some),
                false => Ok(None),
            },
        )
        .collect::<std::result::Result<Vec<_>, _>>()?;
    progress.begin("activations to fit on", inputs.fit.n_frames() as u64);
    extractor.run_clips(
        inputs.fit,
        0..inputs.fit.n_rows(),
        |block| -> Result<()> {
            if let Some(writer) = &mut writers[block.layer_idx] {
                writer.append(&Reducer::Keep.apply(block.rows))?;
            }
            Ok(())
        },
        |done| progress.advance_to(done as u64),
    )?;
    progress.end();
    for writer in writers.into_iter().flatten() {
        writer.finish()?;
    }
    progress.begin("principal components", described.len() as u64);
    let mut fitted: Vec<Reducer> = Vec::with_capacity(described.len());
    for (idx, layer) in described.iter().enumerate() {
        let reducer = match (layer.alias_of, n_out(layer)) {
            (Some(first), _) => fitted[first].clone(),
            (None, None) => Reducer::Keep,
            (None, Some(_)) => {
                let [n_rows, n_features] = shape(layer);
                let mut columns = Columns::open(&path(idx), n_rows, n_features)?;
                let pca = Pca::fit((n_rows, n_features), n_components, |range| {
                    columns.read(range)
                })
                .map_err(|error| match error {
                    FitError::Reduce(source) => of_layer(layer, source),
                    FitError::Io(error) => error.into(),
                })?;
                Reducer::Pca(Box::new(pca))
            }
        };
        fitted.push(reducer);
        progress.advance_to(idx as u64 + 1);
    }
    progress.end();
    Ok(fitted)
}

fn sparse(layer: &ExtractedLayer, n_components: usize, seed: u64) -> Result<Reducer> {
    let hash = blake3::hash(layer.name.as_bytes());
    let (first, _) = hash.as_bytes().split_at(8);
    let stream = u64::from_le_bytes(first.try_into().expect("eight bytes"));
    SparseProjection::new(layer.n_features, n_components, None, seed, stream)
        .map(Reducer::Sparse)
        .map_err(|source| of_layer(layer, source))
}

fn of_layer(layer: &ExtractedLayer, source: ReduceError) -> StudyError {
    StudyError::Reduce {
        layer: layer.name.clone(),
        source,
    }
}

fn os(action: &'static str) -> impl Fn(std::io::Error) -> IoError {
    move |source| IoError::Os { action, source }
}

/// Why a fit stopped.
enum FitError {
    Reduce(ReduceError),
    Io(IoError),
}

impl From<ReduceError> for FitError {
    fn from(error: ReduceError) -> Self {
        Self::Reduce(error)
    }
}

/// An array file of our own, read by ranges of columns.
struct Columns {
    file: File,
    data_offset: u64,
    n_rows: usize,
    n_features: usize,
}

impl Columns {
    fn open(path: &Path, n_rows: usize, n_features: usize) -> Result<Self> {
        let header = npy::header(path)?;
        Ok(Self {
            file: File::open(path).map_err(os("open the file"))?,
            data_offset: header.data_offset,
            n_rows,
            n_features,
        })
    }

    fn read(&mut self, columns: Range<usize>) -> std::result::Result<Array2<f32>, FitError> {
        let mut values = Vec::with_capacity(self.n_rows * columns.len());
        let mut bytes = vec![0; columns.len() * size_of::<f32>()];
        for row in 0..self.n_rows {
            let first = (row * self.n_features + columns.start) * size_of::<f32>();
            self.file
                .seek(SeekFrom::Start(self.data_offset + first as u64))
                .and_then(|_| self.file.read_exact(&mut bytes))
                .map_err(|error| FitError::Io(os("read the file")(error)))?;
            let (numbers, _) = bytes.as_chunks::<4>();
            values.extend(numbers.iter().map(|b| f32::from_le_bytes(*b)));
        }
        Ok(Array2::from_shape_vec((self.n_rows, columns.len()), values)
            .expect("a value for each row and column"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_print_as_they_are_read() {
        for text in ["none", "sparse=500", "sparse=0.25", "pca=50"] {
            assert_eq!(text.parse::<Reduction>().unwrap().to_string(), text);
        }
        assert_eq!("sparse".parse(), Ok(Reduction::SparseWithin(0.1)));
        for text in [
            "",
            "pca",
            "pca=0",
            "sparse=0",
            "sparse=-1",
            "sparse=1.5",
            "sparse=nan",
            "umap=2",
        ] {
            assert!(text.parse::<Reduction>().is_err(), "{text}");
        }
    }

    #[test]
    fn small_layers_stay_as_they_are() {
        assert_eq!(Reduction::Pca(50).n_features(20, 9), 20);
        assert_eq!(Reduction::Sparse(50).n_features(200, 9), 50);
        assert_eq!(Reduction::SparseWithin(0.1).n_features(10_000, 1000), 5920);
        assert_eq!(Reduction::SparseWithin(0.1).n_features(10_000, 1), 1);
    }
}
