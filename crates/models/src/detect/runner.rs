//! Running a network on pictures, one at a time.

use consilience_io::image::RgbImage;
use ndarray::{ArrayD, Axis};

use crate::executor::{self, Executor};
use crate::preprocess::Placement;
use crate::{ExecutorChoice, ExecutorInfo, Graph, ModelError, Preprocessing, Result};

/// A network with its preprocessing, ready to run on several threads.
pub(super) struct Runner {
    pub info: ExecutorInfo,
    pub preprocessing: Preprocessing,
    /// Names of the outputs, for messages.
    outputs: Vec<String>,
    executors: Vec<Box<dyn Executor>>,
}

/// What a network says of a picture.
pub(super) struct Answer {
    /// Its outputs, in their order.
    pub outputs: Vec<ArrayD<f32>>,
    /// Height and width of its input.
    pub size: [usize; 2],
    /// Where the picture lay in the input.
    pub placement: Placement,
}

impl Runner {
    pub fn new(
        graph: &Graph,
        preprocessing: &Preprocessing,
        choice: ExecutorChoice,
        n_threads: usize,
    ) -> Result<Self> {
        let what = "number of threads";
        if n_threads == 0 {
            return Err(ModelError::Zero { what });
        }
        let outputs: Vec<&str> = graph.outputs.iter().map(String::as_str).collect();
        let (info, executors) = executor::load(choice, &graph.cut(&outputs), n_threads)?;
        Ok(Self {
            info,
            preprocessing: preprocessing.clone(),
            outputs: graph.outputs.clone(),
            executors,
        })
    }

    /// How many pictures are worked on at the same time.
    pub fn width(&self) -> usize {
        self.executors.len()
    }

    /// Runs the network on one picture.
    pub fn run(&mut self, image: &RgbImage, name: &str) -> Result<Answer> {
        let first = self.executors.first_mut().expect("there is one a thread");
        answer(
            &self.preprocessing,
            &self.outputs,
            first.as_mut(),
            image,
            name,
        )
    }

    /// Does `work` for every item of at most [`Runner::width`] items at the same time; `work` gets a
    /// function that runs the network. Answers come in the order of the items.
    pub fn each<I: Sync, T: Send>(
        &mut self,
        items: &[I],
        work: impl Fn(&I, &mut dyn FnMut(&RgbImage, &str) -> Result<Answer>) -> Result<T> + Sync,
    ) -> Vec<Result<T>> {
        let (preprocessing, outputs, work) = (&self.preprocessing, &self.outputs, &work);
        let name = self.info.name;
        std::thread::scope(|scope| {
            let threads: Vec<_> = items
                .iter()
                .zip(&mut self.executors)
                .map(|(item, executor)| {
                    scope.spawn(move || {
                        work(item, &mut |image, name| {
                            answer(preprocessing, outputs, executor.as_mut(), image, name)
                        })
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|_| {
                        Err(ModelError::Run {
                            executor: name,
                            reason: "it stopped without a message".to_owned(),
                        })
                    })
                })
                .collect()
        })
    }
}

fn answer(
    preprocessing: &Preprocessing,
    outputs: &[String],
    executor: &mut dyn Executor,
    image: &RgbImage,
    name: &str,
) -> Result<Answer> {
    let input = preprocessing.apply(image)?.insert_axis(Axis(0));
    let (_, _, height, width) = input.dim();
    let values = executor.run(input.view())?;
    let outputs = values
        .into_iter()
        .zip(outputs)
        .map(|(values, output)| {
            let values = values.ok_or_else(|| ModelError::NotAPattern {
                layer: output.clone(),
                found: "another kind of number".into(),
            })?;
            match values.iter().find(|value| !value.is_finite()) {
                Some(&value) => Err(ModelError::NonFinite {
                    layer: output.clone(),
                    image: name.to_owned(),
                    value,
                }),
                None => Ok(values),
            }
        })
        .collect::<Result<_>>()?;
    Ok(Answer {
        outputs,
        size: [height, width],
        placement: preprocessing.placement([image.height, image.width]),
    })
}
