//! What the suites about AWS share: a simulated AWS in this process with a driver and a witness, the program as its
//! users run it, and software that others wrote, installed into a cache folder.

mod program;
mod python;
mod rig;

pub use program::{Ended, Pmks};
pub use python::{Python, skip, which};
pub use rig::{SimulatedAws, rig};
