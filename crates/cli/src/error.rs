//! What ends a command early, as people read it on standard error, and its exit code. Shows no secret.

use std::fmt::Write as _;

use pmks_api::{Operation, Problem};
use pmks_model::{Failure, FailureKind};

use crate::output::clean;

/// The result of a command.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Error {
    /// The request was refused, or could not be made.
    Problem(Box<Problem>),
    /// The operation ended, and not well.
    Operation(Box<Operation>),
    /// What was carried out here ended, and not well, with what there is to say.
    Ended(String),
    /// Ctrl-C, with what goes on without us.
    Interrupted(String),
    /// Whoever read our output has enough of it.
    BrokenPipe,
}

impl Error {
    /// A failure of this side.
    pub(crate) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self::Problem(Box::new(Problem {
            r#type: format!("/docs/errors/{kind}"),
            title: kind.to_string(),
            status: 0,
            detail: detail.into(),
            code: kind.to_string(),
            field: None,
            findings: Vec::new(),
            provider: None,
            action: None,
            provider_status: None,
            provider_code: None,
            provider_message: None,
            provider_request_id: None,
            fix: None,
            checks: Vec::new(),
            request_id: None,
        }))
    }

    /// Something is wrong with what the user wrote.
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::InvalidRequest, detail)
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound
            | std::io::ErrorKind::AlreadyExists
            | std::io::ErrorKind::InvalidData
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::IsADirectory => FailureKind::InvalidRequest,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                FailureKind::NotAllowed
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FailureKind::Unavailable,
            _ => FailureKind::Unexpected,
        };
        Self::new(kind, format!("cannot {what} {}: {error}", path.display()))
    }

    /// The same, with what the user can do.
    pub(crate) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        if let Self::Problem(problem) = &mut self {
            problem.fix = Some(fix.into());
        }
        self
    }

    /// Whether it is of this class.
    pub(crate) fn is(&self, kind: FailureKind) -> bool {
        matches!(self, Self::Problem(problem) if problem.code == kind.as_str())
    }

    /// The exit code: a class each, as the manual lists them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Problem(problem) => exit_code(&problem.code),
            Self::Operation(operation) => {
                operation.error.as_ref().map_or(8, |problem| exit_code(&problem.code))
            }
            Self::Ended(_) => 8,
            Self::Interrupted(_) => 130,
            Self::BrokenPipe => 0,
        }
    }

    /// What is printed on standard error.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Problem(problem) => problem_text(problem),
            Self::Operation(operation) => operation_text(operation),
            Self::Ended(says) => format!("error: {says}"),
            Self::Interrupted(says) => says.clone(),
            Self::BrokenPipe => String::new(),
        }
    }
}

impl From<Box<Failure>> for Error {
    fn from(failure: Box<Failure>) -> Self {
        let failure = *failure;
        let Self::Problem(mut problem) = Self::new(failure.kind, failure.detail) else {
            return Self::BrokenPipe;
        };
        problem.findings = failure
            .findings
            .iter()
            .map(|finding| pmks_api::Finding {
                field: finding.field.clone(),
                says: finding.says.to_string(),
                missing: None,
            })
            .collect();
        problem.fix = failure.fix;
        problem.provider = failure.provider;
        problem.action = failure.action;
        problem.provider_status = failure.provider_status;
        problem.provider_code = failure.provider_code;
        problem.provider_message = failure.provider_message;
        problem.provider_request_id = failure.provider_request_id;
        Self::Problem(problem)
    }
}

/// The exit code of a class of error.
fn exit_code(kind: &str) -> u8 {
    match kind {
        "malformed" | "invalid-request" | "body-too-large" | "headers-too-large" => 2,
        "not-found" => 3,
        "already-exists" | "conflict" | "stale" => 4,
        "not-authenticated" | "not-allowed" | "unauthenticated" | "forbidden" => 5,
        "quota-exceeded" | "prerequisite-missing" | "precondition" | "unsupported" => 6,
        "throttled" | "unavailable" | "timeout" => 7,
        _ => 1,
    }
}

