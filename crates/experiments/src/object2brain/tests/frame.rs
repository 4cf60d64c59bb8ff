use consilience_methods::objects::{DetectedObject, PictureBox};
use consilience_models::Preprocessing;
use consilience_models::preprocess::{Align, Filter, Resize};
use proptest::prelude::*;

use super::super::boxes_as_seen;

fn object([left, top, right, bottom]: [f64; 4]) -> DetectedObject {
    DetectedObject {
        bounds: PictureBox::new(left, top, right, bottom),
        class: 3,
        score: 0.7,
    }
}

fn letterbox(crop: Option<[usize; 2]>) -> Preprocessing {
    Preprocessing {
        resize: Resize::Letterbox {
            height: 60,
            width: 80,
            filter: Filter::Bilinear,
            align: Align::Centre,
            fill: 0.0,
        },
        crop,
        ..Preprocessing::imagenet()
    }
}

#[test]
fn a_letterbox_moves_boxes_and_its_margin_holds_none() {
    // 40 × 60 stays as it is, 20 columns from the left.
    let objects = [
        [10.0, 10.0, 30.0, 20.0],
        [-8.0, 0.0, 10.0, 60.0],
        [45.0, 0.0, 60.0, 9.0],
    ];
    let seen = boxes_as_seen(&letterbox(None), [40, 60], &objects.map(object));
    assert_eq!(seen.picture.size, [80.0, 60.0]);
    assert_eq!(seen.kept, [0, 1]);
    assert_eq!(seen.n_clipped, 1);
    let bounds: Vec<PictureBox> = seen.picture.objects.iter().map(|o| o.bounds).collect();
    assert_eq!(bounds[0], PictureBox::new(30.0, 10.0, 50.0, 20.0));
    assert_eq!(bounds[1], PictureBox::new(20.0, 0.0, 30.0, 60.0));
    assert_eq!(
        (seen.picture.objects[1].class, seen.picture.objects[1].score),
        (3, 0.7)
    );
}

#[test]
fn a_crop_clips_and_drops_boxes() {
    // Of the frame rows 15 to 45 and columns 25 to 55 are seen.
    let objects = [
        [10.0, 20.0, 30.0, 40.0],
        [0.0, 0.0, 10.0, 20.0],
        [0.0, 0.0, 5.0, 60.0],
        [20.0, 30.0, 20.0, 40.0],
    ];
    let seen = boxes_as_seen(&letterbox(Some([30, 30])), [40, 60], &objects.map(object));
    assert_eq!((seen.kept, seen.n_clipped), (vec![0, 1], 1));
    assert_eq!(
        seen.picture.objects[0].bounds,
        PictureBox::new(5.0, 5.0, 25.0, 25.0)
    );
    assert_eq!(
        seen.picture.objects[1].bounds,
        PictureBox::new(0.0, 0.0, 5.0, 5.0)
    );
}

proptest! {
    #[test]
    fn what_is_seen_lies_in_the_frame_and_in_the_box(
        width in 20..400_usize,
        height in 20..400_usize,
        edges in prop::array::uniform4(-50.0..450.0_f64),
    ) {
        let preprocessing = Preprocessing::imagenet();
        let object = object(edges);
        let seen = boxes_as_seen(&preprocessing, [width, height], &[object]);
        prop_assert_eq!(seen.picture.size, [224.0, 224.0]);
        prop_assert_eq!(seen.kept.len(), seen.picture.objects.len());
        for found in &seen.picture.objects {
            let PictureBox { left, top, right, bottom } = found.bounds;
            prop_assert!(0.0 <= left && left < right && right <= 224.0);
            prop_assert!(0.0 <= top && top < bottom && bottom <= 224.0);
            let placement = preprocessing.placement([height, width]);
            let [left, top] = placement.to_image([left, top]);
            let [right, bottom] = placement.to_image([right, bottom]);
            prop_assert!(left > edges[0] - 1e-6 && right < edges[2] + 1e-6);
            prop_assert!(top > edges[1] - 1e-6 && bottom < edges[3] + 1e-6);
        }
    }
}
