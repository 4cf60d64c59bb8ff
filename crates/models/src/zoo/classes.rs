//! Names of classes.

/// Names of classes, in the order of a network's outputs.
///
/// # Example
///
/// ```
/// let squeezenet = consilience_models::zoo::find("squeezenet1_1")?;
/// let names = squeezenet.class_names.unwrap();
/// assert_eq!((names.len(), names.iter().nth(281)), (1000, Some("tabby")));
/// # Ok::<(), consilience_models::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassNames {
    /// One name a line.
    lines: &'static str,
    /// Where the list comes from.
    pub source: &'static str,
}

impl ClassNames {
    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        self.lines.lines()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        let bytes = self.lines.as_bytes();
        let (mut n, mut at) = (0, 0);
        while at < bytes.len() {
            if bytes[at] == b'\n' {
                n += 1;
            }
            at += 1;
        }
        n
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.lines.is_empty()
    }
}

/// The 1000 classes of ImageNet's challenge.
pub(super) const IMAGENET: ClassNames = ClassNames {
    lines: include_str!("classes/imagenet.txt"),
    source: "torchvision 0.28 (BSD-3-Clause), categories of its ImageNet weights",
};

/// The ten classes of CIFAR-10.
pub(super) const CIFAR10: ClassNames = ClassNames {
    lines: include_str!("classes/cifar10.txt"),
    source: "Krizhevsky A (2009) Learning multiple layers of features from tiny images",
};

/// The kinds of scenes of Places365, in its own spelling: `apartment_building/outdoor`.
pub(super) const PLACES365: ClassNames = ClassNames {
    lines: include_str!("classes/places365.txt"),
    source: "CSAILVision/places365 (MIT), IO_places365.txt",
};

/// The things of COCO that have boxes.
pub(super) const COCO: ClassNames = ClassNames {
    lines: crate::detect::classes::COCO,
    source: "COCO 2014 (CC BY 4.0), in the order and spelling of darknet",
};

/// The things of Open Images that have boxes.
pub(super) const OPEN_IMAGES: ClassNames = ClassNames {
    lines: crate::detect::classes::OPEN_IMAGES,
    source: "Open Images (Google LLC, CC BY 4.0), in the order of darknet",
};

/// What the demo network tells apart.
pub(super) const DEMO: ClassNames = ClassNames {
    lines: include_str!("classes/demo.txt"),
    source: "this project's drawings",
};

/// EmoNet's categories.
pub(super) const EMOTIONS: ClassNames = ClassNames {
    lines: include_str!("classes/emotions.txt"),
    source: "Kragel et al. (2019) Science Advances 5(7), eaaw4358",
};

#[cfg(test)]
mod tests {
    use crate::zoo::list;

    /// What comes out of all others are numbers that describe a picture, a rating, or people whose names
    /// were not published under a licence.
    const WITHOUT_NAMES: [&str; 5] = ["clip", "dino", "face", "two_roads", "vgg_face"];

    #[test]
    fn classes_have_names_wherever_the_set_is_known() {
        for architecture in list() {
            let without = WITHOUT_NAMES.contains(&architecture.family)
                || WITHOUT_NAMES.contains(&architecture.name.as_str());
            assert_eq!(
                architecture.class_names.is_none(),
                without,
                "{}",
                architecture.name
            );
        }
        let name = |architecture: &str, class: usize| {
            let names = crate::zoo::find(architecture).unwrap().class_names.unwrap();
            names.iter().nth(class)
        };
        assert_eq!(
            name("resnet18_places365", 8),
            Some("apartment_building/outdoor")
        );
        assert_eq!(name("resnet18_places365", 364), Some("zen_garden"));
        assert_eq!(name("yolov3_coco", 16), Some("dog"));
        assert_eq!(name("yolov3_openimages", 600), Some("Helmet"));
        assert_eq!(name("emonet", 0), Some("adoration"));
    }

    #[test]
    fn there_is_a_name_for_each_class() {
        for architecture in list() {
            if let Some(names) = architecture.class_names {
                assert_eq!(names.len(), architecture.n_classes, "{}", architecture.name);
                assert_eq!(names.iter().count(), names.len());
                assert!(names.iter().all(|name| !name.trim().is_empty()));
            }
        }
    }
}