fn problem_text(problem: &Problem) -> String {
    let mut text = format!("error: {}: {}", problem.code, clean(&problem.detail));
    for finding in &problem.findings {
        write_line(&mut text, &clean(&format!("{}: {}", finding.field, finding.says)));
    }
    if let Some(said) = cloud_said(problem) {
        write_line(&mut text, &said);
    }
    if let Some(fix) = &problem.fix {
        write_line(&mut text, &format!("fix: {fix}"));
    }
    // For the server's log, where the cause is on the server's side.
    if let Some(id) = problem.request_id.as_ref().filter(|_| matches!(problem.status, 500 | 502..=504)) {
        write_line(&mut text, &format!("request: {id}"));
    }
    text
}

fn cloud_said(problem: &Problem) -> Option<String> {
    let message = problem.provider_message.as_ref()?;
    let mut call: Vec<String> = problem.action.iter().cloned().collect();
    call.extend(problem.provider_status.map(|status| status.to_string()));
    call.extend(problem.provider_code.iter().cloned());
    call.extend(problem.provider_request_id.iter().map(|id| format!("request {id}")));
    let cloud = problem.provider.as_deref().unwrap_or("the cloud");
    Some(clean(&format!("{cloud} says ({}): {message}", call.join(", "))))
}

fn operation_text(operation: &Operation) -> String {
    let subject = clean(&format!("{} {}", operation.kind, operation.resource.name));
    let mut text = match &operation.error {
        Some(problem) => {
            let problem = problem_text(problem);
            let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
            format!("error: {subject} {}: {problem}", operation.state)
        }
        None => format!("error: {subject} {}", operation.state),
    };
    if let Some(blocked) = &operation.blocked {
        write_line(&mut text, &clean(&format!("needs: {}", blocked.needs)));
        for candidate in &blocked.candidates {
            write_line(&mut text, &clean(&format!("one of: {candidate}")));
        }
    }
    for remains in &operation.remains {
        let pmks_api::Remains { kind, system_id, name, reason } = remains;
        let id = if name == system_id { String::new() } else { format!(" ({system_id})") };
        write_line(&mut text, &clean(&format!("remains: {kind} {name}{id}: {reason}")));
    }
    if matches!(operation.state.as_str(), "failed" | "blocked") {
        let choice = operation.blocked.as_ref().filter(|blocked| !blocked.candidates.is_empty());
        let choice = choice.map(|_| " --choice ONE").unwrap_or_default();
        write_line(&mut text, &format!("again: pmks operation retry {}{choice}", operation.id));
    }
    text
}

fn write_line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = write!(text, "\n  {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_exit_code() {
        let codes: Vec<u8> = FailureKind::ALL.iter().map(|kind| exit_code(kind.as_str())).collect();
        assert_eq!(codes, [2, 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 1, 1, 2, 2]);
    }

    #[test]
    fn what_others_wrote_makes_no_line_of_its_own() {
        let hostile = "a\nerror: forged\r\u{1b}]0;x\u{7}";
        let Error::Problem(mut problem) = Error::usage(hostile) else { panic!("no problem") };
        let finding =
            pmks_api::Finding { field: hostile.to_owned(), says: hostile.to_owned(), missing: None };
        problem.findings.push(finding);
        problem.provider_message = Some(hostile.to_owned());
        problem.provider_code = Some(hostile.to_owned());
        let text = Error::Problem(problem).text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{7}']), "{text:?}");
    }

    #[test]
    fn findings_and_fix_are_shown() {
        let mut findings = pmks_model::Findings::default();
        findings.add("cidr", "is no range");
        findings.add("name", "is required");
        let error = Error::from(Box::new(Failure::invalid(findings).with_fix("write 10.0.0.0/16")));
        let text = error.text();
        assert!(
            text.contains("\n  cidr: is no range\n  name: is required\n  fix: write 10.0.0.0/16"),
            "{text}"
        );
        assert_eq!(error.exit_code(), 2);
    }
}
