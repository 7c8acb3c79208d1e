//! The facade over a scripted cloud, a real store and virtual time: every refusal, every success.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test that calls them")]

mod cloud;
mod driver;
mod other;
mod rig;
mod stages;

mod access;
mod beforehand;
mod cloud_names;
mod clusters;
mod connections;
mod deletions;
mod imports;
mod installation;
mod inventory;
mod learning;
mod networks;
mod node_groups;
mod operations;
mod patience;
mod pieces;
mod places;
mod preparation;
mod private_keys;
mod races;
mod references;
mod remnants;
mod security_groups;
mod strangers;
mod tags;
mod unfinished;
mod written;
