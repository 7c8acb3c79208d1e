//! A failure as it is stored and shown: which class, what the cloud said, what helps.

use serde::{Deserialize, Serialize};

use crate::{Findings, ResourceKind, Says, Term, Terms};

/// The classes of error, one word each; `/v1` and the command line map them to status and exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Not readable at all: no JSON, a wrong type.
    Malformed,
    /// Readable, and not allowed: see the findings.
    InvalidRequest,
    /// There is no such thing.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// Something else holds the resource, or it is not what was meant.
    Conflict,
    /// It changed in between.
    Stale,
    /// The caller is not known to pmks.
    NotAuthenticated,
    /// The caller may not do this at pmks.
    NotAllowed,
    /// The cloud does not accept the credential.
    Unauthenticated,
    /// The cloud does not allow it to this credential.
    Forbidden,
    /// A limit of the account is reached, or the cloud has no machines left.
    QuotaExceeded,
    /// Something must exist in the account first.
    PrerequisiteMissing,
    /// The resource is not in a state that allows it.
    Precondition,
    /// This cloud cannot do it.
    Unsupported,
    /// Too many requests.
    Throttled,
    /// Not reachable now.
    Unavailable,
    /// It took too long.
    Timeout,
    /// Sent, and nobody knows what became of it.
    Ambiguous,
    /// An answer that nobody can read, or a defect of pmks.
    Unexpected,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The headers are larger than allowed.
    HeadersTooLarge,
}

impl FailureKind {
    /// Every kind, for tables and tests.
    pub const ALL: [FailureKind; 21] = [
        Self::Malformed,
        Self::InvalidRequest,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Stale,
        Self::NotAuthenticated,
        Self::NotAllowed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::QuotaExceeded,
        Self::PrerequisiteMissing,
        Self::Precondition,
        Self::Unsupported,
        Self::Throttled,
        Self::Unavailable,
        Self::Timeout,
        Self::Ambiguous,
        Self::Unexpected,
        Self::BodyTooLarge,
        Self::HeadersTooLarge,
    ];

    /// The word in kebab-case, as in `/docs/errors/<kind>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::InvalidRequest => "invalid-request",
            Self::NotFound => "not-found",
            Self::AlreadyExists => "already-exists",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
            Self::NotAuthenticated => "not-authenticated",
            Self::NotAllowed => "not-allowed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::QuotaExceeded => "quota-exceeded",
            Self::PrerequisiteMissing => "prerequisite-missing",
            Self::Precondition => "precondition",
            Self::Unsupported => "unsupported",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Ambiguous => "ambiguous",
            Self::Unexpected => "unexpected",
            Self::BodyTooLarge => "body-too-large",
            Self::HeadersTooLarge => "headers-too-large",
        }
    }
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What went wrong, owned: it is stored with an operation and shown at every surface. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// One or two sentences: what failed, where.
    pub detail: String,
    /// The terms in it, for which a surface may have words of its own.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
    /// Everything wrong with the request, if that is what failed.
    #[serde(default, skip_serializing_if = "Findings::is_empty")]
    pub findings: Findings,
    /// What is not there, or is there already, where it is one of those that pmks keeps records of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Subject>,
    /// What the user can do, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The terms in that.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub fix_terms: Terms,
    /// The cloud, if it was one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The cloud call, such as `eks.CreateCluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The cloud's HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<u16>,
    /// The cloud's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    /// The cloud's own message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_message: Option<String>,
    /// The cloud's request id, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
    /// In how many seconds the cloud wants to be asked again, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// What a failure is about, as whoever asked named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its name, or the cloud's identifier.
    pub name: String,
}

impl Failure {
    /// A failure of pmks' own, without a cloud.
    pub fn new(kind: FailureKind, detail: impl Into<Says>) -> Self {
        let (detail, terms) = detail.into().into_parts();
        Self {
            kind,
            detail,
            terms,
            findings: Findings::default(),
            about: None,
            fix: None,
            fix_terms: Terms::default(),
            provider: None,
            action: None,
            provider_status: None,
            provider_code: None,
            provider_message: None,
            provider_request_id: None,
            retry_after_seconds: None,
        }
    }

    /// A request with everything that is wrong with it.
    pub fn invalid(findings: Findings) -> Self {
        Self { findings, ..Self::new(FailureKind::InvalidRequest, "the request is not valid") }
    }

    /// The same, of what is not there or is there already.
    #[must_use]
    pub fn about(mut self, kind: ResourceKind, name: impl Into<String>) -> Self {
        self.about = Some(Subject { kind, name: name.into() });
        self
    }

    /// Whether it is about something of that kind.
    pub fn is_about(&self, kind: ResourceKind) -> bool {
        self.about.as_ref().is_some_and(|subject| subject.kind == kind)
    }

    /// The same, with what the user can do.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<Says>) -> Self {
        let (fix, terms) = fix.into().into_parts();
        (self.fix, self.fix_terms) = (Some(fix), terms);
        self
    }

    /// What failed and what the user can do, with their terms in the words of somebody else.
    pub fn in_words(&self, word: impl Fn(&Term) -> String) -> (String, Option<String>) {
        let fix = self.fix.as_deref().map(|fix| self.fix_terms.in_words(fix, &word));
        (self.terms.in_words(&self.detail, word), fix)
    }
}

impl Failure {
    /// Its HTTP status. A cloud's own status is never ours: its 401 is a 502 of ours.
    pub fn http_status(&self) -> u16 {
        match self.kind {
            FailureKind::Malformed => 400,
            FailureKind::NotAuthenticated => 401,
            FailureKind::NotAllowed => 403,
            FailureKind::NotFound => 404,
            FailureKind::AlreadyExists | FailureKind::Conflict => 409,
            FailureKind::Stale => 412,
            FailureKind::BodyTooLarge => 413,
            FailureKind::InvalidRequest
            | FailureKind::QuotaExceeded
            | FailureKind::PrerequisiteMissing
            | FailureKind::Precondition => 422,
            FailureKind::Throttled if self.provider.is_none() => 429,
            FailureKind::HeadersTooLarge => 431,
            FailureKind::Unsupported => 501,
            FailureKind::Unauthenticated
            | FailureKind::Forbidden
            | FailureKind::Ambiguous
            | FailureKind::Unexpected => 502,
            FailureKind::Throttled | FailureKind::Unavailable => 503,
            FailureKind::Timeout => 504,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)?;
        if !self.findings.is_empty() {
            write!(f, " ({})", self.findings)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_serialized_ones() {
        for kind in FailureKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
