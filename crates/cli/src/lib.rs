//! Arguments, exit codes and printing. Every command is one call of the facade.

mod arrays;
mod commands;
mod console;
mod encoding;
mod places;
mod rated;
mod tables;

use std::io::Write;

use clap::{Parser, Subcommand, ValueEnum};

pub use console::{explain_failure, is_broken_pipe};

/// How well do vision models agree with behaviour and with the brain?
#[derive(Debug, Parser)]
#[command(name = "consilience", version, about, long_about = None, max_term_width = 100)]
#[command(after_help = "Start with `consilience demo`, then `consilience init rsa my-study`.")]
pub struct Cli {
    /// Threads to use; default: all cores. Results do not depend on it
    #[arg(long, global = true, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the study that is built in and say where the report is
    Demo(commands::demo::Args),
    /// Write a commented study file to start from
    Init(commands::init::Args),
    /// Validate a study and print its plan; changes nothing
    Check(commands::check::Args),
    /// Run a study: record, scores, figures, report; resumes by itself
    Run(commands::run::Args),
    /// Render a report again from a record
    Report(commands::report::Args),
    /// Print the definition, assumptions and references of a method or option
    Explain(commands::explain::Args),
    /// List, show and verify network architectures, download their weights
    Models(commands::models::Args),
    /// List, show and download public data sets
    Data(commands::data::Args),
    /// Patterns → RDM
    Rdm(commands::rdm::Args),
    /// RDMs × RDMs → similarities
    Compare(commands::compare::Args),
    /// Patterns × patterns of the same stimuli → CKA, Procrustes distance, canonical correlation
    ComparePatterns(commands::compare_patterns::Args),
    /// Subject RDMs → noise ceiling
    Ceiling(commands::ceiling::Args),
    /// Ratings or repeated responses → how reliable they are, and the ceiling that this sets
    Reliability(commands::reliability::Args),
    /// Predictions × targets → correlations, by subset of the items and over runs
    Correlate(commands::correlate::Args),
    /// Signals and responses → sensitivity d′
    DPrime(commands::d_prime::Args),
    /// Two groups of values → Welch's test with effect sizes
    Welch(commands::welch::Args),
    /// Odd-one-out choices → how well an embedding or RDM predicts them, and their ceiling
    OddOneOut(commands::odd_one_out::Args),
    /// Right and wrong answers → whether observers err on the same trials
    ErrorConsistency(commands::error_consistency::Args),
    /// Responses of units and categories → units that prefer one
    Selectivity(commands::selectivity::Args),
    /// Two configurations of the same items → Procrustes disparity
    Procrustes(commands::procrustes::Args),
    /// Actual and predicted values → means in bins of the actual ones
    Quantiles(commands::quantiles::Args),
    /// Predicted and given ratings → r, R², errors as they are and after a refit, ceiling, distance in the plane
    Predictions(commands::predictions::Args),
    /// Ratings of valence and arousal → items in nine bins
    Bins(commands::bins::Args),
    /// Responses of units and ratings → units selective for a bin of valence and arousal, by layer, before and after
    EmotionSelectivity(commands::emotion_selectivity::Args),
    /// Two sets of units → whether they overlap more than at random
    OverlapUnits(commands::overlap_units::Args),
    /// Patterns of layers and ratings → whether items felt alike are represented alike
    Geometry(commands::geometry::Args),
    /// Responses of subjects' voxels → RDM of the region, agreement of models beyond controls
    RegionRsa(commands::region_rsa::Args),
    /// Model RDMs against subject RDMs, with standard errors, intervals and tests
    Infer(commands::infer::Args),
    /// Models with and without parameters against subject RDMs: fitted, cross-validated, tested, explained
    Evaluate(commands::evaluate::Args),
    /// Scores of models × subjects → t-tests, effect sizes, Bayes factors, rank and sign-flip tests
    GroupTests(commands::group_tests::Args),
    /// Permutation test of the similarity of two RDMs
    Mantel(commands::mantel::Args),
    /// Features and targets → cross-validated predictions by ridge regression, a penalty a target
    Ridge(commands::ridge::Args),
    /// Bands of features and targets → predictions, a penalty a band and target, what each band explains
    BandedRidge(commands::banded_ridge::Args),
    /// Features and targets → predictions by least squares, partial least squares or principal components
    Encode(commands::encode::Args),
    /// Sets of features and targets → variance that each set explains alone and with others
    Partition(commands::partition::Args),
    /// Features and targets → a trained head, linear or with hidden layers
    Head(commands::head::Args),
    /// Recordings of runs and their events → a beta for each trial
    Betas(commands::betas::Args),
    /// Modules of nuclei (a model of the amygdala) on a network's features: summary, training, prediction, import, export
    Module(Box<commands::module::Args>),
    /// Responses of brains and ratings → ratings that voxels predict, by models that did not see the picture
    BrainRatings(commands::brain_ratings::Args),
    /// Arrangements of items → RDM, next trial, reliability
    Arrange(commands::arrange::Args),
    /// Pictures → activations of a network's layers
    Extract(commands::extract::Args),
    /// Pictures → low-level features (pixels, luminance, oriented energy, spectrum) as controls
    ImageFeatures(commands::image_features::Args),
    /// Pictures → maps of where a network's layers speak for a class
    Gradcam(commands::gradcam::Args),
    /// Pictures → boxes of things
    Detect(commands::detect::Args),
    /// Pictures → aligned faces with their landmarks
    Faces(commands::faces::Args),
    /// Boxes made elsewhere → checked boxes as CSV or COCO JSON
    Boxes(commands::boxes::Args),
    /// Boxes → how far those of categories overlap, and which occur together
    Overlap(commands::overlap::Args),
    /// Maps and boxes → how important objects are, in each picture and over all
    Importance(commands::importance::Args),
    /// Pictures and boxes → how sensitive a network's filters are to classes, and the filters of categories
    Sensitivity(commands::sensitivity::Args),
    /// Features, heads and filters → correlations without the filters, against random ones
    Lesion(commands::lesion::Args),
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For reading
    Text,
    /// For programs
    Json,
}

