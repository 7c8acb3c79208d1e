//! The plan of the end of a network, subnet, security group or key pair.
//!
//! What holds a resource is named, never removed: only a network's own subnets go with it, and a security group that pmks
//! made is taken off subnets that nothing uses. What is gone already is success.

use async_trait::async_trait;
use pmks_driver::{
    Asked, DeleteResource, DriverError, ErrorKind, Handle, Look, Marks, Poll, Prepared, Result, StageContext,
};
use pmks_model::{ResourceKind, Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::standing::{Standing, standing};
use super::{Maker, Stage, aim, subnet_guard};
use crate::api::Accepted;
use crate::arm_id::{ArmId, canonical_text};
use crate::wire::Reference;
use crate::wire::network as wire;
use crate::{AzureDriver, PROVIDER, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Delete>()];

/// The most holders that an error names.
const NAMED: usize = 10;

/// Looks who holds the resource, and answers the plan. One call, and one for each subnet that a security group guards.
///
/// # Errors
/// `Precondition` naming what holds it; `Replaced` for another one of that name than is meant.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &DeleteResource) -> Result<Prepared> {
    let id = asked.iid.system_id.as_str();
    let mut prepared = match asked.kind {
        ResourceKind::Network => network(driver, driver.network_id(id), asked).await,
        ResourceKind::Subnet => subnet(driver, asked).await,
        ResourceKind::SecurityGroup => security_group(driver, driver.security_group_id(id), asked).await,
        ResourceKind::KeyPair => key_pair(driver, driver.key_pair_id(id), asked).await,
        ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => {
            Err(DriverError::unsupported(PROVIDER, "deletion of such a resource by this operation"))
        }
    }?;
    // The thing itself goes last.
    if let Some(last) = prepared.plan.stages.pop() {
        prepared.plan.stages.push(last.removes(asked.kind.as_str(), id, &asked.iid.name_id));
    }
    Ok(prepared)
}

async fn network(driver: &AzureDriver, id: ArmId, asked: &DeleteResource) -> Result<Prepared> {
    let mut delete = Delete::of(What::Network, id, asked);
    if let Some(found) = standing(driver.api.network(&delete.id).await)? {
        let users: Vec<String> = found.properties.subnets.iter().flat_map(users).collect();
        delete.refuse_others(found.into(), &asked.marks)?;
        refuse_if_held(&delete.id, &users)?;
    }
    Ok(delete.alone("network"))
}

async fn subnet(driver: &AzureDriver, asked: &DeleteResource) -> Result<Prepared> {
    let text = asked.iid.system_id.as_str();
    let within = asked.network.as_ref().map(|network| driver.network_id(&network.system_id));
    let id = ArmId::parse(text).filter(|id| id.is("virtualNetworks/subnets"));
    let id = id.or_else(|| within.map(|network| network.child("subnets", text)));
    let Some(id) = id else { return Ok(Prepared::default().notice(format!("there is no subnet {text}"))) };
    if let Some(found) = standing(driver.api.subnet(&id).await)? {
        refuse_if_held(&id, &users(&found))?;
    }
    Ok(Delete { what: What::Subnet, id, incarnation: String::new() }.alone("subnet"))
}

async fn security_group(driver: &AzureDriver, id: ArmId, asked: &DeleteResource) -> Result<Prepared> {
    let mut delete = Delete::of(What::SecurityGroup, id, asked);
    let mut stages = Vec::new();
    if let Some(found) = standing(driver.api.security_group(&delete.id).await)? {
        delete.refuse_others(found.clone().into(), &asked.marks)?;
        let mut holders: Vec<String> =
            found.properties.network_interfaces.iter().map(|one| canonical_text(&one.id)).collect();
        for guarded in &found.properties.subnets {
            let subnet = networks::subnet_id(&guarded.id)?;
            let used =
                standing(driver.api.subnet(&subnet).await)?.map(|found| users(&found)).unwrap_or_default();
            // A mark that is not ours is of the installation that the group was taken over from.
            if used.is_empty() && mark(&found.tags).is_some() {
                stages.push(subnet_guard::stage(&subnet, &delete.id, false));
            } else {
                holders.push(format!("subnet {subnet}"));
            }
        }
        refuse_if_held(&delete.id, &holders)?;
    }
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    stages.push(delete.specification("security group").after(before));
    Ok(Prepared::of(stages))
}

