//! The kill matrix: for every named point of an operation's way the process ends there, another one takes over, and
//! the end is compared with the ground truth. It knows no cloud: a [`Scene`] brings one.

mod matrix;
mod switch;

pub use matrix::{Report, Scene, distinct, drive, kill_matrix, sampled, survive};
pub use switch::KillSwitch;
