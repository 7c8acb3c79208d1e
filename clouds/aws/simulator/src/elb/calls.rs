//! The calls of both APIs of Elastic Load Balancing that exist here.
//!
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/>.

use pmks_simulation::pages;

use super::controller::SWEPT_AFTER;
use super::state::{Balancer, Kind, Next, TargetGroup};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Tags;
use crate::xml::Xml;

/// The most that a page of either API holds.
const LARGEST_PAGE: usize = 400;

fn shown<'a>(context: &'a Context<'_>, classic: bool) -> Vec<&'a Balancer> {
    let balancers = context.region().elb.balancers.values();
    balancers.filter(|balancer| balancer.is_shown() && (balancer.kind == Kind::Classic) == classic).collect()
}

fn paged(query: &Query, name: &str, items: Vec<(String, Xml)>) -> Result<Xml> {
    let size = query.number("PageSize")?.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(Error::bad("ValidationError", format!("PageSize must lie between 1 and {LARGEST_PAGE}")));
    }
    let (page, next) = pages::page(items, size, query.get("Marker"))
        .map_err(|_| Error::bad("ValidationError", "The marker is not valid"))?;
    Ok(Xml::new().list(name, "member", page).maybe("NextMarker", next))
}

fn missing(name: &str) -> Error {
    Error::bad("LoadBalancerNotFound", format!("There is no ACTIVE Load Balancer named '{name}'"))
}

/// Classic `DescribeLoadBalancers`
pub(super) fn classic_describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let names = query.list("LoadBalancerNames.member");
    let all = shown(context, true);
    if let Some(absent) = names.iter().find(|name| !all.iter().any(|balancer| balancer.name == **name)) {
        return Err(missing(absent));
    }
    let wanted = all.into_iter().filter(|balancer| names.is_empty() || names.contains(&balancer.name));
    paged(
        query,
        "LoadBalancerDescriptions",
        wanted.map(|one| (one.name.clone(), classic_written(one))).collect(),
    )
}

fn classic_written(balancer: &Balancer) -> Xml {
    let listener = Xml::new()
        .text("Protocol", "TCP")
        .text("LoadBalancerPort", 80)
        .text("InstanceProtocol", "TCP")
        .text("InstancePort", 30080);
    let listener = Xml::new().child("Listener", &listener).list("PolicyNames", "member", []);
    Xml::new()
        .text("LoadBalancerName", &balancer.name)
        .text("DNSName", &balancer.dns_name)
        .list("ListenerDescriptions", "member", [listener])
        .texts("AvailabilityZones", "member", balancer.subnets.iter().map(|(_, zone)| zone))
        .texts("Subnets", "member", balancer.subnets.iter().map(|(subnet, _)| subnet))
        .text("VPCId", &balancer.vpc)
        .list("Instances", "member", [])
        .texts("SecurityGroups", "member", &balancer.security_groups)
        .text("CreatedTime", balancer.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
        .text("Scheme", scheme(balancer))
}

fn scheme(balancer: &Balancer) -> &'static str {
    if balancer.internal { "internal" } else { "internet-facing" }
}

/// Classic `DescribeTags`
pub(super) fn classic_tags(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let all = shown(context, true);
    let described = query.list("LoadBalancerNames.member").into_iter().map(|name| {
        let balancer = all.iter().find(|balancer| balancer.name == name).ok_or_else(|| missing(&name))?;
        Ok(Xml::new().text("LoadBalancerName", &name).and(&written_tags(&balancer.tags)))
    });
    Ok(Xml::new().list("TagDescriptions", "member", described.collect::<Result<Vec<_>>>()?))
}

/// Classic `DeleteLoadBalancer`: one that does not exist is no error.
pub(super) fn classic_delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("LoadBalancerName")?.to_owned();
    delete_where(context, |balancer| balancer.kind == Kind::Classic && balancer.name == name);
    Ok(Xml::new())
}

/// `DescribeLoadBalancers`
pub(super) fn describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let (arns, names) = (query.list("LoadBalancerArns.member"), query.list("Names.member"));
    let all = shown(context, false);
    let absent = arns.iter().find(|arn| !all.iter().any(|balancer| balancer.arn == **arn));
    let absent =
        absent.or_else(|| names.iter().find(|name| !all.iter().any(|balancer| balancer.name == **name)));
    if let Some(absent) = absent {
        return Err(Error::bad("LoadBalancerNotFound", format!("Load balancers '[{absent}]' not found")));
    }
    let wanted = all.into_iter().filter(|balancer| {
        (arns.is_empty() || arns.contains(&balancer.arn))
            && (names.is_empty() || names.contains(&balancer.name))
    });
    paged(query, "LoadBalancers", wanted.map(|one| (one.arn.clone(), written(one))).collect())
}

