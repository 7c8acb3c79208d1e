//! Security groups. Their rules are `group_rules.rs`'s.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>.

use super::describe::Described;
use super::group_rules::{self, PERMISSION_FILTERS};
use super::state::{GroupRule, Peer, SecurityGroup, State};
use super::{tags, vpcs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{Place, Tags};
use crate::xml::Xml;

/// The default quota of groups in a region.
const MOST_GROUPS: usize = 2500;

impl Described for SecurityGroup {
    const SET: &'static str = "securityGroupInfo";
    const IDS: &'static str = "GroupId";
    const FILTERS: &'static [&'static str] = &[
        "group-id",
        "group-name",
        "vpc-id",
        "description",
        "owner-id",
        PERMISSION_FILTERS[0],
        PERMISSION_FILTERS[1],
        PERMISSION_FILTERS[2],
    ];

    fn not_found(id: &str) -> Error {
        Error::bad("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
    }

    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "group-id" => vec![self.id.clone()],
            "group-name" => vec![self.name.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "description" => vec![self.description.clone()],
            _ => group_rules::permission_values(self, filter),
        }
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        Xml::new()
            .text("ownerId", &place.account)
            .text("groupId", &self.id)
            .text("groupName", &self.name)
            .text("groupDescription", &self.description)
            .text("vpcId", &self.vpc)
            .text("securityGroupArn", arn(place, &self.id))
            .list("ipPermissions", "item", group_rules::permissions(self, false, place))
            .list("ipPermissionsEgress", "item", group_rules::permissions(self, true, place))
            .and(&tags::written(&self.tags))
    }
}

fn arn(place: &Place, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:security-group/{id}", place.region, place.account)
}

/// `CreateSecurityGroup`
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("GroupName")?;
    let description = query.required("GroupDescription")?;
    check_text(name, "groupName")?;
    check_text(description, "groupDescription")?;
    if name.starts_with("sg-") {
        let message = format!(
            "Value ({name}) for parameter groupName is invalid. Group names may not be in the format sg-*."
        );
        return Err(Error::bad("InvalidParameterValue", message));
    }
    if name.eq_ignore_ascii_case("default") {
        return Err(Error::bad("InvalidGroup.Reserved", "The security group 'default' is reserved"));
    }
    let tags = tags::at_creation(query, "security-group")?;
    let ec2 = &context.region().ec2;
    let vpc = vpcs::find(ec2, query.get("VpcId").ok_or_else(no_default_vpc)?)?.id.clone();
    if ec2.security_groups.values().any(|group| group.vpc == vpc && group.name == name) {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return Err(Error::bad("InvalidGroup.Duplicate", message));
    }
    if context.effects.quota() || ec2.security_groups.len() >= MOST_GROUPS {
        let message = "The maximum number of security groups has been reached.";
        return Err(Error::bad("SecurityGroupLimitExceeded", message));
    }
    let everything_out = GroupRule {
        id: context.world.new_id("sgr"),
        egress: true,
        protocol: "-1".to_owned(),
        from_port: None,
        to_port: None,
        peer: Peer::Ipv4("0.0.0.0/0".to_owned()),
        description: None,
        tags: Tags::new(),
    };
    let group = SecurityGroup {
        id: context.world.new_id("sg"),
        name: name.to_owned(),
        description: description.to_owned(),
        vpc,
        rules: vec![everything_out],
        tags,
        created: context.now.wall,
    };
    let answer = Xml::new()
        .text("groupId", &group.id)
        .text("securityGroupArn", arn(&context.place, &group.id))
        .and(&tags::written(&group.tags));
    context.region_mut().ec2.security_groups.insert(group.id.clone(), group);
    Ok(answer)
}

/// Accounts of the simulation have no default network, as accounts may.
fn no_default_vpc() -> Error {
    Error::bad("VPCIdNotSpecified", "No default VPC for this user")
}

/// Source: «a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*», at most 255 characters.
fn check_text(text: &str, parameter: &str) -> Result<()> {
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    if text.chars().all(allowed) && text.chars().count() <= 255 {
        return Ok(());
    }
    let message = format!(
        "Value ({text}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported."
    );
    Err(Error::bad("InvalidParameterValue", message))
}

/// `DeleteSecurityGroup`: not while an interface has it or another group's rule names it.
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("GroupId")?;
    let ec2 = &mut context.region_mut().ec2;
    let group = ec2.security_groups.get(id).ok_or_else(|| SecurityGroup::not_found(id))?;
    if group.name == "default" {
        let message = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(Error::bad("CannotDelete", message));
    }
    let named = Peer::Group(id.to_owned());
    let used =
        ec2.network_interfaces.values().any(|interface| interface.groups.iter().any(|group| group == id))
            || ec2
                .security_groups
                .values()
                .any(|other| other.id != id && other.rules.iter().any(|rule| rule.peer == named));
    if used {
        return Err(Error::bad("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    ec2.security_groups.remove(id);
    Ok(Xml::new().text("return", true).text("groupId", id))
}
