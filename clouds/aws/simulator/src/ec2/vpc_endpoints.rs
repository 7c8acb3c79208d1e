//! Ways from networks to services of AWS that need no internet; listed alone.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html>.

use super::describe::Described;
use super::state::{State, VpcEndpoint};
use super::tags;
use crate::error::Error;
use crate::world::Place;
use crate::xml::Xml;

impl Described for VpcEndpoint {
    const SET: &'static str = "vpcEndpointSet";
    const IDS: &'static str = "VpcEndpointId";
    const FILTERS: &'static [&'static str] =
        &["vpc-endpoint-id", "vpc-id", "service-name", "vpc-endpoint-state", "vpc-endpoint-type"];

    fn not_found(id: &str) -> Error {
        Error::bad("InvalidVpcEndpointId.NotFound", format!("The Vpc Endpoint Id '{id}' does not exist"))
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "vpc-id" => self.vpc.clone(),
            "service-name" => self.service.clone(),
            "vpc-endpoint-state" => "available".to_owned(),
            "vpc-endpoint-type" => self.kind.clone(),
            _ => self.id.clone(),
        }]
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        Xml::new()
            .text("vpcEndpointId", &self.id)
            .text("vpcEndpointType", &self.kind)
            .text("vpcId", &self.vpc)
            .text("serviceName", &self.service)
            .text("state", "available")
            .text("ownerId", &place.account)
            .text("creationTimestamp", self.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
            .and(&tags::written(&self.tags))
    }
}
