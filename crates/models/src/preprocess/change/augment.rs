//! Other views of a picture to learn from.

use std::fmt;

use super::{Change, Draws};

/// How views are drawn: turned, then mirrored, then blurred, each or not.
///
/// # Definition
///
/// Each change is made with its probability; the angle is uniform in ± `degrees`, sigma uniform between its ends. Five numbers are drawn for every
/// view, used or not.
///
/// # Peers
///
/// torchvision's `RandomApply([RandomRotation])`, `RandomHorizontalFlip`, `RandomApply([GaussianBlur])` in this order, with other random numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Largest angle.
    pub degrees: f64,
    /// How often pictures are turned.
    pub p_rotation: f64,
    /// How often they are mirrored.
    pub p_flip: f64,
    /// Ends of the blur's sigma.
    pub sigma: [f64; 2],
    /// How often they are blurred.
    pub p_blur: f64,
}

impl Default for Augmentation {
    /// That of the program of Liu et al. 2026: ± 20° and mirrored in half of all views, blurred (0.1 to 2 pixels) in a fifth.
    fn default() -> Self {
        Self {
            degrees: 20.0,
            p_rotation: 0.5,
            p_flip: 0.5,
            sigma: [0.1, 2.0],
            p_blur: 0.2,
        }
    }
}

impl Augmentation {
    /// That of the text of Liu et al. 2025, which blurs nothing.
    #[must_use]
    pub fn paper2025() -> Self {
        Self {
            p_blur: 0.0,
            ..Self::default()
        }
    }

    pub(super) fn draw(&self, draws: &mut Draws) -> Vec<Change> {
        let [rotates, angle, flips, blurs, sigma] = [(); 5].map(|()| draws.uniform());
        let degrees = self.degrees * (2.0 * angle - 1.0);
        let sigma = self.sigma[0] + (self.sigma[1] - self.sigma[0]) * sigma;
        let all = [
            (rotates < self.p_rotation, Change::Rotation { degrees }),
            (flips < self.p_flip, Change::Flip),
            (blurs < self.p_blur, Change::Blur { sigma }),
        ];
        let chosen = all.into_iter().filter(|(is_made, _)| *is_made);
        chosen.map(|(_, change)| change).collect()
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "turned by up to {}° (p {}), mirrored (p {})",
            self.degrees, self.p_rotation, self.p_flip
        )?;
        if self.p_blur > 0.0 {
            let [low, high] = self.sigma;
            write!(f, ", blurred by {low} to {high} pixels (p {})", self.p_blur)?;
        }
        Ok(())
    }
}
