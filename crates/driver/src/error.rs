//! What went wrong at a cloud, in one shape for every provider.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use pmks_model::{Failure, FailureKind, Findings};
use pmks_transport::Effect;

/// The result of a driver's call.
pub type Result<T> = std::result::Result<T, DriverError>;

/// What the cloud's answer means. What to do about it is [`crate::reaction`]'s to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The cloud, or our check before it, refuses what was asked for.
    InvalidRequest(Findings),
    /// There is no such thing, in the cloud's own words.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// Busy: something else holds it, named where the cloud says what.
    Conflict {
        /// By whom; empty where the cloud does not say.
        by: String,
    },
    /// Another incarnation than the one that was meant stands there.
    Replaced,
    /// It changed between our read and our write.
    Stale,
    /// Too many requests.
    Throttled {
        /// When the cloud wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// A limit of the account is reached, or the cloud has no machines left.
    QuotaExceeded,
    /// The credential is not accepted.
    Unauthenticated,
    /// The credential may not do this.
    Forbidden {
        /// The permission that is missing, where the cloud says which.
        permission: Option<String>,
    },
    /// Something must exist in the account first.
    PrerequisiteMissing {
        /// What.
        what: String,
        /// What the user can do.
        fix: String,
    },
    /// The resource is not in a state that allows it.
    Precondition {
        /// What stands in the way.
        what: String,
        /// What the user can do.
        fix: String,
    },
    /// This provider, or this endpoint, cannot do it.
    Unsupported {
        /// The capability that is missing.
        capability: String,
    },
    /// The cloud did not answer, or answered that it cannot now; nothing was changed, or asking again changes nothing.
    Unavailable,
    /// Sent, and nobody knows what became of it.
    Ambiguous,
    /// An answer that cannot be read; a 404 without the cloud's own error body is one.
    Unexpected,
}

/// An error of a driver. `Display` shows its own level; [`chain`] shows all.
#[derive(Debug)]
pub struct DriverError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    provider: &'static str,
    action: &'static str,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl DriverError {
    /// An error of the given kind. `message` is the cloud's own where there is one, else ours.
    pub fn new(kind: ErrorKind, provider: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            provider,
            action: "",
            status: None,
            code: None,
            message: bounded(message.into()),
            request_id: None,
            retry_after: None,
            source: None,
        }))
    }

    /// Everything that is wrong with a request.
    pub fn invalid(provider: &'static str, findings: Findings) -> Self {
        let message = findings.to_string();
        Self::new(ErrorKind::InvalidRequest(findings), provider, message)
    }

    /// An operation that a provider lacks.
    pub fn unsupported(provider: &'static str, capability: &str) -> Self {
        let kind = ErrorKind::Unsupported { capability: capability.to_owned() };
        Self::new(kind, provider, format!("{provider} has no {capability}"))
    }

    /// Adds the cloud call's name.
    #[must_use]
    pub fn with_action(mut self, action: &'static str) -> Self {
        self.0.action = action;
        self
    }

    /// Adds what the cloud answered.
    #[must_use]
    pub fn with_answer(mut self, status: u16, code: Option<String>, request_id: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.code = code.map(bounded);
        self.0.request_id = request_id.map(bounded);
        self
    }

    /// Adds the cloud's own code of work that failed after the call which began it was answered well.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code.map(bounded);
        self
    }

    /// Adds when to ask again, where that is known beside the kind.
    #[must_use]
    pub fn again_after(mut self, after: Option<Duration>) -> Self {
        self.0.retry_after = after;
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error under another kind, for a quirk that only the caller can know.
    #[must_use]
    pub fn as_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What it means.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The cloud call's name; empty if there was none.
    pub fn action(&self) -> &'static str {
        self.0.action
    }

    /// The cloud's own code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The cloud's own message, or ours.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the cloud says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// When to ask again, as the cloud wants it or as is known otherwise.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.kind {
            ErrorKind::Throttled { retry_after: Some(after) } => Some(after),
            _ => self.0.retry_after,
        }
    }

    /// What a cloud answered: to this call, else to the one that caused its error, as that which keys are taken from.
    fn answered(&self) -> Option<&Inner> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(Self(inner)) = error.downcast_ref::<Self>()
                && inner.status.is_some()
            {
                return Some(inner);
            }
            next = error.source();
        }
        None
    }

    /// The same, owned and without its source, to be stored and shown.
    pub fn to_failure(&self) -> Failure {
        let inner = &self.0;
        let answered = self.answered();
        let told = answered.unwrap_or(inner);
        Failure {
            findings: match &inner.kind {
                ErrorKind::InvalidRequest(findings) => findings.clone(),
                _ => Findings::default(),
            },
            fix: inner.kind.fix().map(bounded),
            provider: Some(inner.provider.to_owned()),
            action: (!told.action.is_empty()).then(|| told.action.to_owned()),
            provider_status: told.status,
            provider_code: told.code.clone(),
            provider_message: answered.map(|told| told.message.clone()),
            provider_request_id: told.request_id.clone(),
            // Rounded up: who comes a moment too early is throttled again.
            retry_after_seconds: self
                .retry_after()
                .map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
            ..Failure::new(inner.kind.failure_kind(), chain(self))
        }
    }
}

impl ErrorKind {
    /// What a request without an answer of the cloud has come to, or with one that a proxy gave in its stead: until its time limit is over it may still be carried out, however
    /// harmless asking again would be.
    pub fn of_lost(effect: Effect) -> Self {
        match effect {
            Effect::Read => Self::Unavailable,
            Effect::Idempotent | Effect::Creates => Self::Ambiguous,
        }
    }

