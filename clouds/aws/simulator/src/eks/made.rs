//! What EKS makes in EC2 for its clusters and node groups, and takes away with them: security groups, the control
//! plane's interfaces, launch templates. Machines are Auto Scaling's.

use super::call::Call;
use super::state::{Cluster, NodeGroup, RemoteAccess};
use crate::ec2::{
    self, Attached, GroupRule, LaunchTemplate, Peer, SecurityGroup, TemplateData, TemplateVersion,
};
use crate::world::Tags;

impl Call<'_> {
    fn ec2_mut(&mut self) -> &mut ec2::State {
        let place = self.place;
        &mut self.world.region_mut(place).ec2
    }

    /// The security group that lets control plane and nodes talk.
    ///
    /// Source: <https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html>.
    pub(crate) fn make_cluster_security_group(&mut self, cluster: &Cluster) -> String {
        let suffix = self.world.random.digits(10);
        let name = format!("eks-cluster-sg-{}-{suffix}", cluster.name);
        let description = "EKS created security group applied to ENI that is attached to EKS Control Plane master \
                           nodes, as well as any managed workloads.";
        let tags = Tags::from([
            ("Name".to_owned(), name.clone()),
            (format!("kubernetes.io/cluster/{}", cluster.name), "owned".to_owned()),
            ("aws:eks:cluster-name".to_owned(), cluster.name.clone()),
        ]);
        self.make_security_group(&name, description, &cluster.network.vpc, tags, |own| {
            vec![("-1", None, own)]
        })
    }

    /// The security group for SSH to the nodes: from the given groups, or from everywhere.
    pub(crate) fn make_remote_access_group(
        &mut self,
        cluster: &Cluster,
        group: &NodeGroup,
        remote: &RemoteAccess,
    ) -> String {
        let id = group.arn.rsplit('/').next().unwrap_or_default();
        let name = format!("eks-remoteAccess-{id}");
        let tags = Tags::from([
            ("eks".to_owned(), group.name.clone()),
            ("eks:nodegroup-name".to_owned(), group.name.clone()),
        ]);
        let mut peers: Vec<Peer> = remote.source_groups.iter().cloned().map(Peer::Group).collect();
        if peers.is_empty() {
            peers = vec![Peer::Ipv4("0.0.0.0/0".to_owned())];
        }
        let description = "Security group for all nodes in the nodeGroup to allow SSH access";
        self.make_security_group(&name, description, &cluster.network.vpc, tags, |_| {
            peers.into_iter().map(|peer| ("tcp", Some(22), peer)).collect()
        })
    }

    /// A group with these rules inwards (the function is told the group itself as a peer) and everything outwards.
    fn make_security_group(
        &mut self,
        name: &str,
        description: &str,
        vpc: &str,
        tags: Tags,
        inwards: impl FnOnce(Peer) -> Vec<(&'static str, Option<i32>, Peer)>,
    ) -> String {
        let id = self.world.new_id("sg");
        let outwards = ("-1", None, Peer::Ipv4("0.0.0.0/0".to_owned()));
        let inwards = inwards(Peer::Group(id.clone())).into_iter().map(|rule| (false, rule));
        let wanted: Vec<_> = inwards.chain([(true, outwards)]).collect();
        let rules = wanted.into_iter().map(|(egress, (protocol, port, peer))| GroupRule {
            id: self.world.new_id("sgr"),
            egress,
            protocol: protocol.to_owned(),
            from_port: port,
            to_port: port,
            peer,
            description: None,
            tags: Tags::new(),
        });
        let rules = rules.collect();
        let made = SecurityGroup {
            id: id.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            vpc: vpc.to_owned(),
            rules,
            tags,
            created: self.now.wall,
        };
        self.ec2_mut().security_groups.insert(id.clone(), made);
        id
    }

    /// Removes a security group that EKS made, and the rules of others that name it.
    pub(crate) fn remove_security_group(&mut self, id: &str) {
        let groups = &mut self.ec2_mut().security_groups;
        groups.remove(id);
        for group in groups.values_mut() {
            group.rules.retain(|rule| rule.peer != Peer::Group(id.to_owned()));
        }
    }

    /// The control plane's interfaces, one in each of the first two zones' subnets.
    pub(crate) fn make_interfaces(&mut self, cluster: &Cluster, security_group: &str) -> Vec<String> {
        let mut zones = Vec::new();
        let mut made = Vec::new();
        for (subnet, zone) in self.zones_of(&cluster.network.subnets) {
            if zones.contains(&zone) || zones.len() == 2 {
                continue;
            }
            zones.push(zone);
            let attachment = self.world.new_id("eni-attach");
            let mut groups = cluster.network.security_groups.clone();
            groups.push(security_group.to_owned());
            let (name, place, now) = (&cluster.name, self.place, self.now);
            let interface = ec2::machines::add_interface(self.world, place, &subnet, now, |interface| {
                interface.groups = groups;
                interface.description = format!("Amazon EKS {name}");
                interface.requester = Some("eks".to_owned());
                interface.attached = Some(Attached { id: attachment, instance: None });
                interface.tags.insert(format!("kubernetes.io/cluster/{name}"), "owned".to_owned());
            });
            made.extend(interface.ok().map(|interface| interface.id));
        }
        made
    }

    /// Removes the control plane's interfaces.
    pub(crate) fn remove_interfaces(&mut self, ids: &[String]) {
        let ec2 = self.ec2_mut();
        for id in ids {
            ec2.network_interfaces.remove(id);
        }
    }

    /// The launch template of a node group whose user gave none: id and name.
    ///
    /// Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>.
    pub(crate) fn make_template(
        &mut self,
        cluster: &Cluster,
        group: &NodeGroup,
        data: TemplateData,
    ) -> (String, String) {
        let id = self.world.new_id("lt");
        let name = format!("eks-{}", group.arn.rsplit('/').next().unwrap_or_default());
        let created = self.now.wall;
        let tags = Tags::from([
            ("eks:cluster-name".to_owned(), cluster.name.clone()),
            ("eks:nodegroup-name".to_owned(), group.name.clone()),
        ]);
        let template = LaunchTemplate {
            id: id.clone(),
            name: name.clone(),
            versions: vec![TemplateVersion { number: 1, description: None, data, created }],
            default_version: 1,
            client_token: None,
            tags,
            created,
        };
        self.ec2_mut().launch_templates.insert(id.clone(), template);
        (id, name)
    }

    /// The next version of a launch template that EKS made: the same with another image.
    pub(crate) fn add_template_version(&mut self, id: &str, image: &str) -> Option<u64> {
        let created = self.now.wall;
        let template = self.ec2_mut().launch_templates.get_mut(id)?;
        let newest = template.versions.last()?.clone();
        let data = TemplateData { image: Some(image.to_owned()), ..newest.data };
        let number = newest.number + 1;
        template.versions.push(TemplateVersion { number, description: None, data, created });
        template.default_version = number;
        Some(number)
    }

    /// Removes a launch template that EKS made.
    pub(crate) fn remove_template(&mut self, id: &str) {
        self.ec2_mut().launch_templates.remove(id);
    }
}
