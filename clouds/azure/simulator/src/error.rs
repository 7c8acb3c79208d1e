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
    /// Whether AKS itself says it, which writes other bodies than ARM.
    pub(crate) of_aks: bool,
}

/// What ARM says by itself, before it asks a provider.
const OF_ARM: [&str; 8] = [
    "InvalidResourceLocation",
    "LocationNotAvailableForResourceType",
    "LocationRequired",
    "MissingSubscriptionRegistration",
    "ParentResourceNotFound",
    "ResourceGroupBeingDeleted",
    "ResourceGroupNotFound",
    "ResourceNotFound",
];

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
            of_aks: false,
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

    /// As AKS says it, unless ARM has said it before.
    #[must_use]
    pub(crate) fn by_aks(self) -> Self {
        Self { of_aks: !OF_ARM.contains(&self.code.as_str()), ..self }
    }

    /// The body in the shape of ARM, or bare as AKS writes it.
    ///
    /// Sources: <https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/common-api-details.md#error-response-content>,
    /// <https://github.com/hashicorp/terraform-provider-azurerm/issues/28878> for AKS'.
    pub(crate) fn body(&self) -> Value {
        if self.of_aks {
            let target = self.target.as_deref();
            return json!({"code": self.code, "message": self.message, "subcode": "", "target": target});
        }
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(target) = &self.target {
            crate::json::set(&mut error, "target", target.as_str());
        }
        json!({"error": error})
    }
}
