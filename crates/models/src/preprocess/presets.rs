//! Preprocessing by name.

use super::{ChannelOrder, Filter, Preprocessing, Range, Resize};
use crate::{ModelError, Result, suggest, zoo};
use consilience_io::image::Orientation;

const HALF: [f32; 3] = [0.5; 3];

/// Weights entry, short side, crop, filter, and the architectures of which torchvision says so.
#[rustfmt::skip]
const TORCHVISION: &[(&str, usize, usize, Filter, &str)] = &[
    ("IMAGENET1K_SWAG_E2E_V1", 384, 384, Filter::Bicubic, "regnet_y_128gf regnet_y_16gf regnet_y_32gf vit_b_16"),
    ("IMAGENET1K_SWAG_E2E_V1", 512, 512, Filter::Bicubic, "vit_l_16"),
    ("IMAGENET1K_SWAG_E2E_V1", 518, 518, Filter::Bicubic, "vit_h_14"),
    ("IMAGENET1K_SWAG_LINEAR_V1", 224, 224, Filter::Bicubic, "regnet_y_128gf regnet_y_16gf regnet_y_32gf vit_b_16 vit_h_14 vit_l_16"),
    ("IMAGENET1K_V1", 224, 224, Filter::Bicubic, "maxvit_t"),
    ("IMAGENET1K_V1", 232, 224, Filter::Bicubic, "swin_t"),
    ("IMAGENET1K_V1", 238, 224, Filter::Bicubic, "swin_b"),
    ("IMAGENET1K_V1", 246, 224, Filter::Bicubic, "swin_s"),
    ("IMAGENET1K_V1", 256, 224, Filter::Bicubic, "efficientnet_b0"),
    ("IMAGENET1K_V1", 256, 240, Filter::Bicubic, "efficientnet_b1"),
    ("IMAGENET1K_V1", 260, 256, Filter::Bicubic, "swin_v2_s swin_v2_t"),
    ("IMAGENET1K_V1", 272, 256, Filter::Bicubic, "swin_v2_b"),
    ("IMAGENET1K_V1", 288, 288, Filter::Bicubic, "efficientnet_b2"),
    ("IMAGENET1K_V1", 320, 300, Filter::Bicubic, "efficientnet_b3"),
    ("IMAGENET1K_V1", 384, 380, Filter::Bicubic, "efficientnet_b4"),
    ("IMAGENET1K_V1", 456, 456, Filter::Bicubic, "efficientnet_b5"),
    ("IMAGENET1K_V1", 528, 528, Filter::Bicubic, "efficientnet_b6"),
    ("IMAGENET1K_V1", 600, 600, Filter::Bicubic, "efficientnet_b7"),
    ("IMAGENET1K_V1", 230, 224, Filter::Bilinear, "convnext_small"),
    ("IMAGENET1K_V1", 232, 224, Filter::Bilinear, "convnext_base convnext_large mnasnet0_75 mnasnet1_3 resnext101_64x4d shufflenet_v2_x1_5 shufflenet_v2_x2_0"),
    ("IMAGENET1K_V1", 236, 224, Filter::Bilinear, "convnext_tiny"),
    ("IMAGENET1K_V1", 242, 224, Filter::Bilinear, "vit_l_16"),
    ("IMAGENET1K_V1", 256, 224, Filter::Bilinear, "alexnet densenet121 densenet161 densenet169 densenet201 googlenet mnasnet0_5 mnasnet1_0 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_16gf regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_x_8gf regnet_y_16gf regnet_y_1_6gf regnet_y_32gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf regnet_y_8gf resnet101 resnet152 resnet18 resnet34 resnet50 resnext101_32x8d resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_l_32 wide_resnet101_2 wide_resnet50_2"),
    ("IMAGENET1K_V1", 342, 299, Filter::Bilinear, "inception_v3"),
    ("IMAGENET1K_V1", 384, 384, Filter::Bilinear, "efficientnet_v2_s"),
    ("IMAGENET1K_V1", 480, 480, Filter::Bilinear, "efficientnet_v2_m"),
    ("IMAGENET1K_V2", 232, 224, Filter::Bilinear, "mobilenet_v2 mobilenet_v3_large regnet_x_16gf regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_x_8gf regnet_y_16gf regnet_y_1_6gf regnet_y_32gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf regnet_y_8gf resnet101 resnet152 resnet50 resnext101_32x8d resnext50_32x4d wide_resnet101_2 wide_resnet50_2"),
    ("IMAGENET1K_V2", 255, 240, Filter::Bilinear, "efficientnet_b1"),
];

