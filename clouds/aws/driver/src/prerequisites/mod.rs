//! What must exist in the account first: a credential that AWS accepts, the right to use EKS, and the two roles that
//! clusters and nodes act as. Found and checked here; made by `operations/fix_prerequisites.rs`, on request only.

pub(crate) mod roles;
mod trust;

use pmks_driver::{DriverError, ErrorKind, Prerequisite, PrerequisiteState, Result};

use crate::{AwsDriver, PROVIDER};
use roles::{RoleKind, Standing};

/// What must exist in the account first. At most ten calls: STS one, EKS one, IAM two a role that is a candidate.
///
/// # Errors
/// Those of IAM that are neither «there is none» nor «you may not».
pub(crate) async fn of_account(driver: &AwsDriver) -> Result<Vec<Prerequisite>> {
    let (credential, eks, cluster, node) = futures::join!(
        credential(driver),
        eks(driver),
        Candidates::of(driver, RoleKind::Cluster),
        Candidates::of(driver, RoleKind::Node),
    );
    Ok(vec![credential, eks, of_role(RoleKind::Cluster, cluster)?, of_role(RoleKind::Node, node)?])
}

/// How a role stands; not known where the credential is what was refused.
fn of_role(kind: RoleKind, found: Result<Candidates>) -> Result<Prerequisite> {
    match found {
        Ok(found) => Ok(found.prerequisite()),
        Err(error) if *error.kind() == ErrorKind::Unauthenticated => Ok(Prerequisite {
            name: kind.name().to_owned(),
            says: kind.says().to_owned(),
            state: PrerequisiteState::Unknown { why: pmks_driver::chain(&error) },
            fix: None,
        }),
        Err(error) => Err(error),
    }
}

/// The ARN of the role that clusters act as.
///
/// # Errors
/// `PrerequisiteMissing` naming every candidate and what it lacks.
pub(crate) async fn cluster_role(driver: &AwsDriver) -> Result<String> {
    Candidates::of(driver, RoleKind::Cluster).await?.chosen()
}

/// The ARN of the role that nodes act as.
///
/// # Errors
/// `PrerequisiteMissing` naming every candidate and what it lacks.
pub(crate) async fn node_group_role(driver: &AwsDriver) -> Result<String> {
    Candidates::of(driver, RoleKind::Node).await?.chosen()
}

/// What the user should know who asks for the EBS CSI driver: its pods act as the nodes' role, unless they are given
/// one of their own. One call.
///
/// # Errors
/// Those of IAM, but for «you may not».
pub(crate) async fn volumes_notice(driver: &AwsDriver, node_role: &str) -> Result<Option<String>> {
    let attached = match driver.api.list_attached_role_policies(roles::role_name(node_role)).await {
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => return Ok(None),
        attached => attached?,
    };
    let policy = roles::policy_arn(driver.api.endpoints().partition(), roles::VOLUMES);
    Ok((!attached.contains(&policy)).then(|| {
        format!("the EBS CSI driver makes volumes only once {policy} is attached to {node_role}, or to a role of its own")
    }))
}

async fn credential(driver: &AwsDriver) -> Prerequisite {
    let state = match driver.api.get_caller_identity().await {
        Ok(caller) => PrerequisiteState::Satisfied { by: caller.arn },
        Err(error) => refused(&error),
    };
    Prerequisite {
        name: "credential".to_owned(),
        says: "a credential that AWS accepts".to_owned(),
        state,
        fix: None,
    }
}

async fn eks(driver: &AwsDriver) -> Prerequisite {
    let state = match driver.api.list_clusters(None).await {
        Ok(_) => PrerequisiteState::Satisfied { by: "eks:ListClusters is allowed".to_owned() },
        // What is refused so is the credential, whose prerequisite says it.
        Err(error) if *error.kind() == ErrorKind::Unauthenticated => {
            PrerequisiteState::Unknown { why: pmks_driver::chain(&error) }
        }
        Err(error) => refused(&error),
    };
    Prerequisite { name: "eks".to_owned(), says: "the right to use EKS".to_owned(), state, fix: None }
}

