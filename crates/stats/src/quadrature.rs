//! Integrals of smooth functions.

/// Nodes of Kronrod's rule from the end to the centre; every second one, from the second, is a node of Gauss's.
const NODES: [f64; 8] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
    0.0,
];

/// Weights of Kronrod's rule.
const KRONROD: [f64; 8] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_55,
    0.104_790_010_322_250_18,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_9,
    0.209_482_141_084_727_82,
];

/// Weights of Gauss's rule, at every second node.
const GAUSS: [f64; 4] = [
    0.129_484_966_168_869_7,
    0.279_705_391_489_276_64,
    0.381_830_050_505_118_9,
    0.417_959_183_673_469_4,
];

/// Halvings after which an interval is taken as it is.
const MAX_DEPTH: u32 = 40;

/// Integrals of `N` functions that are computed together, from the first to the last of `knots`.
///
/// # Definition
///
/// Between two knots Kronrod's 15 points are compared with Gauss's 7, and the interval is halved until the error is below
/// `tolerance`: (200·|K − G|)^1.5, as QUADPACK estimates it for integrals of the order of 1. Put a knot wherever the functions turn sharply: a
/// peak between two nodes goes unseen.
///
/// # Example
///
/// ```
/// use consilience_stats::quadrature::integrate;
///
/// let [sine, square] = integrate(|x| [x.sin(), x * x], &[0.0, 1.0, 3.0], 1e-14);
/// assert!((sine - (1.0 - 3.0_f64.cos())).abs() < 1e-14 && (square - 9.0).abs() < 1e-14);
/// ```
///
/// # References
///
/// Piessens, de Doncker-Kapenga, Überhuber & Kahaner (1983), QUADPACK, doi:10.1007/978-3-642-61786-7.
#[must_use]
pub fn integrate<const N: usize>(
    functions: impl Fn(f64) -> [f64; N],
    knots: &[f64],
    tolerance: f64,
) -> [f64; N] {
    let mut sum = [0.0; N];
    for ends in knots.windows(2) {
        add_piece(&functions, ends[0], ends[1], tolerance, MAX_DEPTH, &mut sum);
    }
    sum
}

fn add_piece<const N: usize>(
    functions: &impl Fn(f64) -> [f64; N],
    low: f64,
    high: f64,
    tolerance: f64,
    depth: u32,
    sum: &mut [f64; N],
) {
    let (half, middle) = (0.5 * (high - low), f64::midpoint(low, high));
    let (mut kronrod, mut gauss) = ([0.0; N], [0.0; N]);
    for (i, (&node, &weight)) in NODES.iter().zip(&KRONROD).enumerate() {
        let sides: &[f64] = if node == 0.0 { &[1.0] } else { &[-1.0, 1.0] };
        for side in sides {
            let values = functions(middle + side * half * node);
            for k in 0..N {
                kronrod[k] += half * weight * values[k];
                if i % 2 == 1 {
                    gauss[k] += half * GAUSS[i / 2] * values[k];
                }
            }
        }
    }
    let difference = kronrod
        .iter()
        .zip(&gauss)
        .fold(0.0_f64, |most, (k, g)| most.max((k - g).abs()));
    if depth == 0 || (200.0 * difference).powf(1.5) <= tolerance {
        sum.iter_mut().zip(kronrod).for_each(|(s, k)| *s += k);
        return;
    }
    for (low, high) in [(low, middle), (middle, high)] {
        add_piece(functions, low, high, tolerance / 2.0, depth - 1, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules are exact for polynomials up to degree 22 and 13, which pins every constant.
    #[test]
    fn polynomials_are_exact() {
        for degree in 0..=22 {
            let mut sum = [0.0];
            let power = |x: f64| [x.powi(degree)];
            add_piece(&power, -1.0, 1.0, f64::INFINITY, 0, &mut sum);
            let expected = if degree % 2 == 0 {
                2.0 / f64::from(degree + 1)
            } else {
                0.0
            };
            assert!((sum[0] - expected).abs() < 1e-15, "{degree}: {}", sum[0]);
            if degree <= 13 {
                let gauss: f64 = (1..8)
                    .step_by(2)
                    .map(|i| {
                        let x = NODES[i];
                        let both = x.powi(degree) + (-x).powi(degree);
                        GAUSS[i / 2] * if x == 0.0 { x.powi(degree) } else { both }
                    })
                    .sum();
                assert!((gauss - expected).abs() < 1e-15, "{degree}: {gauss}");
            }
        }
    }

    #[test]
    fn a_narrow_peak_is_found_by_halving() {
        let peak = |x: f64| [(-0.5 * (x / 0.01).powi(2)).exp()];
        let [area] = integrate(peak, &[-3.0, 0.0, 5.0], 1e-16);
        let expected = 0.01 * std::f64::consts::TAU.sqrt();
        assert!((area / expected - 1.0).abs() < 1e-9, "{area}");
    }
}
