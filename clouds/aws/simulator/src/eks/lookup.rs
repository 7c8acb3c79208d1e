//! What EKS asks of IAM and EC2: whether what a request names exists and fits. Makes nothing.
//!
//! Wording: <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2406> (cluster role),
//! <https://github.com/eksctl-io/eksctl/issues/3290> (node role).

use std::collections::BTreeMap;

use super::call::Call;
use super::error::{Error, Result};
use super::state::{Cluster, LaunchTemplate, NodeGroup};
use super::{images, node_config};
use crate::ec2;
use crate::iam::{Role, trust};

/// A machine type, as far as EKS cares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    /// `amd64` or `arm64`.
    pub(crate) architecture: &'static str,
    /// Virtual processors.
    pub(crate) cpu: u32,
    /// Memory.
    pub(crate) memory_mib: u64,
}

/// The machine type of this name.
pub(crate) fn machine(name: &str) -> Option<Machine> {
    let found = ec2::machine_types::machine_type(name)?;
    let architecture = if found.architecture == "arm64" { "arm64" } else { "amd64" };
    Some(Machine { architecture, cpu: found.vcpus, memory_mib: u64::from(found.memory_mib) })
}

/// A subnet, as far as EKS cares.
pub(crate) struct FoundSubnet {
    /// Its network.
    pub(crate) vpc: String,
    /// Its zone.
    pub(crate) zone: String,
}

/// A launch template, as far as EKS cares.
pub(crate) struct Template {
    /// Which one, with the number of its version.
    pub(crate) specification: LaunchTemplate,
    /// Its image.
    pub(crate) image: Option<String>,
    /// Its machine type.
    pub(crate) instance_type: Option<String>,
    /// Its key pair.
    pub(crate) key: Option<String>,
    /// Its security groups.
    pub(crate) security_groups: Vec<String>,
    /// What its machines do first, in base64.
    pub(crate) user_data: Option<String>,
    /// Its first disk.
    pub(crate) disk_gib: Option<i64>,
}

/// Whether a subnet's route table, or its network's main one, leads to an internet gateway.
fn reaches_internet(ec2: &ec2::State, subnet: &ec2::Subnet) -> bool {
    let tables = || ec2.route_tables.values().filter(|table| table.vpc == subnet.vpc);
    let own = |table: &&ec2::RouteTable| {
        table.associations.iter().any(|association| association.subnet.as_deref() == Some(subnet.id.as_str()))
    };
    let table = tables().find(own).or_else(|| tables().find(|table| table.is_main()));
    table.is_some_and(|table| {
        table.routes.iter().any(|route| route.destination.bits == 0 && route.gateway.starts_with("igw-"))
    })
}