    fn failure_kind(&self) -> FailureKind {
        match self {
            Self::InvalidRequest(_) => FailureKind::InvalidRequest,
            Self::NotFound => FailureKind::NotFound,
            Self::AlreadyExists => FailureKind::AlreadyExists,
            Self::Conflict { .. } | Self::Replaced => FailureKind::Conflict,
            Self::Stale => FailureKind::Stale,
            Self::Throttled { .. } => FailureKind::Throttled,
            Self::QuotaExceeded => FailureKind::QuotaExceeded,
            Self::Unauthenticated => FailureKind::Unauthenticated,
            Self::Forbidden { .. } => FailureKind::Forbidden,
            Self::PrerequisiteMissing { .. } => FailureKind::PrerequisiteMissing,
            Self::Precondition { .. } => FailureKind::Precondition,
            Self::Unsupported { .. } => FailureKind::Unsupported,
            Self::Unavailable => FailureKind::Unavailable,
            Self::Ambiguous => FailureKind::Ambiguous,
            Self::Unexpected => FailureKind::Unexpected,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::PrerequisiteMissing { fix, .. } | Self::Precondition { fix, .. } => {
                (!fix.is_empty()).then(|| fix.clone())
            }
            Self::Forbidden { permission: Some(permission) } => {
                Some(format!("allow {permission} to the connection's credential"))
            }
            Self::Unauthenticated => {
                Some("give the connection a credential that the cloud accepts".to_owned())
            }
            _ => None,
        }
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        match inner.action {
            "" => f.write_str(&inner.message),
            action => match &inner.code {
                Some(code) => write!(f, "{action}: {code}: {}", inner.message),
                None => write!(f, "{action}: {}", inner.message),
            },
        }
    }
}

impl StdError for DriverError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The value; or `None` where the request is refused, the refusal's findings added to those that there are: so a
/// preparation goes on and finds everything that is wrong together.
///
/// # Errors
/// Every other error, and a refusal that names no field.
pub fn gather<T>(result: Result<T>, findings: &mut Findings) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            ErrorKind::InvalidRequest(found)
                if !found.is_empty() && found.iter().all(|finding| !finding.field.is_empty()) =>
            {
                findings.extend(found.clone());
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// An error with all its causes on one line, for the three edges where errors are shown.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let says = cause.to_string();
        if !text.contains(&says) {
            text.push_str(": ");
            text.push_str(&says);
        }
        next = cause.source();
    }
    bounded(text)
}

/// The most characters of what somebody else says that are kept: it is stored, and shown again and again.
const MOST_SAID: usize = 4_000;

fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_SAID) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_cloud_says_without_an_end_the_beginning_is_kept() {
        let endless = || "é".repeat(1 << 20);
        let error = DriverError::new(ErrorKind::Forbidden { permission: Some(endless()) }, "aws", endless())
            .with_action("eks.CreateCluster")
            .with_answer(403, Some(endless()), Some(endless()))
            .caused_by(std::io::Error::other(endless()));
        let failure = error.to_failure();
        let all = serde_json::to_string(&failure).unwrap();
        assert!(all.len() < 6 * 3 * MOST_SAID, "{}", all.len());
        assert!(failure.provider_message.unwrap().ends_with("é…"));
    }

    #[test]
    fn shows_its_own_level_and_the_chain_all() {
        let cause = std::io::Error::other("connection reset");
        let error = DriverError::new(ErrorKind::Ambiguous, "aws", "no answer")
            .with_action("eks.CreateCluster")
            .caused_by(cause);
        assert_eq!(error.to_string(), "eks.CreateCluster: no answer");
        assert_eq!(chain(&error), "eks.CreateCluster: no answer: connection reset");
    }

    #[test]
    fn keeps_the_clouds_words_in_a_failure() {
        let kind = ErrorKind::PrerequisiteMissing { what: "a role".into(), fix: "make it".into() };
        let failure = DriverError::new(kind, "aws", "no such role")
            .with_action("eks.CreateCluster")
            .with_answer(400, Some("InvalidParameterException".into()), Some("r-1".into()))
            .to_failure();
        assert_eq!(failure.kind, FailureKind::PrerequisiteMissing);
        assert_eq!(failure.fix.as_deref(), Some("make it"));
        assert_eq!(failure.provider_code.as_deref(), Some("InvalidParameterException"));
        assert_eq!(failure.provider_message.as_deref(), Some("no such role"));
        assert_eq!(failure.provider_request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn refusals_that_name_fields_are_gathered() {
        let refused = |field: &str| {
            let mut findings = Findings::default();
            findings.add(field, "is wrong");
            Err::<(), _>(DriverError::invalid("aws", findings))
        };
        let mut findings = Findings::default();
        assert_eq!(gather(Ok(1), &mut findings).unwrap(), Some(1));
        assert_eq!(gather(refused("a"), &mut findings).unwrap(), None);
        assert_eq!(gather(refused("b"), &mut findings).unwrap(), None);
        assert!(gather(refused(""), &mut findings).is_err());
        let busy = DriverError::new(ErrorKind::Unavailable, "aws", "not now");
        assert!(gather(Err::<(), _>(busy), &mut findings).is_err());
        assert_eq!(findings.iter().map(|finding| finding.field.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn keeps_when_the_cloud_wants_to_be_asked_again() {
        let after = |retry_after| {
            let kind = ErrorKind::Throttled { retry_after };
            DriverError::new(kind, "aws", "slow down").to_failure().retry_after_seconds
        };
        assert_eq!(after(Some(Duration::from_millis(2500))), Some(3));
        assert_eq!(after(Some(Duration::from_secs(7))), Some(7));
        assert_eq!(after(None), None);
    }
}
