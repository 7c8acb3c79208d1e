//! The engine against a scripted cloud that keeps the ground truth, on virtual time.

mod cloud;
mod driver;
mod rig;

mod blocked;
mod clocks;
mod crowd;
mod faults;
mod kills;
mod life;