impl Preprocessing {
    /// torchvision's preset for ImageNet weights: short side 256 (bilinear), centre 224 × 224.
    #[must_use]
    pub fn imagenet() -> Self {
        Self::imagenet_for([224, 224])
    }

    /// The ImageNet preset for another input size `[height, width]`: the crop is that size and the
    /// short side is in the proportion 256 : 224 to its longer extent, rounded.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::Preprocessing;
    ///
    /// assert_eq!(
    ///     Preprocessing::imagenet_for([299, 299]).to_string(),
    ///     "short side resized to 342 (bilinear, antialiased), centre 299 × 299, RGB ÷ 255, \
    ///      minus (0.485, 0.456, 0.406), ÷ (0.229, 0.224, 0.225)"
    /// );
    /// ```
    #[must_use]
    pub fn imagenet_for([height, width]: [usize; 2]) -> Self {
        Self {
            orientation: Orientation::Ignore,
            resize: Resize::ShortSide {
                size: (height.max(width).saturating_mul(256).saturating_add(112)) / 224,
                filter: Filter::Bilinear,
            },
            crop: Some([height, width]),
            range: Range::Unit,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            order: ChannelOrder::Rgb,
        }
    }

    /// The preprocessing of OpenAI's CLIP for its input of 224 × 224 pixels.
    #[must_use]
    pub fn clip() -> Self {
        Self {
            mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
            ..Self::short_side(224, 224, Filter::Bicubic)
        }
    }

    /// Preprocessing by name: `imagenet`, `clip`, a weights entry of torchvision such as
    /// `resnet50.IMAGENET1K_V2`, or an architecture of the [`zoo`].
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownPreset`] with the nearest names.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::Preprocessing;
    ///
    /// let preprocessing = Preprocessing::named("resnet50.IMAGENET1K_V2")?;
    /// assert!(preprocessing.to_string().starts_with("short side resized to 232 (bilinear"));
    /// # Ok::<(), consilience_models::ModelError>(())
    /// ```
    ///
    /// # Peers
    ///
    /// torchvision 0.28, `WEIGHTS.transforms()` of all entries for classification.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "imagenet" => return Ok(Self::imagenet()),
            "clip" => return Ok(Self::clip()),
            _ => {}
        }
        if let Some((architecture, weights)) = name.split_once('.') {
            if let Some(preset) = Self::torchvision(architecture, weights) {
                return Ok(preset);
            }
        } else if let Ok(architecture) = zoo::find(name) {
            return Ok(architecture.preprocessing.clone());
        }
        let known = entries().map(|(architecture, weights)| format!("{architecture}.{weights}"));
        let known: Vec<String> = ["imagenet", "clip"]
            .map(str::to_owned)
            .into_iter()
            .chain(known)
            .collect();
        Err(ModelError::UnknownPreset {
            name: name.to_owned(),
            nearest: suggest::nearest(name, known.iter().map(String::as_str), 3),
        })
    }

    /// The preprocessing of a weights entry of torchvision.
    pub(crate) fn torchvision(architecture: &str, weights: &str) -> Option<Self> {
        match (architecture, weights) {
            // The only ones that are normalised in another way.
            ("vgg16", "IMAGENET1K_FEATURES") => Some(Preprocessing {
                mean: [0.48235, 0.45882, 0.40784],
                std: [1.0 / 255.0; 3],
                ..Preprocessing::imagenet()
            }),
            ("efficientnet_v2_l", "IMAGENET1K_V1") => Some(Preprocessing {
                mean: HALF,
                std: HALF,
                ..Preprocessing::short_side(480, 480, Filter::Bicubic)
            }),
            _ => TORCHVISION
                .iter()
                .find(|(entry, _, _, _, names)| {
                    *entry == weights && names.split(' ').any(|name| name == architecture)
                })
                .map(|&(_, size, crop, filter, _)| Preprocessing::short_side(size, crop, filter)),
        }
    }

    /// Short side, centre of `crop × crop` pixels, ImageNet's mean and deviation.
    pub(crate) fn short_side(size: usize, crop: usize, filter: Filter) -> Self {
        Self {
            resize: Resize::ShortSide { size, filter },
            crop: Some([crop, crop]),
            ..Self::imagenet()
        }
    }
}

/// Architecture and weights entry of everything in the table.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    TORCHVISION
        .iter()
        .flat_map(|(weights, _, _, _, names)| names.split(' ').map(move |name| (name, *weights)))
}
