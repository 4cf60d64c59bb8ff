//! Sliding windows: convolution and pooling.

use super::{Builder, Value};
use crate::graph::{Attribute, Tensor};

/// Settings of a `Conv2d`; the number of input channels follows from its input.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Conv {
    pub out: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: usize,
    pub groups: usize,
    pub bias: bool,
}

impl Conv {
    /// `out` channels from `size × size` pixels, with bias, each pixel, without padding.
    pub fn square(out: usize, size: usize) -> Self {
        Self::sized(out, [size; 2])
    }

    /// As [`Conv::square`] for a window of any height and width.
    pub fn sized(out: usize, kernel: [usize; 2]) -> Self {
        Self {
            out,
            kernel,
            stride: [1; 2],
            padding: [0; 2],
            dilation: 1,
            groups: 1,
            bias: true,
        }
    }

    /// Every `n`-th pixel of every `n`-th row.
    pub fn stride(self, n: usize) -> Self {
        Self {
            stride: [n; 2],
            ..self
        }
    }

    /// `n` zeros at each edge.
    pub fn padding(self, n: usize) -> Self {
        Self {
            padding: [n; 2],
            ..self
        }
    }

    /// As many zeros at each edge as keep the size at stride 1.
    pub fn same(self) -> Self {
        Self {
            padding: self.kernel.map(|size| self.dilation * (size - 1) / 2),
            ..self
        }
    }

    /// Pixels of the window are `n` apart.
    pub fn dilation(self, n: usize) -> Self {
        Self {
            dilation: n,
            ..self
        }
    }

    /// Channels in `n` groups that do not see each other.
    pub fn groups(self, n: usize) -> Self {
        Self { groups: n, ..self }
    }

    /// Without bias.
    pub fn without_bias(self) -> Self {
        Self {
            bias: false,
            ..self
        }
    }
}

/// Settings of a `MaxPool2d` or `AvgPool2d`.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Pool {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
    /// Whether windows that begin inside the map but end outside count.
    pub ceil: bool,
    /// Whether zeros of the padding count for a mean.
    pub count_include_pad: bool,
}

impl Pool {
    /// Windows of `size × size` at every `stride`-th pixel, whole ones only.
    pub fn new(size: usize, stride: usize) -> Self {
        Self {
            size,
            stride,
            padding: 0,
            ceil: false,
            count_include_pad: true,
        }
    }

    /// `n` pixels at each edge.
    pub fn padding(self, n: usize) -> Self {
        Self { padding: n, ..self }
    }

    /// Windows that end outside count too.
    pub fn ceil(self) -> Self {
        Self { ceil: true, ..self }
    }

    fn attributes(self) -> Vec<(&'static str, Attribute)> {
        vec![
            ("ceil_mode", Attribute::Int(self.ceil.into())),
            ("kernel_shape", ints(&[self.size; 2])),
            ("pads", ints(&[self.padding; 4])),
            ("strides", ints(&[self.stride; 2])),
        ]
    }

    fn n_windows(self, extent: usize) -> Option<usize> {
        let room = (extent + 2 * self.padding).checked_sub(self.size)?;
        if !self.ceil {
            return Some(room / self.stride + 1);
        }
        let n = room.div_ceil(self.stride) + 1;
        // A window must not begin in the padding behind the map.
        let begins_outside = (n - 1) * self.stride >= extent + self.padding;
        Some(n - usize::from(begins_outside))
    }
}

impl Builder {
    /// `Conv2d` on `(c, h, w)`; keys `{module}.weight` and, with bias, `{module}.bias`.
    pub fn conv(&mut self, module: &str, x: &Value, conv: Conv) -> Value {
        let weight = vec![
            conv.out,
            x.shape[0] / conv.groups,
            conv.kernel[0],
            conv.kernel[1],
        ];
        let weight = self.parameter(&format!("{module}.weight"), weight);
        let bias = conv
            .bias
            .then(|| self.parameter(&format!("{module}.bias"), vec![conv.out]));
        let mut shape = vec![conv.out];
        for axis in 0..2 {
            let window = conv.dilation * (conv.kernel[axis] - 1) + 1;
            let room = (x.shape[1 + axis] + 2 * conv.padding[axis]).checked_sub(window);
            shape.push(self.n_windows(module, room.map(|room| room / conv.stride[axis] + 1)));
        }
        let [top, left] = conv.padding;
        let attributes = [
            ("dilations", ints(&[conv.dilation; 2])),
            ("group", ints_of_one(conv.groups)),
            ("kernel_shape", ints(&conv.kernel)),
            ("pads", ints(&[top, left, top, left])),
            ("strides", ints(&conv.stride)),
        ];
        let mut inputs = vec![x, &weight];
        inputs.extend(&bias);
        self.module(module, "Conv", &inputs, &attributes, shape)
    }

    /// `MaxPool2d`.
    pub fn max_pool(&mut self, module: &str, x: &Value, pool: Pool) -> Value {
        let shape = self.pooled(module, x, pool);
        self.module(module, "MaxPool", &[x], &pool.attributes(), shape)
    }

    /// `AvgPool2d`.
    pub fn avg_pool(&mut self, module: &str, x: &Value, pool: Pool) -> Value {
        let shape = self.pooled(module, x, pool);
        let mut attributes = pool.attributes();
        let counts = Attribute::Int(pool.count_include_pad.into());
        attributes.push(("count_include_pad", counts));
        self.module(module, "AveragePool", &[x], &attributes, shape)
    }

