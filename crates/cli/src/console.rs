//! What a person sees besides the data: failures and progress, on standard error.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use consilience::study::file::Location;
use consilience::study::{Failure, Progress};
use indicatif::{ProgressBar, ProgressStyle};

/// Whether the failure is only that nobody reads our output any more.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Writes what went wrong; shows the line when it comes from a study file.
pub fn explain_failure(error: &anyhow::Error, err: &mut dyn Write) {
    let text = match error.downcast_ref::<Failure>() {
        Some(Failure {
            error,
            location: Some(location),
        }) => located(&chain(error), location),
        _ => format!("error: {}", chain(error.as_ref())),
    };
    // With standard error gone there is nobody left to tell.
    let _ = writeln!(err, "{text}");
}

/// The message with its causes, without saying anything twice.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn located(message: &str, location: &Location) -> String {
    let snippet = Snippet::source(location.text.as_str())
        .path(location.file.as_str())
        .annotation(AnnotationKind::Primary.span(location.span.clone()));
    let group = Level::ERROR.primary_title(message).element(snippet);
    let renderer = if std::io::stderr().is_terminal() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group]).to_string()
}

/// A progress bar with time left on a terminal, plain lines elsewhere.
pub struct Console {
    state: Mutex<Option<Stage>>,
    is_terminal: bool,
}

struct Stage {
    name: String,
    total: u64,
    bar: Option<ProgressBar>,
    started: Instant,
    last_line: Instant,
}

/// Plain lines come at most this often.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

impl Console {
    /// Looks at standard error once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(None),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    fn line(text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

impl Progress for Console {
    fn begin(&self, name: &str, total: u64) {
        let bar = self.is_terminal.then(|| {
            let bar = ProgressBar::new(total);
            let style = ProgressStyle::with_template("{msg:32!} {wide_bar} {pos}/{len} {eta} left")
                .expect("the template is a constant");
            bar.set_style(style);
            bar.set_message(name.to_owned());
            bar
        });
        if bar.is_none() {
            Self::line(&format!("{name} …"));
        }
        let now = Instant::now();
        let stage = Stage {
            name: name.to_owned(),
            total,
            bar,
            started: now,
            last_line: now,
        };
        *self.state.lock().expect("no panic holds the lock") = Some(stage);
    }

    fn advance_to(&self, done: u64) {
        let mut state = self.state.lock().expect("no panic holds the lock");
        let Some(stage) = state.as_mut() else { return };
        match &stage.bar {
            Some(bar) => bar.set_position(done),
            None if done > 0 && done < stage.total && stage.last_line.elapsed() > LINE_INTERVAL => {
                stage.last_line = Instant::now();
                let left = stage
                    .started
                    .elapsed()
                    .mul_f64((stage.total - done) as f64 / done as f64);
                Self::line(&format!(
                    "{} {done}/{}, {:.0} s left",
                    stage.name,
                    stage.total,
                    left.as_secs_f64()
                ));
            }
            None => {}
        }
    }

    fn end(&self) {
        let stage = self.state.lock().expect("no panic holds the lock").take();
        if let Some(bar) = stage.and_then(|stage| stage.bar) {
            bar.finish_and_clear();
        }
    }

    fn note(&self, text: &str) {
        let state = self.state.lock().expect("no panic holds the lock");
        match state.as_ref().and_then(|stage| stage.bar.as_ref()) {
            Some(bar) => bar.println(text),
            None => Self::line(text),
        }
    }
}
