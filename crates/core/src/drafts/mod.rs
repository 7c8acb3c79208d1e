//! From a mutation to what is stored of it: the operation, its change, its records, its holds. Reads only.

mod clusters;
mod imports;
mod networks;
mod node_groups;
mod rules;
mod tags;

pub(crate) use networks::{refuse_used, unmade, used, users};
pub(crate) use node_groups::beyond_limits;
pub(crate) use tags::version_tag;

use jiff::Timestamp;
use pmks_driver::{Capabilities, Change, Marks};
use pmks_model::{Findings, OperationKind, ResourceKind, ResourceReference};
use pmks_store::{Decided, Hold, HoldMode, NewResource, OperationFilter, Page, Resource, WhenHeld};
use uuid::Uuid;

use crate::cloud_names::CloudNames;
use crate::drivers::{At, Place};
use crate::failure::{being_deleted, of_store};
use crate::pmks::Shared;
use crate::records::{KeyPairIntent, Records, stored};
use crate::resolve::References;
use crate::{Mutation, Result};

/// All that is stored when a mutation is accepted.
pub(crate) struct Draft {
    pub(crate) kind: OperationKind,
    pub(crate) resource: ResourceReference,
    pub(crate) resource_uid: Option<Uuid>,
    /// What the driver is asked; `None`: nothing, as at an import.
    pub(crate) change: Option<Change>,
    pub(crate) resources: Vec<NewResource>,
    pub(crate) holds: Vec<Hold>,
    /// Records of others without which there is nothing to make it of or in.
    pub(crate) names: Vec<Uuid>,
    /// What the user decided that needs no cloud.
    pub(crate) decided: Option<Decided>,
    /// What could not be read of the request; something else stands in for it.
    pub(crate) unreadable: Findings,
    /// Everything that is wrong with the request beside that.
    pub(crate) findings: Findings,
    /// What a plan says beside the driver.
    pub(crate) notices: Vec<String>,
}

impl Draft {
    /// Whether a cloud will be asked to change anything: not by an import, nor by what we keep for ourselves.
    pub(crate) fn asks_the_cloud(&self) -> bool {
        match &self.change {
            None => false,
            Some(Change::UpdateCluster(asked)) => !asked.tags.is_empty() || !asked.options.is_empty(),
            Some(Change::UpdateTags(asked)) => !asked.tags.is_empty(),
            Some(_) => true,
        }
    }

    /// A key pair's with the public half that was made for it.
    pub(crate) fn with_public_key(mut self, public_key: &str) -> Result<Self> {
        if let Some(Change::CreateKeyPair(asked)) = &mut self.change {
            public_key.clone_into(&mut asked.request.public_key);
            let kept = KeyPairIntent { public_key: public_key.to_owned(), tags: asked.request.tags.clone() };
            for record in &mut self.resources {
                record.request = stored(&kept)?;
            }
        }
        Ok(self)
    }

    /// Shares what it names while it is not over.
    fn shares(&mut self, named: Vec<Uuid>) {
        self.holds.extend(named.iter().copied().map(shared));
        self.names.extend(named);
    }
}

/// What drafting needs.
pub(crate) struct Drafting<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) at: &'a At,
    pub(crate) place: &'a Place,
    pub(crate) operation: Uuid,
    pub(crate) now: Timestamp,
}

