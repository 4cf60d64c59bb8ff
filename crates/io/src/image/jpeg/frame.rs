//! The frame: size, channels and their planes.

use super::{damaged, idct, unsupported};
use crate::Result;

/// Coefficients of 8 × 8 samples, row by row.
pub(super) type Block = [i16; 64];

/// How the coefficients are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each block at once.
    Sequential,
    /// Over several scans.
    Progressive,
}

impl Kind {
    /// What the marker of a frame says; `None` for other markers.
    pub(super) fn of(marker: u8) -> Result<Option<Self>> {
        match marker {
            0xc0 | 0xc1 => Ok(Some(Self::Sequential)),
            0xc2 => Ok(Some(Self::Progressive)),
            0xc3 => Err(unsupported("a lossless JPEG picture")),
            0xc5..=0xc7 | 0xcd..=0xcf => Err(unsupported("a hierarchical JPEG picture")),
            0xc9..=0xcb => Err(unsupported("a JPEG picture with arithmetic coding")),
            _ => Ok(None),
        }
    }
}

/// A picture that is being decoded.
pub(super) struct Frame {
    pub kind: Kind,
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
    /// Most blocks of a component in a unit, across and down.
    pub most: (usize, usize),
    /// Units across and down.
    pub units: (usize, usize),
}

/// A channel.
pub(super) struct Component {
    pub id: u8,
    /// Blocks in a unit, across and down.
    pub sampling: (usize, usize),
    /// Samples that belong to the picture, across and down.
    pub size: (usize, usize),
    /// Blocks across and down, those that only fill up units included.
    pub blocks: (usize, usize),
    pub slot: u8,
    /// Set by the first scan.
    pub quantisation: Option<[u16; 64]>,
    /// Samples, in rows of `blocks.0 * 8`.
    pub plane: Vec<u8>,
    /// Coefficients of a progressive picture.
    pub coefficients: Vec<Block>,
    /// Whether a scan had it.
    pub is_coded: bool,
}

impl Frame {
    pub(super) fn read(kind: Kind, body: &[u8]) -> Result<Self> {
        let cut_short = || damaged("the header", "cut short", "size and channels");
        let &[precision, h1, h0, w1, w0, n] = body.first_chunk::<6>().ok_or_else(cut_short)?;
        if precision != 8 {
            return Err(unsupported(format!(
                "a JPEG picture of {precision} bits a channel"
            )));
        }
        let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
        if height == 0 || width == 0 {
            return Err(damaged(
                "the size",
                format!("{width}×{height}"),
                "at least one pixel",
            ));
        }
        let (width, height) = (usize::from(width), usize::from(height));
        if ![1, 3, 4].contains(&n) {
            return Err(unsupported(format!("a JPEG picture of {n} channels")));
        }
        let specified = body.get(6..6 + 3 * usize::from(n)).ok_or_else(cut_short)?;
        let (specified, _) = specified.as_chunks::<3>();
        let samplings: Vec<(usize, usize)> = specified
            .iter()
            .map(|c| (usize::from(c[1] >> 4), usize::from(c[1] & 15)))
            .collect();
        if samplings
            .iter()
            .any(|(h, v)| !(1..=4).contains(h) || !(1..=4).contains(v))
        {
            return Err(damaged(
                "the sampling of a channel",
                format!("{samplings:?}"),
                "1 to 4",
            ));
        }
        let most = samplings
            .iter()
            .fold((1, 1), |most, s| (most.0.max(s.0), most.1.max(s.1)));
        if samplings
            .iter()
            .any(|s| most.0 % s.0 != 0 || most.1 % s.1 != 0)
        {
            return Err(unsupported(
                "a JPEG picture whose channels have no common raster",
            ));
        }
        let units = (width.div_ceil(8 * most.0), height.div_ceil(8 * most.1));
        let component = |(&[id, _, slot], sampling): (&[u8; 3], (usize, usize))| Component {
            id,
            sampling,
            size: (
                (width * sampling.0).div_ceil(most.0),
                (height * sampling.1).div_ceil(most.1),
            ),
            blocks: (units.0 * sampling.0, units.1 * sampling.1),
            slot,
            quantisation: None,
            plane: Vec::new(),
            coefficients: Vec::new(),
            is_coded: false,
        };
        Ok(Self {
            kind,
            width,
            height,
            components: specified
                .iter()
                .zip(samplings.iter().copied())
                .map(component)
                .collect(),
            most,
            units,
        })
    }

    /// Reserves planes and coefficients, after the size was found good.
    pub(super) fn allocate(&mut self) {
        for component in &mut self.components {
            let n_blocks = component.blocks.0 * component.blocks.1;
            component.plane = vec![0; n_blocks * 64];
            if self.kind == Kind::Progressive {
                component.coefficients = vec![[0; 64]; n_blocks];
            }
        }
    }

    /// Whether nothing can follow: all channels of a sequential picture.
    pub(super) fn is_complete(&self) -> bool {
        self.kind == Kind::Sequential && self.components.iter().all(|c| c.is_coded)
    }

    /// Makes samples of the coefficients of a progressive picture.
    pub(super) fn transform(&mut self) {
        for component in &mut self.components {
            for (at, block) in std::mem::take(&mut component.coefficients)
                .iter()
                .enumerate()
            {
                component.put(at, block);
            }
        }
    }
}

impl Component {
    /// Makes the samples of block number `at`.
    pub(super) fn put(&mut self, at: usize, block: &Block) {
        let stride = self.blocks.0 * 8;
        let first = (at / self.blocks.0) * 8 * stride + (at % self.blocks.0) * 8;
        let quantisation = self.quantisation.as_ref().unwrap_or(&[1; 64]);
        idct::transform(block, quantisation, &mut self.plane[first..], stride);
    }

    /// A row of samples that belong to the picture; the outermost one beyond the edges.
    pub(super) fn row(&self, row: isize) -> &[u8] {
        let row = row.clamp(0, self.size.1.cast_signed() - 1).unsigned_abs();
        let first = row * self.blocks.0 * 8;
        &self.plane[first..first + self.size.0]
    }
}
