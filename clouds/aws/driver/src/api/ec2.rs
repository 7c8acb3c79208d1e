//! EC2's calls, one function each: builds one request, sends it, reads one answer. Lists follow every page.
//! No waiting and no decision: those are the stages' and the engine's.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.

use std::collections::BTreeMap;

use pmks_driver::{Effect, Result};
use serde_json::Value;

use super::Api;
use crate::query::{Query, QueryService};
use crate::wire::ec2 as wire;

/// EC2's filters: each a name, and the values of which one must match.
pub(crate) type Filters<'a> = &'a [(&'a str, Vec<String>)];

/// One filter of one value.
pub(crate) fn filter(name: &str, value: impl Into<String>) -> (&str, Vec<String>) {
    (name, vec![value.into()])
}

pub(super) fn read(action: &'static str) -> Query {
    Query::new(QueryService::Ec2, action, Effect::Read)
}

pub(super) fn write(action: &'static str, effect: Effect) -> Query {
    Query::new(QueryService::Ec2, action, effect)
}

/// Reads every page of a list: `query` with the token of each answer until there is none. Lists of other services call
/// their tokens otherwise.
macro_rules! all_pages {
    ($api:expr, $query:expr, $answer:ty, $field:ident) => {
        all_pages!($api, $query, $answer, $field, "NextToken", next_token)
    };
    ($api:expr, $query:expr, $answer:ty, $field:ident, $asked:literal, $next:ident) => {{
        let read: Result<Vec<_>> = async {
            let mut found = Vec::new();
            let mut next: Option<String> = None;
            for _ in 0..$crate::clusters::MOST_PAGES {
                let answer: $answer = $api.query($query.clone().field_some($asked, next)).await?;
                found.extend(answer.$field.entries);
                next = $crate::clusters::next_page(answer.$next);
                if next.is_none() {
                    return Ok(found);
                }
            }
            Err($crate::clusters::endless($query.action))
        }
        .await;
        read
    }};
}

pub(super) use all_pages;

/// What EC2 itself says.
impl Api {
    /// The answer of a call that describes what matches, as JSON.
    pub(crate) async fn described(&self, action: &'static str, filters: Filters<'_>) -> Result<Value> {
        self.query_as_json(read(action).filters(filters)).await
    }
}

/// Networks.
impl Api {
    /// The VPCs that match.
    pub(crate) async fn describe_vpcs(&self, filters: Filters<'_>) -> Result<Vec<wire::Vpc>> {
        let query = read("ec2.DescribeVpcs").filters(filters);
        all_pages!(self, query, wire::DescribeVpcs, vpc_set)
    }

    /// Makes a VPC. EC2 has no client token for it.
    ///
    /// # Errors
    /// `QuotaExceeded` (`VpcLimitExceeded`); `InvalidRequest` for a block that is not /16 to /28.
    pub(crate) async fn create_vpc(&self, cidr: &str, tags: &BTreeMap<String, String>) -> Result<wire::Vpc> {
        let query =
            write("ec2.CreateVpc", Effect::Creates).field("CidrBlock", cidr).tag_specification("vpc", tags);
        self.query(query).await.map(|answer: wire::CreateVpc| answer.vpc)
    }

    /// One attribute of a VPC: `enableDnsSupport` or `enableDnsHostnames`.
    pub(crate) async fn describe_vpc_attribute(
        &self,
        vpc: &str,
        attribute: &str,
    ) -> Result<wire::DescribeVpcAttribute> {
        self.query(read("ec2.DescribeVpcAttribute").field("VpcId", vpc).field("Attribute", attribute)).await
    }

    /// Switches one attribute of a VPC on: `EnableDnsSupport` or `EnableDnsHostnames`. EC2 takes one at a time.
    pub(crate) async fn enable_vpc_attribute(&self, vpc: &str, attribute: &str) -> Result<()> {
        let query = write("ec2.ModifyVpcAttribute", Effect::Idempotent)
            .field("VpcId", vpc)
            .field(format!("{attribute}.Value"), "true");
        self.done(query).await
    }

    /// Deletes a VPC, its main route table, default security group and default ACL with it.
    ///
    /// # Errors
    /// `Precondition` (`DependencyViolation`) while something is in it.
    pub(crate) async fn delete_vpc(&self, vpc: &str) -> Result<()> {
        self.done(write("ec2.DeleteVpc", Effect::Idempotent).field("VpcId", vpc)).await
    }

    /// The subnets that match.
    pub(crate) async fn describe_subnets(&self, filters: Filters<'_>) -> Result<Vec<wire::Subnet>> {
        let query = read("ec2.DescribeSubnets").filters(filters);
        all_pages!(self, query, wire::DescribeSubnets, subnet_set)
    }

    /// Makes a subnet in a zone. EC2 has no client token for it, but refuses the same block twice.
    ///
    /// # Errors
    /// `InvalidRequest` for a block outside the VPC's or one that is taken (`InvalidSubnet.Conflict`).
    pub(crate) async fn create_subnet(
        &self,
        vpc: &str,
        cidr: &str,
        zone: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<wire::Subnet> {
        let query = write("ec2.CreateSubnet", Effect::Creates)
            .field("VpcId", vpc)
            .field("CidrBlock", cidr)
            .field("AvailabilityZone", zone)
            .tag_specification("subnet", tags);
        self.query(query).await.map(|answer: wire::CreateSubnet| answer.subnet)
    }

    /// Gives machines that start in the subnet a public address.
    pub(crate) async fn map_public_addresses(&self, subnet: &str) -> Result<()> {
        let query = write("ec2.ModifySubnetAttribute", Effect::Idempotent)
            .field("SubnetId", subnet)
            .field("MapPublicIpOnLaunch.Value", "true");
        self.done(query).await
    }

    /// Deletes a subnet.
    ///
    /// # Errors
    /// `Precondition` (`DependencyViolation`) while an interface is in it.
    pub(crate) async fn delete_subnet(&self, subnet: &str) -> Result<()> {
        self.done(write("ec2.DeleteSubnet", Effect::Idempotent).field("SubnetId", subnet)).await
    }

    /// The internet gateways that match.
    pub(crate) async fn describe_internet_gateways(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::InternetGateway>> {
        let query = read("ec2.DescribeInternetGateways").filters(filters);
        all_pages!(self, query, wire::DescribeInternetGateways, internet_gateway_set)
    }

    /// Makes an internet gateway, attached to nothing. EC2 has no client token for it.
    pub(crate) async fn create_internet_gateway(
        &self,
        tags: &BTreeMap<String, String>,
    ) -> Result<wire::InternetGateway> {
        let query =
            write("ec2.CreateInternetGateway", Effect::Creates).tag_specification("internet-gateway", tags);
        self.query(query).await.map(|answer: wire::CreateInternetGateway| answer.internet_gateway)
    }

    /// Attaches an internet gateway to a VPC.
    pub(crate) async fn attach_internet_gateway(&self, gateway: &str, vpc: &str) -> Result<()> {
        let query = write("ec2.AttachInternetGateway", Effect::Idempotent)
            .field("InternetGatewayId", gateway)
            .field("VpcId", vpc);
        self.done(query).await
    }

    /// Detaches an internet gateway from a VPC.
    ///
    /// # Errors
    /// `Precondition` (`DependencyViolation`) while something in the VPC has a public address.
    pub(crate) async fn detach_internet_gateway(&self, gateway: &str, vpc: &str) -> Result<()> {
        let query = write("ec2.DetachInternetGateway", Effect::Idempotent)
            .field("InternetGatewayId", gateway)
            .field("VpcId", vpc);
        self.done(query).await
    }

    /// Deletes an internet gateway that is attached to nothing.
    pub(crate) async fn delete_internet_gateway(&self, gateway: &str) -> Result<()> {
        let query =
            write("ec2.DeleteInternetGateway", Effect::Idempotent).field("InternetGatewayId", gateway);
        self.done(query).await
    }

    /// The route tables that match.
    pub(crate) async fn describe_route_tables(&self, filters: Filters<'_>) -> Result<Vec<wire::RouteTable>> {
        let query = read("ec2.DescribeRouteTables").filters(filters);
        all_pages!(self, query, wire::DescribeRouteTables, route_table_set)
    }

    /// Deletes a route table that is no subnet's any more, with its routes.
    ///
    /// # Errors
    /// `Conflict` (`DependencyViolation`) while it is a subnet's, or its VPC's main one.
    pub(crate) async fn delete_route_table(&self, table: &str) -> Result<()> {
        self.done(write("ec2.DeleteRouteTable", Effect::Idempotent).field("RouteTableId", table)).await
    }

    /// Adds a route to an internet gateway. A table holds one route for each destination.
    pub(crate) async fn create_route(&self, table: &str, destination: &str, gateway: &str) -> Result<()> {
        let query = write("ec2.CreateRoute", Effect::Idempotent)
            .field("RouteTableId", table)
            .field("DestinationCidrBlock", destination)
            .field("GatewayId", gateway);
        self.done(query).await
    }

    /// The network interfaces that match.
    pub(crate) async fn describe_network_interfaces(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::NetworkInterface>> {
        let query = read("ec2.DescribeNetworkInterfaces").filters(filters);
        all_pages!(self, query, wire::DescribeNetworkInterfaces, network_interface_set)
    }

    /// Deletes a network interface that is attached to nothing.
    pub(crate) async fn delete_network_interface(&self, interface: &str) -> Result<()> {
        let query =
            write("ec2.DeleteNetworkInterface", Effect::Idempotent).field("NetworkInterfaceId", interface);
        self.done(query).await
    }
}

/// Security groups and key pairs.
impl Api {
    /// The security groups that match.
    pub(crate) async fn describe_security_groups(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::SecurityGroup>> {
        let query = read("ec2.DescribeSecurityGroups").filters(filters);
        all_pages!(self, query, wire::DescribeSecurityGroups, security_group_info)
    }

    /// Makes a security group; its name is unique in the VPC, so a second one is refused.
    pub(crate) async fn create_security_group(
        &self,
        vpc: &str,
        name: &str,
        description: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<String> {
        let query = write("ec2.CreateSecurityGroup", Effect::Idempotent)
            .field("VpcId", vpc)
            .field("GroupName", name)
            .field("GroupDescription", description)
            .tag_specification("security-group", tags);
        self.query(query).await.map(|answer: wire::CreateSecurityGroup| answer.group_id)
    }

    /// Lets traffic in. All of it or, where a rule stands there already, nothing.
    pub(crate) async fn authorize_ingress(&self, group: &str, rules: &[wire::IpPermission]) -> Result<()> {
        self.change_rules("ec2.AuthorizeSecurityGroupIngress", group, rules).await
    }

    /// Lets traffic out. All of it or, where a rule stands there already, nothing.
    pub(crate) async fn authorize_egress(&self, group: &str, rules: &[wire::IpPermission]) -> Result<()> {
        self.change_rules("ec2.AuthorizeSecurityGroupEgress", group, rules).await
    }

    /// No longer lets traffic in.
    pub(crate) async fn revoke_ingress(&self, group: &str, rules: &[wire::IpPermission]) -> Result<()> {
        self.change_rules("ec2.RevokeSecurityGroupIngress", group, rules).await
    }

    /// No longer lets traffic out.
    pub(crate) async fn revoke_egress(&self, group: &str, rules: &[wire::IpPermission]) -> Result<()> {
        self.change_rules("ec2.RevokeSecurityGroupEgress", group, rules).await
    }

    async fn change_rules(
        &self,
        action: &'static str,
        group: &str,
        rules: &[wire::IpPermission],
    ) -> Result<()> {
        let mut query = write(action, Effect::Idempotent).field("GroupId", group);
        for (index, rule) in rules.iter().enumerate() {
            let entry = format!("IpPermissions.{}", index + 1);
            query = query
                .field(format!("{entry}.IpProtocol"), &rule.ip_protocol)
                .field_some(&format!("{entry}.FromPort"), rule.from_port.map(|port| port.to_string()))
                .field_some(&format!("{entry}.ToPort"), rule.to_port.map(|port| port.to_string()));
            for (place, range) in rule.ip_ranges.entries.iter().enumerate() {
                query = query.field(format!("{entry}.IpRanges.{}.CidrIp", place + 1), &range.cidr_ip);
            }
        }
        self.done(query).await
    }

    /// Deletes a security group.
    ///
    /// # Errors
    /// `Precondition` (`DependencyViolation`) while an interface or another group's rule names it.
    pub(crate) async fn delete_security_group(&self, group: &str) -> Result<()> {
        self.done(write("ec2.DeleteSecurityGroup", Effect::Idempotent).field("GroupId", group)).await
    }

    /// The key pairs that match.
    pub(crate) async fn describe_key_pairs(&self, filters: Filters<'_>) -> Result<Vec<wire::KeyPair>> {
        let query = read("ec2.DescribeKeyPairs").filters(filters);
        self.query(query).await.map(|answer: wire::DescribeKeyPairs| answer.key_set.entries)
    }

    /// Gives EC2 the public half of a key pair; its name is unique in the region, so a second one is refused.
    /// `material` is the OpenSSH line in base64.
    pub(crate) async fn import_key_pair(
        &self,
        name: &str,
        material: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<wire::KeyPair> {
        let query = write("ec2.ImportKeyPair", Effect::Idempotent)
            .field("KeyName", name)
            .field("PublicKeyMaterial", material)
            .tag_specification("key-pair", tags);
        self.query(query).await
    }

    /// Deletes a key pair by its `KeyPairId` or `KeyName`. One that is gone already is success, as EC2 itself has it.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteKeyPair.html>
    pub(crate) async fn delete_key_pair(&self, by: &'static str, which: &str) -> Result<()> {
        self.done(write("ec2.DeleteKeyPair", Effect::Idempotent).field(by, which)).await
    }
}

/// Machines, zones and volumes.
impl Api {
    /// The zones of the region that this account can use.
    pub(crate) async fn describe_availability_zones(&self) -> Result<Vec<wire::AvailabilityZone>> {
        let answer: wire::DescribeAvailabilityZones =
            self.query(read("ec2.DescribeAvailabilityZones")).await?;
        Ok(answer.availability_zone_info.entries)
    }

    /// The regions that this account can use.
    pub(crate) async fn describe_regions(&self) -> Result<Vec<wire::Region>> {
        let answer: wire::DescribeRegions = self.query(read("ec2.DescribeRegions")).await?;
        Ok(answer.region_info.entries)
    }

    /// The machine types of the region that match, 100 a page.
    pub(crate) async fn describe_instance_types(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::InstanceType>> {
        let query = read("ec2.DescribeInstanceTypes").field("MaxResults", "100").filters(filters);
        all_pages!(self, query, wire::DescribeInstanceTypes, instance_type_set)
    }

    /// Which zone has which machine type, 1000 a page.
    pub(crate) async fn describe_instance_type_offerings(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::InstanceTypeOffering>> {
        let query = read("ec2.DescribeInstanceTypeOfferings")
            .field("LocationType", "availability-zone")
            .field("MaxResults", "1000")
            .filters(filters);
        all_pages!(self, query, wire::DescribeInstanceTypeOfferings, instance_type_offering_set)
    }

    /// The instances that match, 1000 a page.
    pub(crate) async fn describe_instances(&self, filters: Filters<'_>) -> Result<Vec<wire::Instance>> {
        let query = read("ec2.DescribeInstances").field("MaxResults", "1000").filters(filters);
        let reservations = all_pages!(self, query, wire::DescribeInstances, reservation_set)?;
        Ok(reservations.into_iter().flat_map(|reservation| reservation.instances_set.entries).collect())
    }

    /// The volumes that match.
    pub(crate) async fn describe_volumes(&self, filters: Filters<'_>) -> Result<Vec<wire::Volume>> {
        let query = read("ec2.DescribeVolumes").filters(filters);
        all_pages!(self, query, wire::DescribeVolumes, volume_set)
    }

    /// Deletes a volume that is attached to nothing.
    pub(crate) async fn delete_volume(&self, volume: &str) -> Result<()> {
        self.done(write("ec2.DeleteVolume", Effect::Idempotent).field("VolumeId", volume)).await
    }
}
