//! Which classes of a detector make a category.

use consilience_io::Limits;
use consilience_io::table::Table;
use consilience_models::ModelError;
use consilience_models::detect::classes;

use super::{Category, Object2BrainError};
use crate::Result;

const OPEN_IMAGES: &str = include_str!("categories_open_images.csv");
const COCO: &str = include_str!("categories_coco.csv");

/// The usual categories of the 601 classes of Open Images or the 80 of COCO.
///
/// Which classes the paper's categories have is not known beyond Body Parts (here the 13 parts of people, Human body among them) and Human
/// (person, man, woman, boy, girl). The others are ours: each class is in at most one, and some are in none. COCO has no parts of people.
///
/// # Errors
///
/// [`Object2BrainError::NoUsualCategories`] for other classes.
///
/// # Example
///
/// ```
/// use consilience_experiments::object2brain::categories;
/// use consilience_models::detect::classes;
///
/// let found = categories::usual(&classes::open_images())?;
/// assert_eq!((found[0].name.as_str(), found[0].classes.len()), ("Body Parts", 13));
/// # Ok::<(), consilience_experiments::ExperimentError>(())
/// ```
pub fn usual(names: &[String]) -> Result<Vec<Category>> {
    let text = if names == classes::open_images() {
        OPEN_IMAGES
    } else if names == classes::coco() {
        COCO
    } else {
        return Err(Object2BrainError::NoUsualCategories {
            n_classes: names.len(),
        }
        .into());
    };
    parse(text, names)
}

/// The table behind [`usual`], to begin one's own with; `None` for other classes.
#[must_use]
pub fn usual_table(names: &[String]) -> Option<&'static str> {
    let known = [
        (classes::open_images(), OPEN_IMAGES),
        (classes::coco(), COCO),
    ];
    let found = known.into_iter().find(|(own, _)| own == names);
    found.map(|(_, text)| text)
}

/// Categories from a table with the columns `class` and `category`, in the order in which they first occur.
///
/// Classes that are not listed are in no category.
///
/// # Errors
///
/// [`Object2BrainError::UnknownClass`] with the nearest class of the detector, [`Object2BrainError::ClassTwice`], [`Object2BrainError::EmptyName`];
/// what is wrong with the table.
///
/// # Example
///
/// ```
/// use consilience_experiments::object2brain::categories;
///
/// let names = ["cat", "dog", "car"].map(str::to_owned);
/// let found = categories::parse("class,category\ncar,Transport\ndog,Animals\ncat,Animals\n", &names)?;
/// assert_eq!(found[1].name, "Animals");
/// assert_eq!(found[1].classes, [0, 1]);
///
/// let wrong = categories::parse("class,category\ncaw,Animals\n", &names).unwrap_err();
/// assert!(wrong.to_string().contains("did you mean \"cat\""));
/// # Ok::<(), consilience_experiments::ExperimentError>(())
/// ```
pub fn parse(text: &str, names: &[String]) -> Result<Vec<Category>> {
    let table =
        Table::from_bytes(text.as_bytes(), b',', &Limits::default()).map_err(ModelError::from)?;
    let column = |name: &str| table.column(name).map_err(ModelError::from);
    let mut categories: Vec<Category> = Vec::new();
    let mut category_of: Vec<Option<usize>> = vec![None; names.len()];
    for (row_idx, (class, category)) in column("class")?
        .into_iter()
        .zip(column("category")?)
        .enumerate()
    {
        let (row, class, category) = (row_idx + 1, class.trim(), category.trim());
        for (column, cell) in [("class", class), ("category", category)] {
            if cell.is_empty() {
                return Err(Object2BrainError::EmptyName { row, column }.into());
            }
        }
        let class_idx = names.iter().position(|name| name == class);
        let class_idx = class_idx.ok_or_else(|| Object2BrainError::UnknownClass {
            row,
            class: class.to_owned(),
            nearest: nearest(class, names),
            n_classes: names.len(),
        })?;
        if let Some(known) = category_of[class_idx] {
            return Err(Object2BrainError::ClassTwice {
                row,
                class: class.to_owned(),
                category: categories[known].name.clone(),
            }
            .into());
        }
        let known = categories.iter().position(|known| known.name == category);
        let category_idx = known.unwrap_or_else(|| {
            categories.push(Category {
                name: category.to_owned(),
                classes: Vec::new(),
            });
            categories.len() - 1
        });
        category_of[class_idx] = Some(category_idx);
    }
    for (class, category) in category_of.into_iter().enumerate() {
        if let Some(category) = category {
            categories[category].classes.push(class);
        }
    }
    Ok(categories)
}

/// The class that takes the fewest edits, unless more than half of it would be replaced.
fn nearest(class: &str, names: &[String]) -> Option<String> {
    let class = class.to_lowercase();
    names
        .iter()
        .map(|name| (strsim::levenshtein(&class, &name.to_lowercase()), name))
        .min_by_key(|&(edits, _)| edits)
        .filter(|&(edits, name)| 2 * edits <= name.chars().count())
        .map(|(_, name)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_categories_fit_their_classes() {
        for (names, n_categories, n_classes) in
            [(classes::open_images(), 16, 569), (classes::coco(), 13, 79)]
        {
            let found = usual(&names).unwrap();
            assert_eq!(found.len(), n_categories);
            assert_eq!(
                found.iter().map(|c| c.classes.len()).sum::<usize>(),
                n_classes
            );
            let table = usual_table(&names).unwrap();
            assert_eq!(parse(table, &names).unwrap(), found);
        }
        let others = ["cat".to_owned()];
        assert!(
            usual(&others)
                .unwrap_err()
                .to_string()
                .contains("these 1 classes")
        );
        assert_eq!(usual_table(&others), None);
    }

    #[test]
    fn a_table_says_which_row_is_wrong() {
        let names = classes::coco();
        for (rows, expected) in [
            (
                "dog,Animals\nDogs,Animals",
                "row 2 of the categories: the detector has no class \"Dogs\", did you mean \"dog\"",
            ),
            (
                "dog,Animals\ncat,Animals\ndog,Pets",
                "row 3 of the categories: class \"dog\" is in \"Animals\" already",
            ),
            ("dog,", "row 1 of the categories: the category is empty"),
            (",Pets", "row 1 of the categories: the class is empty"),
            (
                "hippopotamus,Animals",
                "no class \"hippopotamus\"; it has 80 classes",
            ),
        ] {
            let message = parse(&format!("class,category\n{rows}\n"), &names)
                .unwrap_err()
                .to_string();
            assert!(message.contains(expected), "{message}");
        }
        let message = parse("name,category\ndog,Animals\n", &names)
            .unwrap_err()
            .to_string();
        assert!(message.contains("class"), "{message}");
        assert_eq!(parse("class,category\n", &names).unwrap(), []);
    }
}
