//! What pmks does by itself first, so that a change can be taken on that cannot be as things stand. Only what a caller
//! wants so: where nobody says, a refusal tells what is in the way, and the user decides.
//!
//! Each is an operation of its own, carried out to its end before the change is asked for again.

use std::mem::take;
use std::time::Duration;

use pmks_model::{Failure, FailureKind, OperationState, ResourceKind, Says, Term};
use pmks_store::Resource;

use crate::drafts::unmade;
use crate::failure::conflict;
use crate::pmks::Shared;
use crate::records::Records;
use crate::{Accepted, Caller, Mutation, OperationView, Pmks, Reference, Result};

/// How long each of them is waited for. Some seconds are usual.
const PATIENCE: Duration = Duration::from_mins(10);

/// What may be done first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beforehand {
    /// What must exist in the account, and does not, is made.
    pub prerequisites: bool,
    /// What is left of a creation that failed before the cloud had anything is removed, where it has the name that is
    /// asked for.
    pub room: bool,
}

impl Pmks {
    /// Takes a change on, as [`Pmks::accept`] does, and does first what stands in its way. Something must carry operations
    /// on meanwhile.
    ///
    /// # Errors
    /// As [`Pmks::accept`]; what the work before failed by; `Timeout` where that is not over in ten minutes: it goes on.
    pub async fn accept_after(
        &self,
        caller: &Caller,
        mutation: Mutation,
        mut may: Beforehand,
    ) -> Result<Accepted> {
        // The request's idempotency key is that of the change itself.
        let keyless = Caller { idempotency: None, ..caller.clone() };
        loop {
            let refused = match self.accept(caller, mutation.clone()).await {
                Err(failure) => failure,
                accepted => return accepted,
            };
            let way = match refused.kind {
                FailureKind::PrerequisiteMissing if take(&mut may.prerequisites) => {
                    let connection = mutation.connection().to_owned();
                    // A provider that has nothing to be fixed says what is missing, and not that.
                    let fix = Mutation::FixPrerequisites { connection, cluster: None };
                    self.accept(&keyless, fix).await.ok()
                }
                FailureKind::AlreadyExists if take(&mut may.room) => self.room(&keyless, &mutation).await?,
                _ => None,
            };
            let Some(way) = way else { return Err(refused) };
            self.carried_out(&way.operation).await?;
        }
    }

    /// The removal of what never came to be under the name that is asked for; `None`: there is no such thing.
    async fn room(&self, keyless: &Caller, asked: &Mutation) -> Result<Option<Accepted>> {
        let Some(unmade) = self.shared.unmade(asked).await? else { return Ok(None) };
        let connection = asked.connection().to_owned();
        // By now another one may have that name, which is to stay.
        let meant = Reference::record(&unmade);
        let removal = match asked {
            Mutation::CreateCluster { .. } => {
                Mutation::DeleteCluster { connection, cluster: meant, delete_volumes: false }
            }
            Mutation::CreateNetwork { .. } => Mutation::DeleteNetwork { connection, network: meant },
            Mutation::CreateSubnet { network, .. } => {
                Mutation::DeleteSubnet { connection, network: network.clone(), subnet: meant }
            }
            Mutation::CreateSecurityGroup { .. } => {
                Mutation::DeleteSecurityGroup { connection, security_group: meant }
            }
            Mutation::CreateKeyPair { .. } => Mutation::DeleteKeyPair { connection, key_pair: meant },
            Mutation::AddNodeGroup { cluster, .. } => {
                Mutation::RemoveNodeGroup { connection, cluster: cluster.clone(), node_group: meant }
            }
            _ => return Ok(None),
        };
        self.accept(keyless, removal).await.map(Some)
    }

    /// Waits until what is done first has succeeded.
    async fn carried_out(&self, operation: &OperationView) -> Result<()> {
        let id = operation.id.to_string();
        let Some(ended) = self.operations().settled(&id, PATIENCE).await? else {
            let (kind, name) = (operation.kind, &operation.resource.name);
            let says = Says::default().term(Term::Operation(kind));
            let says =
                says.text(format!(" of {name:?} comes first, and is not over: operation {id} goes on"));
            return Err(Box::new(
                Failure::new(FailureKind::Timeout, says).with_fix("ask again once it is over"),
            ));
        };
        match (ended.state, &ended.error) {
            (OperationState::Succeeded, _) => Ok(()),
            (_, Some(failure)) => {
                let detail = format!("{} (operation {id}, which comes first)", failure.detail);
                Err(Box::new(Failure { detail, about: None, ..failure.clone() }))
            }
            (OperationState::Blocked, None) => {
                let says = format!("operation {id}, which comes first, waits for a decision");
                Err(Box::new(conflict(says).with_fix(format!("see pmks operation get {id}"))))
            }
            (_, None) => Err(conflict(format!("operation {id}, which comes first, was cancelled"))),
        }
    }
}

impl Shared {
    /// The record of a creation that ended before the cloud had anything, under the name that a new one is to have.
    async fn unmade(&self, asked: &Mutation) -> Result<Option<Resource>> {
        let (kind, whole, name) = match asked {
            Mutation::CreateCluster { cluster, .. } => (ResourceKind::Cluster, None, &cluster.name),
            Mutation::CreateNetwork { network, .. } => (ResourceKind::Network, None, &network.name),
            Mutation::CreateSubnet { network, subnet, .. } => {
                (ResourceKind::Subnet, Some((ResourceKind::Network, network)), &subnet.name)
            }
            Mutation::CreateSecurityGroup { security_group, .. } => {
                (ResourceKind::SecurityGroup, None, &security_group.name)
            }
            Mutation::CreateKeyPair { key_pair, .. } => (ResourceKind::KeyPair, None, &key_pair.name),
            Mutation::AddNodeGroup { cluster, node_group, .. } => {
                (ResourceKind::NodeGroup, Some((ResourceKind::Cluster, cluster)), &node_group.name)
            }
            _ => return Ok(None),
        };
        let (_, place) = self.place_of(asked.connection()).await?;
        let records = Records { store: self.store.as_ref(), place: &place };
        let whole = match whole {
            Some((kind, name)) => Some(records.get(kind, None, name).await?),
            None => None,
        };
        let parent = whole.as_ref().map(|whole| whole.uid);
        let Some(record) = records.find(kind, parent, Reference::name(name)).await? else { return Ok(None) };
        let all: Vec<Resource> = whole.into_iter().chain([record.clone()]).collect();
        let unmade = unmade(self.store.as_ref(), &all, [&record].into_iter()).await?;
        Ok(Some(record).filter(|record| unmade.contains(&record.uid)))
    }
}
