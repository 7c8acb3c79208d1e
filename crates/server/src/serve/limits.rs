//! What a server bears.

use std::time::Duration;

/// What a server bears. The defaults fit a small machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of a request in bytes.
    pub body_bytes: usize,
    /// The largest head of a request in bytes: target and headers.
    pub head_bytes: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// How long a peer may take to send a head, or stay silent between two requests.
    pub head_read: Duration,
    /// How long whoever comes has to say what for, however many others come: of many at once most are let go as soon as
    /// they have come, and their heads are on the way.
    pub moment: Duration,
    /// How long a request may take, streams apart.
    pub request: Duration,
    /// How long a peer may take no byte of an answer.
    pub stall: Duration,
    /// How long what a peer still sends is read and dropped after an answer that did not wait for it.
    pub linger: Duration,
    /// How much of it, in bytes.
    pub linger_bytes: usize,
    /// The most connections at once that have sent no whole head yet, or stay silent between two requests: one more,
    /// and the one that has waited longest is let go.
    pub heads: usize,
    /// The most connections at once. One more takes the place of one that waits for a head, else it waits.
    pub connections: usize,
    /// How long requests may take to finish once the server stops.
    pub drain: Duration,
    /// The most streams of events of one caller at once; more are refused (429).
    pub event_readers: usize,
    /// The same of all callers together: fewer than there are connections.
    pub all_event_readers: usize,
    /// How often a silent stream says that it is alive.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            head_bytes: 16 << 10,
            headers: 64,
            head_read: Duration::from_secs(10),
            moment: Duration::from_millis(250),
            request: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            linger_bytes: 32 << 20,
            heads: 256,
            connections: 512,
            event_readers: 128,
            all_event_readers: 384,
            drain: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
        }
    }
}
