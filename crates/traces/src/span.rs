//! A span that is over, as it is sent.

use pmks_transport::TraceContext;

/// What a span says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
    Fraction(f64),
    Flag(bool),
}

/// Who is on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nobody.
    Internal = 1,
    /// A client of ours.
    Server = 2,
    /// A server that was asked.
    Client = 3,
}

/// A span that is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    /// Its place.
    pub(crate) context: TraceContext,
    /// The span above it; 0: none.
    pub(crate) parent: u64,
    /// Of few values.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Nanoseconds since 1970.
    pub(crate) began: u64,
    /// Nanoseconds since 1970.
    pub(crate) ended: u64,
    pub(crate) attributes: Vec<(String, Value)>,
    /// Why it counts as failed, if it does.
    pub(crate) failed: Option<String>,
}
