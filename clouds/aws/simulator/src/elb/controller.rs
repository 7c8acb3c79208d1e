//! The controllers of a cluster, as far as balancers go: they make one for a Service of type `LoadBalancer`, and
//! take it away some time after the Service is gone.
//!
//! The Services of a simulated cluster are those that own a balancer here ([`services`]); there is no second list.
//! A balancer that somebody deletes behind the controller's back is made again, as long as the cluster stands; when
//! the cluster goes first, its balancers stay and belong to nobody.

use std::time::Duration;

use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use super::state::{Balancer, Kind, Next, Owner, State, TargetGroup};
use crate::ec2::{self, GroupRule, Peer, SecurityGroup};
use crate::eks;
use crate::error::Result;
use crate::world::{Place, Tags, World};

/// From `provisioning` to `active`.
const ACTIVE_AFTER: Duration = Duration::from_mins(2);
/// From the deletion of a Service until its balancer is deleted.
const DELETED_AFTER: Duration = Duration::from_secs(20);
/// How long the interfaces of a deleted balancer linger.
pub(super) const SWEPT_AFTER: Duration = Duration::from_mins(1);

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
    let Names { name, path, dns_name } = names(world, place, kind, owner);
    let ec2 = &world.region(place).ec2;
    let vpc =
        subnets.iter().find_map(|id| ec2.subnets.get(id)).map(|held| held.vpc.clone()).unwrap_or_default();
    let subnets = one_a_zone(ec2, subnets);
    let security_groups = match kind {
        Kind::Network => Vec::new(),
        _ => vec![add_group(world, place, &name, owner, &vpc, now)],
    };
    let mut interfaces = Vec::new();
    for (subnet, _) in &subnets {
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
    let balancer = Balancer {
        next: (kind != Kind::Classic).then(|| (now.work.saturating_add(ACTIVE_AFTER), Next::Active)),
        arn: if kind == Kind::Classic { String::new() } else { arn(place, &format!("loadbalancer/{path}")) },
        name,
        kind,
        dns_name,
        vpc,
        subnets,
        security_groups,
        internal: false,
        interfaces,
        tags: tags(kind, owner),
        created: now.wall,
        owner: Some(owner.clone()),
    };
    if kind != Kind::Classic {
        add_target_group(world, place, owner, &balancer);
    }
    world.region_mut(place).elb.balancers.insert(balancer.name.clone(), balancer.clone());
    Ok(balancer)
}

/// The names of one balancer.
struct Names {
    name: String,
    /// What its ARN and its interfaces' descriptions end in.
    path: String,
    dns_name: String,
}

fn names(world: &mut World, place: &Place, kind: Kind, owner: &Owner) -> Names {
    let region = &place.region;
    let (name, number) = match kind {
        Kind::Application => (short_name(world, owner), world.random.hex(16)),
        Kind::Classic | Kind::Network => (format!("a{}", world.random.hex(31)), world.random.hex(16)),
    };
    let (path, dns_name) = match kind {
        Kind::Classic => {
            (name.clone(), format!("{name}-{}.{region}.elb.amazonaws.com", world.random.digits(9)))
        }
        Kind::Network => {
            (format!("net/{name}/{number}"), format!("{name}-{number}.elb.{region}.amazonaws.com"))
        }
        Kind::Application => {
            let host = format!("{name}-{}.{region}.elb.amazonaws.com", world.random.digits(9));
            (format!("app/{name}/{number}"), host)
        }
    };
    Names { name, path, dns_name }
}

/// `k8s-shop-web-0123456789`, as the controller in pods names things.
fn short_name(world: &mut World, owner: &Owner) -> String {
    format!("k8s-{:.8}-{:.8}-{}", owner.namespace, owner.service, world.random.hex(10))
}

fn arn(place: &Place, rest: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{}:{}:{rest}", place.region, place.account)
}

/// Subnets with their zones: a balancer has one in each zone.
fn one_a_zone(ec2: &ec2::State, subnets: &[String]) -> Vec<(String, String)> {
    let held = subnets.iter().filter_map(|id| ec2.subnets.get(id));
    let mut zoned: Vec<(String, String)> = held.map(|held| (held.id.clone(), held.zone.clone())).collect();
    zoned.sort_by(|one, other| one.1.cmp(&other.1));
    zoned.dedup_by(|one, other| one.1 == other.1);
    zoned
}

