//! The role that a cluster's own identity needs on the user's subnet: assigned once the cluster stands, removed when it
//! is gone. Without it the cluster's balancers get no address there.
//!
//! Sources: <https://learn.microsoft.com/azure/aks/configure-azure-cni>, «Prerequisites»;
//! <https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest>

use async_trait::async_trait;
use pmks_driver::{
    Asked, ClusterTarget, DriverError, ErrorKind, Look, Marks, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::Child;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::wire::authorization as wire;
use crate::wire::container_service::ManagedCluster;
use crate::{AzureDriver, PROVIDER, convert, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Assign>(), Maker::of::<Unassign>()];

/// The roles that let a cluster work in a subnet, the one that is assigned first: Network Contributor, Contributor,
/// Owner.
///
/// Source: <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>
const ROLES: [&str; 3] = [
    "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
];

/// What an assignment is called among what is to go.
const ROLE: &str = "roleAssignment";
/// What stands in its identifier between its subnet and its name.
const UNDER: &str = "/providers/Microsoft.Authorization/roleAssignments/";

/// Checks and answers the plan for a cluster that stands.
///
/// # Errors
/// `Precondition` for a cluster without an identity of Azure's.
pub(crate) async fn prepare(driver: &AzureDriver, target: &ClusterTarget, marks: &Marks) -> Result<Prepared> {
    let (_, cluster) = aim::standing_cluster(driver, target).await?;
    let Some(principal) = convert::principal(&cluster) else {
        let what = format!("Azure names no identity of cluster {}", cluster.name);
        let fix = "assign the role to the cluster's service principal yourself".to_owned();
        return Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what));
    };
    let stages = convert::subnets(&cluster).into_iter().map(|subnet| {
        let name = format!("role on subnet {}", subnet.name());
        Assign::of(&subnet, Principal::Id(principal.clone()), marks).specification(name)
    });
    Ok(Prepared::of(stages).resolved("principal", &principal))
}

/// The stage that assigns the role to a cluster which the stage of that name makes.
pub(super) fn of_new_cluster(subnet: &ArmId, stage: &str, output: &str, marks: &Marks) -> StageSpecification {
    let principal = Principal::Output { stage: stage.to_owned(), key: output.to_owned() };
    Assign::of(subnet, principal, marks).specification("role on subnet")
}

/// Whether a principal may work in a subnet. One call.
pub(crate) async fn stands(driver: &AzureDriver, subnet: &ArmId, principal: &str) -> Result<bool> {
    Ok(driver.api.role_assignments(subnet, principal).await?.iter().any(|one| lets_in(one, principal)))
}

fn lets_in(assignment: &wire::RoleAssignment, principal: &str) -> bool {
    let properties = &assignment.properties;
    let role = properties.role_definition_id.to_ascii_lowercase();
    properties.principal_id.eq_ignore_ascii_case(principal) && ROLES.iter().any(|known| role.ends_with(known))
}

