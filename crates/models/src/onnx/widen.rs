//! 16-bit floats as 32-bit floats.

use crate::graph::{Attribute, Element, Graph, Tensor};

/// Makes a network that computes with 16-bit floats compute with 32-bit floats: its weights, its
/// constants, and the types that it converts to.
///
/// Every 16-bit float is a 32-bit float, so the weights stay what they are; the activations are
/// rounded less than a 16-bit computation rounds them.
pub(super) fn widen(graph: &mut Graph) {
    for tensor in graph.initialisers.values_mut() {
        widen_tensor(tensor);
    }
    for node in &mut graph.nodes {
        for (name, value) in &mut node.attributes {
            match value {
                Attribute::Tensor(tensor) => widen_tensor(tensor),
                Attribute::Int(code)
                    if (name == "to" || name == "dtype")
                        && [Element::F16 as i64, Element::Bf16 as i64].contains(code) =>
                {
                    *code = Element::F32 as i64;
                }
                _ => {}
            }
        }
    }
}

fn widen_tensor(tensor: &mut Tensor) {
    let widened = match tensor.element() {
        Element::F16 => half_to_single,
        Element::Bf16 => |bits: u16| f32::from_bits(u32::from(bits) << 16),
        _ => return,
    };
    let (halves, _) = tensor.bytes().as_chunks::<2>();
    let values: Vec<f32> = halves
        .iter()
        .map(|b| widened(u16::from_le_bytes(*b)))
        .collect();
    let shape = tensor.shape().to_vec();
    *tensor = Tensor::from_f32(shape, &values).expect("a number for each number");
}

/// IEEE 754 binary16 as binary32: sign, exponent and fraction move to their places; what has no
/// exponent is a multiple of 2⁻²⁴.
fn half_to_single(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 31;
    let fraction = u32::from(bits) & 1023;
    let magnitude = match exponent {
        0 => (fraction as f32 * 2.0_f32.powi(-24)).to_bits(),
        31 => 0x7F80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_keep_their_value() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
            (0x7C00, f32::INFINITY),
            (0xFC00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half_to_single(bits), value, "{bits:#06x}");
        }
        assert!(half_to_single(0x7E00).is_nan());
        assert!(half_to_single(0x8000).is_sign_negative());
    }
}
