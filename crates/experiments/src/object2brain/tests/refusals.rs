use consilience_methods::objects::{Cut, NoRandomTest, ObjectsError, Sign};
use ndarray::Array2;

use super::super::{CutLayer, CutScan, NoLesion, NoTest, Object2BrainParams, Pool};
use super::{N_STIMULI, SHAPE, Study, few_sets};
use crate::head::HeadOutput;

fn study() -> Study {
    Study::new(21, Pool::Mean, HeadOutput::Linear)
}

fn with_cut(cut: Cut) -> Object2BrainParams {
    let mut params = few_sets();
    params.select.cut = cut;
    params
}

#[test]
fn all_filters_leave_no_effect() {
    for n_dead in [0, 2] {
        let mut study = study();
        for head in study.runs.iter_mut().flat_map(|run| &mut run.heads) {
            head.weights[..n_dead].fill(0.0);
        }
        // Filters without a weight have maps of zeros and come last.
        let n_filters = SHAPE[0] - n_dead;
        let mut params = with_cut(Cut::Top(n_filters));
        params.sensitivity.map.sign = Sign::Absolute;
        let found = study.outcome(params).unwrap();
        for effect in found
            .categories
            .iter()
            .flat_map(|category| &category.effects)
        {
            assert_eq!(effect.delta, None);
            assert!(
                effect
                    .runs
                    .iter()
                    .all(|run| *run == Err(NoLesion::NothingLeft { n_filters }))
            );
            assert_eq!(
                effect.test,
                Err(NoTest::Undefined(NoRandomTest::UndefinedEffect))
            );
            let note = effect.note().unwrap();
            assert!(note.contains("are all that the rating follows"), "{note}");
        }
    }
}

#[test]
fn no_filter_is_no_lesion() {
    let found = study().outcome(with_cut(Cut::Above(2.0))).unwrap();
    for (category, effect) in found.record_effects(3).iter().enumerate() {
        assert_eq!((effect.layer, effect.category), (3, category / 4));
        assert_eq!(
            (effect.n_filters, effect.n_runs, effect.delta),
            (0.0, 0, None)
        );
        assert!(
            effect
                .note
                .as_ref()
                .unwrap()
                .contains("no filter is sensitive")
        );
    }
}

#[test]
fn a_rare_category_is_named_and_the_rest_goes_on() {
    let mut study = study();
    for objects in study.pictures.iter_mut().map(|p| &mut p.objects) {
        objects.retain(|object| ![1, 3].contains(&object.class));
    }
    let found = study.outcome(few_sets()).unwrap();
    let rare = ObjectsError::RareCategory {
        min_images: 1,
        found: 0,
    };
    assert_eq!(found.categories[1].filters, Err(rare.clone()));
    assert_eq!(found.categories[1].importance.mean, None);
    let effect = &found.categories[1].effects[[0, 0]];
    assert_eq!(effect.runs[0], Err(NoLesion::Rare(rare)));
    assert!(effect.note().unwrap().contains("no class of the category"));
    assert!(found.categories[0].effects[[0, 0]].test.is_ok());

    let mut params = few_sets();
    params.select.min_images = N_STIMULI;
    let found = study.outcome(params).unwrap();
    assert!(
        found
            .categories
            .iter()
            .all(|category| category.filters.is_err())
    );
    study.pictures.iter_mut().for_each(|p| p.objects.clear());
    let found = study.outcome(few_sets()).unwrap();
    assert!(
        found
            .categories
            .iter()
            .all(|category| category.filters.is_err())
    );
}

#[test]
fn a_class_in_no_picture_is_left_out_and_listed() {
    let mut study = study();
    for objects in study.pictures.iter_mut().map(|p| &mut p.objects) {
        objects.retain(|object| object.class != 0);
    }
    let found = study.outcome(few_sets()).unwrap();
    let filters = &found.categories[0].filters.as_ref().unwrap()[0];
    assert_eq!((&filters.classes, &filters.left_out), (&vec![2], &vec![0]));
}

#[test]
fn a_run_without_filters_is_left_out_of_the_mean() {
    let mut study = study();
    // Without positive gradients nothing is sensitive.
    for head in &mut study.runs[1].heads {
        head.weights.fill(0.0);
        head.weights[0] = -1.0;
    }
    study
        .activations
        .iter_mut()
        .for_each(|a| a.mapv_inplace(|v| v.max(0.0)));
    let found = study.outcome(with_cut(Cut::Above(0.1))).unwrap();
    let effect = &found.categories[0].effects[[0, 0]];
    assert_eq!(effect.runs[1], Err(NoLesion::NoFilter));
    let delta = effect.runs[0].as_ref().unwrap().delta;
    assert_eq!(effect.delta.unwrap().mean, delta);
    assert_eq!(effect.delta.unwrap().sd, None);
    assert!(effect.note().unwrap().starts_with("1 of 2 runs: no filter"));
    assert_eq!(effect.test.unwrap().n_random, 19);
}

