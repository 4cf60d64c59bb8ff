//! Scans: from bits to coefficients.

use super::bits::{Bits, Huffman};
use super::frame::{Block, Frame, Kind};
use super::{Tables, damaged};
use crate::Result;

/// Where the k-th coefficient of the zigzag stands in the block.
pub(super) const NATURAL_ORDER: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Largest number of bits of a coefficient.
const MAX_BITS: u8 = 15;

/// The header of a scan.
pub(super) struct Scan {
    channels: Vec<Channel>,
    /// First and last coefficient, in zigzag order.
    band: (usize, usize),
    /// Digit up to which coefficients are known already; 0 when nothing is.
    known: u8,
    /// Digit that this scan reaches.
    digit: u8,
}

/// A channel of a scan.
struct Channel {
    component: usize,
    dc: usize,
    ac: usize,
}

/// What the decoding of a block needs besides the bits.
struct Coder<'a> {
    dc: Option<&'a Huffman>,
    ac: Option<&'a Huffman>,
    /// The first coefficient of the block before.
    predicted: i32,
}

impl Scan {
    pub(super) fn read(body: &[u8], frame: &Frame) -> Result<Self> {
        let cut_short = || {
            damaged(
                "the header of a scan",
                "cut short",
                "channels and coefficients",
            )
        };
        let n = usize::from(*body.first().ok_or_else(cut_short)?);
        let listed = body.get(1..1 + 2 * n).ok_or_else(cut_short)?;
        let &[first, last, digits] = body
            .get(1 + 2 * n..)
            .and_then(<[u8]>::first_chunk)
            .ok_or_else(cut_short)?;
        let mut channels: Vec<Channel> = Vec::new();
        for pair in listed.chunks_exact(2) {
            let component = frame.components.iter().position(|c| c.id == pair[0]);
            let component =
                component.filter(|found| channels.iter().all(|c| c.component != *found));
            let Some(component) = component else {
                return Err(damaged(
                    "a channel of a scan",
                    pair[0],
                    "each channel of the header once",
                ));
            };
            channels.push(Channel {
                component,
                dc: usize::from(pair[1] >> 4),
                ac: usize::from(pair[1] & 15),
            });
        }
        let blocks_in_unit: usize = channels
            .iter()
            .map(|c| frame.components[c.component].sampling)
            .map(|(across, down)| across * down)
            .sum();
        if channels.is_empty() || (channels.len() > 1 && blocks_in_unit > 10) {
            return Err(damaged("the blocks in a unit", blocks_in_unit, "1 to 10"));
        }
        let scan = match frame.kind {
            Kind::Sequential => Self {
                channels,
                band: (0, 63),
                known: 0,
                digit: 0,
            },
            Kind::Progressive => Self {
                channels,
                band: (first.into(), last.into()),
                known: digits >> 4,
                digit: digits & 15,
            },
        };
        let (first, last) = scan.band;
        let band_fits = match (frame.kind, first) {
            (Kind::Sequential, _) => true,
            (Kind::Progressive, 0) => last == 0,
            (Kind::Progressive, _) => first <= last && last < 64 && scan.channels.len() == 1,
        };
        if !band_fits || scan.digit > 13 || (scan.known > 0 && scan.known != scan.digit + 1) {
            let found = format!(
                "{first} to {last}, digit {} after {}",
                scan.digit, scan.known
            );
            return Err(damaged(
                "the coefficients of a scan",
                found,
                "those of a progressive picture",
            ));
        }
        Ok(scan)
    }

    /// Decodes the scan that begins at byte `at`; gives the byte after it.
    pub(super) fn decode(
        &self,
        frame: &mut Frame,
        tables: &Tables,
        bytes: &[u8],
        at: usize,
    ) -> Result<usize> {
        let mut coders = Vec::new();
        for channel in &self.channels {
            let component = &mut frame.components[channel.component];
            if component.quantisation.is_none() {
                let table = tables
                    .quantisation
                    .get(usize::from(component.slot))
                    .copied()
                    .flatten();
                component.quantisation = Some(table.ok_or_else(|| {
                    damaged("a quantisation table", "missing", "one for each channel")
                })?);
            }
            component.is_coded = true;
            coders.push(Coder {
                dc: tables.dc.get(channel.dc).and_then(Option::as_ref),
                ac: tables.ac.get(channel.ac).and_then(Option::as_ref),
                predicted: 0,
            });
        }
        let mut bits = Bits::new(bytes, at);
        let mut empty = 0;
        let units = match self.channels.as_slice() {
            // A channel by itself has no filling blocks.
            [only] => {
                let size = frame.components[only.component].size;
                (size.0.div_ceil(8), size.1.div_ceil(8))
            }
            _ => frame.units,
        };
        for unit in 0..units.0 * units.1 {
            if tables.restart > 0 && unit > 0 && unit % tables.restart == 0 {
                bits.restart()?;
                empty = 0;
                coders.iter_mut().for_each(|coder| coder.predicted = 0);
            }
            let (row, column) = (unit / units.0, unit % units.0);
            if column == 0 {
                bits.check()?;
            }
            for (channel, coder) in self.channels.iter().zip(&mut coders) {
                let component = &mut frame.components[channel.component];
                let (across, down) = if self.channels.len() == 1 {
                    (1, 1)
                } else {
                    component.sampling
                };
                for block in 0..across * down {
                    let y = row * down + block / across;
                    let x = column * across + block % across;
                    let at = y * component.blocks.0 + x;
                    if frame.kind == Kind::Sequential {
                        let mut block = [0; 64];
                        coder.sequential(&mut bits, &mut block)?;
                        component.put(at, &block);
                    } else {
                        self.progressive(
                            coder,
                            &mut bits,
                            &mut empty,
                            &mut component.coefficients[at],
                        )?;
                    }
                }
            }
        }
        bits.check()?;
        Ok(bits.position())
    }

