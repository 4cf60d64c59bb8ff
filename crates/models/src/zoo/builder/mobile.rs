//! Blocks of networks that were made to be small or fast.

use super::{Activation, Builder, Conv, Value};
use crate::graph::Attribute;

/// `channels` to the nearest multiple of 8, but not more than a tenth below.
pub(in super::super) fn to_eights(channels: f64) -> usize {
    let nearest = ((channels + 4.0) / 8.0).floor().max(1.0) * 8.0;
    let rounded = if nearest < 0.9 * channels {
        nearest + 8.0
    } else {
        nearest
    };
    rounded as usize
}

impl Builder {
    /// torchvision's `Conv2dNormActivation`: a convolution without bias that keeps the size at stride
    /// 1 (`{module}.0`), batch normalisation (`{module}.1`) and, if given, an activation
    /// (`{module}.2`).
    pub fn conv_norm(
        &mut self,
        module: &str,
        x: &Value,
        conv: Conv,
        eps: f32,
        activation: Option<Activation>,
    ) -> Value {
        let x = self.conv(&format!("{module}.0"), x, conv.same().without_bias());
        let mut x = self.batch_norm(&format!("{module}.1"), &x, eps);
        if let Some(activation) = activation {
            x = self.activation(&format!("{module}.2"), &x, activation);
        }
        self.container(module, &x);
        x
    }

    /// torchvision's `SqueezeExcitation`: each channel times a gate that is computed from the means
    /// of all channels by way of `n_squeeze` numbers.
    pub fn squeeze_excitation(
        &mut self,
        module: &str,
        x: &Value,
        n_squeeze: usize,
        inner: Activation,
        gate: Activation,
    ) -> Value {
        let part = |name: &str| format!("{module}.{name}");
        let means = self.adaptive_avg_pool(&part("avgpool"), x, [1, 1]);
        let few = self.conv(&part("fc1"), &means, Conv::square(n_squeeze, 1));
        let few = self.activation(&part("activation"), &few, inner);
        let all = self.conv(&part("fc2"), &few, Conv::square(x.shape[0], 1));
        let scale = self.activation(&part("scale_activation"), &all, gate);
        let scaled = self.mul(module, &scale, x);
        self.container(module, &scaled);
        scaled
    }

    /// The mean of each channel, `(c)`, as a step of its own.
    pub fn mean_of_maps(&mut self, tensor: &str, x: &Value) -> Value {
        let name = format!("{tensor}/maps");
        let means = self.op(
            &name,
            "GlobalAveragePool",
            &[x],
            &[],
            vec![x.shape[0], 1, 1],
        );
        let means = self.flatten(tensor, &means);
        self.step(&means);
        means
    }

    /// Channels in `n_groups` groups dealt out in turn: first of each group, second of each group, …
    pub fn shuffle_channels(&mut self, tensor: &str, x: &Value, n_groups: usize) -> Value {
        let in_group = x.shape[0] / n_groups;
        let order: Vec<i64> = (0..in_group)
            .flat_map(|idx| (0..n_groups).map(move |group| (group * in_group + idx) as i64))
            .collect();
        let order = self.integers(&format!("{tensor}/order"), &order);
        let axis = [("axis", Attribute::Int(1))];
        self.op(tensor, "Gather", &[x, &order], &axis, x.shape.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::to_eights;

    #[test]
    fn channels_come_in_eights() {
        for (channels, expected) in [
            (1.0, 8),
            (8.8, 8),
            (12.0, 16),
            // 88 would be more than a tenth less.
            (16.0 * 1.1, 16),
            (91.0, 88),
            (99.0, 96),
            (10.0, 16),
        ] {
            assert_eq!(to_eights(channels), expected, "{channels}");
        }
    }
}
