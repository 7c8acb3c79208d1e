//! Refusals in Google's words and shapes.
//!
//! Source: <https://cloud.google.com/apis/design/errors>; the list `errors` is that of the older APIs, which GKE and
//! Compute Engine still write.

use serde_json::{Map, Value, json};

/// What a call ends in.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A canonical code with its HTTP status and the reason that older clients read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidArgument,
    FailedPrecondition,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    AlreadyExists,
    ConditionNotMet,
    ResourceExhausted,
}

impl Code {
    fn written(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::InvalidArgument => (400, "INVALID_ARGUMENT", "badRequest"),
            Self::FailedPrecondition => (400, "FAILED_PRECONDITION", "failedPrecondition"),
            Self::Unauthenticated => (401, "UNAUTHENTICATED", "authError"),
            Self::PermissionDenied => (403, "PERMISSION_DENIED", "forbidden"),
            Self::NotFound => (404, "NOT_FOUND", "notFound"),
            Self::AlreadyExists => (409, "ALREADY_EXISTS", "alreadyExists"),
            Self::ConditionNotMet => (412, "FAILED_PRECONDITION", "conditionNotMet"),
            Self::ResourceExhausted => (429, "RESOURCE_EXHAUSTED", "rateLimitExceeded"),
        }
    }
}

/// How a service writes its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// GKE: the list `errors`, a status, and details with the request's id.
    Container,
    /// Compute Engine: the list `errors` alone, unless Google's front door refused.
    Compute,
    /// The newer services: a status, and details where there are any.
    Plain,
    /// The token services, after RFC 6749.
    OAuth,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Error {
    /// HTTP status.
    pub(crate) status: u16,
    /// The canonical code, or what RFC 6749 calls `error`.
    pub(crate) code: String,
    /// The older APIs' reason.
    pub(crate) reason: String,
    /// Google's message.
    pub(crate) message: String,
    details: Vec<Value>,
    /// Whether Google's front door refused, before the service was asked.
    at_the_door: bool,
}

impl Error {
    /// A refusal.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let (status, code, reason) = code.written();
        Self::written(status, code, reason, message)
    }

    /// A refusal with a status and words of its own.
    pub(crate) fn written(status: u16, code: &str, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            reason: reason.to_owned(),
            message: message.into(),
            details: Vec::new(),
            at_the_door: false,
        }
    }

    /// 400 `INVALID_ARGUMENT`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// 400 `FAILED_PRECONDITION`.
    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// A refusal of a token service: 400 unless `error` is about the client.
    pub(crate) fn oauth(error: &str, description: impl Into<String>) -> Self {
        let status = if error == "invalid_client" { 401 } else { 400 };
        Self::written(status, error, error, description)
    }

    /// With another reason for older clients.
    #[must_use]
    pub(crate) fn reason(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.reason);
        self
    }

    /// With an `ErrorInfo`.
    #[must_use]
    pub(crate) fn info(mut self, reason: &str, domain: &str, metadata: &[(&str, &str)]) -> Self {
        let mut info = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain,
        });
        if !metadata.is_empty() {
            let metadata: Map<String, Value> =
                metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
            info["metadata"] = metadata.into();
        }
        self.details.push(info);
        self
    }

    /// With one more detail.
    #[must_use]
    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    /// As refused by Google's front door.
    #[must_use]
    pub(crate) fn at_the_door(mut self) -> Self {
        self.at_the_door = true;
        self
    }

    /// The body in a service's style.
    pub(crate) fn body(&self, style: Style, request_id: &str) -> Value {
        if style == Style::OAuth {
            return json!({"error": self.code, "error_description": self.message});
        }
        let mut error = json!({"code": self.status, "message": self.message});
        if style != Style::Plain {
            error["errors"] = json!([self.older()]);
        }
        if style != Style::Compute || self.at_the_door {
            error["status"] = self.code.as_str().into();
        }
        let mut details = Vec::new();
        if style == Style::Container && !self.at_the_door {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": format!("0x{request_id}"),
            }));
        }
        details.extend(self.details.clone());
        if !details.is_empty() && (style != Style::Compute || self.at_the_door) {
            error["details"] = details.into();
        }
        json!({"error": error})
    }

    fn older(&self) -> Value {
        let mut older = json!({"message": self.message, "domain": "global", "reason": self.reason});
        match self.status {
            401 => {
                older["message"] = "Invalid Credentials".into();
                older["location"] = "Authorization".into();
                older["locationType"] = "header".into();
            }
            412 => {
                older["location"] = "If-Match".into();
                older["locationType"] = "header".into();
            }
            403 if self.reason == "accessNotConfigured" || self.reason == "rateLimitExceeded" => {
                older["domain"] = "usageLimits".into();
            }
            _ => {}
        }
        older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_writes_its_own_style() {
        let error = Error::precondition("busy").info(
            "CLUSTER_ALREADY_HAS_OPERATION",
            "container.googleapis.com",
            &[],
        );
        let container = error.body(Style::Container, "ab");
        assert_eq!(container["error"]["status"], "FAILED_PRECONDITION");
        assert_eq!(container["error"]["errors"][0]["reason"], "failedPrecondition");
        assert_eq!(container["error"]["details"][0]["requestId"], "0xab");
        assert_eq!(container["error"]["details"][1]["reason"], "CLUSTER_ALREADY_HAS_OPERATION");
        let compute = Error::new(Code::ConditionNotMet, "stale").body(Style::Compute, "ab");
        assert_eq!(compute["error"]["errors"][0]["location"], "If-Match");
        assert!(compute["error"].get("status").is_none());
        let oauth = Error::oauth("invalid_grant", "no").body(Style::OAuth, "ab");
        assert_eq!(oauth, json!({"error": "invalid_grant", "error_description": "no"}));
    }
}
