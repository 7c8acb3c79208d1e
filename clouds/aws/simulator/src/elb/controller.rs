//! The controllers of a cluster, as far as balancers go: they make one for a Service of type `LoadBalancer`, and
//! take it away some time after the Service is gone.
//!
//! The Services of a simulated cluster are those that own a balancer here ([`services`]); there is no second list.
//! A balancer that somebody deletes behind the controller's back is not made again.

use std::time::Duration;

use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use super::state::{Balancer, Kind, Next, Owner, State, TargetGroup};
use crate::ec2::{self, GroupRule, Peer, SecurityGroup};
use crate::eks;
use crate::error::Result;
use crate::world::{Place, Tags, World};

/// From `provisioning` to `active`.
const ACTIVE_AFTER: Duration = Duration::from_secs(120);
/// From the deletion of a Service until its balancer is deleted.
const DELETED_AFTER: Duration = Duration::from_secs(20);
/// How long the interfaces of a deleted balancer linger.
pub(super) const SWEPT_AFTER: Duration = Duration::from_secs(60);

/// The event `{"type":"controllerMakesLoadBalancer","cluster":NAME,"service":NAME,"namespace"?,"kind"?}`, `kind`
/// being `classic` (default), `network` or `application`; the first cluster of that name is meant.
///
/// # Errors
/// When no such cluster has a network, or a field is wrong.
pub(crate) fn from_event(
    world: &mut World,
    event: &Value,
    now: Now,
) -> std::result::Result<Value, StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let needed = |key: &str| text(key).ok_or_else(|| StateError(format!("the event needs `{key}`")));
    let owner = Owner {
        cluster: needed("cluster")?.to_owned(),
        namespace: text("namespace").unwrap_or("default").to_owned(),
        service: needed("service")?.to_owned(),
    };
    let kind = match text("kind").unwrap_or("classic") {
        "classic" => Kind::Classic,
        "network" => Kind::Network,
        "application" => Kind::Application,
        other => return Err(StateError(format!("`{other}` is no kind of balancer"))),
    };
    let places = world.places().into_iter();
    let found = places.filter_map(|place| {
        let subnets = eks::cluster_subnets(&world.region(&place).eks, &owner.cluster)?;
        Some((place, subnets))
    });
    let found: Vec<(Place, Vec<String>)> = found.collect();
    let (place, subnets) =
        found.first().ok_or_else(|| StateError(format!("there is no cluster `{}`", owner.cluster)))?;
    let balancer =
        make(world, place, kind, &owner, subnets, now).map_err(|error| StateError(error.message))?;
    Ok(
        json!({"name": balancer.name, "dnsName": balancer.dns_name, "securityGroups": balancer.security_groups}),
    )
}

/// Makes a balancer for a Service, with interfaces, a security group and a target group as its kind has them.
///
/// # Errors
/// What EC2 says of its interfaces.
pub(crate) fn make(
    world: &mut World,
    place: &Place,
    kind: Kind,
    owner: &Owner,
    subnets: &[String],
    now: Now,
) -> Result<Balancer> {
    let name = match kind {
        Kind::Application => {
            format!("k8s-{:.8}-{:.8}-{}", owner.namespace, owner.service, world.random.hex(10))
        }
        Kind::Classic | Kind::Network => format!("a{}", world.random.hex(31)),
    };
    let number = world.random.hex(16);
    let ec2 = &world.region(place).ec2;
    let zoned =
        subnets.iter().filter_map(|id| ec2.subnets.get(id)).map(|held| (held.id.clone(), held.zone.clone()));
    let mut zoned: Vec<(String, String)> = zoned.collect();
    zoned.sort_by(|one, other| one.1.cmp(&other.1));
    zoned.dedup_by(|one, other| one.1 == other.1);
    let vpc =
        subnets.iter().find_map(|id| ec2.subnets.get(id)).map(|held| held.vpc.clone()).unwrap_or_default();
    let tags = tags(kind, owner);
    let security_groups = match kind {
        Kind::Network => Vec::new(),
        _ => vec![add_group(world, place, &name, owner, &vpc, now)],
    };
    let path = match kind {
        Kind::Classic => name.clone(),
        Kind::Network => format!("net/{name}/{number}"),
        Kind::Application => format!("app/{name}/{number}"),
    };
    let mut interfaces = Vec::new();
    for (subnet, _) in &zoned {
        let attachment = world.new_id("ela-attach");
        let made = ec2::machines::add_interface(world, place, subnet, now, |interface| {
            interface.description = format!("ELB {path}");
            interface.groups.clone_from(&security_groups);
            interface.requester = Some("amazon-elb".to_owned());
            interface.attached = Some(ec2::Attached { id: attachment, instance: None });
            if kind == Kind::Network {
                "network_load_balancer".clone_into(&mut interface.kind);
            }
        })?;
        interfaces.push(made.id);
    }
    let arn_of =
        |rest: &str| format!("arn:aws:elasticloadbalancing:{}:{}:{rest}", place.region, place.account);
    let arn = if kind == Kind::Classic { String::new() } else { arn_of(&format!("loadbalancer/{path}")) };
    let host = match kind {
        Kind::Classic => format!("{name}-{}.{}.elb.amazonaws.com", world.random.digits(9), place.region),
        Kind::Network => format!("{name}-{number}.elb.{}.amazonaws.com", place.region),
        Kind::Application => format!("{name}-{}.{}.elb.amazonaws.com", world.random.digits(9), place.region),
    };
    let balancer = Balancer {
        dns_name: host,
        next: (kind != Kind::Classic).then(|| (now.work.saturating_add(ACTIVE_AFTER), Next::Active)),
        name: name.clone(),
        arn: arn.clone(),
        kind,
        vpc: vpc.clone(),
        subnets: zoned,
        security_groups,
        internal: false,
        interfaces,
        tags: tags.clone(),
        created: now.wall,
        owner: Some(owner.clone()),
    };
    if kind != Kind::Classic {
        let group = format!("k8s-{:.8}-{:.8}-{}", owner.namespace, owner.service, world.random.hex(10));
        let target = TargetGroup {
            arn: arn_of(&format!("targetgroup/{group}/{}", world.random.hex(16))),
            name: group,
            vpc,
            balancer: Some(arn),
            tags,
            created: now.wall,
        };
        world.region_mut(place).elb.target_groups.insert(target.arn.clone(), target);
    }
    world.region_mut(place).elb.balancers.insert(name, balancer.clone());
    Ok(balancer)
}

