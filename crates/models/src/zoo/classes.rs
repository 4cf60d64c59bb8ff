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

/// EmoNet's categories.
pub(super) const EMOTIONS: ClassNames = ClassNames {
    lines: include_str!("classes/emotions.txt"),
    source: "Kragel et al. (2019) Science Advances 5(7), eaaw4358",
};

#[cfg(test)]
mod tests {
    use crate::zoo::list;

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
