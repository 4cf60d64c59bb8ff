//! Axes: a linear map and round tick values.

/// A linear map from data to position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Scale {
    /// Maps `domain` onto `range`; a domain without extent is widened.
    pub(crate) fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        let (low, high) = domain;
        let domain = if high > low {
            domain
        } else {
            (low - 0.5, low + 0.5)
        };
        Self { domain, range }
    }

    /// Maps a domain that holds 0 and every finite value given, with air at the ends that have data.
    pub(crate) fn around_zero(values: impl Iterator<Item = f64>, range: (f64, f64)) -> Self {
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
        if low == high {
            return Self::new((0.0, 1.0), range);
        }
        let air = 0.06 * (high - low);
        let low = if low < 0.0 { low - air } else { 0.0 };
        let high = if high > 0.0 { high + air } else { 0.0 };
        Self::new((low, high), range)
    }

    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = (value - self.domain.0) / (self.domain.1 - self.domain.0);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values inside the domain with their labels, about `n` of them.
    pub(crate) fn ticks(&self, n: usize) -> Vec<(f64, String)> {
        let (low, high) = self.domain;
        let rough = (high - low) / n.max(1) as f64;
        let magnitude = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * magnitude)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(10.0 * magnitude);
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        (first..=last)
            .map(|k| {
                let value = k as f64 * step;
                (value, signed(&format!("{value:.decimals$}")))
            })
            .collect()
    }
}

/// A number as printed: a true minus sign, and no minus before zero.
pub(crate) fn signed(number: &str) -> String {
    match number.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::new((-0.03, 0.47), (0.0, 1.0));
        let labels: Vec<_> = scale.ticks(5).into_iter().map(|(_, l)| l).collect();
        assert_eq!(labels, ["0.0", "0.1", "0.2", "0.3", "0.4"]);
        let tiny = Scale::new((0.0, 2.3e-5), (0.0, 1.0));
        assert!(tiny.ticks(5).len() >= 3);
        let negative = Scale::new((-1.0, 0.0), (0.0, 1.0));
        assert_eq!(negative.ticks(2)[0].1, "−1.0");
    }

    #[test]
    fn no_data_and_no_extent_still_map() {
        let scale = Scale::around_zero([f64::NAN].into_iter(), (0.0, 10.0));
        assert_eq!(scale.at(1.0), 10.0);
        assert!(Scale::new((3.0, 3.0), (0.0, 1.0)).at(3.0).is_finite());
    }
}
