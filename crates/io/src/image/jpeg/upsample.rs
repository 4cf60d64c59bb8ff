//! Channels of lower resolution, brought to that of the picture.

use super::frame::{Component, Frame};

/// Row `y` of the picture from a channel, at least as long as the picture is wide.
///
/// # Definition
///
/// libjpeg's "fancy upsampling": between two samples the nearer one has weight ¾, in both directions
/// where both are halved; other proportions, and channels of two columns or fewer, repeat samples.
pub(super) fn row(frame: &Frame, component: &Component, y: usize, out: &mut Vec<u8>) {
    out.clear();
    let across = frame.most.0 / component.sampling.0;
    let down = frame.most.1 / component.sampling.1;
    let at = (y / down).cast_signed();
    let near = component.row(at);
    // The sample row on the other side of the picture's row.
    let upper = y % 2 == 0;
    let far = || component.row(if upper { at - 1 } else { at + 1 });
    let is_wide = component.size.0 > 2;
    match (across, down) {
        (1, 1) => out.extend_from_slice(near),
        (2, 1) if is_wide => doubled(near, out),
        (1, 2) => {
            let half = if upper { 1 } else { 2 };
            let pairs = near.iter().zip(far());
            out.extend(
                pairs.map(|(&near, &far)| {
                    ((u16::from(near) * 3 + u16::from(far) + half) >> 2) as u8
                }),
            );
        }
        (2, 2) if is_wide => {
            let pairs = near.iter().zip(far());
            let sums: Vec<u16> = pairs
                .map(|(&near, &far)| u16::from(near) * 3 + u16::from(far))
                .collect();
            doubled_sums(&sums, out);
        }
        _ => out.extend(
            near.iter()
                .flat_map(|&sample| std::iter::repeat_n(sample, across)),
        ),
    }
}

fn doubled(samples: &[u8], out: &mut Vec<u8>) {
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    let quarter =
        |near: u8, far: u8, half: u16| ((u16::from(near) * 3 + u16::from(far) + half) >> 2) as u8;
    out.extend([first, quarter(first, samples[1], 2)]);
    for around in samples.windows(3) {
        out.extend([
            quarter(around[1], around[0], 1),
            quarter(around[1], around[2], 2),
        ]);
    }
    out.extend([quarter(last, samples[samples.len() - 2], 1), last]);
}

/// As [`doubled`], of sums of weight 4.
fn doubled_sums(sums: &[u16], out: &mut Vec<u8>) {
    let (first, last) = (sums[0], sums[sums.len() - 1]);
    let sixteenth = |near: u16, far: u16, half: u16| ((near * 3 + far + half) >> 4) as u8;
    out.extend([((first * 4 + 8) >> 4) as u8, sixteenth(first, sums[1], 7)]);
    for around in sums.windows(3) {
        out.extend([
            sixteenth(around[1], around[0], 8),
            sixteenth(around[1], around[2], 7),
        ]);
    }
    out.extend([
        sixteenth(last, sums[sums.len() - 2], 8),
        ((last * 4 + 7) >> 4) as u8,
    ]);
}
