//! Google's own requests and answers, one file a service: only the fields that are used. What is unknown in an answer
//! is ignored; what an answer leaves out is empty.

pub(crate) mod compute;
pub(crate) mod container;
pub(crate) mod monitoring;
pub(crate) mod oauth;
pub(crate) mod service_usage;
