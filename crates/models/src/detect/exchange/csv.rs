//! Boxes as a table.

use consilience_core::csv::field;
use consilience_io::Limits;
use consilience_io::table::Table;

use super::{BoxFault, Boxes, BoxesError, Collector, Picture, positions};
use crate::detect::BoxXyxy;

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 7] = [
    "image", "class", "score", "x_min", "y_min", "x_max", "y_max",
];

/// Takes the bytes of a CSV file with the [`COLUMNS`] in any order; others are ignored.
///
/// Edges are in pixels ([`BoxXyxy`]). Without `classes`, the classes are those of the file in the order
/// of their first box.
///
/// # Errors
///
/// [`BoxesError`] for the first row that cannot be used; see [the module](super).
///
/// # Example
///
/// ```
/// use consilience_models::detect::exchange::{Picture, csv};
///
/// let pictures = [Picture { name: "dog.jpg".into(), width: 768, height: 576 }];
/// let text = "image,class,score,x_min,y_min,x_max,y_max\ndog.jpg,dog,0.83,133,207,325,542\n";
/// let boxes = csv::parse(text.as_bytes(), &pictures, None)?;
/// assert_eq!(boxes.pictures[0].1[0].class, "dog");
/// assert_eq!(csv::text(&boxes), text);
/// # Ok::<(), consilience_models::detect::exchange::BoxesError>(())
/// ```
pub fn parse(
    bytes: &[u8],
    pictures: &[Picture],
    classes: Option<&[String]>,
) -> Result<Boxes, BoxesError> {
    let table = Table::from_bytes(bytes, b',', &Limits::default())?;
    let [image, class, ..] = COLUMNS;
    let (images, labels) = (table.column(image)?, table.column(class)?);
    let numbers = COLUMNS[2..]
        .iter()
        .map(|column| table.numbers(column))
        .collect::<Result<Vec<_>, _>>()?;
    let mut all = Collector::new(pictures)?;
    all.boxes.classes = match classes {
        Some(classes) => classes.to_vec(),
        None => {
            let mut seen = std::collections::BTreeSet::new();
            let new = labels.iter().filter(|&&label| seen.insert(label));
            new.map(|&label| label.to_owned()).collect()
        }
    };
    let known = all.boxes.classes.clone();
    let known = positions("the class", known.iter().map(String::as_str))?;
    for (row, (image, label)) in images.iter().zip(&labels).enumerate() {
        // Row 1 is the header.
        let place = || format!("row {}", row + 2);
        let Some(&class_idx) = known.get(label) else {
            let name = (*label).to_owned();
            return Err(BoxesError::Box {
                place: place(),
                fault: BoxFault::UnknownClass { name },
            });
        };
        let bounds = BoxXyxy::new(
            numbers[1][row],
            numbers[2][row],
            numbers[3][row],
            numbers[4][row],
        );
        all.add(place, image, class_idx, numbers[0][row], bounds)?;
    }
    Ok(all.boxes)
}

/// The text of a CSV file with the [`COLUMNS`], a row for each box; pictures without a box have none.
#[must_use]
pub fn text(boxes: &Boxes) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    for (picture, detections) in &boxes.pictures {
        for found in detections {
            let b = found.bounds;
            let numbers = [found.score, b.x_min, b.y_min, b.x_max, b.y_max];
            let numbers = numbers.map(|value| value.to_string()).join(",");
            let (name, class) = (field(&picture.name), field(&found.class));
            text.push_str(&format!("{name},{class},{numbers}\n"));
        }
    }
    text
}