fn written(balancer: &Balancer) -> Xml {
    let zones = balancer
        .subnets
        .iter()
        .map(|(subnet, zone)| Xml::new().text("ZoneName", zone).text("SubnetId", subnet));
    Xml::new()
        .text("LoadBalancerArn", &balancer.arn)
        .text("DNSName", &balancer.dns_name)
        .text("CreatedTime", balancer.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
        .text("LoadBalancerName", &balancer.name)
        .text("Scheme", scheme(balancer))
        .text("VpcId", &balancer.vpc)
        .child("State", &Xml::new().text("Code", balancer.state()))
        .text("Type", balancer.kind.word())
        .list("AvailabilityZones", "member", zones)
        .texts("SecurityGroups", "member", &balancer.security_groups)
        .text("IpAddressType", "ipv4")
}

/// `DescribeTags`, of balancers and target groups.
pub(super) fn tags(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let elb = &context.region().elb;
    let described = query.list("ResourceArns.member").into_iter().map(|arn| {
        let balancer =
            elb.balancers.values().find(|one| one.arn == arn && one.is_shown()).map(|one| &one.tags);
        let tags =
            balancer.or_else(|| elb.target_groups.get(&arn).map(|group| &group.tags)).ok_or_else(|| {
                let (code, what) = if arn.contains(":targetgroup/") {
                    ("TargetGroupNotFound", "Target groups")
                } else {
                    ("LoadBalancerNotFound", "Load balancers")
                };
                Error::bad(code, format!("{what} '[{arn}]' not found"))
            })?;
        Ok(Xml::new().text("ResourceArn", &arn).and(&written_tags(tags)))
    });
    Ok(Xml::new().list("TagDescriptions", "member", described.collect::<Result<Vec<_>>>()?))
}

/// `DescribeTargetGroups`
pub(super) fn describe_target_groups(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let (arns, names) = (query.list("TargetGroupArns.member"), query.list("Names.member"));
    let groups = &context.region().elb.target_groups;
    if let Some(absent) = arns.iter().find(|arn| !groups.contains_key(*arn)) {
        return Err(Error::bad("TargetGroupNotFound", format!("Target groups '[{absent}]' not found")));
    }
    let wanted = groups.values().filter(|group| {
        (arns.is_empty() || arns.contains(&group.arn))
            && (names.is_empty() || names.contains(&group.name))
            && query.get("LoadBalancerArn").is_none_or(|arn| group.balancer.as_deref() == Some(arn))
    });
    paged(
        query,
        "TargetGroups",
        wanted.map(|group| (group.arn.clone(), written_target_group(group))).collect(),
    )
}

fn written_target_group(group: &TargetGroup) -> Xml {
    Xml::new()
        .text("TargetGroupArn", &group.arn)
        .text("TargetGroupName", &group.name)
        .text("Protocol", "TCP")
        .text("Port", 80)
        .text("VpcId", &group.vpc)
        .texts("LoadBalancerArns", "member", group.balancer.as_ref())
        .text("TargetType", "instance")
}

/// `DeleteLoadBalancer`: one that does not exist is no error.
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let arn = query.required("LoadBalancerArn")?.to_owned();
    delete_where(context, |balancer| balancer.kind != Kind::Classic && balancer.arn == arn);
    for group in context.region_mut().elb.target_groups.values_mut() {
        if group.balancer.as_ref() == Some(&arn) {
            group.balancer = None;
        }
    }
    Ok(Xml::new())
}

/// `DeleteTargetGroup`: one that does not exist is no error.
pub(super) fn delete_target_group(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let arn = query.required("TargetGroupArn")?;
    let groups = &mut context.region_mut().elb.target_groups;
    if groups.get(arn).is_some_and(|group| group.balancer.is_some()) {
        let message = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(Error::bad("ResourceInUse", message));
    }
    groups.remove(arn);
    Ok(Xml::new())
}

/// At once gone from the API; interfaces linger, and what a controller made beside it stays. While its Service
/// stands, the controller makes another one.
fn delete_where(context: &mut Context<'_>, which: impl Fn(&Balancer) -> bool) {
    let due = context.now.work.saturating_add(SWEPT_AFTER);
    let balancers = context.region_mut().elb.balancers.values_mut();
    for balancer in balancers.filter(|balancer| balancer.is_shown() && which(balancer)) {
        let next = if balancer.is_wanted() { Next::Replaced } else { Next::Swept };
        balancer.next = Some((due, next));
    }
}

fn written_tags(tags: &Tags) -> Xml {
    Xml::new().list(
        "Tags",
        "member",
        tags.iter().map(|(key, value)| Xml::new().text("Key", key).text("Value", value)),
    )
}
