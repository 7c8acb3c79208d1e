//! Refusals of Azure Resource Manager and its providers, in Azure's words wherever these are public.

use serde_json::{Value, json};

/// What a call ends in.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// HTTP status.
    pub(crate) status: u16,
    /// Azure's code.
    pub(crate) code: String,
    /// Azure's message.
    pub(crate) message: String,
    /// What the refusal is about.
    pub(crate) target: Option<String>,
    /// Seconds for `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    /// The content of `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
}

impl Error {
    /// A refusal with this status.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            target: None,
            retry_after: None,
            challenge: None,
        }
    }

    /// 400.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 400 about one property.
    pub(crate) fn invalid(target: &str, message: impl Into<String>) -> Self {
        Self::bad("InvalidParameter", message).about(target)
    }

    /// A property that the call needs is not there.
    pub(crate) fn missing(target: &str) -> Self {
        Self::invalid(target, format!("Required parameter {target} is missing (null)."))
    }

    /// 409, busy or stopped.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "OperationNotAllowed", message)
    }

    /// With what it is about.
    #[must_use]
    pub(crate) fn about(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// The body in the shape of ARM.
    ///
    /// Source: <https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/common-api-details.md#error-response-content>.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(target) = &self.target {
            crate::json::set(&mut error, "target", target.as_str());
        }
        json!({"error": error})
    }
}
