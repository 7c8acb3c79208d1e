//! The calls that show and change groups.
//!
//! Source: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html>.

use jiff::Timestamp;

use pmks_simulation::pages;

use super::scaling::{check_soon, terminate_member};
use super::state::{Group, Member};
use super::tags;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

/// A refusal of what the request says.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::bad("ValidationError", message)
}

/// One page: at most `MaxRecords` (50 unless said, 100 at most) after `NextToken`.
pub(super) fn page(query: &Query, items: Vec<(String, Xml)>, list: &str) -> Result<Xml> {
    let size = query.number::<usize>("MaxRecords")?.unwrap_or(50);
    if !(1..=100).contains(&size) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy constraint: Member must \
             have value less than or equal to 100"
        )));
    }
    let bad_token = |_| Error::bad("InvalidNextToken", "The NextToken value is not valid.");
    let (shown, next) = pages::page(items, size, query.get("NextToken")).map_err(bad_token)?;
    Ok(Xml::new().list(list, "member", shown).maybe("NextToken", next))
}

/// `DescribeAutoScalingGroups`.
pub(super) fn describe_groups(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let names = query.list("AutoScalingGroupNames.member");
    let filters = tags::filters(query)?;
    let groups = context.region().auto_scaling.groups.values();
    let shown = groups
        .filter(|group| names.is_empty() || names.contains(&group.name))
        .filter(|group| filters.iter().all(|filter| filter.allows_group(group)))
        .map(|group| (group.name.clone(), group_view(group)));
    page(query, shown.collect(), "AutoScalingGroups")
}

