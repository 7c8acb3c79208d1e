//! What a cloud's refusals mean: the machinery around a driver's table, which keeps the rows alone.

use pmks_model::Findings;
use pmks_transport::{Effect, Response, retry_after};

use crate::{DriverError, ErrorKind};

/// The meaning of a row; what it carries beside comes from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The request is wrong.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// There is one of that name.
    AlreadyExists,
    /// Something else is being done to it.
    Busy,
    /// It changed since it was read.
    Stale,
    /// Too many requests.
    Throttled,
    /// The account has no room for it.
    Quota,
    /// The credential is not accepted.
    Unauthenticated,
    /// The credential may not do that.
    Forbidden,
    /// Something must exist in the account first, which the prerequisites' fix makes.
    Prerequisite,
    /// It is in a state that does not allow it, and what helps.
    Blocked(&'static str),
    /// The cloud has no such call.
    Unsupported,
    /// The cloud cannot answer now.
    Unavailable,
}

/// What some refusals of a cloud mean. In a pattern, one `*` at either end or between stands for anything; an empty
/// pattern fits everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The pattern of the calls it is for.
    pub action: &'static str,
    /// The pattern of the cloud's code.
    pub code: &'static str,
    /// What the message holds, in lower case; empty: anything.
    pub says: &'static str,
    /// What it means.
    pub meaning: Meaning,
}

/// A row.
pub const fn row(action: &'static str, code: &'static str, says: &'static str, meaning: Meaning) -> Row {
    Row { action, code, says, meaning }
}

/// A refusal, as the cloud's error body has it.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The call.
    pub action: &'a str,
    /// Its effect.
    pub effect: Effect,
    /// The status of the answer.
    pub status: u16,
    /// The cloud's codes, the closest first.
    pub codes: &'a [&'a str],
    /// The cloud's message.
    pub message: &'a str,
}

/// A driver's table: the first row that fits decides, then the status.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The provider.
    pub provider: &'static str,
    /// Whose error body it reads: `Azure's`.
    pub whose: &'static str,
    /// The rows, each with its source.
    pub rows: &'static [Row],
    /// The meaning of a call's status where no row fits.
    pub by_status: fn(action: &str, status: u16) -> Meaning,
}

impl Table {
    /// The kind of a refusal. `permission` is the one that its message names.
    pub fn kind_of(&self, refusal: &Refusal<'_>, permission: Option<String>) -> ErrorKind {
        let what = || refusal.message.to_owned();
        match self.meaning(refusal) {
            Meaning::Invalid => ErrorKind::InvalidRequest(Findings::default()),
            Meaning::NotFound => ErrorKind::NotFound,
            Meaning::AlreadyExists => ErrorKind::AlreadyExists,
            Meaning::Busy => ErrorKind::Conflict { by: what() },
            Meaning::Stale => ErrorKind::Stale,
            Meaning::Throttled => ErrorKind::Throttled { retry_after: None },
            Meaning::Quota => ErrorKind::QuotaExceeded,
            Meaning::Unauthenticated => ErrorKind::Unauthenticated,
            Meaning::Forbidden => ErrorKind::Forbidden { permission },
            Meaning::Prerequisite => ErrorKind::PrerequisiteMissing {
                what: what(),
                fix: "run the prerequisites check of the connection, with fix".to_owned(),
            },
            Meaning::Blocked(fix) => ErrorKind::Precondition { what: what(), fix: fix.to_owned() },
            Meaning::Unsupported => ErrorKind::Unsupported { capability: refusal.action.to_owned() },
            Meaning::Unavailable => not_now(refusal.effect),
        }
    }

    fn meaning(&self, refusal: &Refusal<'_>) -> Meaning {
        let said = refusal.message.to_lowercase();
        let first = self.rows.iter().find(|row| row.fits(refusal.action, refusal.codes, &said));
        first.map_or_else(|| (self.by_status)(refusal.action, refusal.status), |row| row.meaning)
    }

    /// The error of an endpoint that lacks the call.
    pub fn lacking(&self, action: &'static str, response: &Response) -> DriverError {
        let kind = ErrorKind::Unsupported { capability: action.to_owned() };
        let (status, whose) = (response.status.as_u16(), self.whose);
        let says = format!(
            "this endpoint does not implement {action}: it answered {status} without {whose} error body"
        );
        self.answered(kind, says, action, response)
    }

    /// The error of an answer without the cloud's own error body: a proxy's page, or an endpoint that lacks the call.
    pub fn without_body(&self, action: &'static str, effect: Effect, response: &Response) -> DriverError {
        let (status, whose) = (response.status.as_u16(), self.whose);
        let (kind, message) = match status {
            405 | 501 => return self.lacking(action, response),
            // Nothing that could be taken for an absence, of the thing or of the call.
            404 => (
                of_riddle(effect),
                format!(
                    "the endpoint answered 404 without {whose} error body: something else answers in its place, or it \
                     lacks {action}"
                ),
            ),
            429 => {
                let kind = ErrorKind::Throttled { retry_after: retry_after(&response.headers) };
                (kind, "too many requests".to_owned())
            }
            500.. => (ErrorKind::of_lost(effect), format!("the endpoint answered {status}")),
            _ => (of_riddle(effect), format!("the endpoint answered {status} without {whose} error body")),
        };
        self.answered(kind, message, action, response)
    }

