//! Ridge regression against its definition, its laws and its peers.

mod bands;
mod components;
mod fixtures;
mod gradient;
mod laws;
mod problem;
mod refusals;
