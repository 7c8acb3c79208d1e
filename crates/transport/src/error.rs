//! Why a call has no answer. An answer with a bad status is not an error here: the driver classifies it.

use std::fmt;
use std::time::Duration;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What is known about a call that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The call could not be built (a body that does not serialize, a header that is not text). Nothing was sent.
    Invalid,
    /// Surely not sent: name resolution, connection, proxy or TLS failed, as often as it was tried.
    NotSent,
    /// Sent, outcome unknown: time-out, reset, truncated or unreadable answer.
    Lost,
    /// Sent and answered, but the answer's body exceeds the limit and was not read.
    TooLarge,
    /// The signer refused; nothing was sent.
    Signing {
        /// Whether trying again later may help.
        temporary: bool,
    },
    /// The cloud refused what a good credential was given a moment ago; nothing was applied.
    Refused {
        /// When there is something else to sign with.
        retry_after: Duration,
    },
    /// The URL is not on one of the connection's own hosts; nothing was sent.
    ForeignHost,
    /// The request budget would be waited for longer than the call's time limit; nothing was sent.
    Budget {
        /// When a token is expected.
        retry_after: Duration,
    },
}

impl ErrorKind {
    /// Whether the call surely never reached the cloud, or was refused before anything was done.
    pub fn surely_not_sent(self) -> bool {
        !matches!(self, Self::Lost | Self::TooLarge)
    }

    /// The word used as outcome in metrics, spans and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotSent => "notSent",
            Self::Lost => "lost",
            Self::TooLarge => "tooLarge",
            Self::Signing { .. } => "signing",
            Self::Refused { .. } => "refused",
            Self::ForeignHost => "foreignHost",
            Self::Budget { .. } => "budget",
        }
    }
}

/// A call without an answer. `Display` is this level only; the chain is in `source()`. Holds no secret, and URLs only
/// without their query.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    action: &'static str,
    message: String,
    source: Option<Source>,
}

impl Error {
    /// An error of the given kind; public for doubles of the client in tests.
    pub fn new(kind: ErrorKind, action: &'static str, message: impl Into<String>) -> Self {
        Self { kind, action, message: message.into(), source: None }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is known about the call.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The call's name at the cloud, as in [`crate::Call::new`].
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// What happened, without the action.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the call surely never reached the cloud.
    pub fn surely_not_sent(&self) -> bool {
        self.kind.surely_not_sent()
    }

    /// When to try again, where the transport knows.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Budget { retry_after } | ErrorKind::Refused { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
