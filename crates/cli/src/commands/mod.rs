//! The commands, a file each.

pub mod ceiling;
pub mod check;
pub mod compare;
pub mod data;
pub mod demo;
pub mod explain;
pub mod extract;
pub mod gradcam;
pub mod infer;
pub mod init;
pub mod mantel;
pub mod models;
pub mod rdm;
pub mod report;
pub mod run;
pub mod verify;