impl Drafting<'_> {
    pub(crate) async fn draft(&self, mutation: Mutation) -> Result<Draft> {
        let mut draft = self.drafted(mutation).await?;
        self.refuse_doomed(&draft).await?;
        draft.notices.extend(draft.resources.iter().filter_map(called_uniquely));
        Ok(draft)
    }

    /// Refuses a change of what is on its way out: after its turn nothing would be there to be changed.
    async fn refuse_doomed(&self, draft: &Draft) -> Result<()> {
        if draft.kind.removes() {
            return Ok(());
        }
        let is_new = |uid: Uuid| draft.resources.iter().any(|record| record.uid == uid);
        let alone = draft.holds.iter().filter(|hold| hold.mode == HoldMode::Exclusive);
        for uid in alone.map(|hold| hold.resource).filter(|uid| !is_new(*uid)) {
            let filter =
                OperationFilter { resource_uid: Some(uid), unfinished: true, ..OperationFilter::default() };
            let unfinished = self.shared.store.operations(&filter, Page::all()).await.map_err(of_store)?;
            if let Some(removal) = unfinished.iter().find(|operation| operation.kind.removes()) {
                let ResourceReference { kind, name, .. } = &removal.resource;
                return Err(being_deleted(*kind, name, removal.id));
            }
        }
        Ok(())
    }

    async fn drafted(&self, mutation: Mutation) -> Result<Draft> {
        match mutation {
            Mutation::CreateCluster { cluster, .. } => self.create_cluster(cluster).await,
            Mutation::DeleteCluster { cluster, delete_volumes, .. } => {
                self.delete_cluster(&cluster, delete_volumes).await
            }
            Mutation::UpdateCluster { cluster, patch, if_match, .. } => {
                self.update_cluster(&cluster, &patch, &if_match, false).await
            }
            Mutation::UpgradeCluster { cluster, version, node_groups, force, .. } => {
                self.upgrade_cluster(&cluster, &version, node_groups, force).await
            }
            Mutation::ImportCluster { import, .. } => self.import_cluster(import).await,
            Mutation::AddNodeGroup { cluster, node_group, .. } => {
                self.add_node_group(&cluster, node_group).await
            }
            Mutation::ScaleNodeGroup { cluster, node_group, scaling, .. } => {
                self.scale_node_group(&cluster, &node_group, scaling).await
            }
            Mutation::UpgradeNodeGroup { cluster, node_group, version, force, .. } => {
                self.upgrade_node_group(&cluster, &node_group, &version, force).await
            }
            Mutation::RemoveNodeGroup { cluster, node_group, .. } => {
                self.remove_node_group(&cluster, &node_group).await
            }
            Mutation::CreateNetwork { network, .. } => self.create_network(&network),
            Mutation::DeleteNetwork { network, .. } => self.delete_network(&network).await,
            Mutation::CreateSubnet { network, subnet, .. } => self.create_subnet(&network, &subnet).await,
            Mutation::DeleteSubnet { network, subnet, .. } => self.delete_subnet(&network, &subnet).await,
            Mutation::CreateSecurityGroup { security_group, .. } => {
                self.create_security_group(&security_group).await
            }
            Mutation::UpdateSecurityGroup { security_group, add, remove, .. } => {
                self.update_security_group(&security_group, &add, &remove).await
            }
            Mutation::DeleteSecurityGroup { security_group, .. } => {
                self.delete_security_group(&security_group).await
            }
            Mutation::UpdateTags { resource, patch, if_match, only_new, .. } => {
                self.update_tags(resource, &patch, &if_match, only_new).await
            }
            Mutation::CreateKeyPair { key_pair, .. } => self.create_key_pair(key_pair),
            Mutation::DeleteKeyPair { key_pair, .. } => self.delete_key_pair(&key_pair).await,
            Mutation::FixPrerequisites { cluster, .. } => self.fix_prerequisites(cluster.as_deref()).await,
        }
    }

    fn records(&self) -> Records<'_> {
        Records { store: self.shared.store.as_ref(), place: self.place }
    }

    fn capabilities(&self) -> &Capabilities {
        self.at.driver.capabilities()
    }

    fn references<'b>(&'b self, findings: &'b mut Findings) -> References<'b> {
        let memory = &self.shared.memory;
        References { records: self.records(), memory, at: self.at, findings, shared: Vec::new() }
    }

    fn cloud_names(&self) -> CloudNames<'_> {
        CloudNames::new(self.capabilities(), self.shared.unique_cloud_names)
    }

    /// What one new thing is called at the cloud; `None`: as it is here.
    fn cloud_name(
        &self,
        kind: ResourceKind,
        wish: Option<bool>,
        asked: &str,
        findings: &mut Findings,
    ) -> Result<Option<String>> {
        self.cloud_names().draw(kind, wish, asked, "name", findings)
    }

    fn marks(&self, uid: Uuid) -> Marks {
        Marks {
            installation: self.shared.store.installation().to_string(),
            operation: self.operation.to_string(),
            uid: uid.to_string(),
        }
    }

    fn uid(&self) -> Uuid {
        pmks_store::new_uid(self.now)
    }

    fn reference(&self, kind: ResourceKind, name: &str) -> ResourceReference {
        ResourceReference {
            kind,
            connection: self.at.connection.name.clone(),
            cluster: None,
            network: None,
            name: name.to_owned(),
        }
    }

    /// A record to be made of something that does not exist yet.
    fn record(
        &self,
        uid: Uuid,
        kind: ResourceKind,
        parent: Option<Uuid>,
        name: &str,
        request: serde_json::Value,
    ) -> NewResource {
        NewResource {
            uid,
            kind,
            connection: self.at.connection.name.clone(),
            account: self.place.account.clone(),
            location: self.place.location(kind),
            parent,
            name: name.to_owned(),
            cloud_name: None,
            system_id: None,
            incarnation: None,
            request,
            observation: None,
            protected: false,
            imported: false,
        }
    }

    /// A draft that holds its record alone and its connection with others.
    fn draft_of(&self, resource: ResourceReference, uid: Uuid, change: Change) -> Draft {
        Draft {
            kind: change.kind(),
            resource,
            resource_uid: Some(uid),
            change: Some(change),
            resources: Vec::new(),
            holds: vec![alone(uid), shared(self.at.connection.uid)],
            names: Vec::new(),
            decided: None,
            unreadable: Findings::default(),
            findings: Findings::default(),
            notices: Vec::new(),
        }
    }

    /// A draft of a removal of something that others may hold: it does not wait for them, only for what is still
    /// going on with the record itself.
    async fn removal(&self, record: &Resource, change: Change) -> Result<Draft> {
        let filter = OperationFilter {
            resource_uid: Some(record.uid),
            unfinished: true,
            ..OperationFilter::default()
        };
        let own = self.shared.store.operations(&filter, Page::first(1)).await.map_err(of_store)?;
        let when_held = if own.is_empty() { WhenHeld::Refuse } else { WhenHeld::Wait };
        let mut draft = self.draft_of(self.reference(record.kind, &record.name), record.uid, change);
        draft.holds = vec![Hold { when_held, ..alone(record.uid) }, shared(self.at.connection.uid)];
        Ok(draft)
    }
}

/// What a plan says of a name that is only an example of the one that there will be.
fn called_uniquely(new: &NewResource) -> Option<String> {
    let called = new.cloud_name.as_ref().filter(|_| !new.imported)?;
    let what = new.kind.says();
    Some(format!(
        "at the cloud {what} {:?} gets a name such as {called:?}, drawn once it is asked for",
        new.name
    ))
}

/// Holds it alone, after whoever holds it now.
fn alone(resource: Uuid) -> Hold {
    Hold { resource, mode: HoldMode::Exclusive, when_held: WhenHeld::Wait }
}

/// Holds it with others, after whoever holds it alone now.
fn shared(resource: Uuid) -> Hold {
    Hold { resource, mode: HoldMode::Shared, when_held: WhenHeld::Wait }
}