fn add_target_group(world: &mut World, place: &Place, owner: &Owner, balancer: &Balancer) {
    let name = short_name(world, owner);
    let group = TargetGroup {
        arn: arn(place, &format!("targetgroup/{name}/{}", world.random.hex(16))),
        name,
        vpc: balancer.vpc.clone(),
        balancer: Some(balancer.arn.clone()),
        tags: balancer.tags.clone(),
        created: balancer.created,
    };
    world.region_mut(place).elb.target_groups.insert(group.arn.clone(), group);
}

/// The Services of a cluster that own a balancer, with the balancer's host name.
pub(crate) fn services<'a>(state: &'a State, cluster: &'a str) -> impl Iterator<Item = (&'a Owner, &'a str)> {
    let wanted = state.balancers.values().filter(|balancer| balancer.is_wanted());
    let owned = wanted.filter_map(|balancer| Some((balancer.owner.as_ref()?, balancer.dns_name.as_str())));
    owned.filter(move |(owner, _)| owner.cluster == cluster)
}

/// A Service was deleted: its controller takes the balancer away. Whether there was one.
pub(crate) fn service_deleted(world: &mut World, place: &Place, owner: &Owner, now: Now) -> bool {
    let balancers = world.region_mut(place).elb.balancers.values_mut();
    let mut found = false;
    for balancer in
        balancers.filter(|balancer| balancer.is_wanted() && balancer.owner.as_ref() == Some(owner))
    {
        balancer.next = match balancer.next {
            Some((due, Next::Replaced)) => Some((due, Next::Swept)),
            _ => Some((now.work.saturating_add(DELETED_AFTER), Next::Deleted)),
        };
        found = true;
    }
    found
}

/// Does what has fallen due at one place.
pub(crate) fn settle(world: &mut World, place: &Place, now: Now) {
    let region = world.region_mut(place);
    for balancer in region.elb.balancers.values_mut().filter(|balancer| balancer.is_wanted()) {
        balancer.owner.take_if(|owner| eks::cluster_subnets(&region.eks, &owner.cluster).is_none());
    }
    let due = |balancer: &&mut Balancer| balancer.next.is_some_and(|(due, _)| due <= now.work);
    let mut ended = Vec::new();
    for balancer in region.elb.balancers.values_mut().filter(due) {
        match balancer.next.map(|(_, next)| next) {
            Some(Next::Deleted) => {
                balancer.next = Some((now.work.saturating_add(SWEPT_AFTER), Next::Swept));
            }
            Some(Next::Swept | Next::Replaced) => ended.push(balancer.clone()),
            Some(Next::Active) | None => balancer.next = None,
        }
    }
    for balancer in ended {
        sweep(world, place, &balancer);
        if balancer.is_wanted() {
            replace(world, place, &balancer, now);
        }
    }
}

/// The last remains of a balancer. Only the controller removes the groups that it made; who deletes a balancer of
/// nobody's by the API leaves them.
fn sweep(world: &mut World, place: &Place, balancer: &Balancer) {
    let region = world.region_mut(place);
    region.elb.balancers.remove(&balancer.name);
    region.ec2.network_interfaces.retain(|id, _| !balancer.interfaces.contains(id));
    if balancer.owner.is_some() {
        region.elb.target_groups.retain(|_, group| {
            group.tags != balancer.tags || group.balancer.as_ref().is_some_and(|arn| *arn != balancer.arn)
        });
        region.ec2.security_groups.retain(|id, _| !balancer.security_groups.contains(id));
    }
}

fn replace(world: &mut World, place: &Place, gone: &Balancer, now: Now) {
    let Some(owner) = &gone.owner else { return };
    let subnets = eks::cluster_subnets(&world.region(place).eks, &owner.cluster).unwrap_or_default();
    if let Err(error) = make(world, place, gone.kind, owner, &subnets, now) {
        tracing::debug!(code = error.code, "a controller cannot make its balancer again");
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
