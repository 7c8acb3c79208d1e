//! What Elastic Load Balancing answers of classic balancers: only the fields that we use.
//!
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html>.

#![expect(clippy::struct_field_names, reason = "the names are Elastic Load Balancing's own")]

use serde::Deserialize;

use crate::query::{List, Tag};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct LoadBalancer {
    pub(crate) load_balancer_name: String,
    #[serde(rename = "DNSName")]
    pub(crate) dns_name: String,
    #[serde(rename = "VPCId")]
    pub(crate) vpc_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DescribeLoadBalancers {
    pub(crate) load_balancer_descriptions: List<LoadBalancer>,
    pub(crate) next_marker: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagDescription {
    pub(crate) load_balancer_name: String,
    pub(crate) tags: List<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DescribeTags {
    pub(crate) tag_descriptions: List<TagDescription>,
}
