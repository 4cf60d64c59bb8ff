//! Running a network of one fixed input size on pictures, one at a time.

use consilience_io::image::RgbImage;
use ndarray::ArrayD;

use super::framing::{Framing, Placement};
use crate::executor::{self, Executor};
use crate::{ExecutorChoice, ExecutorInfo, Graph, ModelError, Result};

/// A network with its framing, ready to run on several threads.
pub(super) struct Runner {
    pub info: ExecutorInfo,
    pub framing: Framing,
    /// Names of the outputs, for messages.
    outputs: Vec<String>,
    executors: Vec<Box<dyn Executor>>,
}

/// A network's outputs for a picture, and where the picture lay in its input.
pub(super) type Answer = (Vec<ArrayD<f32>>, Placement);

impl Runner {
    pub fn new(
        graph: &Graph,
        framing: &Framing,
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
            framing: framing.clone(),
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
        answer(&self.framing, &self.outputs, first.as_mut(), image, name)
    }

    /// Does `work` for every item of at most [`Runner::width`] items at the same time; `work` gets a
    /// function that runs the network. Answers come in the order of the items.
    pub fn each<I: Sync, T: Send>(
        &mut self,
        items: &[I],
        work: impl Fn(&I, &mut dyn FnMut(&RgbImage, &str) -> Result<Answer>) -> Result<T> + Sync,
    ) -> Vec<Result<T>> {
        let (framing, outputs, work) = (&self.framing, &self.outputs, &work);
        let name = self.info.name;
        std::thread::scope(|scope| {
            let threads: Vec<_> = items
                .iter()
                .zip(&mut self.executors)
                .map(|(item, executor)| {
                    scope.spawn(move || {
                        work(item, &mut |image, name| {
                            answer(framing, outputs, executor.as_mut(), image, name)
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
    framing: &Framing,
    outputs: &[String],
    executor: &mut dyn Executor,
    image: &RgbImage,
    name: &str,
) -> Result<Answer> {
    let (input, placement) = framing.apply(image)?;
    let values = executor.run(input.view())?;
    let values = values
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
    Ok((values, placement))
}