    /// `AdaptiveAvgPool2d` to `(h, w)`.
    ///
    /// Position i of n is the mean of the pixels ⌊i·e/n⌋ … ⌈(i+1)·e/n⌉ − 1 of an extent e.
    pub fn adaptive_avg_pool(&mut self, module: &str, x: &Value, size: [usize; 2]) -> Value {
        let [channels, height, width] = [x.shape[0], x.shape[1], x.shape[2]];
        let shape = vec![channels, size[0], size[1]];
        if size == [1, 1] {
            return self.module(module, "GlobalAveragePool", &[x], &[], shape);
        }
        self.fix_size();
        if size == [height, width] {
            self.identity(module, x);
            return x.clone();
        }
        if height % size[0] == 0 && width % size[1] == 0 {
            let window = [height / size[0], width / size[1]];
            let attributes = [("kernel_shape", ints(&window)), ("strides", ints(&window))];
            return self.module(module, "AveragePool", &[x], &attributes, shape);
        }
        let rows = self.constant(&format!("{module}/rows"), means(size[0], height));
        let columns = transposed_means(size[1], width);
        let columns = self.constant(&format!("{module}/columns"), columns);
        let fewer_rows = vec![channels, size[0], width];
        let fewer_rows = self.op(
            &format!("{module}/of_rows"),
            "MatMul",
            &[&rows, x],
            &[],
            fewer_rows,
        );
        self.module(module, "MatMul", &[&fewer_rows, &columns], &[], shape)
    }

    /// `AdaptiveMaxPool2d(2)`: the largest of each quarter.
    ///
    /// Halves of an odd extent share the row or column in the middle.
    pub fn adaptive_max_pool_of_quarters(&mut self, module: &str, x: &Value) -> Value {
        self.fix_size();
        let extents = [x.shape[1], x.shape[2]];
        if extents.contains(&1) {
            self.too_small(module);
        }
        let halves = extents.map(halves);
        let attributes = [
            ("kernel_shape", ints(&halves.map(|(size, _)| size))),
            ("pads", ints(&[0; 4])),
            ("strides", ints(&halves.map(|(_, stride)| stride))),
        ];
        let shape = vec![x.shape[0], 2, 2];
        self.module(module, "MaxPool", &[x], &attributes, shape)
    }

    fn pooled(&mut self, module: &str, x: &Value, pool: Pool) -> Vec<usize> {
        let mut shape = x.shape.clone();
        for extent in &mut shape[1..] {
            *extent = self.n_windows(module, pool.n_windows(*extent));
        }
        shape
    }

    /// A number of windows; one, with a note, where the map is smaller than the window.
    fn n_windows(&mut self, module: &str, n: Option<usize>) -> usize {
        n.unwrap_or_else(|| {
            self.too_small(module);
            1
        })
    }
}

/// Size and stride of two windows that halve an extent; of an odd one they share the middle.
fn halves(extent: usize) -> (usize, usize) {
    (extent.div_ceil(2), (extent / 2).max(1))
}

fn ints(values: &[usize]) -> Attribute {
    Attribute::Ints(values.iter().map(|&value| value as i64).collect())
}

fn ints_of_one(value: usize) -> Attribute {
    Attribute::Int(value as i64)
}

/// Matrix `(n, extent)` whose rows take the means of an adaptive pooling.
fn means(n: usize, extent: usize) -> Tensor {
    let mut values = vec![0.0; n * extent];
    for (i, row) in values.chunks_mut(extent).enumerate() {
        let window = &mut row[i * extent / n..((i + 1) * extent).div_ceil(n)];
        let weight = 1.0 / window.len() as f32;
        window.fill(weight);
    }
    Tensor::from_f32(vec![n, extent], &values).expect("as many values as the shape has")
}

/// [`means`] the other way round, `(extent, n)`.
fn transposed_means(n: usize, extent: usize) -> Tensor {
    let rows = means(n, extent).to_f32().expect("made of f32");
    let values: Vec<f32> = (0..extent * n)
        .map(|at| rows[at % n * extent + at / n])
        .collect();
    Tensor::from_f32(vec![extent, n], &values).expect("as many values as the shape has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_as_torch_counts_them() {
        assert_eq!(Pool::new(3, 2).n_windows(13), Some(6));
        assert_eq!(Pool::new(3, 2).ceil().n_windows(14), Some(7));
        // ceil((7 + 2·1 − 2) / 2) + 1 = 5, but the fifth window would begin behind the map.
        assert_eq!(Pool::new(2, 2).padding(1).ceil().n_windows(7), Some(4));
        assert_eq!(Pool::new(3, 2).n_windows(2), None);
    }

    #[test]
    fn halves_are_the_windows_of_adaptive_pooling() {
        for extent in 2..60 {
            let (size, stride) = halves(extent);
            // Position i of 2 holds the pixels ⌊i·e/2⌋ … ⌈(i+1)·e/2⌉ − 1.
            for i in 0..2 {
                let expected = i * extent / 2..((i + 1) * extent).div_ceil(2);
                assert_eq!(i * stride..i * stride + size, expected, "{extent}");
            }
            assert!(2 * stride + size > extent, "there is no third window");
        }
    }

    #[test]
    fn windows_of_adaptive_pooling_overlap_where_they_must() {
        let rows = means(2, 3).to_f32().unwrap();
        assert_eq!(rows, [0.5, 0.5, 0.0, 0.0, 0.5, 0.5]);
        let columns = transposed_means(2, 3).to_f32().unwrap();
        assert_eq!(columns, [0.5, 0.0, 0.5, 0.5, 0.0, 0.5]);
        // More positions than pixels repeat them.
        let rows = means(3, 1).to_f32().unwrap();
        assert_eq!(rows, [1.0, 1.0, 1.0]);
    }
}
