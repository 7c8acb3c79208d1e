//! EKS' errors as they are sent: the exception's name in `x-amzn-ErrorType`, its members in the body, those
//! without a value as `null`. Never a status or a member that the service's model does not give the exception.
//!
//! Source of the body's shape: <https://github.com/hashicorp/terraform-provider-aws/issues/38796> (a logged
//! answer of the real service) and the exceptions of <https://docs.aws.amazon.com/eks/latest/APIReference/>.

use serde_json::{Map, Value, json};

/// What a call of EKS ends in.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The exceptions of EKS that the simulator sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// 409: it exists already, it is busy, or it still has something attached.
    ResourceInUse,
    /// 400: a quota is used up.
    ResourceLimitExceeded,
    /// 404.
    ResourceNotFound,
    /// 400: a parameter is wrong by itself or against what exists.
    InvalidParameter,
    /// 400: the request does not fit the state of the resource.
    InvalidRequest,
    /// 400: blocking upgrade insights.
    InvalidState,
    /// 400, of the calls for tags.
    BadRequest,
    /// 404, of the calls for tags.
    NotFound,
    /// 400: EKS has no control planes in that zone.
    UnsupportedAvailabilityZone,
    /// 404: no such operation, or one that is not simulated.
    UnknownOperation,
}

impl Code {
    /// The exception's name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ResourceInUse => "ResourceInUseException",
            Self::ResourceLimitExceeded => "ResourceLimitExceededException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidRequest => "InvalidRequestException",
            Self::InvalidState => "InvalidStateException",
            Self::BadRequest => "BadRequestException",
            Self::NotFound => "NotFoundException",
            Self::UnsupportedAvailabilityZone => "UnsupportedAvailabilityZoneException",
            Self::UnknownOperation => "UnknownOperationException",
        }
    }

    /// The HTTP status that the service's model gives the exception.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::ResourceInUse => 409,
            Self::ResourceNotFound | Self::NotFound | Self::UnknownOperation => 404,
            _ => 400,
        }
    }

    fn members(self) -> &'static [&'static str] {
        match self {
            Self::ResourceInUse => &["clusterName", "nodegroupName", "addonName"],
            Self::ResourceLimitExceeded => &["clusterName", "nodegroupName", "subscriptionId"],
            Self::ResourceNotFound | Self::InvalidParameter => {
                &["clusterName", "nodegroupName", "fargateProfileName", "addonName", "subscriptionId"]
            }
            Self::InvalidRequest => &["clusterName", "nodegroupName", "addonName", "subscriptionId"],
            Self::InvalidState => &["clusterName"],
            Self::UnsupportedAvailabilityZone => &["clusterName", "nodegroupName", "validZones"],
            Self::BadRequest | Self::NotFound | Self::UnknownOperation => &[],
        }
    }
}

/// One exception of EKS, about the resources that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// Which exception.
    pub(crate) code: Code,
    /// EKS' own words.
    pub(crate) message: String,
    about: Vec<(&'static str, Value)>,
}

impl Error {
    /// An exception that names no resource yet.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), about: Vec::new() }
    }

    /// `InvalidParameterException`.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidParameter, message)
    }

    /// `InvalidRequestException`.
    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    /// `ResourceInUseException`.
    pub(crate) fn in_use(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceInUse, message)
    }

    /// `ResourceNotFoundException`.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceNotFound, message)
    }

    /// `ResourceLimitExceededException`.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceLimitExceeded, message)
    }

    /// Names the cluster that it is about.
    #[must_use]
    pub(crate) fn cluster(self, name: &str) -> Self {
        self.about("clusterName", name)
    }

    /// Names the node group that it is about.
    #[must_use]
    pub(crate) fn node_group(self, name: &str) -> Self {
        self.about("nodegroupName", name)
    }

    /// Names the add-on that it is about.
    #[must_use]
    pub(crate) fn addon(self, name: &str) -> Self {
        self.about("addonName", name)
    }

    /// Names the Fargate profile that it is about.
    #[must_use]
    pub(crate) fn fargate_profile(self, name: &str) -> Self {
        self.about("fargateProfileName", name)
    }

    /// Names the zones that would do.
    #[must_use]
    pub(crate) fn valid_zones(self, zones: &[String]) -> Self {
        self.about("validZones", json!(zones))
    }

    fn about(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        if !self.about.iter().any(|(known, _)| *known == member) {
            self.about.push((member, value.into()));
        }
        self
    }

    /// The JSON body: every member of the exception, `null` where it names nothing.
    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        for member in self.code.members() {
            let named = self.about.iter().find(|(known, _)| known == member);
            body.insert((*member).to_owned(), named.map_or(Value::Null, |(_, value)| value.clone()));
        }
        body.insert("message".to_owned(), json!(self.message));
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_members_of_its_exception_only() {
        let error = Error::parameter("unsupported Kubernetes version").cluster("one");
        assert_eq!(
            error.body(),
            json!({"clusterName": "one", "nodegroupName": null, "fargateProfileName": null,
                   "addonName": null, "subscriptionId": null, "message": "unsupported Kubernetes version"})
        );
        let error = Error::new(Code::InvalidState, "blocked").cluster("one").node_group("two");
        assert_eq!(error.body(), json!({"clusterName": "one", "message": "blocked"}));
        assert_eq!((error.code.status(), error.code.name()), (400, "InvalidStateException"));
    }
}
