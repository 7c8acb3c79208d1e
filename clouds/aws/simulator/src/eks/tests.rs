//! The state machines of EKS on virtual time: each test makes calls, lets work time pass and looks again.

mod access;
mod clusters;
mod endpoints;
mod node_group_requests;
mod node_groups;
mod parts;
mod rig;
