//! Bits of a scan and the Huffman codes in them.

use super::damaged;
use crate::Result;

/// Bits that are looked up at once.
const LOOK: u32 = 9;

/// A Huffman code.
pub(super) struct Huffman {
    /// For every beginning of `LOOK` bits, length and symbol of the code; length 0 for longer ones.
    short: Box<[(u8, u8); 1 << LOOK]>,
    /// For each length, one more than the last code, moved to 16 bits.
    ends: [u32; 17],
    /// For each length, what to add to a code to get the position of its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the number of codes of 1, 2 … 16 bits and their symbols.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self> {
        let mut short = Box::new([(0, 0); 1 << LOOK]);
        let (mut ends, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut position) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let n = u32::from(counts[length as usize - 1]);
            offsets[length as usize] = position as i32 - code as i32;
            if code + n > 1 << length {
                return Err(damaged("a Huffman table", "over-full", "codes that differ"));
            }
            for _ in 0..n {
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    short[first..first + (1 << (LOOK - length))]
                        .fill((length as u8, symbols[position]));
                }
                code += 1;
                position += 1;
            }
            ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(Self {
            short,
            ends,
            offsets,
            symbols: symbols.to_vec(),
        })
    }
}

/// Bits of a scan, first the highest of each byte.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, from the highest one on.
    buffer: u64,
    n: u32,
    /// Bits that were made up after the end of the data.
    n_missing: u32,
    has_unknown_code: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            buffer: 0,
            n: 0,
            n_missing: 0,
            has_unknown_code: false,
        }
    }

    /// Where the data end: the marker after the scan.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn fill(&mut self) {
        while self.n <= 56 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    0xff
                }
                (Some(0xff), _) | (None, _) => {
                    // A marker or the end: zeros follow, which `check` finds when they are used.
                    self.n_missing += 8;
                    0
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.n);
            self.n += 8;
        }
    }

    /// Makes at least 16 bits ready.
    fn need(&mut self) {
        if self.n < 32 {
            self.fill();
        }
    }

    fn skip(&mut self, n: u32) {
        self.buffer <<= n;
        self.n -= n;
    }

    /// Whether all that was read until now was there; asked now and then, not for each bit.
    pub(super) fn check(&self) -> Result<()> {
        if self.n < self.n_missing {
            return Err(damaged("the data", "cut short", "all of its blocks"));
        }
        if self.has_unknown_code {
            return Err(damaged(
                "a Huffman code",
                "none of the table's",
                "one of them",
            ));
        }
        Ok(())
    }

    /// The next `n` ≤ 16 bits as a number.
    pub(super) fn read(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        self.need();
        let value = (self.buffer >> (64 - n)) as u32;
        self.skip(n);
        value
    }

    pub(super) fn bit(&mut self) -> bool {
        self.read(1) == 1
    }

    /// The next `n` ≤ 16 bits as a number with sign: half of them stand for negative ones.
    pub(super) fn signed(&mut self, n: u32) -> i32 {
        if n == 0 {
            return 0;
        }
        let value = self.read(n).cast_signed();
        if value < 1 << (n - 1) {
            value - (1 << n) + 1
        } else {
            value
        }
    }

    /// The symbol of the next code; 0 for bits that are no code, which [`Bits::check`] tells.
    pub(super) fn symbol(&mut self, table: &Huffman) -> u8 {
        self.need();
        let (length, symbol) = table.short[(self.buffer >> (64 - LOOK)) as usize];
        if length > 0 {
            self.skip(length.into());
            return symbol;
        }
        self.long_symbol(table)
    }

    fn long_symbol(&mut self, table: &Huffman) -> u8 {
        let ahead = (self.buffer >> 48) as u32;
        let length = (LOOK + 1..=16).find(|&length| ahead < table.ends[length as usize]);
        let symbol = length.and_then(|length| {
            self.skip(length);
            let code = (ahead >> (16 - length)).cast_signed();
            let position = usize::try_from(code + table.offsets[length as usize]).ok()?;
            table.symbols.get(position).copied()
        });
        self.has_unknown_code |= symbol.is_none();
        symbol.unwrap_or(0)
    }

    /// Passes a restart marker.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.check()?;
        // What is left of the interval are fewer bits than a byte.
        self.fill();
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xff, 0xd0..=0xd7]) => {
                *self = Self::new(self.bytes, self.at + 2);
                Ok(())
            }
            _ => Err(damaged(
                "the data",
                "without a restart marker",
                "one after each interval",
            )),
        }
    }
}