    /// The error of an answer that says success and cannot be read.
    pub fn unreadable(
        &self,
        action: &'static str,
        effect: Effect,
        response: &Response,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> DriverError {
        self.answered(of_riddle(effect), "the answer cannot be read", action, response).caused_by(cause)
    }

    /// The error of an answer to a question about one thing that is about another: whatever it says would be taken for
    /// that thing's.
    pub fn about_another(&self, action: &'static str) -> DriverError {
        let says = "the answer is about something else than was asked for";
        DriverError::new(ErrorKind::Unexpected, self.provider, says).with_action(action)
    }

    /// The error of an answer that has no code of the cloud's.
    pub fn answered(
        &self,
        kind: ErrorKind,
        message: impl Into<String>,
        action: &'static str,
        response: &Response,
    ) -> DriverError {
        let (status, request_id) = (response.status.as_u16(), response.request_id.clone());
        DriverError::new(kind, self.provider, message)
            .with_action(action)
            .with_answer(status, None, request_id)
    }

    /// The error of a call that has no answer.
    pub fn of_transport(
        &self,
        action: &'static str,
        effect: Effect,
        error: pmks_transport::Error,
    ) -> DriverError {
        use pmks_transport::ErrorKind as Sent;
        let kind = match error.kind() {
            Sent::Lost | Sent::TooLarge => ErrorKind::of_lost(effect),
            Sent::NotSent | Sent::Signing { temporary: true } | Sent::Refused { .. } => {
                ErrorKind::Unavailable
            }
            Sent::Signing { temporary: false } => ErrorKind::Unauthenticated,
            Sent::Budget { retry_after } => ErrorKind::Throttled { retry_after: Some(retry_after) },
            Sent::Invalid | Sent::ForeignHost => ErrorKind::InvalidRequest(Findings::default()),
        };
        // Why a call could not be signed is in the cause: without it nobody knows which credential is wrong.
        let message = match (error.kind(), std::error::Error::source(&error)) {
            (Sent::Signing { .. }, Some(why)) => why.to_string(),
            _ => error.message().to_owned(),
        };
        let after = error.retry_after();
        DriverError::new(kind, self.provider, message).with_action(action).again_after(after).caused_by(error)
    }

    /// The first row that another one before it always hides. For tests: such a row would never be used.
    pub fn hidden(&self) -> Option<&'static Row> {
        let example = |pattern: &str| {
            if pattern.is_empty() { "any".to_owned() } else { pattern.replace('*', "X") }
        };
        self.rows.iter().find(|row| {
            let (action, code) = (example(row.action), example(row.code));
            let first = self.rows.iter().find(|other| other.fits(&action, &[&code], row.says));
            first.is_none_or(|first| !std::ptr::eq(first, *row))
        })
    }
}

impl Row {
    fn fits(&self, action: &str, codes: &[&str], said: &str) -> bool {
        fits(self.action, action)
            && (self.code.is_empty() || codes.iter().any(|code| fits(self.code, code)))
            && said.contains(self.says)
    }
}

/// What the cloud's own «not now» has come to: it comes no later than its answer.
fn not_now(effect: Effect) -> ErrorKind {
    match effect {
        Effect::Read | Effect::Idempotent => ErrorKind::Unavailable,
        Effect::Creates => ErrorKind::Ambiguous,
    }
}

/// What an answer that nobody can read has come to.
fn of_riddle(effect: Effect) -> ErrorKind {
    if effect == Effect::Creates { ErrorKind::Ambiguous } else { ErrorKind::Unexpected }
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.is_empty() || pattern == text,
        Some(("", rest)) if rest.ends_with('*') => text.contains(rest.trim_end_matches('*')),
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_a_star_at_either_end_or_between() {
        for (pattern, text, wanted) in [
            ("", "anything", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*x*", "axb", true),
            ("*x*", "ab", false),
            ("In*Deleted", "InUseDeleted", true),
            ("InUse*UseDeleted", "InUseDeleted", false),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_row_decides_and_one_behind_it_is_hidden() {
        const ROWS: &[Row] = &[
            row("a.*", "Busy*", "", Meaning::Busy),
            row("", "", "gone", Meaning::NotFound),
            row("a.Get", "BusyNow", "x", Meaning::Quota),
        ];
        let table = Table { provider: "p", whose: "P's", rows: ROWS, by_status: |_, _| Meaning::Unavailable };
        let kind = |action, codes: &[&str], message, effect| {
            let refusal = Refusal { action, effect, status: 400, codes, message };
            table.kind_of(&refusal, None)
        };
        assert_eq!(
            kind("a.Get", &["Other", "BusyNow"], "X", Effect::Read),
            ErrorKind::Conflict { by: "X".into() }
        );
        assert_eq!(kind("b", &[], "It is Gone", Effect::Read), ErrorKind::NotFound);
        assert_eq!(kind("b", &[], "", Effect::Read), ErrorKind::Unavailable);
        assert_eq!(kind("b", &[], "", Effect::Creates), ErrorKind::Ambiguous);
        assert_eq!(table.hidden(), ROWS.last());
        let reachable = Table { rows: ROWS.get(..2).unwrap(), ..table };
        assert_eq!(reachable.hidden(), None);
    }
}