/// Does what was asked, with data going to `out`.
///
/// # Errors
///
/// Whatever kept the command from being done; see [`explain_failure`].
pub fn run(cli: Cli, out: &mut dyn Write) -> anyhow::Result<()> {
    let threads = places::set_threads(cli.threads)?;
    match cli.command {
        Command::Demo(args) => commands::demo::run(&args, threads, out),
        Command::Init(args) => commands::init::run(&args, out),
        Command::Check(args) => commands::check::run(&args, threads, out),
        Command::Run(args) => commands::run::run(&args, threads, out),
        Command::Report(args) => commands::report::run(&args, out),
        Command::Explain(args) => commands::explain::run(&args, out),
        Command::Models(args) => commands::models::run(&args, out),
        Command::Data(args) => commands::data::run(&args, out),
        Command::Rdm(args) => commands::rdm::run(&args, out),
        Command::Compare(args) => commands::compare::run(&args, out),
        Command::ComparePatterns(args) => commands::compare_patterns::run(&args, out),
        Command::Ceiling(args) => commands::ceiling::run(&args, out),
        Command::Reliability(args) => commands::reliability::run(&args, out),
        Command::Correlate(args) => commands::correlate::run(&args, out),
        Command::DPrime(args) => commands::d_prime::run(&args, out),
        Command::Welch(args) => commands::welch::run(&args, out),
        Command::OddOneOut(args) => commands::odd_one_out::run(&args, out),
        Command::ErrorConsistency(args) => commands::error_consistency::run(&args, out),
        Command::Selectivity(args) => commands::selectivity::run(&args, out),
        Command::Procrustes(args) => commands::procrustes::run(&args, out),
        Command::Quantiles(args) => commands::quantiles::run(&args, out),
        Command::Predictions(args) => commands::predictions::run(&args, out),
        Command::Bins(args) => commands::bins::run(&args, out),
        Command::EmotionSelectivity(args) => commands::emotion_selectivity::run(&args, out),
        Command::OverlapUnits(args) => commands::overlap_units::run(&args, out),
        Command::Geometry(args) => commands::geometry::run(&args, out),
        Command::RegionRsa(args) => commands::region_rsa::run(&args, out),
        Command::Infer(args) => commands::infer::run(&args, out),
        Command::Evaluate(args) => commands::evaluate::run(&args, out),
        Command::GroupTests(args) => commands::group_tests::run(&args, out),
        Command::Mantel(args) => commands::mantel::run(&args, out),
        Command::Ridge(args) => commands::ridge::run(&args, out),
        Command::BandedRidge(args) => commands::banded_ridge::run(&args, out),
        Command::Encode(args) => commands::encode::run(&args, out),
        Command::Partition(args) => commands::partition::run(&args, out),
        Command::Head(args) => commands::head::run(&args, out),
        Command::Betas(args) => commands::betas::run(&args, out),
        Command::Module(args) => commands::module::run(&args, threads, out),
        Command::BrainRatings(args) => commands::brain_ratings::run(&args, out),
        Command::Arrange(args) => commands::arrange::run(&args, out),
        Command::Extract(args) => commands::extract::run(&args, threads, out),
        Command::ImageFeatures(args) => commands::image_features::run(&args, out),
        Command::Gradcam(args) => commands::gradcam::run(&args, out),
        Command::Detect(args) => commands::detect::run(&args, threads, out),
        Command::Faces(args) => commands::faces::run(&args, threads, out),
        Command::Boxes(args) => commands::boxes::run(&args, out),
        Command::Overlap(args) => commands::overlap::run(&args, out),
        Command::Importance(args) => commands::importance::run(&args, out),
        Command::Sensitivity(args) => commands::sensitivity::run(&args, out),
        Command::Lesion(args) => commands::lesion::run(&args, out),
    }
}

/// The argument parser, for the generated reference page.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}