async fn key_pair(driver: &AzureDriver, id: ArmId, asked: &DeleteResource) -> Result<Prepared> {
    let mut delete = Delete::of(What::KeyPair, id, asked);
    if let Some(found) = standing(driver.api.ssh_public_key(&delete.id).await)? {
        delete.refuse_others(found.into(), &asked.marks)?;
    }
    Ok(delete.alone("key pair"))
}

fn mark(tags: &Tags) -> Option<&String> {
    let [installation, ..] = Marks::KEYS;
    tags.get(installation)
}

/// Azure knows resources by name. What it tells of one beside its name says which it is, where that is known; else one that
/// another installation made since is not the one that is meant.
pub(super) fn refuse_strangers(
    id: &ArmId,
    meant: &str,
    found: &str,
    tags: &Tags,
    marks: &Marks,
) -> Result<()> {
    let is_known = !meant.is_empty() && meant == found;
    if is_known || mark(tags).is_none_or(|mark| *mark == marks.installation) {
        return Ok(());
    }
    let message = format!("{id} is another installation's");
    Err(DriverError::new(ErrorKind::Replaced, PROVIDER, message))
}

/// What has an address in a subnet.
fn users(subnet: &wire::Subnet) -> Vec<String> {
    let says = |one: &Reference| canonical_text(&one.id);
    subnet.properties.ip_configurations.iter().map(says).collect()
}

fn refuse_if_held(id: &ArmId, holders: &[String]) -> Result<()> {
    if holders.is_empty() { Ok(()) } else { Err(held(id, holders)) }
}

fn held(id: &ArmId, holders: &[String]) -> DriverError {
    let named: Vec<&str> = holders.iter().take(NAMED).map(String::as_str).collect();
    let more = holders.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    let what = format!("{id} is held by {}{rest}", named.join(", "));
    let fix = "delete what holds it first".to_owned();
    DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what)
}

/// What a stage deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum What {
    Network,
    Subnet,
    SecurityGroup,
    KeyPair,
}

impl What {
    fn says(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::SecurityGroup => "security group",
            Self::KeyPair => "key pair",
        }
    }
}

/// The end of one thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    what: What,
    id: ArmId,
    /// Which of those that had its name; empty where nobody knows.
    #[serde(default)]
    incarnation: String,
}

impl Delete {
    fn of(what: What, id: ArmId, asked: &DeleteResource) -> Self {
        Self { what, id, incarnation: asked.incarnation.clone() }
    }

    /// Refuses what stands there if it is not the one that is meant; else it is the one from now on.
    fn refuse_others(&mut self, found: Standing, marks: &Marks) -> Result<()> {
        aim::refuse_another(self.what.says(), self.id.name(), &self.incarnation, &found.incarnation)?;
        refuse_strangers(&self.id, &self.incarnation, &found.incarnation, &found.tags, marks)?;
        if !found.incarnation.is_empty() {
            self.incarnation = found.incarnation;
        }
        Ok(())
    }

    fn alone(&self, name: &str) -> Prepared {
        Prepared::of([self.specification(name)])
    }

    /// What stands there; `None`: it is gone.
    async fn standing(&self, driver: &AzureDriver) -> Result<Option<Standing>> {
        let (api, id) = (&driver.api, &self.id);
        standing(match self.what {
            What::Network => api.network(id).await.map(Standing::from),
            What::Subnet => api.subnet(id).await.map(Standing::from),
            What::SecurityGroup => api.security_group(id).await.map(Standing::from),
            What::KeyPair => api.ssh_public_key(id).await.map(Standing::from),
        })
    }

    /// One that somebody made after ours was asked to go is none of ours; one that stood before shows that ours was
    /// taken away by others.
    fn look_at(&self, found: Option<Standing>, asked: bool) -> Result<Look> {
        let Some(found) = found else { return Ok(Look::gone()) };
        if !aim::is_meant(&self.incarnation, &found.incarnation) {
            return if asked {
                Ok(Look::gone())
            } else {
                Err(aim::replaced(self.what.says(), self.id.name()))
            };
        }
        Ok(match found.state.as_str() {
            "Deleting" => Look::pending(self.id.to_string(), "", "Deleting"),
            _ => Look::Absent,
        })
    }

