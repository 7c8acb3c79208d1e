//! Errors of the services that speak the query protocols (EC2, IAM, STS, Auto Scaling, Elastic Load Balancing).
//!
//! EKS has its own, in JSON. A message here is AWS' wording wherever that is public.

/// What a call ends in.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// HTTP status.
    pub(crate) status: u16,
    /// AWS' code.
    pub(crate) code: String,
    /// AWS' message.
    pub(crate) message: String,
}

impl Error {
    /// A refusal with this status.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// 400, the status of most of EC2's.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A parameter that the call needs is not there.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::bad("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    /// A parameter whose value cannot be.
    pub(crate) fn invalid(parameter: &str, value: &str) -> Self {
        Self::bad("InvalidParameterValue", format!("Value ({value}) for parameter {parameter} is invalid."))
    }

    /// The service has no such action, or the simulation does not do it.
    pub(crate) fn unknown_action(action: &str) -> Self {
        Self::bad("InvalidAction", format!("The action {action} is not valid for this web service."))
    }
}
