//! Settings of published trainings.

use super::{Distance, Loss, Optimizer, OutputLoss, Phase, Schedule, Selection, TrainParams};

impl TrainParams {
    /// The training that Liu et al. 2025 describe.
    ///
    /// # Definition
    ///
    /// Mean squared error, descent with momentum 0.9 and a decay of 1e-4, a rate of 1e-4 that is a tenth after 40 epochs,
    /// 50 epochs, 64 samples a step. The momentum is that of the released program, as the text names none; it does not say
    /// which epoch is taken either: the one of the smallest validation loss.
    ///
    /// # References
    ///
    /// Liu P, Bo K, Chen Y, Keil A, Ding M, Fang R 2025, doi:10.1101/2025.10.20.683439.
    #[must_use]
    pub fn paper2025() -> Self {
        Self {
            loss: Loss::MeanSquared,
            optimizer: descent(),
            learning_rate: 1e-4,
            schedule: Schedule::Step {
                epochs: 40,
                factor: 0.1,
            },
            epochs: 50,
            batch: 64,
            piece: 32,
            ..Self::default()
        }
    }

    /// The training of the program that Liu et al. released in 2026; the first output is arousal, the second valence.
    ///
    /// # Definition
    ///
    /// w · smooth L1 (β = 0.5) of arousal + (1 − w) · squared error of valence, with w = 0.7 in the first 30 % of the epochs,
    /// 0.6 until 70 %, then 0.5; descent with momentum 0.9 and a decay of 1e-4; a rate from 1e-7 to 1e-3 in 5 epochs, to 1e-5
    /// in 30, and so until 50; 128 samples a step; the epoch whose ratings of validation samples explain most.
    ///
    /// # References
    ///
    /// As [`TrainParams::paper2025`].
    #[must_use]
    pub fn release2026() -> Self {
        let phases = |[first, second]: [f64; 2]| {
            vec![
                Phase {
                    until: 0.3,
                    weight: first,
                },
                Phase {
                    until: 0.7,
                    weight: second,
                },
            ]
        };
        let arousal = OutputLoss {
            distance: Distance::SmoothL1 { beta: 0.5 },
            weight: 0.5,
            before: phases([0.7, 0.6]),
        };
        let valence = OutputLoss {
            distance: Distance::Squared,
            weight: 0.5,
            before: phases([1.0 - 0.7, 1.0 - 0.6]),
        };
        Self {
            loss: Loss::PerOutput(vec![arousal, valence]),
            optimizer: descent(),
            learning_rate: 1e-3,
            schedule: Schedule::CyclicPlateau {
                start: 1e-4,
                rise: 5.0,
                fall: 30.0,
                floor: 0.01,
            },
            epochs: 50,
            batch: 128,
            piece: 64,
            selection: Selection::MostExplained,
            ..Self::default()
        }
    }
}

fn descent() -> Optimizer {
    Optimizer::Sgd {
        momentum: 0.9,
        weight_decay: 1e-4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rate at the beginning of an epoch of 100 steps.
    fn rate(params: &TrainParams, epoch: usize) -> f64 {
        params.rate(100 * epoch, 100)
    }

    #[test]
    fn the_paper_s_numbers() {
        let params = TrainParams::paper2025();
        assert_eq!(params.loss, Loss::MeanSquared);
        assert_eq!(params.optimizer, descent());
        assert_eq!(
            (params.epochs, params.batch, params.patience),
            (50, 64, None)
        );
        assert_eq!(params.selection, Selection::SmallestLoss);
        for (epoch, expected) in [(0, 1e-4), (39, 1e-4), (40, 1e-5), (49, 1e-5)] {
            assert!((rate(&params, epoch) - expected).abs() < 1e-18, "{epoch}");
        }
        assert!(params.validate().is_ok());
    }

    #[test]
    fn the_release_s_numbers() {
        let params = TrainParams::release2026();
        let Loss::PerOutput(outputs) = &params.loss else {
            panic!("{:?}", params.loss);
        };
        let [arousal, valence] = outputs.as_slice() else {
            panic!("{outputs:?}");
        };
        assert_eq!(arousal.distance, Distance::SmoothL1 { beta: 0.5 });
        assert_eq!(valence.distance, Distance::Squared);
        for (epoch, of_arousal) in [
            (0, 0.7),
            (14, 0.7),
            (15, 0.6),
            (34, 0.6),
            (35, 0.5),
            (49, 0.5),
        ] {
            let progress = params.progress(epoch);
            assert_eq!(arousal.weight_at(progress), of_arousal, "{epoch}");
            assert_eq!(valence.weight_at(progress), 1.0 - of_arousal, "{epoch}");
        }
        let expected = Optimizer::Sgd {
            momentum: 0.9,
            weight_decay: 1e-4,
        };
        assert_eq!(params.optimizer, expected);
        assert_eq!(
            (params.epochs, params.batch, params.patience),
            (50, 128, None)
        );
        assert_eq!(params.selection, Selection::MostExplained);
        for (epoch, expected) in [(0, 1e-7), (5, 1e-3), (30, 1e-5), (49, 1e-5)] {
            assert!((rate(&params, epoch) - expected).abs() < 1e-15, "{epoch}");
        }
        assert!(params.validate().is_ok());
    }
}
