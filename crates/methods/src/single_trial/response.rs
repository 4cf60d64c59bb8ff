//! The canonical haemodynamic response, in closed form.

/// Something that happened in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Seconds from the beginning of the run's first volume.
    pub onset: f64,
    /// Seconds; 0 for an impulse.
    pub duration: f64,
}

/// Time of the peak's and the undershoot's gamma density in seconds, both of scale 1 s.
const SHAPES: [u32; 2] = [6, 16];
/// Weight of the undershoot.
const UNDERSHOOT: f64 = 1.0 / 6.0;

impl Event {
    /// The expected response at `time`: that to a second of stimulation has an integral of 1 s, so that to a long event reaches 1.
    ///
    /// The response to an instant is g₆(t) − g₁₆(t) ÷ 6, gamma densities of scale 1 s; that to an event is its
    /// integral over the event, which has a closed form. SPM and nilearn sum it over a grid of time steps instead, and cut it off after 32 s.
    pub(super) fn response(&self, time: f64) -> f64 {
        let since = time - self.onset;
        let difference = |of: fn(f64, u32) -> f64, at: f64| {
            (of(at, SHAPES[0]) - UNDERSHOOT * of(at, SHAPES[1])) / (1.0 - UNDERSHOOT)
        };
        match self.duration > 0.0 {
            true => difference(cumulative, since) - difference(cumulative, since - self.duration),
            false => difference(density, since),
        }
    }
}

/// Density of a gamma distribution of whole `shape` and scale 1.
fn density(t: f64, shape: u32) -> f64 {
    match t > 0.0 {
        true => (1..shape).fold((-t).exp(), |product, k| product * t / f64::from(k)),
        false => 0.0,
    }
}

/// Its cumulative distribution.
fn cumulative(t: f64, shape: u32) -> f64 {
    if t <= 0.0 {
        return 0.0;
    }
    let mut term = (-t).exp();
    let mut above = term;
    for k in 1..shape {
        term *= t / f64::from(k);
        above += term;
    }
    1.0 - above
}