/// A refusal is something missing; anything else is not known.
fn refused(error: &DriverError) -> PrerequisiteState {
    match error.kind() {
        ErrorKind::Forbidden { .. } | ErrorKind::Unauthenticated => {
            PrerequisiteState::Missing { what: vec![error.to_string()] }
        }
        _ => PrerequisiteState::Unknown { why: pmks_driver::chain(error) },
    }
}

/// The roles that might be the one, in the order in which they are taken.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    kind: RoleKind,
    /// By name or ARN, with how each stands.
    roles: Vec<(String, Standing)>,
    /// Whether the connection names the role.
    named: bool,
}

impl Candidates {
    /// The connection's own role, else those of the usual names, all looked at. Two calls each.
    pub(crate) async fn of(driver: &AwsDriver, kind: RoleKind) -> Result<Self> {
        let settings = &driver.here.settings;
        let own = match kind {
            RoleKind::Cluster => settings.cluster_role.clone(),
            RoleKind::Node => settings.node_group_role.clone(),
        };
        let named = own.is_some();
        let candidates = own.map_or_else(|| kind.usual_names().map(str::to_owned).to_vec(), |own| vec![own]);
        let looks = candidates.iter().map(|name| roles::examine(driver, kind, name));
        let standings = futures::future::try_join_all(looks).await?;
        Ok(Self { kind, roles: candidates.into_iter().zip(standings).collect(), named })
    }

    /// The first that fits.
    fn fitting(&self) -> Option<&(String, Standing)> {
        self.roles.iter().find(|(_, standing)| matches!(standing, Standing::Fits { .. }))
    }

    /// The ARN of the role to use. One that the connection names by ARN is used unseen where IAM may not be read.
    fn chosen(&self) -> Result<String> {
        if let Some((_, Standing::Fits { arn, .. })) = self.fitting() {
            return Ok(arn.clone());
        }
        if let [(role, Standing::Unreadable(_))] = self.roles.as_slice()
            && self.named
            && roles::is_arn(role)
        {
            return Ok(role.clone());
        }
        let what = format!("{}: {}", self.kind.says(), self.lacks().join("; "));
        let setting = self.kind.name();
        let fix = match self.remedy() {
            Some(_) => format!(
                "`pmks connection prerequisites NAME --fix` makes it; or name another role, by ARN, in the \
                 connection's setting {setting}"
            ),
            None => format!("name a role that fits, by ARN, in the connection's setting {setting}"),
        };
        let kind = ErrorKind::PrerequisiteMissing { what: what.clone(), fix };
        Err(DriverError::new(kind, PROVIDER, what))
    }

    fn lacks(&self) -> Vec<String> {
        self.roles.iter().map(|(name, standing)| standing.says(name)).collect()
    }

    fn prerequisite(&self) -> Prerequisite {
        let unreadable = self.roles.iter().find(|(_, standing)| matches!(standing, Standing::Unreadable(_)));
        let state = match (self.fitting(), unreadable) {
            (Some((name, standing)), _) => PrerequisiteState::Satisfied { by: standing.says(name) },
            (None, Some((name, standing))) => PrerequisiteState::Unknown { why: standing.says(name) },
            (None, None) => PrerequisiteState::Missing { what: self.lacks() },
        };
        let fix = match &state {
            PrerequisiteState::Missing { .. } => self.remedy().map(|remedy| remedy.says()),
            _ => None,
        };
        Prerequisite { name: self.kind.name().to_owned(), says: self.kind.says().to_owned(), state, fix }
    }

    /// What would make the prerequisite good; `None` where it is, or where only its owner should touch the role: we
    /// change nobody's trust policy.
    pub(crate) fn remedy(&self) -> Option<Remedy> {
        if self.fitting().is_some() {
            return None;
        }
        self.roles.iter().find_map(|(role, standing)| {
            let (create, policies) = match standing {
                // An ARN names an account and a path too: such a role is its owner's to make.
                Standing::Absent if !roles::is_arn(role) => (true, self.kind.needs().to_vec()),
                Standing::Lacks { trust: None, policies } => (false, policies.clone()),
                _ => return None,
            };
            let attach = policies.iter().filter_map(|need| need.first()).map(|policy| (*policy).to_owned());
            Some(Remedy {
                kind: self.kind,
                role: roles::role_name(role).to_owned(),
                create,
                attach: attach.collect(),
            })
        })
    }

