//! The REST interface of CB-Spider, so that its clients work unchanged. A second surface of core beside `/v1`: it reads
//! their bodies, calls core, and writes what they expect. It decides nothing, and names providers only in tables of
//! spellings.
//!
//! Source: <https://github.com/cloud-barista/cb-spider>

mod call;
mod cors;
mod description;
mod fields;
mod names;
mod refusal;
mod reply;
mod router;
mod wait;

mod routes;

pub use cors::{preflight, readable};
pub use description::{Body, Operation, Sends, operations};
pub use refusal::Refusal;
pub use router::{ReachedAt, Settings, exempt, router};
