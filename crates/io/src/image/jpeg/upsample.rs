//! Channels of lower resolution, brought to that of the picture.

use super::frame::{Component, Frame};

/// Row `y` of the picture from a channel; `out` is as long as the picture is wide.
///
/// # Definition
///
/// libjpeg's "fancy upsampling": between two samples the nearer one has weight ¾, in both directions
/// where both are halved; other proportions, and channels of two columns or fewer, repeat samples.
pub(super) fn row(frame: &Frame, component: &Component, y: usize, out: &mut [u8]) {
    let across = frame.most.0 / component.sampling.0;
    let down = frame.most.1 / component.sampling.1;
    let at = (y / down).cast_signed();
    let near = component.row(at);
    // The sample row on the other side of the picture's row.
    let upper = y.is_multiple_of(2);
    let far = || component.row(if upper { at - 1 } else { at + 1 });
    let is_wide = component.size.0 > 2;
    match (across, down) {
        (1, 1) => out.copy_from_slice(near),
        (2, 1) if is_wide => {
            let samples: Vec<u16> = near.iter().map(|&sample| sample.into()).collect();
            doubled::<2>(&samples, [1, 2], out);
        }
        (1, 2) => {
            let half = if upper { 1 } else { 2 };
            for ((out, near), far) in out.iter_mut().zip(near).zip(far()) {
                *out = ((u16::from(*near) * 3 + u16::from(*far) + half) >> 2) as u8;
            }
        }
        (2, 2) if is_wide => {
            let pairs = near.iter().zip(far());
            let sums: Vec<u16> = pairs
                .map(|(&near, &far)| u16::from(near) * 3 + u16::from(far))
                .collect();
            doubled::<4>(&sums, [8, 7], out);
        }
        _ => {
            for (out, sample) in out.chunks_mut(across).zip(near) {
                out.fill(*sample);
            }
        }
    }
}

/// Two values for each, of which the nearer neighbour has weight ¾; the sum is divided by 2 to the
/// `SHIFT`. `half` rounds it, to the left and to the right of a value.
fn doubled<const SHIFT: u32>(values: &[u16], half: [u16; 2], out: &mut [u8]) {
    let mixed = |near: u16, far: u16, half: u16| ((near * 3 + far + half) >> SHIFT) as u8;
    let last = values.len() - 1;
    // At the edges a value is its own neighbour.
    let edges = [
        (0, mixed(values[0], values[0], half[0])),
        (1, mixed(values[0], values[1], half[1])),
        (2 * last, mixed(values[last], values[last - 1], half[0])),
        (2 * last + 1, mixed(values[last], values[last], half[1])),
    ];
    for (pair, around) in out[2..].chunks_exact_mut(2).zip(values.windows(3)) {
        pair[0] = mixed(around[1], around[0], half[0]);
        pair[1] = mixed(around[1], around[2], half[1]);
    }
    for (at, value) in edges {
        if let Some(out) = out.get_mut(at) {
            *out = value;
        }
    }
}