    /// Why nothing can be done here, for people; `None` where the prerequisite is good or can be made good.
    pub(crate) fn hopeless(&self) -> Option<String> {
        let good = self.fitting().is_some() || self.remedy().is_some();
        (!good).then(|| format!("{}: {}", self.kind.says(), self.lacks().join("; ")))
    }
}

/// What would make a role good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remedy {
    /// Which role.
    pub(crate) kind: RoleKind,
    /// Its name.
    pub(crate) role: String,
    /// Whether it must be made first.
    pub(crate) create: bool,
    /// The policies to attach.
    pub(crate) attach: Vec<String>,
}

impl Remedy {
    fn says(&self) -> String {
        let policies = self.attach.join(", ");
        if self.create {
            format!("make the role {} and attach {policies}", self.role)
        } else {
            format!("attach {policies} to the role {}", self.role)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(named: bool, roles: &[(&str, Standing)]) -> Candidates {
        let roles = roles.iter().map(|(name, standing)| ((*name).to_owned(), standing.clone())).collect();
        Candidates { kind: RoleKind::Cluster, roles, named }
    }

    fn fits(arn: &str) -> Standing {
        Standing::Fits { arn: arn.to_owned(), conditions: Vec::new() }
    }

    fn unattached() -> Standing {
        Standing::Lacks { trust: None, policies: RoleKind::Cluster.needs().to_vec() }
    }

    fn untrusting() -> Standing {
        Standing::Lacks { trust: Some("its trust policy does not allow it".to_owned()), policies: Vec::new() }
    }

    #[test]
    fn the_first_that_fits_is_taken() {
        let found = candidates(false, &[("a", unattached()), ("b", fits("arn:b"))]);
        assert_eq!(found.chosen().unwrap(), "arn:b");
        assert_eq!(found.remedy(), None);
        assert_eq!(found.prerequisite().state, PrerequisiteState::Satisfied { by: "arn:b".to_owned() });
    }

    #[test]
    fn what_fails_is_named_with_what_is_missing() {
        let found = candidates(false, &[("a", untrusting()), ("b", Standing::Absent)]);
        let error = found.chosen().unwrap_err();
        assert_eq!(
            error.message(),
            "the IAM role that control planes act as: a: its trust policy does not allow it; b does not exist"
        );
        assert!(error.to_failure().fix.unwrap().contains("pmks connection prerequisites NAME --fix"));
        let remedy = found.remedy().unwrap();
        assert_eq!((remedy.role.as_str(), remedy.create), ("b", true));
        assert_eq!(found.prerequisite().fix.unwrap(), "make the role b and attach AmazonEKSClusterPolicy");
    }

    #[test]
    fn nobodys_trust_is_changed() {
        let found = candidates(true, &[("a", untrusting())]);
        assert_eq!(found.remedy(), None);
        assert!(found.hopeless().is_some());
        let found = candidates(true, &[("a", unattached())]);
        assert_eq!(found.remedy().unwrap().says(), "attach AmazonEKSClusterPolicy to the role a");
    }

    #[test]
    fn an_unreadable_iam_is_unknown_and_only_a_named_arn_goes_on() {
        let closed = || Standing::Unreadable("iam.GetRole: AccessDenied: no".to_owned());
        let arn = "arn:aws:iam::1:role/r";
        assert_eq!(candidates(true, &[(arn, closed())]).chosen().unwrap(), arn);
        assert!(candidates(true, &[("r", closed())]).chosen().is_err());
        let usual = candidates(false, &[("a", closed()), ("b", closed())]);
        assert!(usual.chosen().is_err());
        assert!(matches!(usual.prerequisite().state, PrerequisiteState::Unknown { .. }));
    }
}
