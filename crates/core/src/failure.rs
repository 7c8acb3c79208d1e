//! The facade's one result type, and the failures that many rooms answer.

use pmks_driver::DriverError;
use pmks_model::{Failure, FailureKind, Findings, ResourceKind, Says, Terms};
use uuid::Uuid;

/// What the facade answers: the value, or the failure as it is shown at every surface.
pub type Result<T> = std::result::Result<T, Box<Failure>>;

/// There is no such resource.
pub(crate) fn not_found(kind: ResourceKind, name: &str) -> Box<Failure> {
    let says = Says::from("there is no ").then(Says::kind(kind)).text(format!(" {name:?}"));
    Box::new(Failure::new(FailureKind::NotFound, says).about(kind, name))
}

/// There is no such thing, of those that are no resources.
pub(crate) fn unknown(what: &str, name: &str) -> Box<Failure> {
    Box::new(Failure::new(FailureKind::NotFound, format!("there is no {what} {name:?}")))
}

/// The name is taken.
pub(crate) fn already_exists(kind: ResourceKind, name: &str) -> Box<Failure> {
    let says = Says::kind(kind).text(format!(" {name:?} exists already"));
    Box::new(Failure::new(FailureKind::AlreadyExists, says).about(kind, name))
}

/// Something stands in the way.
pub(crate) fn conflict(detail: impl Into<Says>) -> Box<Failure> {
    Box::new(Failure::new(FailureKind::Conflict, detail))
}

/// What is on its way out is not worked with.
pub(crate) fn being_deleted(kind: ResourceKind, name: &str, removal: Uuid) -> Box<Failure> {
    conflict(Says::kind(kind).text(format!(" {name:?} is being deleted by operation {removal}")))
}

/// It changed since the caller read it.
pub(crate) fn stale(what: impl Into<Says>, name: &str) -> Box<Failure> {
    let says = what.into().text(format!(" {name:?} was changed since it was read"));
    let failure = Failure::new(FailureKind::Stale, says);
    Box::new(failure.with_fix("read it again and repeat the change with its new version tag"))
}

/// Everything that is wrong with a request, if anything is.
///
/// # Errors
/// `InvalidRequest` with the findings.
pub(crate) fn check(findings: Findings) -> Result<()> {
    findings.into_result().map_err(|findings| Box::new(Failure::invalid(findings)))
}

/// One thing that is wrong with a request.
pub(crate) fn invalid(field: &str, says: impl Into<Says>) -> Box<Failure> {
    let mut findings = Findings::default();
    findings.add(field, says);
    Box::new(Failure::invalid(findings))
}

/// That a field names a thing which there is not; `where_not` says where it was looked for.
pub(crate) fn missing(field: &str, kind: ResourceKind, name: &str, where_not: &str) -> Box<Failure> {
    let mut findings = Findings::default();
    findings.add_missing(field, kind, name, where_not);
    Box::new(Failure::invalid(findings))
}

/// One thing of a request that cannot be read.
pub(crate) fn malformed(field: &str, says: impl Into<Says>) -> Box<Failure> {
    let mut failure = Failure::new(FailureKind::Malformed, "the request cannot be read");
    failure.findings.add(field, says);
    Box::new(failure)
}

/// A defect of pmks.
pub(crate) fn unexpected(detail: impl Into<Says>) -> Box<Failure> {
    Box::new(Failure::new(FailureKind::Unexpected, detail))
}

/// The resource is not in a state that allows it.
pub(crate) fn precondition(detail: impl Into<Says>, fix: impl Into<Says>) -> Box<Failure> {
    Box::new(Failure::new(FailureKind::Precondition, detail).with_fix(fix))
}

/// What a driver answered, naming the connection through which it was asked.
pub(crate) fn of_cloud(connection: &str, error: &DriverError) -> Box<Failure> {
    of_cloud_by(&format!("connection {connection:?}"), error)
}

/// The same, where something else than a connection was asked through.
pub(crate) fn of_cloud_by(who: &str, error: &DriverError) -> Box<Failure> {
    let failure = error.to_failure();
    // What is wrong with a request is said once, by its fields.
    let says = if failure.findings.is_empty() { &failure.detail } else { "the request is not valid" };
    let detail = format!("{who}: {says}");
    Box::new(Failure { detail, terms: Terms::default(), ..failure })
}

/// What a transaction answered instead of its result.
pub(crate) fn of_store(error: pmks_store::Error) -> Box<Failure> {
    let says = pmks_driver::chain(&error);
    let fix = match &error {
        pmks_store::Error::Database(error) => error.fault.fix(),
        _ => None,
    };
    let kind = match &error {
        pmks_store::Error::AlreadyExists { .. } => FailureKind::AlreadyExists,
        pmks_store::Error::NotFound { .. } => FailureKind::NotFound,
        pmks_store::Error::Conflict(_) | pmks_store::Error::Held { .. } => FailureKind::Conflict,
        pmks_store::Error::Stale { .. } => FailureKind::Stale,
        pmks_store::Error::KeyReused => return invalid("Idempotency-Key", says),
        pmks_store::Error::Database(_) | pmks_store::Error::Closed => FailureKind::Unavailable,
        _ => FailureKind::Unexpected,
    };
    // Whoever closes the store stops what still reads: a refresh that nobody waits for any more has not failed.
    let closed = matches!(&error, pmks_store::Error::Closed);
    if !closed && matches!(kind, FailureKind::Unavailable | FailureKind::Unexpected) {
        tracing::error!(error = %says, "the store failed");
    }
    let about = match error {
        pmks_store::Error::AlreadyExists { about, .. } | pmks_store::Error::NotFound { about, .. } => about,
        _ => None,
    };
    Box::new(Failure { about, fix: fix.map(Into::into), ..Failure::new(kind, says) })
}
