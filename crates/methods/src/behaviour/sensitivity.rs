//! Sensitivity and criterion of yes-no decisions.

use consilience_stats::normal;

use super::BehaviourError;
use crate::Result;
use crate::names::named;

/// How often a signal was there and was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignalCounts {
    /// Signal there, reported.
    pub hits: u64,
    /// Signal there, not reported.
    pub misses: u64,
    /// No signal, reported.
    pub false_alarms: u64,
    /// No signal, not reported.
    pub correct_rejections: u64,
}

/// What is done about rates of 0 and 1, whose z-scores are infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateCorrection {
    /// Nothing: such rates are refused.
    #[default]
    None,
    /// Half a response is added to each of the four counts, always (Hautus 1995).
    LogLinear,
}

impl RateCorrection {
    const NAMES: [(&'static str, Self); 2] =
        [("none", Self::None), ("log-linear", Self::LogLinear)];
}

named!(RateCorrection, "correction of rates");

/// Sensitivity of an observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensitivity {
    /// z(hit rate) − z(false-alarm rate).
    pub d_prime: f64,
    /// −(z(hit rate) + z(false-alarm rate))/2: above 0 for an observer who rather says no.
    pub criterion: f64,
    /// Share of signals that were reported, after the correction.
    pub hit_rate: f64,
    /// Share of trials without a signal that were reported, after the correction.
    pub false_alarm_rate: f64,
    /// Standard error of d′.
    pub sem: f64,
    /// Its 95 % interval, d′ ± 1.96 standard errors.
    pub interval: [f64; 2],
    /// One-sided p of d′ > 0, by the normal distribution.
    pub p: f64,
}

/// d′ of yes-no decisions.
///
/// # Definition
///
/// With H = hits/(hits + misses) of n trials and F = false alarms/(false alarms + correct rejections) of m, z the normal quantile and
/// φ the density: d′ = z(H) − z(F), criterion c = −(z(H) + z(F))/2, variance of d′ = H(1 − H)/(n·φ(z(H))²) +
/// F(1 − F)/(m·φ(z(F))²). The log-linear correction takes H = (hits + ½)/(n + 1), F = (false alarms + ½)/(m + 1), and n + 1, m + 1 in
/// the variance.
///
/// # Errors
///
/// [`BehaviourError::NoTrials`], [`BehaviourError::ExtremeRate`] without a correction.
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::{RateCorrection, SignalCounts, d_prime};
///
/// let counts = SignalCounts { hits: 20, misses: 5, false_alarms: 10, correct_rejections: 15 };
/// let found = d_prime(counts, RateCorrection::None)?;
/// assert!((found.d_prime - 1.094968).abs() < 1e-6);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Green & Swets 1966, Signal detection theory and psychophysics; Gourevitch & Galanter 1967,
/// doi:10.1007/BF02289402 (variance); Hautus 1995, doi:10.3758/BF03203619.
///
/// # Peers
///
/// The formulas with `scipy.stats.norm`, to 1e-9.
pub fn d_prime(counts: SignalCounts, correction: RateCorrection) -> Result<Sensitivity> {
    let hit = rate("hits", counts.hits, counts.misses, correction)?;
    let alarm = rate(
        "false alarms",
        counts.false_alarms,
        counts.correct_rejections,
        correction,
    )?;
    let (z_hit, z_alarm) = (normal::quantile(hit.rate), normal::quantile(alarm.rate));
    let d_prime = z_hit - z_alarm;
    let sem = (hit.variance_of_z(z_hit) + alarm.variance_of_z(z_alarm)).sqrt();
    let half = normal::quantile(0.975) * sem;
    Ok(Sensitivity {
        d_prime,
        criterion: -0.5 * (z_hit + z_alarm),
        hit_rate: hit.rate,
        false_alarm_rate: alarm.rate,
        sem,
        interval: [d_prime - half, d_prime + half],
        p: normal::sf(d_prime / sem),
    })
}

struct Rate {
    rate: f64,
    n: f64,
}

impl Rate {
    fn variance_of_z(&self, z: f64) -> f64 {
        self.rate * (1.0 - self.rate) / (self.n * normal::density(z).powi(2))
    }
}

fn rate(what: &'static str, yes: u64, no: u64, correction: RateCorrection) -> Result<Rate> {
    if yes + no == 0 {
        let what = match what {
            "hits" => "trials with a signal",
            _ => "trials without a signal",
        };
        return Err(BehaviourError::NoTrials { what }.into());
    }
    let added = match correction {
        RateCorrection::None => 0.0,
        RateCorrection::LogLinear => 0.5,
    };
    let n = (yes + no) as f64 + 2.0 * added;
    let rate = (yes as f64 + added) / n;
    if rate <= 0.0 || rate >= 1.0 {
        return Err(BehaviourError::ExtremeRate { what, rate }.into());
    }
    Ok(Rate { rate, n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, value) in RateCorrection::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
    }
}
