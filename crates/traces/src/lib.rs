//! Traces to a collector: spans of requests, operations, stages and cloud calls, by OTLP over HTTP (protobuf).
//!
//! ```text
//! request ─▶ operation ─▶ stage ─▶ cloud call         one trace, across restarts
//! ```
//! [`layer`](Traces::layer) collects the spans of this program's own crates; a bounded queue and one task send them. A
//! collector that is slow, dead or hangs costs spans, which are counted, and nothing else. It never waits for it, and
//! never writes what a span of somebody else's crate says.
//!
//! A span is part of a trace by its fields: `trace` (a `traceparent` whose span is the span itself) and `parent` (16
//! hexadecimal digits, of the span above), or by standing within one that is. One with the field `carries` is not sent:
//! it stands for a span that is sent later, once it is over, as stages are. `started_ms` says when it began, where that
//! was earlier.

mod encode;
mod exporter;
mod layer;
mod settings;
mod span;

pub use exporter::Traces;
pub use layer::TraceLayer;
pub use settings::{Settings, Unusable};