impl Call<'_> {
    /// The role, if there is one and other services know of it by now.
    fn known_role(&self, arn: &str) -> Option<&Role> {
        let account = arn.split(':').nth(4).unwrap_or_default();
        self.world.iam(account)?.role_by_arn(arn).filter(|role| role.is_known(self.now))
    }

    fn trusts(role: &Role, service: &str) -> bool {
        let asking = trust::Asking {
            kind: "Service",
            principals: &[service.to_owned()],
            action: "sts:AssumeRole",
            keys: &BTreeMap::new(),
        };
        trust::allows(&role.trust, &asking)
    }

    /// A role that EKS itself can assume.
    pub(crate) fn check_cluster_role(&self, arn: &str) -> Result<()> {
        if self.known_role(arn).is_some_and(|role| Self::trusts(role, "eks.amazonaws.com")) {
            return Ok(());
        }
        Err(Error::parameter(format!(
            "Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
        )))
    }

    /// A role that machines can take.
    pub(crate) fn check_node_role(&self, arn: &str) -> Result<()> {
        let Some(role) = self.known_role(arn) else {
            let name = arn.rsplit('/').next().unwrap_or_default();
            return Err(Error::parameter(format!(
                "The role with name {name} cannot be found. (Service: Iam, Status Code: 404)"
            )));
        };
        if Self::trusts(role, "ec2.amazonaws.com") {
            return Ok(());
        }
        Err(Error::parameter(format!(
            "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of \
             nodeRole {arn}"
        )))
    }

    /// A role for something else; `service` must be able to assume it, if it is given.
    pub(crate) fn check_role(&self, arn: &str, service: Option<&str>) -> Result<()> {
        let fits = |role: &Role| service.is_none_or(|service| Self::trusts(role, service));
        if self.known_role(arn).is_some_and(fits) {
            return Ok(());
        }
        Err(Error::parameter(format!(
            "Role {arn} is not valid or does not have the required trust relationship."
        )))
    }

    /// Whether a user or role of this ARN exists. Those of other accounts are taken for granted, as EKS does.
    pub(crate) fn principal_exists(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", "aws", "iam", "", account, resource] = parts.as_slice() else { return false };
        let account_is_real = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        match (resource.split_once('/'), self.world.iam(account)) {
            (Some(("role", _)), Some(iam)) => iam.role_by_arn(arn).is_some(),
            (Some(("user", name)), Some(iam)) => iam.has_user(name),
            (Some(("role" | "user", name)), None) => account_is_real && !name.is_empty(),
            _ => *resource == "root" && account_is_real,
        }
    }

    fn ec2(&self) -> &ec2::State {
        &self.world.region(self.place).ec2
    }

    /// The subnets of these ids, all in one network: the given one, if it is given.
    pub(crate) fn check_subnets(&self, ids: &[String], vpc: Option<&str>) -> Result<Vec<FoundSubnet>> {
        if ids.is_empty() && vpc.is_none() {
            return Err(Error::parameter("subnetIds can't be empty"));
        }
        let mut found = Vec::new();
        for id in ids {
            let subnet = self.ec2().subnets.get(id).ok_or_else(|| {
                Error::parameter(format!(
                    "The subnet ID '{id}' does not exist (Service: Ec2, Status Code: 400, Error Code: \
                     InvalidSubnetID.NotFound)"
                ))
            })?;
            found.push(FoundSubnet { vpc: subnet.vpc.clone(), zone: subnet.zone.clone() });
        }
        let expected =
            vpc.or_else(|| found.first().map(|subnet| subnet.vpc.as_str())).unwrap_or_default().to_owned();
        if found.iter().any(|subnet| subnet.vpc != expected) {
            return Err(Error::parameter(format!(
                "Subnets {} are not all in the VPC {expected}",
                ids.join(", ")
            )));
        }
        Ok(found)
    }

    /// Each subnet with its zone.
    pub(crate) fn zones_of(&self, ids: &[String]) -> Vec<(String, String)> {
        let subnets = &self.ec2().subnets;
        ids.iter().filter_map(|id| Some((id.clone(), subnets.get(id)?.zone.clone()))).collect()
    }

    /// Security groups that exist in this network.
    pub(crate) fn check_security_groups(&self, ids: &[String], vpc: &str) -> Result<()> {
        for id in ids {
            match self.ec2().security_groups.get(id) {
                None => {
                    return Err(Error::parameter(format!(
                        "The security group '{id}' does not exist (Service: Ec2, Status Code: 400, Error Code: \
                         InvalidGroup.NotFound)"
                    )));
                }
                Some(group) if group.vpc != vpc => {
                    return Err(Error::parameter(format!(
                        "Security group(s) {id} are not in the same VPC as the subnets"
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The addresses of a network.
    pub(crate) fn vpc_cidr(&self, id: &str) -> Option<String> {
        self.ec2().vpcs.get(id).map(|vpc| vpc.cidr.to_string())
    }

    /// A launch template whose image, key pair and security groups all exist.
    pub(crate) fn check_template(&self, template: &Template, vpc: &str) -> Result<()> {
        let ec2_says =
            |words: String| Err(Error::request(format!("{words} (Service: Ec2, Status Code: 400)")));
        if let Some(image) =
            template.image.as_ref().filter(|image| !images::exists(&self.place.region, image))
        {
            return ec2_says(format!("The image id '[{image}]' does not exist"));
        }
        if let Some(key) = template.key.as_ref().filter(|key| !self.has_key_pair(key)) {
            return ec2_says(format!("The key pair '{key}' does not exist"));
        }
        self.check_security_groups(&template.security_groups, vpc)
    }

    /// Whether a key pair of this name exists.
    pub(crate) fn has_key_pair(&self, name: &str) -> bool {
        self.ec2().key_pairs.values().any(|pair| pair.name == name)
    }

    /// The launch template of this id or name, in this version or its default one.
    pub(crate) fn find_template(
        &self,
        id: Option<&str>,
        name: Option<&str>,
        version: Option<&str>,
    ) -> Result<Template> {
        let found = match (id, name) {
            (Some(_), Some(_)) => {
                return Err(Error::parameter(
                    "Either provide launch template ID or launch template name in the request.",
                ));
            }
            (Some(id), None) => self.ec2().launch_templates.get(id),
            (None, Some(name)) => self.ec2().launch_templates.values().find(|template| template.name == name),
            (None, None) => {
                return Err(Error::parameter(
                    "You must specify either the launch template ID or the launch template name.",
                ));
            }
        };
        let missing = |what: &str| Error::request(format!("Launch template {what} was not found."));
        let template = found.ok_or_else(|| missing(id.or(name).unwrap_or_default()))?;
        let newest = template.versions.iter().map(|version| version.number).max().unwrap_or_default();
        let number = match version {
            None | Some("$Default") => template.default_version,
            Some("$Latest") => newest,
            Some(number) => number.parse().map_err(|_| missing(&format!("version {number}")))?,
        };
        let version = template.versions.iter().find(|version| version.number == number);
        let data = &version.ok_or_else(|| missing(&format!("version {number}")))?.data;
        Ok(Template {
            specification: LaunchTemplate {
                id: template.id.clone(),
                name: template.name.clone(),
                version: number.to_string(),
            },
            image: data.image.clone(),
            instance_type: data.machine_type.clone(),
            key: data.key_name.clone(),
            security_groups: data.groups.clone(),
            user_data: data.user_data.clone(),
            disk_gib: data.disks.first().and_then(|disk| disk.size_gib).map(i64::from),
        })
    }

    /// Why machines of this group can never become nodes, in EKS' code and words.
    ///
    /// Source: <https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html#troubleshoot-managed-node-groups>.
    pub(crate) fn node_problem(&self, cluster: &Cluster, group: &NodeGroup) -> Option<(String, String)> {
        let ec2 = self.ec2();
        let not_joined =
            || Some(("NodeCreationFailure".to_owned(), super::node_group_progress::NOT_JOINED.to_owned()));
        let Some(role) = self.known_role(&group.node_role) else {
            let words = format!("The node role {} could not be found.", group.node_role);
            return Some(("IamNodeRoleNotFound".to_owned(), words));
        };
        let managed = |name: &str| role.attached.iter().any(|arn| arn.ends_with(name));
        let may_join = managed("/AmazonEKSWorkerNodePolicy")
            || managed("/AmazonEKSWorkerNodeMinimalPolicy")
            || managed("/AdministratorAccess")
            || !role.inline.is_empty();
        if !may_join || !self.finds_cluster(cluster, group) {
            return not_joined();
        }
        let subnets = group.subnets.iter().filter_map(|id| ec2.subnets.get(id));
        let addressless: Vec<&str> = subnets
            .clone()
            .filter(|subnet| reaches_internet(ec2, subnet) && !subnet.map_public_ip)
            .map(|subnet| subnet.id.as_str())
            .collect();
        if !addressless.is_empty() {
            let words = format!(
                "One or more Amazon EC2 Subnets of {addressless:?} for node group {} does not automatically assign \
                 public IP addresses to instances launched into it. If you want your instances to be assigned a \
                 public IP address, then you need to enable auto-assign public IP address for the subnet.",
                group.name
            );
            return Some(("Ec2SubnetInvalidConfiguration".to_owned(), words));
        }
        // The simulation has no NAT gateways: a subnet without an internet gateway's route leads nowhere.
        if subnets.clone().any(|subnet| !reaches_internet(ec2, subnet)) { not_joined() } else { None }
    }

    /// Whether machines with an image that EKS did not choose know their cluster and reach it: EKS adds neither user
    /// data nor its own security group then.
    ///
    /// Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-custom-ami>.
    fn finds_cluster(&self, cluster: &Cluster, group: &NodeGroup) -> bool {
        let Some(template) = group.launch_template.as_ref().filter(|_| group.version.is_none()) else {
            return true;
        };
        let Ok(template) = self.find_template(Some(&template.id), None, Some(&template.version)) else {
            return false;
        };
        let own = cluster.network.cluster_security_group.as_ref();
        let reaches = template.security_groups.is_empty()
            || own.is_some_and(|own| template.security_groups.contains(own));
        reaches && template.user_data.is_some_and(|data| node_config::joins(&data, cluster))
    }

    /// The image of a kind for a Kubernetes version.
    pub(crate) fn node_image(&self, ami_type: &str, version: &str) -> String {
        images::id(&self.place.region, ami_type, version)
    }
}
