//! Whose children are looked for, and whether something is one: by the tags that controllers set, or by the host name
//! that an object of the cluster has. Pure.

use std::collections::BTreeMap;

use pmks_driver::cluster_objects::ClusterObjects;
use pmks_model::{Child, Cluster, Tags};

/// Whose children are looked for.
pub(super) struct Owner<'a> {
    pub(super) cluster: &'a str,
    pub(super) network: &'a str,
    /// The security groups that the user gave to the cluster: never children.
    pub(super) given_groups: Vec<&'a str>,
    /// Who has which address, such as `Service default/web`.
    addresses: BTreeMap<String, String>,
}

impl<'a> Owner<'a> {
    pub(super) fn new(cluster: &'a Cluster, objects: &ClusterObjects) -> Self {
        let mut addresses = BTreeMap::new();
        for object in &objects.balanced {
            let who = format!("{} {}/{}", object.kind.as_str(), object.namespace, object.name);
            for address in &object.addresses {
                addresses.insert(plain_host(address), who.clone());
            }
        }
        Self {
            cluster: &cluster.iid.system_id,
            network: &cluster.network.network.system_id,
            given_groups: cluster.network.security_groups.iter().map(|iid| iid.system_id.as_str()).collect(),
            addresses,
        }
    }

    /// Whether a controller of this cluster says that it made it.
    pub(super) fn owns(&self, tags: &Tags) -> bool {
        let by_cloud_provider = tags.get(&format!("kubernetes.io/cluster/{}", self.cluster));
        by_cloud_provider.is_some_and(|value| value == "owned") || self.owns_by_controller(tags)
    }

    pub(super) fn owns_by_controller(&self, tags: &Tags) -> bool {
        tags.get("elbv2.k8s.aws/cluster").is_some_and(|value| value == self.cluster)
    }

    pub(super) fn is_near(&self, network: &str) -> bool {
        self.network.is_empty() || network == self.network
    }

    /// A balancer is a child if a controller tagged it, or if an object of the cluster has its host name.
    pub(super) fn balancer(
        &self,
        kind: &str,
        id: &str,
        name: &str,
        host: &str,
        tags: &Tags,
    ) -> Option<Child> {
        let object = self.addresses.get(&plain_host(host)).cloned();
        let made_by = object.or_else(|| self.owns(tags).then(|| maker(tags)))?;
        Some(child(kind, id, name, made_by))
    }
}

/// The host name as AWS lists it: objects may carry it in another case, or as `dualstack.…`.
pub(super) fn plain_host(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(host)
}

/// Who made it, as controllers write it into tags; empty if they do not.
pub(super) fn maker(tags: &Tags) -> String {
    for (key, kind) in [
        ("kubernetes.io/service-name", "Service"),
        ("service.k8s.aws/stack", "Service"),
        ("ingress.k8s.aws/stack", "Ingress"),
        ("gateway.k8s.aws.alb/stack", "Gateway"),
        ("gateway.k8s.aws.nlb/stack", "Gateway"),
    ] {
        if let Some(name) = tags.get(key) {
            return format!("{kind} {name}");
        }
    }
    String::new()
}

pub(super) fn child(kind: &str, id: &str, name: &str, made_by: String) -> Child {
    Child {
        kind: kind.to_owned(),
        system_id: id.to_owned(),
        name: name.to_owned(),
        made_by,
        goes_with_cluster: false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use pmks_driver::kubernetes::{BalancedObject, Kind};
    use pmks_model::{ClusterNetwork, Iid};

    use super::super::BALANCER;
    use super::*;

    /// A cluster with a network and a security group that its user gave it.
    pub(in crate::children) fn cluster() -> Cluster {
        Cluster {
            iid: Iid::unnamed("prod"),
            network: ClusterNetwork {
                network: Iid::unnamed("vpc-1"),
                security_groups: vec![Iid::unnamed("sg-given")],
                ..ClusterNetwork::default()
            },
            ..Cluster::default()
        }
    }

    fn service(host: &str) -> ClusterObjects {
        let balanced = vec![BalancedObject {
            kind: Kind::Service,
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            uid: String::new(),
            addresses: vec![host.to_owned()],
            deleting: false,
        }];
        ClusterObjects { balanced, ..ClusterObjects::default() }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_balancer_is_known_by_its_tags_or_by_an_objects_host_name() {
        let (cluster, objects) = (cluster(), service("dualstack.WEB-1.elb.amazonaws.com"));
        let of = Owner::new(&cluster, &objects);
        let made_by = |host: &str, pairs: &[(&str, &str)]| {
            of.balancer(BALANCER, "arn", "n", host, &tags(pairs)).map(|child| child.made_by)
        };
        assert_eq!(made_by("web-1.elb.amazonaws.com", &[]).as_deref(), Some("Service default/web"));
        let owned = [("kubernetes.io/cluster/prod", "owned"), ("kubernetes.io/service-name", "shop/x")];
        assert_eq!(made_by("x", &owned).as_deref(), Some("Service shop/x"));
        let by_controller = [("elbv2.k8s.aws/cluster", "prod"), ("ingress.k8s.aws/stack", "shop/y")];
        assert_eq!(made_by("x", &by_controller).as_deref(), Some("Ingress shop/y"));
        for strangers in [
            &[("kubernetes.io/cluster/prod", "shared")][..],
            &[("kubernetes.io/cluster/prod2", "owned")],
            &[("elbv2.k8s.aws/cluster", "dev")],
            &[],
        ] {
            assert_eq!(made_by("x", strangers), None, "{strangers:?}");
        }
    }
}