/// The Services of a cluster that own a balancer, with the balancer's host name.
pub(crate) fn services<'a>(state: &'a State, cluster: &'a str) -> impl Iterator<Item = (&'a Owner, &'a str)> {
    let owned = state.balancers.values().filter_map(|balancer| Some((balancer.owner.as_ref()?, balancer)));
    owned
        .filter(move |(owner, balancer)| {
            owner.cluster == cluster && balancer.next.is_none_or(|(_, next)| next == Next::Active)
        })
        .map(|(owner, balancer)| (owner, balancer.dns_name.as_str()))
}

/// A Service was deleted: its controller takes the balancer away. Whether there was one.
pub(crate) fn service_deleted(world: &mut World, place: &Place, owner: &Owner, now: Now) -> bool {
    let balancers = world.region_mut(place).elb.balancers.values_mut();
    let mut found = false;
    for balancer in balancers.filter(|balancer| balancer.owner.as_ref() == Some(owner)) {
        if balancer.next.is_none_or(|(_, next)| next == Next::Active) {
            balancer.next = Some((now.work.saturating_add(DELETED_AFTER), Next::Deleted));
            found = true;
        }
    }
    found
}

/// Does what has fallen due at one place.
pub(crate) fn settle(world: &mut World, place: &Place, now: Now) {
    let due = |balancer: &&mut Balancer| balancer.next.is_some_and(|(due, _)| due <= now.work);
    let mut swept = Vec::new();
    for balancer in world.region_mut(place).elb.balancers.values_mut().filter(due) {
        match balancer.next.map(|(_, next)| next) {
            Some(Next::Deleted) => {
                balancer.next = Some((now.work.saturating_add(SWEPT_AFTER), Next::Swept));
            }
            Some(Next::Swept) => swept.push(balancer.clone()),
            Some(Next::Active) | None => balancer.next = None,
        }
    }
    for balancer in swept {
        let region = world.region_mut(place);
        region.elb.balancers.remove(&balancer.name);
        for interface in &balancer.interfaces {
            region.ec2.network_interfaces.remove(interface);
        }
        // Only the controller removes the group that it made; whoever deletes the balancer by the API leaves it.
        if balancer.owner.is_some() {
            region.elb.target_groups.retain(|_, group| group.balancer.as_ref() != Some(&balancer.arn));
            for group in &balancer.security_groups {
                region.ec2.security_groups.remove(group);
            }
        }
    }
}

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    state.balancers.values().filter_map(|balancer| balancer.next.map(|(due, _)| due)).min()
}

/// The tags by which controllers know their balancers again.
///
/// Sources: <https://github.com/kubernetes/cloud-provider-aws>, `aws_loadbalancer.go`;
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/use_cases/resource_tagging/>.
fn tags(kind: Kind, owner: &Owner) -> Tags {
    let service = format!("{}/{}", owner.namespace, owner.service);
    let pairs = match kind {
        Kind::Classic | Kind::Network => [
            (format!("kubernetes.io/cluster/{}", owner.cluster), "owned".to_owned()),
            ("kubernetes.io/service-name".to_owned(), service),
        ],
        Kind::Application => [
            ("elbv2.k8s.aws/cluster".to_owned(), owner.cluster.clone()),
            ("ingress.k8s.aws/stack".to_owned(), service),
        ],
    };
    Tags::from(pairs)
}

fn add_group(world: &mut World, place: &Place, balancer: &str, owner: &Owner, vpc: &str, now: Now) -> String {
    let id = world.new_id("sg");
    let rule = GroupRule {
        id: world.new_id("sgr"),
        egress: false,
        protocol: "tcp".to_owned(),
        from_port: Some(80),
        to_port: Some(80),
        peer: Peer::Ipv4("0.0.0.0/0".to_owned()),
        description: None,
        tags: Tags::new(),
    };
    let group = SecurityGroup {
        id: id.clone(),
        name: format!("k8s-elb-{balancer}"),
        description: format!(
            "Security group for Kubernetes ELB {balancer} ({}/{})",
            owner.namespace, owner.service
        ),
        vpc: vpc.to_owned(),
        rules: vec![rule],
        tags: Tags::from([(format!("kubernetes.io/cluster/{}", owner.cluster), "owned".to_owned())]),
        created: now.wall,
    };
    world.region_mut(place).ec2.security_groups.insert(id.clone(), group);
    id
}
