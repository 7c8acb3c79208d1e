//! What the suites about Azure share: a simulated Azure in this process with a driver and a witness, and software that
//! others wrote, installed into a cache folder.

mod python;
mod rig;

pub use python::{Python, skip, which};
pub use rig::{SimulatedAzure, rig};
