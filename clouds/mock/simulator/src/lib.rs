//! The Mock cloud: a cloud that is nobody's, with the regions, machine types and images of CB-Spider's Mock.
//!
//! Its protocol is one: every thing is a JSON object in a collection of its region, and every change is an operation,
//! done at once unless the world is told that work takes time. A call's name is `COLLECTION.VERB`
//! (`clusters.create`), its service `mock`. Never shares a type with the driver, and never listens beyond loopback.

mod calls;
mod catalogue;
mod cloud;
mod endpoints;
mod error;
mod events;
mod front;
mod others;
mod work;
mod world;

#[cfg(test)]
mod tests;

pub use cloud::{MockCloud, Settings};