/// The roles, as what is to go, that a cluster's own identity has on its subnets and nowhere above: the identity goes
/// with the cluster, its assignments would stay. One call a subnet; where assignments may not be listed, one more for that
/// which creation made, whose name follows from our record.
pub(super) async fn of_cluster(
    driver: &AzureDriver,
    cluster: &ManagedCluster,
    marks: &Marks,
    notices: &mut Vec<String>,
) -> Result<Vec<Child>> {
    let own = cluster.identity.as_ref().filter(|identity| identity.kind.as_deref() == Some("SystemAssigned"));
    let Some(principal) = own.and_then(|identity| identity.principal_id.clone()) else {
        return Ok(Vec::new());
    };
    let mut roles = Vec::new();
    for subnet in convert::subnets(cluster) {
        match driver.api.role_assignments(&subnet, &principal).await {
            Ok(found) => roles.extend(found.iter().filter_map(|one| to_go(one, &subnet, &principal))),
            Err(error) if is_forbidden(&error) => {
                let name = assignment_name(&marks.uid, &subnet);
                match driver.api.role_assignment(&subnet, &name).await {
                    Ok(_) => roles.push(child(&subnet, &name)),
                    Err(error) if error.is_not_found() || is_forbidden(&error) => {}
                    Err(error) => return Err(error),
                }
                notices.push(format!("the roles of the cluster's identity on {subnet} may stay: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(roles)
}

fn is_forbidden(error: &DriverError) -> bool {
    matches!(error.kind(), ErrorKind::Forbidden { .. })
}

/// The same for a cluster that is gone, whose identity nobody can name any more: what creation assigned on a subnet of
/// the region has a name that follows from our record. One call, and one a subnet.
pub(super) async fn of_gone_cluster(driver: &AzureDriver, marks: &Marks) -> Result<Vec<Child>> {
    let mut roles = Vec::new();
    for network in networks::list(driver).await? {
        for subnet in network.subnets.iter().filter_map(|subnet| ArmId::parse(&subnet.iid.system_id)) {
            let name = assignment_name(&marks.uid, &subnet);
            match driver.api.role_assignment(&subnet, &name).await {
                Ok(_) => roles.push(child(&subnet, &name)),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(roles)
}

/// Adds roles that were known before, each once: Azure may write their subnets in another case.
pub(super) fn with_known(mut roles: Vec<Child>, known: impl IntoIterator<Item = Child>) -> Vec<Child> {
    for role in known {
        if !roles.iter().any(|one| one.system_id.eq_ignore_ascii_case(&role.system_id)) {
            roles.push(role);
        }
    }
    roles
}

/// Whether a known role still stands; `None`: the child is none. One call.
pub(crate) async fn is_assigned(driver: &AzureDriver, child: &Child) -> Result<Option<bool>> {
    let Some((subnet, name)) = parts(child) else { return Ok(None) };
    match driver.api.role_assignment(&subnet, name).await {
        Ok(_) => Ok(Some(true)),
        Err(error) if error.is_not_found() => Ok(Some(false)),
        Err(error) => Err(error),
    }
}

/// The stage that takes a role away; `None`: the child is none.
pub(super) fn removal(child: &Child) -> Option<StageSpecification> {
    let (subnet, name) = parts(child)?;
    let stage = Unassign { subnet, name: name.to_owned(), id: child.system_id.clone() };
    Some(stage.specification(format!("removal of role {name}")))
}

fn child(subnet: &ArmId, name: &str) -> Child {
    Child {
        kind: ROLE.to_owned(),
        system_id: format!("{subnet}{UNDER}{name}"),
        name: name.to_owned(),
        made_by: String::new(),
        goes_with_cluster: false,
    }
}

/// The subnet and the name of a role.
fn parts(child: &Child) -> Option<(ArmId, &str)> {
    let (subnet, name) = child.system_id.split_once(UNDER).filter(|_| child.kind == ROLE)?;
    Some((ArmId::parse(subnet)?, name))
}

fn to_go(assignment: &wire::RoleAssignment, subnet: &ArmId, principal: &str) -> Option<Child> {
    let here = subnet.is_text(&assignment.properties.scope) && lets_in(assignment, principal);
    let name = assignment.id.rsplit('/').next().filter(|name| here && !name.is_empty())?;
    Some(child(subnet, name))
}

/// Whose role it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Principal {
    /// Known when the plan was made.
    Id(String),
    /// Left behind by an earlier stage.
    Output { stage: String, key: String },
}

/// Assigns the role. Its name follows from our record's uid and the subnet, so that a second ask makes no second one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assign {
    subnet: ArmId,
    name: String,
    principal: Principal,
}

impl Assign {
    fn of(subnet: &ArmId, principal: Principal, marks: &Marks) -> Self {
        Self { subnet: subnet.clone(), name: assignment_name(&marks.uid, subnet), principal }
    }

    fn principal<'a>(&'a self, context: &'a StageContext) -> Result<&'a str> {
        match &self.principal {
            Principal::Id(id) => Ok(id),
            Principal::Output { stage, key } => context.outputs.text(stage, key).ok_or_else(|| {
                let message = format!("Azure did not say whom the cluster of stage {stage:?} acts as");
                DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
            }),
        }
    }
}

fn assignment_name(uid: &str, subnet: &ArmId) -> String {
    let digest = Sha256::digest(format!("{uid} {}", subnet.to_string().to_ascii_lowercase()));
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, from)| *byte = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[async_trait]
impl Stage<AzureDriver> for Assign {
    const KIND: &'static str = "azure.roleAssignment";

    /// Whoever assigned it, and wherever above the subnet: the principal may work there.
    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        let principal = self.principal(context)?;
        let found = driver.api.role_assignments(&self.subnet, principal).await?;
        let standing = found.iter().find(|one| lets_in(one, principal));
        Ok(standing.map_or(Look::Absent, |one| Look::ready(&one.id, "", Value::Null)))
    }

    /// A principal that Entra has not copied everywhere yet is `Unavailable`: asked again soon.
    async fn ask(&self, driver: &AzureDriver, context: &StageContext) -> Result<Asked> {
        let principal = self.principal(context)?;
        let subscription = self.subnet.subscription();
        let [role, ..] = ROLES;
        let definition = "providers/Microsoft.Authorization/roleDefinitions";
        let body = wire::NewRoleAssignment {
            properties: wire::NewRoleAssignmentProperties {
                role_definition_id: format!("/subscriptions/{subscription}/{definition}/{role}"),
                principal_id: principal,
                principal_type: "ServicePrincipal",
            },
        };
        match driver.api.create_role_assignment(&self.subnet, &self.name, &body).await {
            Ok(_) => Ok(Asked::done(Value::Null)),
            Err(error) => Err(self.explained(error, principal)),
        }
    }
}

impl Assign {
    /// Who may make clusters may still not assign roles: then somebody else has to, by this very command.
    fn explained(&self, error: DriverError, principal: &str) -> DriverError {
        if !matches!(error.kind(), ErrorKind::Forbidden { .. }) {
            return error;
        }
        let subnet = &self.subnet;
        let kind = ErrorKind::PrerequisiteMissing {
            what: format!("the cluster's identity {principal} may not work in {subnet}"),
            fix: format!(
                "let somebody who may assign roles run: az role assignment create --assignee-object-id {principal} \
                 --assignee-principal-type ServicePrincipal --role \"Network Contributor\" --scope {subnet} – then retry"
            ),
        };
        error.as_kind(kind)
    }
}

/// Takes a role away.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unassign {
    subnet: ArmId,
    name: String,
    /// The whole identifier, by which the operation knows what it is about.
    #[serde(default)]
    id: String,
}

#[async_trait]
impl Stage<AzureDriver> for Unassign {
    const KIND: &'static str = "azure.roleAssignment.removal";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.role_assignment(&self.subnet, &self.name).await {
            Ok(_) => Ok(Look::Absent),
            Err(error) if error.is_not_found() => Ok(Look::gone()),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        match driver.api.delete_role_assignment(&self.subnet, &self.name).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => answer.map(|_| Asked::done(json!({}))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::context;
    use super::*;

    const PRINCIPAL: &str = "11111111-0000-0000-0000-000000000000";

    fn subnet() -> ArmId {
        ArmId::parse(
            "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s",
        )
        .unwrap()
    }

    fn marks(uid: &str) -> Marks {
        Marks { installation: "i".into(), operation: "o".into(), uid: uid.into() }
    }

    fn assignment(scope: &str, role: &str) -> wire::RoleAssignment {
        wire::RoleAssignment {
            id: format!("{scope}/providers/Microsoft.Authorization/roleAssignments/r1"),
            properties: wire::RoleAssignmentProperties {
                role_definition_id: format!(
                    "/subscriptions/0/providers/Microsoft.Authorization/roleDefinitions/{role}"
                ),
                principal_id: PRINCIPAL.to_uppercase(),
                scope: scope.to_owned(),
            },
        }
    }

    #[test]
    fn a_name_follows_from_the_record_and_the_subnet() {
        let name = assignment_name("u", &subnet());
        assert!(uuid::Uuid::try_parse(&name).is_ok());
        assert_eq!(name, assignment_name("u", &ArmId::parse(&subnet().to_string().to_uppercase()).unwrap()));
        assert_ne!(name, assignment_name("v", &subnet()));
    }

    #[test]
    fn only_the_subnets_own_assignment_is_removed() {
        let (own, above) = (subnet().to_string(), "/subscriptions/0/resourceGroups/g".to_owned());
        for (scope, role, removed) in [
            (&own, ROLES[0], true),
            (&above, ROLES[0], false),
            (&own, "acdd72a7-3385-48ef-bd42-f606fba81ae7", false),
        ] {
            assert_eq!(
                to_go(&assignment(scope, role), &subnet(), PRINCIPAL).is_some(),
                removed,
                "{scope} {role}"
            );
        }
        assert!(to_go(&assignment(&own, ROLES[0]), &subnet(), "another").is_none());
        assert!(lets_in(&assignment(&above, ROLES[2]), PRINCIPAL));
    }

    #[test]
    fn a_stage_says_of_which_role_it_is() {
        let role = child(&subnet(), "r1");
        let stage = removal(&role).unwrap();
        assert_eq!(stage.name, "removal of role r1");
        assert_eq!(stage.parameters.get("id").unwrap(), &role.system_id);
        let loud = Child { system_id: role.system_id.replace("/subnets/s", "/subnets/S"), ..role.clone() };
        assert_eq!(with_known(vec![role.clone()], [loud, child(&subnet(), "r2")]).len(), 2);
        assert!(removal(&Child { kind: Child::VOLUME.to_owned(), ..role }).is_none());
    }

    #[test]
    fn the_principal_of_a_new_cluster_is_what_its_stage_left() {
        let from = Principal::Output { stage: "cluster".into(), key: "principalId".into() };
        let stage = Assign::of(&subnet(), from, &marks("u"));
        let mut context = context();
        assert_eq!(*stage.principal(&context).unwrap_err().kind(), ErrorKind::Unexpected);
        context.outputs.insert("cluster", json!({"principalId": PRINCIPAL}));
        assert_eq!(stage.principal(&context).unwrap(), PRINCIPAL);
    }

    #[test]
    fn who_may_not_assign_is_told_the_command() {
        let stage = Assign::of(&subnet(), Principal::Id(PRINCIPAL.into()), &marks("u"));
        let forbidden = DriverError::new(ErrorKind::Forbidden { permission: None }, PROVIDER, "no");
        let explained = stage.explained(forbidden, PRINCIPAL);
        let ErrorKind::PrerequisiteMissing { fix, .. } = explained.kind() else { panic!("{explained}") };
        assert!(fix.contains("az role assignment create") && fix.contains(&subnet().to_string()), "{fix}");
        let busy = DriverError::new(ErrorKind::Unavailable, PROVIDER, "later");
        assert_eq!(*stage.explained(busy, PRINCIPAL).kind(), ErrorKind::Unavailable);
    }
}