#[test]
fn what_could_not_be_tested_says_why() {
    let params = Object2BrainParams {
        only_others: true,
        ..with_cut(Cut::Top(5))
    };
    let found = study().outcome(params).unwrap();
    let effect = &found.categories[0].effects[[0, 0]];
    assert!(effect.delta.is_some());
    assert!(matches!(
        effect.test,
        Err(NoTest::TooFewOthers { n_filters: 7, .. })
    ));
    assert!(
        effect
            .note()
            .unwrap()
            .contains("of 7 filters are selected by some run")
    );

    let params = Object2BrainParams {
        random_sets: 0,
        ..few_sets()
    };
    let found = study().outcome(params).unwrap();
    assert_eq!(
        found.categories[0].effects[[0, 0]].test,
        Err(NoTest::NotAsked)
    );
    assert_eq!(found.categories[0].effects[[0, 0]].note(), None);
}

#[test]
fn a_constant_target_has_no_effect() {
    let mut study = study();
    study.targets.row_mut(1).fill(2.0);
    let found = study.outcome(few_sets()).unwrap();
    let effects = &found.categories[0].effects;
    assert_eq!(
        (effects[[0, 1]].delta, effects[[0, 0]].delta.is_some()),
        (None, true)
    );
    assert!(
        effects[[1, 1]]
            .note()
            .unwrap()
            .contains("the target is the same")
    );
}

#[track_caller]
fn refused(study: &Study, expected: &str) {
    let message = study.outcome(few_sets()).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let mut wrong = study();
    wrong.targets = Array2::zeros((2, 3));
    refused(&wrong, "expected 14 stimuli of the targets, found 3");

    let mut wrong = study();
    wrong.runs[0].heads[1].weights.pop();
    refused(&wrong, "expected 7 weights of a head, found 6");

    let mut wrong = study();
    wrong.runs[1].head_of[4] = 2;
    refused(
        &wrong,
        "run 1 (counted from 0) rates stimulus 4 by head 2, but has 2 heads",
    );

    let mut wrong = study();
    wrong.runs.clear();
    refused(&wrong, "expected 1 or more runs, found 0");

    let mut wrong = study();
    wrong.categories[1].classes.push(9);
    refused(&wrong, "category \"second\": category of classes [3, 1, 9]");

    let mut wrong = study();
    wrong.pictures[5].objects[0].class = 7;
    refused(&wrong, "of picture 5 is of class 7");

    let mut wrong = study();
    wrong.pictures[5].objects[0].bounds.left = f64::NAN;
    refused(&wrong, "of picture 5 has the edges");

    let mut wrong = study();
    wrong.activations[3][[2, 0, 0]] = f32::NAN;
    refused(
        &wrong,
        "filter 2 for picture 3 (both counted from 0) is not finite",
    );

    let mut wrong = study();
    wrong.activations.pop();
    refused(&wrong, "expected 14 stimuli, found 13");

    let mut wrong = study();
    wrong.activations.push(wrong.activations[0].clone());
    refused(&wrong, "expected 14 stimuli, found 15");

    let mut wrong = study();
    wrong.targets[[0, 0]] = f64::NAN;
    refused(&wrong, "the targets");

    let study = study();
    let layer = CutLayer {
        runs: &study.runs,
        pool: Pool::Mean,
    };
    let mut params = few_sets();
    params.sensitivity.min_score = f64::NAN;
    assert!(CutScan::new(layer, SHAPE, study.inputs(), params).is_err());
    params = few_sets();
    params.sensitivity.map.sign = Sign::Signed;
    assert!(CutScan::new(layer, SHAPE, study.inputs(), params).is_err());
    let mut scan = CutScan::new(layer, SHAPE, study.inputs(), few_sets()).unwrap();
    let wider = ndarray::Array3::zeros((7, 4, 6));
    let message = scan.add(wider.view()).unwrap_err().to_string();
    assert!(
        message.contains("expected 5 columns of the activation, found 6"),
        "{message}"
    );
}

#[test]
fn options_are_spelled_as_they_are_read() {
    use super::super::LesionWith;
    for pool in [Pool::Mean, Pool::Flat] {
        assert_eq!(pool.to_string().parse::<Pool>().unwrap(), pool);
    }
    for lesion in [LesionWith::Zero, LesionWith::Mean] {
        assert_eq!(lesion.to_string().parse::<LesionWith>().unwrap(), lesion);
    }
    let message = "max".parse::<Pool>().unwrap_err().to_string();
    assert!(message.contains("mean, none"), "{message}");
}
