//! How much a file may ask for.

/// Upper bounds that every reader checks before it reserves memory.
///
/// The defaults let any sensible research file through on a workstation; raise a field for a file that is
/// known to be larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest array or decoded value in bytes. Default 8 GiB.
    pub max_array_bytes: u64,
    /// Largest file that is read into memory as a whole (`.mat`, `.csv`, `.safetensors`, pictures).
    /// Default 4 GiB.
    pub max_file_bytes: u64,
    /// Largest JSON text, of which a value takes about ten times the memory. Default 256 MiB.
    pub max_json_bytes: u64,
    /// Most bytes that one compressed byte may become. Default 1032, the most that Deflate can do: a
    /// larger claim is a lie.
    pub max_inflation: u64,
    /// Most entries of an archive, variables of a `.mat` file or tensors of a weights file. Default
    /// 65,536.
    pub max_entries: usize,
    /// Most values inside one variable of a `.mat` file, cells and fields included. Default 4,194,304.
    pub max_values: usize,
    /// Most cells of a table. Default 2²⁸.
    pub max_cells: usize,
    /// Deepest nesting of cells and structs. Default 32.
    pub max_depth: usize,
    /// Most pixels of a picture. Default 2²⁸ (16,384 × 16,384).
    pub max_pixels: u64,
    /// Most frames of a film. Default 4,194,304 (19 hours of 60 a second).
    pub max_frames: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_array_bytes: 8 << 30,
            max_file_bytes: 4 << 30,
            max_json_bytes: 256 << 20,
            max_inflation: 1032,
            max_entries: 1 << 16,
            max_values: 1 << 22,
            max_cells: 1 << 28,
            max_depth: 32,
            max_pixels: 1 << 28,
            max_frames: 1 << 22,
        }
    }
}

impl Limits {
    /// The most bytes that `n_compressed` bytes may become within these limits.
    pub(crate) fn inflated(&self, n_compressed: u64) -> u64 {
        n_compressed
            .saturating_mul(self.max_inflation)
            .min(self.max_array_bytes)
    }
}