    fn progressive(
        &self,
        coder: &mut Coder<'_>,
        bits: &mut Bits<'_>,
        empty: &mut u32,
        block: &mut Block,
    ) -> Result<()> {
        match (self.band.0, self.known) {
            (0, 0) => block[0] = low(coder.first(bits)? << self.digit),
            (0, _) if bits.bit() => block[0] |= 1 << self.digit,
            (0, _) => {}
            (_, 0) => self.begin_band(coder, bits, empty, block)?,
            _ => self.refine_band(coder, bits, empty, block)?,
        }
        Ok(())
    }

    /// The upper digits of a band; `empty` blocks follow without any.
    fn begin_band(
        &self,
        coder: &Coder<'_>,
        bits: &mut Bits<'_>,
        empty: &mut u32,
        block: &mut Block,
    ) -> Result<()> {
        if *empty > 0 {
            *empty -= 1;
            return Ok(());
        }
        let mut k = self.band.0;
        while k <= self.band.1 {
            let (run, n_bits) = coder.run(bits)?;
            if n_bits == 0 && run < 15 {
                *empty = (1_u32 << run) + bits.read(run.into()) - 1;
                return Ok(());
            }
            k += usize::from(run);
            if n_bits > 0 {
                let value = bits.signed(n_bits.into());
                *self.at(block, k)? = low(value << self.digit);
            }
            k += 1;
        }
        Ok(())
    }

    /// One more digit of a band: of the coefficients that were not 0, and new ones.
    fn refine_band(
        &self,
        coder: &Coder<'_>,
        bits: &mut Bits<'_>,
        empty: &mut u32,
        block: &mut Block,
    ) -> Result<()> {
        let unit = 1_i16 << self.digit;
        let mut k = self.band.0;
        while *empty == 0 && k <= self.band.1 {
            let (mut run, n_bits) = coder.run(bits)?;
            let new = match n_bits {
                0 if run < 15 => {
                    *empty = (1_u32 << run) + bits.read(run.into());
                    break;
                }
                0 => 0,
                1 if bits.bit() => unit,
                1 => -unit,
                _ => {
                    return Err(damaged(
                        "a coefficient",
                        format!("{n_bits} bits"),
                        "one bit",
                    ));
                }
            };
            // The run counts only coefficients that are 0 until now.
            loop {
                let coefficient = self.at(block, k)?;
                if *coefficient != 0 {
                    refine(coefficient, unit, bits);
                } else if run == 0 {
                    *coefficient = new;
                    k += 1;
                    break;
                } else {
                    run -= 1;
                }
                k += 1;
                if k > self.band.1 {
                    break;
                }
            }
        }
        if *empty > 0 {
            for k in k..=self.band.1 {
                let coefficient = self.at(block, k)?;
                if *coefficient != 0 {
                    refine(coefficient, unit, bits);
                }
            }
            *empty -= 1;
        }
        Ok(())
    }

    fn at<'b>(&self, block: &'b mut Block, k: usize) -> Result<&'b mut i16> {
        if k > self.band.1 {
            return Err(outside(k));
        }
        Ok(&mut block[usize::from(NATURAL_ORDER[k])])
    }
}

/// Adds a digit to a coefficient, away from 0.
fn refine(coefficient: &mut i16, unit: i16, bits: &mut Bits<'_>) {
    if bits.bit() && *coefficient & unit == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient > 0 { unit } else { -unit });
    }
}

impl Coder<'_> {
    /// The first coefficient of a block, which is told as the difference to the one before.
    fn first(&mut self, bits: &mut Bits<'_>) -> Result<i32> {
        let table = self.dc.ok_or_else(no_table)?;
        let n_bits = bits.symbol(table);
        if n_bits > MAX_BITS {
            return Err(damaged(
                "a coefficient",
                format!("{n_bits} bits"),
                "at most 15",
            ));
        }
        self.predicted = self.predicted.wrapping_add(bits.signed(n_bits.into()));
        Ok(self.predicted)
    }

    /// Number of zeros, and of bits of what follows them.
    fn run(&self, bits: &mut Bits<'_>) -> Result<(u8, u8)> {
        let symbol = bits.symbol(self.ac.ok_or_else(no_table)?);
        Ok((symbol >> 4, symbol & 15))
    }

    /// A whole block.
    fn sequential(&mut self, bits: &mut Bits<'_>, block: &mut Block) -> Result<()> {
        block[0] = low(self.first(bits)?);
        let mut k = 1;
        while k < 64 {
            let (run, n_bits) = self.run(bits)?;
            if n_bits == 0 {
                if run < 15 {
                    break;
                }
                k += 16;
                continue;
            }
            k += usize::from(run);
            let value = bits.signed(n_bits.into());
            let at = *NATURAL_ORDER.get(k).ok_or_else(|| outside(k))?;
            block[usize::from(at)] = low(value);
            k += 1;
        }
        Ok(())
    }
}

/// The lower 16 bits, which hold every coefficient of an undamaged picture.
fn low(value: i32) -> i16 {
    value as i16
}

fn no_table() -> crate::IoError {
    damaged("a Huffman table", "missing", "one for each channel")
}

fn outside(k: usize) -> crate::IoError {
    damaged(
        "a coefficient",
        format!("number {k}"),
        "one inside of its band",
    )
}