    async fn send(&self, driver: &AzureDriver) -> Result<Accepted> {
        let (api, id) = (&driver.api, &self.id);
        match self.what {
            What::Network => api.delete_network(id).await,
            What::Subnet => api.delete_subnet(id).await,
            What::SecurityGroup => api.delete_security_group(id).await,
            What::KeyPair => api.delete_ssh_public_key(id).await,
        }
    }

    fn action(&self) -> &'static str {
        match self.what {
            What::Network => "VirtualNetworks.Delete",
            What::Subnet => "Subnets.Delete",
            What::SecurityGroup => "NetworkSecurityGroups.Delete",
            What::KeyPair => "SshPublicKeys.Delete",
        }
    }
}

#[async_trait]
impl Stage<AzureDriver> for Delete {
    const KIND: &'static str = "azure.delete";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        self.look_at(self.standing(driver).await?, context.system_id.is_some())
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        match self.send(driver).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => answer.map(|accepted| aim::asked(accepted, &self.id)),
        }
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, self.action(), handle).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() }
    }

    #[test]
    fn another_installations_is_left_alone_unless_it_is_the_one_that_is_known() {
        let id = ArmId::new("0", "g", "p", "sshPublicKeys", "k");
        let other = Marks { installation: "j".into(), ..marks() };
        for (tags, refused) in
            [(Tags::new(), false), (marks().onto(&Tags::new()), false), (other.onto(&Tags::new()), true)]
        {
            for (meant, found) in [("", ""), ("", "1"), ("1", "")] {
                let answer = refuse_strangers(&id, meant, found, &tags, &marks());
                let is_refused = answer.is_err_and(|error| *error.kind() == ErrorKind::Replaced);
                assert_eq!(is_refused, refused, "{tags:?}");
            }
            assert!(refuse_strangers(&id, "1", "1", &tags, &marks()).is_ok(), "the very one that is known");
        }
    }

    #[test]
    fn another_one_of_the_name_does_not_go() {
        let id = ArmId::new("0", "g", "p", "virtualNetworks", "n");
        let delete = |meant: &str| Delete { what: What::Network, id: id.clone(), incarnation: meant.into() };
        let standing = |incarnation: &str, state: &str| Standing {
            incarnation: incarnation.into(),
            state: state.into(),
            tags: Tags::new(),
        };
        let seen =
            |meant: &str, found: Option<Standing>, asked: bool| match delete(meant).look_at(found, asked) {
                Ok(Look::Absent) => "stands",
                Ok(Look::Present(found)) if found.is_gone() => "gone",
                Ok(Look::Present(_)) => "goes",
                Err(error) if *error.kind() == ErrorKind::Replaced => "replaced",
                _ => "?",
            };
        assert_eq!(seen("1", None, false), "gone");
        for (meant, found, state, asked, expected) in [
            ("1", "1", "Succeeded", false, "stands"),
            ("1", "1", "Deleting", true, "goes"),
            ("1", "2", "Succeeded", false, "replaced"),
            ("1", "2", "Succeeded", true, "gone"),
            ("", "2", "Succeeded", false, "stands"),
            ("1", "", "Succeeded", false, "stands"),
        ] {
            assert_eq!(seen(meant, Some(standing(found, state)), asked), expected, "{meant} {found} {asked}");
        }
        let mut planned = delete("1");
        let refused = planned.refuse_others(standing("2", "Succeeded"), &marks()).unwrap_err();
        assert_eq!(*refused.kind(), ErrorKind::Replaced);
        // A record that knows no incarnation: the plan holds the one that stands when it is made.
        let mut planned = delete("");
        planned.refuse_others(standing("2", "Succeeded"), &marks()).unwrap();
        assert_eq!(planned.incarnation, "2");
        planned.refuse_others(standing("", "Succeeded"), &marks()).unwrap();
        assert_eq!(planned.incarnation, "2", "what is not told once stays known");
        let stored: Delete =
            serde_json::from_value(serde_json::json!({"what": "network", "id": id})).unwrap();
        assert_eq!(stored.incarnation, "");
    }

    #[test]
    fn holders_are_named_and_counted() {
        let id = ArmId::new("0", "g", "p", "virtualNetworks", "n");
        assert!(refuse_if_held(&id, &[]).is_ok());
        let holders: Vec<String> = (0..12).map(|index| format!("nic{index}")).collect();
        let error = refuse_if_held(&id, &holders).unwrap_err();
        assert!(
            error.message().contains("nic9, and 2 more") && !error.message().contains("nic10"),
            "{error}"
        );
    }
}
