//! What the Mock cloud's refusals mean: one table, a row a code. Nothing else in this crate reads a code.

use pmks_driver::refusals::{Meaning, Refusal, Row, Table, row};
use pmks_driver::{DriverError, Effect, ErrorKind};
use pmks_transport::{Response, Verdict, classify_by_status, retry_after};
use serde_json::Value;

use crate::PROVIDER;
use crate::wire::Said;

const ROWS: &[Row] = &[
    row("", "InvalidArgument", "", Meaning::Invalid),
    row("", "Unauthenticated", "", Meaning::Unauthenticated),
    row("", "PermissionDenied", "", Meaning::Forbidden),
    row("", "NotFound", "", Meaning::NotFound),
    row("", "AlreadyExists", "", Meaning::AlreadyExists),
    row("", "Busy", "", Meaning::Busy),
    row("", "InUse", "", Meaning::Blocked("delete what uses it first")),
    row("", "QuotaExceeded", "", Meaning::Quota),
    row("", "OutOfCapacity", "", Meaning::Quota),
    row("", "TooManyRequests", "", Meaning::Throttled),
];

/// The table.
pub(crate) const TABLE: Table =
    Table { provider: PROVIDER, whose: "the Mock cloud's", rows: ROWS, by_status };

/// The codes of faults are nobody's.
fn by_status(_action: &str, status: u16) -> Meaning {
    match status {
        429 => Meaning::Throttled,
        500.. => Meaning::Unavailable,
        _ => Meaning::Invalid,
    }
}

/// The error of an answer that is none.
pub(crate) fn of_answer(action: &'static str, effect: Effect, response: &Response) -> DriverError {
    let Some(said) = said(response) else { return TABLE.without_body(action, effect, response) };
    let status = response.status.as_u16();
    let refusal = Refusal { action, effect, status, codes: &[said.code.as_str()], message: &said.message };
    let mut kind = TABLE.kind_of(&refusal, None);
    if let ErrorKind::Throttled { retry_after: after } = &mut kind {
        *after = retry_after(&response.headers);
    }
    DriverError::new(kind, PROVIDER, said.message).with_action(action).with_answer(
        status,
        Some(said.code),
        response.request_id.clone(),
    )
}

/// The error of the cloud's own work, which had begun.
pub(crate) fn of_operation(action: &'static str, said: &Said) -> DriverError {
    let codes = [said.code.as_str()];
    let refusal =
        Refusal { action, effect: Effect::Read, status: 400, codes: &codes, message: &said.message };
    let error = DriverError::new(TABLE.kind_of(&refusal, None), PROVIDER, said.message.as_str());
    error.with_action(action).with_code(Some(said.code.clone()))
}

/// How busy the cloud is, for the transport.
pub(crate) fn verdict(response: &Response) -> Verdict {
    match said(response) {
        Some(said) if said.code == "Unauthenticated" => Verdict::Unauthenticated,
        _ => classify_by_status(response),
    }
}

/// Reads the cloud's error body. `None`: it is not the cloud that speaks.
fn said(response: &Response) -> Option<Said> {
    if response.status.is_success() {
        return None;
    }
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    serde_json::from_value(body.get("error")?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_used_and_means_what_it_says() {
        assert_eq!(TABLE.hidden(), None);
        let kind = |code: &str, effect| {
            let refusal = Refusal { action: "a", effect, status: 500, codes: &[code], message: "m" };
            TABLE.kind_of(&refusal, None)
        };
        assert_eq!(kind("Busy", Effect::Idempotent), ErrorKind::Conflict { by: "m".to_owned() });
        assert_eq!(kind("OutOfCapacity", Effect::Creates), ErrorKind::QuotaExceeded);
        assert!(matches!(kind("InUse", Effect::Idempotent), ErrorKind::Precondition { .. }));
        assert_eq!(kind("InternalError", Effect::Read), ErrorKind::Unavailable);
        assert_eq!(kind("InternalError", Effect::Creates), ErrorKind::Ambiguous);
    }
}