/// `DescribeAutoScalingInstances`.
pub(super) fn describe_instances(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let ids = query.list("InstanceIds.member");
    let groups = context.region().auto_scaling.groups.values();
    let members = groups.flat_map(|group| group.members.iter().map(move |member| (group, member)));
    let shown = members.filter(|(_, member)| ids.is_empty() || ids.contains(&member.instance)).map(
        |(group, member)| {
            let view = Xml::new().text("AutoScalingGroupName", &group.name).and(&member_view(group, member));
            (member.instance.clone(), view)
        },
    );
    page(query, shown.collect(), "AutoScalingInstances")
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn template_view(group: &Group, version: &str) -> Xml {
    Xml::new()
        .text("LaunchTemplateId", &group.launch.template_id)
        .text("LaunchTemplateName", &group.launch.template_name)
        .text("Version", version)
}

fn member_view(group: &Group, member: &Member) -> Xml {
    Xml::new()
        .text("InstanceId", &member.instance)
        .text("InstanceType", &member.instance_type)
        .text("AvailabilityZone", &member.zone)
        .text("LifecycleState", member.lifecycle.word())
        .text("HealthStatus", "Healthy")
        .child("LaunchTemplate", &template_view(group, &member.template_version))
        .text("ProtectedFromScaleIn", false)
}

fn group_view(group: &Group) -> Xml {
    let specification = template_view(group, &group.launch.template_version);
    let overrides = group.launch.instance_types.iter().map(|kind| Xml::new().text("InstanceType", kind));
    let template = Xml::new().child("LaunchTemplateSpecification", &specification).list(
        "Overrides",
        "member",
        overrides,
    );
    let distribution = Xml::new()
        .text("OnDemandAllocationStrategy", "prioritized")
        .text("OnDemandBaseCapacity", 0)
        .text("OnDemandPercentageAboveBaseCapacity", if group.launch.spot { 0 } else { 100 })
        .text("SpotAllocationStrategy", "price-capacity-optimized");
    let policy = Xml::new().child("LaunchTemplate", &template).child("InstancesDistribution", &distribution);
    let mut zones: Vec<&str> = group.subnets.iter().map(|(_, zone)| zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    let subnets: Vec<&str> = group.subnets.iter().map(|(subnet, _)| subnet.as_str()).collect();
    let members = group.members.iter().map(|member| member_view(group, member));
    let tags = group.tags.iter().map(|(key, tag)| tags::view(group, key, tag));
    Xml::new()
        .text("AutoScalingGroupName", &group.name)
        .text("AutoScalingGroupARN", &group.arn)
        .child("MixedInstancesPolicy", &policy)
        .text("MinSize", group.min)
        .text("MaxSize", group.max)
        .text("DesiredCapacity", group.desired)
        .text("DefaultCooldown", 300)
        .texts("AvailabilityZones", "member", zones)
        .list("LoadBalancerNames", "member", [])
        .list("TargetGroupARNs", "member", [])
        .text("HealthCheckType", "EC2")
        .text("HealthCheckGracePeriod", 15)
        .list("Instances", "member", members)
        .text("CreatedTime", date(group.created_at))
        .list("SuspendedProcesses", "member", [])
        .text("VPCZoneIdentifier", subnets.join(","))
        .list("EnabledMetrics", "member", [])
        .maybe("Status", group.deleting.then_some("Delete in progress"))
        .list("Tags", "member", tags)
        .texts(
            "TerminationPolicies",
            "member",
            ["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        )
        .text("NewInstancesProtectedFromScaleIn", false)
        .text("CapacityRebalance", group.launch.spot)
}

/// The group that a request names.
fn group<'a>(context: &'a mut Context<'_>, query: &Query) -> Result<&'a mut Group> {
    let name = query.required("AutoScalingGroupName").map_err(|error| invalid(error.message))?.to_owned();
    let found = context.region_mut().auto_scaling.groups.get_mut(&name).filter(|group| !group.deleting);
    found.ok_or_else(|| invalid(format!("AutoScalingGroup name not found - null: {name}")))
}

/// `SetDesiredCapacity`.
pub(super) fn set_desired_capacity(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let now = context.now;
    let desired = query.number::<i64>("DesiredCapacity")?;
    let desired = desired.ok_or_else(|| invalid("The request must contain the parameter DesiredCapacity"))?;
    let group = group(context, query)?;
    if desired > group.max {
        let words = format!(
            "New SetDesiredCapacity value {desired} is above max value {} for the AutoScalingGroup.",
            group.max
        );
        return Err(invalid(words));
    }
    if desired < group.min {
        let words = format!(
            "New SetDesiredCapacity value {desired} is below min value {} for the AutoScalingGroup.",
            group.min
        );
        return Err(invalid(words));
    }
    group.desired = desired;
    check_soon(group, now);
    Ok(Xml::new())
}

/// `UpdateAutoScalingGroup`: the limits. Without a wanted number, the present one is moved into them.
pub(super) fn update_group(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let now = context.now;
    let (min, max) = (query.number::<i64>("MinSize")?, query.number::<i64>("MaxSize")?);
    let desired = query.number::<i64>("DesiredCapacity")?;
    let group = group(context, query)?;
    let (min, max) = (min.unwrap_or(group.min), max.unwrap_or(group.max));
    if min < 0 || min > max {
        return Err(invalid("Max bound, must be greater than or equal to min bound"));
    }
    if desired.is_some_and(|desired| !(min..=max).contains(&desired)) {
        return Err(invalid(format!(
            "Desired capacity:{} must be between the specified min size:{min} and max size:{max}",
            desired.unwrap_or_default()
        )));
    }
    let desired = desired.unwrap_or_else(|| group.desired.clamp(min, max));
    (group.min, group.max, group.desired) = (min, max, desired);
    check_soon(group, now);
    Ok(Xml::new())
}

/// `TerminateInstanceInAutoScalingGroup`.
pub(super) fn terminate_instance(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let now = context.now;
    let id = query.required("InstanceId").map_err(|error| invalid(error.message))?.to_owned();
    let decrement = query.flag("ShouldDecrementDesiredCapacity")?;
    let decrement = decrement
        .ok_or_else(|| invalid("The request must contain the parameter ShouldDecrementDesiredCapacity"))?;
    let activity = context.world.random.uuid();
    let groups = &mut context.region_mut().auto_scaling.groups;
    let group = groups.values_mut().find(|group| group.active().any(|member| member.instance == id));
    let group = group.ok_or_else(|| {
        invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}"))
    })?;
    if decrement {
        if group.desired <= group.min {
            return Err(invalid(format!(
                "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate \
                 group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower \
                 group's min size.",
                group.min
            )));
        }
        group.desired -= 1;
    }
    terminate_member(group, &id, now);
    let view = Xml::new()
        .text("ActivityId", activity)
        .text("AutoScalingGroupName", &group.name)
        .text("Description", format!("Terminating EC2 instance: {id}"))
        .text(
            "Cause",
            format!(
                "At {} instance {id} was taken out of service in response to a user request.",
                date(now.wall)
            ),
        )
        .text("StartTime", date(now.wall))
        .text("StatusCode", "InProgress")
        .text("Progress", 0);
    Ok(Xml::new().child("Activity", &view))
}
