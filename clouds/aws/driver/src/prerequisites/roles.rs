//! The two IAM roles of EKS: what each must trust and be allowed, and how a candidate stands. Reads only.

use pmks_driver::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::trust::{self, Trust};
use crate::AwsDriver;
use crate::endpoints::Partition;

/// A role that EKS works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RoleKind {
    /// What control planes act as.
    Cluster,
    /// What nodes act as.
    Node,
}

/// A permission that a role needs: one of these managed policies gives it.
pub(crate) type Need = &'static [&'static str];

impl RoleKind {
    /// The prerequisite's name, which is also that of the connection's setting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cluster => "clusterRole",
            Self::Node => "nodeRole",
        }
    }

    /// What it is for.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Cluster => "the IAM role that control planes act as",
            Self::Node => "the IAM role that nodes act as",
        }
    }

    /// The names looked for where the connection names none, in this order: those of CB-Spider's specification, and
    /// those that CB-Spider makes.
    pub(crate) fn usual_names(self) -> [&'static str; 2] {
        match self {
            Self::Cluster => ["cloud-barista-spider-eks-cluster-role", "cloud-barista-eks-cluster-role"],
            Self::Node => ["cloud-barista-spider-eks-nodegroup-role", "cloud-barista-eks-nodegroup-role"],
        }
    }

    /// The service that must be trusted, by its names in all partitions.
    fn services(self) -> &'static [&'static str] {
        match self {
            Self::Cluster => &["eks.amazonaws.com"],
            Self::Node => &["ec2.amazonaws.com", "ec2.amazonaws.com.cn"],
        }
    }

    /// What must be allowed. Where there are several policies, the first is the one to attach.
    ///
    /// Sources: <https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html>,
    /// <https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html>
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Cluster => &[&["AmazonEKSClusterPolicy"]],
            Self::Node => &[
                &["AmazonEKSWorkerNodePolicy"],
                &["AmazonEKS_CNI_Policy"],
                &["AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"],
            ],
        }
    }

    /// The trust policy of a role that we make.
    pub(crate) fn trust_policy(self, partition: Partition) -> String {
        let service = match self {
            Self::Cluster => "eks.amazonaws.com".to_owned(),
            // EC2 is called after its partition in China alone.
            Self::Node if partition.name == "aws-cn" => "ec2.amazonaws.com.cn".to_owned(),
            Self::Node => "ec2.amazonaws.com".to_owned(),
        };
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        })
        .to_string()
    }
}

/// What the EBS CSI driver needs of the role that it acts as.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html>
pub(super) const VOLUMES: &str = "service-role/AmazonEBSCSIDriverPolicy";

/// The ARN of one of AWS' own policies.
pub(crate) fn policy_arn(partition: Partition, policy: &str) -> String {
    format!("arn:{}:iam::aws:policy/{policy}", partition.name)
}

/// How a role that might be the one stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is as it must be.
    Fits {
        /// Its ARN.
        arn: String,
        /// Conditions of its trust, which are not judged here.
        conditions: Vec<String>,
    },
    /// It is there, and lacks something.
    Lacks {
        /// What is wrong with whom it trusts, if something is.
        trust: Option<String>,
        /// The needs that no attached policy meets.
        policies: Vec<Need>,
    },
    /// There is no such role.
    Absent,
    /// IAM does not let us look.
    Unreadable(String),
}

impl Standing {
    /// What is missing, for people.
    pub(crate) fn says(&self, role: &str) -> String {
        match self {
            Self::Fits { arn, conditions } if conditions.is_empty() => arn.clone(),
            Self::Fits { arn, conditions } => {
                format!("{arn}, whose trust has conditions that were not checked ({})", conditions.join(", "))
            }
            Self::Lacks { trust, policies } => {
                let policies = policies.iter().map(|need| need.join(" or "));
                let lacks: Vec<String> = policies.map(|policy| format!("{policy} is not attached")).collect();
                let wrong: Vec<String> = trust.iter().cloned().chain(lacks).collect();
                format!("{role}: {}", wrong.join("; "))
            }
            Self::Absent => format!("{role} does not exist"),
            Self::Unreadable(why) => format!("{role} cannot be looked at: {why}"),
        }
    }
}

