//! Trainings on views, against samples that are made one by one.

use std::sync::Mutex;

use consilience_learn::LearnError;
use consilience_learn::train::{self, Arrays, Samples, Selection, TrainParams};
use ndarray::{Array1, ArrayD, Axis};

use super::*;
use crate::error::ExperimentError;
use crate::visual_emotion::{Scaling, Views};

/// A view of each picture in each epoch.
fn views(data: &Data, n_epochs: usize) -> Vec<Array2<f32>> {
    let mut stream = Stream::new(9, Domain::Simulation, 1);
    (0..n_epochs)
        .map(|_| data.features.mapv(|v| v + 0.5 * stream.normal() as f32))
        .collect()
}

fn run(data: &Data, division: &Division, views: Option<&Views<'_>>) -> FoldRun {
    let pictures = Pictures {
        views,
        ..data.pictures()
    };
    let wired = structure().wired(5, 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    train_fold(
        &wired,
        &pictures,
        division,
        &learning(),
        3,
        true,
        folder.path(),
    )
    .unwrap()
}

/// Each sample made when it is asked for.
struct ByHand<'a> {
    data: &'a Data,
    views: &'a [Array2<f32>],
    rows: &'a [usize],
    scaling: &'a Scaling,
}

impl Samples for ByHand<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn sample(&self, epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>), LearnError> {
        let row = self.rows[idx];
        let x = self.views[epoch].select(Axis(0), &[row]);
        let y = self.data.ratings.select(Axis(0), &[row]);
        let x = self.scaling.features(x.view()).row(0).to_owned();
        Ok((
            x.into_dyn(),
            self.scaling.learnt(y.view()).row(0).to_owned(),
        ))
    }
}

#[test]
fn each_picture_is_learnt_from_in_the_view_of_its_epoch() {
    let data = Data::new(30, 5, 4);
    let division = &data.divisions(2)[0];
    let views = views(&data, 4);
    let asked = Mutex::new(Vec::new());
    let of = |epoch: usize, rows: &[usize]| {
        asked.lock().unwrap().push((epoch, rows.to_vec()));
        Ok(views[epoch].select(Axis(0), rows))
    };
    let found = run(&data, division, Some(&of));
    // Only what is learnt from has views, once in each epoch.
    let expected: Vec<_> = (0..4)
        .map(|epoch| (epoch, division.training.clone()))
        .collect();
    assert_eq!(asked.into_inner().unwrap(), expected);

    let scaling = Scaling::of(&data.pictures(), &division.training, &learning());
    let wired = structure().wired(5, 2).unwrap();
    let mut network = wired.graph.clone();
    let weights = train::torch_weights(&wired.parameters, &wired.copies, 3);
    network.initialisers.extend(weights);
    let params = TrainParams {
        seed: 3,
        ..learning().params
    };
    let training = ByHand {
        data: &data,
        views: &views,
        rows: &division.training,
        scaling: &scaling,
    };
    let x = scaling.features(data.features.select(Axis(0), &division.validation).view());
    let y = scaling.learnt(data.ratings.select(Axis(0), &division.validation).view());
    let validation = Arrays::new(x.view().into_dyn(), y.view()).unwrap();
    let by_hand = train::train(
        &network,
        &training,
        Some(&validation),
        &params,
        None,
        |_| {},
    );
    let by_hand = by_hand.unwrap();
    assert_eq!(found.history, by_hand.history);
    assert_eq!(found.weights, by_hand.weights);
    let tested = data.features.select(Axis(0), &division.tested);
    let (_, outputs) = wired.read(&by_hand.weights, scaling.features(tested.view()).view());
    let of_epoch = found.ratings.index_axis(Axis(0), found.epoch);
    assert_eq!(scaling.ratings(outputs.view()), of_epoch);
}

#[test]
fn pictures_that_judge_stay_as_they_are() {
    let data = Data::new(30, 5, 5);
    let division = &data.divisions(1)[1];
    let plain = run(&data, division, None);
    // Views that change nothing change nothing.
    let same = |_: usize, rows: &[usize]| Ok(data.features.select(Axis(0), rows));
    assert_eq!(run(&data, division, Some(&same)), plain);
    let views = views(&data, 4);
    let others = |epoch: usize, rows: &[usize]| Ok(views[epoch].select(Axis(0), rows));
    let changed = run(&data, division, Some(&others));
    assert_eq!(changed.history[0], plain.history[0]);
    assert_ne!(changed.history[1], plain.history[1]);
    let before = |run: &FoldRun| run.ratings.index_axis(Axis(0), 0).to_owned();
    assert_eq!(before(&changed), before(&plain));
    assert_ne!(changed.weights, plain.weights);
}

#[test]
fn views_that_cannot_be_had_stop_a_training() {
    let data = Data::new(30, 5, 6);
    let division = &data.divisions(1)[0];
    let none = |_: usize, _: &[usize]| Err(LearnError::NothingToTrain { what: "view" });
    let pictures = Pictures {
        views: Some(&none),
        ..data.pictures()
    };
    let wired = structure().wired(5, 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let error = train_fold(&wired, &pictures, division, &learning(), 3, false, folder).unwrap_err();
    assert!(
        matches!(
            error,
            ExperimentError::Learn(LearnError::NothingToTrain { what: "view" })
        ),
        "{error}"
    );
}

#[test]
fn trainings_that_are_best_before_they_began_are_told() {
    let mut learning = learning();
    assert_eq!(learning.untrained(&[1, 3], "--epoch last"), None);
    let told = learning.untrained(&[0], "--epoch last").unwrap();
    assert!(
        told.starts_with("epoch 0 is used: no later one was better"),
        "{told}"
    );
    assert!(
        told.ends_with("or --epoch last") && !told.contains("r²"),
        "{told}"
    );
    learning.params.selection = Selection::MostExplained;
    let told = learning.untrained(&[0, 2, 0], "x").unwrap();
    assert!(
        told.starts_with("epoch 0 is used in 2 of 3 trainings"),
        "{told}"
    );
    assert!(told.contains("the wrong way round"), "{told}");
}
