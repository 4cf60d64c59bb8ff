//! The inverse discrete cosine transform in 32-bit integers: Loeffler, Ligtenberg and Moschytz's method
//! with the roundings of libjpeg's `jidctint.c`.
//!
//! # References
//!
//! Loeffler, Ligtenberg, Moschytz (1989). Practical fast 1-D DCT algorithms with 11 multiplications.
//! ICASSP, 988–991. doi:10.1109/ICASSP.1989.266596

use super::frame::Block;

/// Binary digits after the point of the constants, and of what is kept between the passes.
const CONSTANT_BITS: u32 = 13;
const PASS_BITS: u32 = 2;

/// One transform of eight numbers; wrapping, because damaged files can have any numbers.
#[inline]
fn transform_8(input: [i32; 8], shift: u32) -> [i32; 8] {
    let times = |value: i32, constant: i32| value.wrapping_mul(constant);
    let sum = |a: i32, b: i32| a.wrapping_add(b);

    let common = times(sum(input[2], input[6]), 4433);
    let low = sum(common, times(input[6], -15137));
    let high = sum(common, times(input[2], 6270));
    let plus = sum(input[0], input[4]).wrapping_shl(CONSTANT_BITS);
    let minus = input[0].wrapping_sub(input[4]).wrapping_shl(CONSTANT_BITS);
    let even = [
        sum(plus, high),
        sum(minus, low),
        minus.wrapping_sub(low),
        plus.wrapping_sub(high),
    ];

    let [a, b, c, d] = [input[7], input[5], input[3], input[1]];
    let turned = times(sum(sum(a, c), sum(b, d)), 9633);
    let outer = times(sum(a, d), -7373);
    let inner = times(sum(b, c), -20995);
    let first = sum(times(sum(a, c), -16069), turned);
    let second = sum(times(sum(b, d), -3196), turned);
    let odd = [
        sum(times(d, 12299), sum(outer, second)),
        sum(times(c, 25172), sum(inner, first)),
        sum(times(b, 16819), sum(inner, second)),
        sum(times(a, 2446), sum(outer, first)),
    ];

    let rounded = |value: i32| sum(value, 1 << (shift - 1)) >> shift;
    let mut output = [0; 8];
    for at in 0..4 {
        output[at] = rounded(sum(even[at], odd[at]));
        output[7 - at] = rounded(even[at].wrapping_sub(odd[at]));
    }
    output
}

/// Samples of a block, written to rows of `stride`.
pub(super) fn transform(block: &Block, quantisation: &[u16; 64], out: &mut [u8], stride: usize) {
    let value = |at: usize| i32::from(block[at]) * i32::from(quantisation[at]);
    let to_byte = |value: i32| value.saturating_add(128).clamp(0, 255) as u8;
    if block[1..].iter().all(|&coefficient| coefficient == 0) {
        // Both passes of a flat block at once.
        let flat = value(0).wrapping_shl(PASS_BITS);
        let flat = to_byte(flat.wrapping_add(1 << (PASS_BITS + 2)) >> (PASS_BITS + 3));
        for row in out.chunks_mut(stride).take(8) {
            row[..8].fill(flat);
        }
        return;
    }
    // Row by row of what the first pass gives, so that the second one reads in order.
    let mut rows = [[0; 8]; 8];
    for column in 0..8 {
        let mut input = [0; 8];
        for (row, input) in input.iter_mut().enumerate() {
            *input = value(row * 8 + column);
        }
        let output = match input {
            [first, 0, 0, 0, 0, 0, 0, 0] => [first.wrapping_shl(PASS_BITS); 8],
            _ => transform_8(input, CONSTANT_BITS - PASS_BITS),
        };
        for (row, output) in rows.iter_mut().zip(output) {
            row[column] = output;
        }
    }
    for (input, out) in rows.into_iter().zip(out.chunks_mut(stride)) {
        let samples = transform_8(input, CONSTANT_BITS + PASS_BITS + 3);
        for (out, sample) in out.iter_mut().zip(samples) {
            *out = to_byte(sample);
        }
    }
}
