//! Colours as red, green, blue in [0, 1], blended as stored (sRGB).

use super::super::dice::Dice;

/// Red, green, blue.
pub(super) type Rgb = [f64; 3];

/// Colours that living and built things share, so that a brown does not give away an animal.
const NATURALS: [Rgb; 10] = [
    [0.36, 0.23, 0.15],
    [0.55, 0.38, 0.24],
    [0.74, 0.55, 0.36],
    [0.87, 0.72, 0.53],
    [0.93, 0.87, 0.76],
    [0.62, 0.60, 0.57],
    [0.36, 0.36, 0.38],
    [0.18, 0.17, 0.19],
    [0.78, 0.45, 0.22],
    [0.96, 0.95, 0.92],
];

/// Hue in turns, saturation and value in [0, 1].
pub(super) fn hsv(hue: f64, saturation: f64, value: f64) -> Rgb {
    [5.0, 3.0, 1.0].map(|offset| {
        let k = (offset + 6.0 * hue.rem_euclid(1.0)) % 6.0;
        value * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    })
}

/// The colour a fraction `t` of the way from `a` to `b`.
pub(super) fn mix(a: Rgb, b: Rgb, t: f64) -> Rgb {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t)
}

/// The colour made darker (factor < 1) or lighter (factor > 1).
pub(super) fn shade(colour: Rgb, factor: f64) -> Rgb {
    colour.map(|c| (c * factor).clamp(0.0, 1.0))
}

/// How visible a difference is: the root mean square over channels, weighted like luma.
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let weights = [0.3, 0.55, 0.15];
    (0..3)
        .map(|c| weights[c] * (a[c] - b[c]).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// A surface colour: half the time any hue, half the time one of the naturals.
pub(super) fn any(dice: &mut Dice) -> Rgb {
    if dice.chance(0.5) {
        let natural = dice.pick(&NATURALS);
        shade(natural, dice.uniform(0.9, 1.1))
    } else {
        hsv(
            dice.unit(),
            dice.uniform(0.4, 0.82),
            dice.uniform(0.5, 0.95),
        )
    }
}

/// A surface colour that can be told from `other`.
pub(super) fn contrasting(dice: &mut Dice, other: Rgb) -> Rgb {
    let mut best = any(dice);
    for _ in 0..12 {
        if contrast(best, other) > 0.3 {
            break;
        }
        let next = any(dice);
        if contrast(next, other) > contrast(best, other) {
            best = next;
        }
    }
    best
}

/// A muted background colour.
pub(super) fn backdrop(dice: &mut Dice) -> Rgb {
    hsv(
        dice.unit(),
        dice.uniform(0.08, 0.5),
        dice.uniform(0.35, 0.95),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_hues() {
        assert_eq!(hsv(0.0, 1.0, 1.0), [1.0, 0.0, 0.0]);
        assert_eq!(hsv(1.0 / 3.0, 1.0, 1.0), [0.0, 1.0, 0.0]);
        assert_eq!(hsv(2.0 / 3.0, 1.0, 0.5), [0.0, 0.0, 0.5]);
        assert_eq!(hsv(0.4, 0.0, 0.7), [0.7, 0.7, 0.7]);
    }
}