/// The name of a role that is given by name or ARN.
pub(crate) fn role_name(role: &str) -> &str {
    if is_arn(role) { role.rsplit('/').next().unwrap_or(role) } else { role }
}

/// Whether a role is given by its ARN.
pub(crate) fn is_arn(role: &str) -> bool {
    role.starts_with("arn:")
}

/// Looks at one role, given by name or ARN. Two calls.
///
/// # Errors
/// Those of IAM, but for «there is none» and «you may not», which are answers.
pub(crate) async fn examine(driver: &AwsDriver, kind: RoleKind, role: &str) -> Result<Standing> {
    let name = role_name(role);
    let read =
        match futures::try_join!(driver.api.get_role(name), driver.api.list_attached_role_policies(name)) {
            Ok(read) => read,
            Err(error) if error.is_not_found() => return Ok(Standing::Absent),
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => {
                return Ok(Standing::Unreadable(error.to_string()));
            }
            Err(error) => return Err(error),
        };
    let (found, attached) = read;
    if is_arn(role) && found.arn != role {
        let trust = Some(format!("the role of that name is {}", found.arn));
        return Ok(Standing::Lacks { trust, policies: Vec::new() });
    }
    let partition = driver.api.endpoints().partition();
    Ok(judge(kind, partition, &found.arn, &found.assume_role_policy_document, &attached))
}

fn judge(kind: RoleKind, partition: Partition, arn: &str, document: &str, attached: &[String]) -> Standing {
    let met = |need: &&Need| {
        need.iter().any(|policy| attached.iter().any(|arn| *arn == policy_arn(partition, policy)))
    };
    let policies: Vec<Need> = kind.needs().iter().filter(|need| !met(need)).copied().collect();
    match trust::of(document, kind.services()) {
        Trust::Refused(why) => Standing::Lacks { trust: Some(why), policies },
        _ if !policies.is_empty() => Standing::Lacks { trust: None, policies },
        Trust::Given => Standing::Fits { arn: arn.to_owned(), conditions: Vec::new() },
        Trust::Conditional(conditions) => Standing::Fits { arn: arn.to_owned(), conditions },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

    fn here() -> Partition {
        Partition::of("ap-northeast-2")
    }

    fn node(document: &str, policies: &[&str]) -> Standing {
        let attached: Vec<String> = policies.iter().map(|policy| policy_arn(here(), policy)).collect();
        judge(RoleKind::Node, here(), "arn:aws:iam::1:role/r", document, &attached)
    }

    #[test]
    fn either_registry_policy_will_do_and_what_is_missing_is_named() {
        for registry in ["AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"] {
            let all = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", registry];
            assert!(matches!(node(NODES, &all), Standing::Fits { .. }), "{registry}");
        }
        let lacking = node(NODES, &["AmazonEKS_CNI_Policy"]);
        assert_eq!(
            lacking.says("r"),
            "r: AmazonEKSWorkerNodePolicy is not attached; AmazonEC2ContainerRegistryPullOnly or AmazonEC2ContainerRegistryReadOnly is not attached"
        );
        let untrusting = node("{\"Statement\":[]}", &[]);
        assert!(untrusting.says("r").starts_with("r: its trust policy does not allow ec2.amazonaws.com; "));
    }

    #[test]
    fn the_trust_that_we_write_is_one_that_we_accept() {
        for region in ["ap-northeast-2", "cn-north-1", "us-gov-west-1"] {
            let partition = Partition::of(region);
            for kind in [RoleKind::Cluster, RoleKind::Node] {
                let attached: Vec<String> =
                    kind.needs().iter().map(|need| policy_arn(partition, need[0])).collect();
                let standing = judge(kind, partition, "arn", &kind.trust_policy(partition), &attached);
                assert!(matches!(standing, Standing::Fits { .. }), "{region} {kind:?} {standing:?}");
            }
        }
    }

    #[test]
    fn roles_are_named_or_given_by_arn() {
        assert_eq!(role_name("arn:aws:iam::1:role/path/of/name"), "name");
        assert_eq!(role_name("name"), "name");
    }
}
