//! What networks, subnets, security groups and key pairs have in common: imported, read, forgotten.

use std::time::Duration;

use futures::FutureExt as _;
use pmks_model::{Iid, ResourceKind, Says, is_same_identifier};
use pmks_store::{NewResource, Resource};
use serde_json::Value;

use crate::activity::Activity;
use crate::cloud_names::other_name;
use crate::drafts::{used, users};
use crate::drivers::{At, Place};
use crate::failure::{check, invalid, missing, not_found, of_store};
use crate::incarnations::kept;
use crate::inventory::Asked;
use crate::inventory::seen::{ReadFailed, read_part};
use crate::listed::Listed;
use crate::patience::{ACTS_FOR, NAMED, Patience};
use crate::pmks::Shared;
use crate::records::{Records, SecurityGroupIntent, observation, stored};
use crate::resolve::is_absent;
use crate::{Caller, ImportResource, Reference, Result};

/// Which of them: its kind, and the network of a subnet, or the one that a security group has to lie in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) kind: ResourceKind,
    pub(crate) network: Option<&'a str>,
}

impl<'a> Part<'a> {
    pub(crate) fn subnet(network: &'a str) -> Self {
        Self { kind: ResourceKind::Subnet, network: Some(network) }
    }

    pub(crate) fn of(kind: ResourceKind) -> Self {
        Self { kind, network: None }
    }
}

/// Records of one place, with what is going on there.
pub(crate) struct Known {
    pub(crate) records: Vec<Resource>,
    /// Every record of the place.
    pub(crate) all: Vec<Resource>,
    pub(crate) activity: Activity,
}

impl Shared {
    /// Keeps a record of something that exists at the cloud, which is waited for as a change's is.
    pub(crate) async fn import_part(
        &self,
        caller: &Caller,
        connection: &str,
        part: Part<'_>,
        asked: ImportResource,
    ) -> Result<Known> {
        caller.require_operator(connection)?;
        caller.refuse_key()?;
        let patience = Patience::begins(&self.clock);
        let proven = self.drivers.proven(connection).boxed();
        let (at, place) = patience.needed(connection, ACTS_FOR, proven).await?;
        let network = self.network_of(&place, part).await?;
        let drafted = self.drafted_import(&at, &place, part.kind, network.as_ref(), asked).boxed();
        let record = patience.needed(connection, NAMED, drafted).await?;
        let uid = record.uid;
        let target = format!("{} {}", part.kind.says(), record.name);
        let audit = self.audit(caller, &format!("{}.import", part.kind.as_str()), target);
        self.store.insert_resources(vec![record], audit).await.map_err(of_store)?;
        let mut known = self.known_parts(&place, part.kind, None).await?;
        known.records.retain(|record| record.uid == uid);
        Ok(known)
    }

    /// The record of an import, with what the cloud says of it: of a subnet in that network, of a security group that has
    /// to lie there.
    pub(crate) async fn drafted_import(
        &self,
        at: &At,
        place: &Place,
        kind: ResourceKind,
        network: Option<&Resource>,
        asked: ImportResource,
    ) -> Result<NewResource> {
        let mut findings = pmks_model::Findings::default();
        findings.add_some("name", pmks_model::refusal_of_ours(&asked.name));
        if asked.system_id.is_empty() {
            findings.add("systemId", "is required");
        }
        check(findings)?;
        let whole = network.filter(|_| kind == ResourceKind::Subnet);
        let asked = within(at, whole, asked);
        let uid = pmks_store::new_uid(self.clock.wall());
        let parent = whole.map(|network| network.uid);
        let record = NewResource { parent, ..unread(&at.connection.name, place, kind, uid, asked) };
        self.observed_import(at, place, record, network).await
    }

    /// The record with what the cloud says of it.
    async fn observed_import(
        &self,
        at: &At,
        place: &Place,
        mut new: NewResource,
        network: Option<&Resource>,
    ) -> Result<NewResource> {
        let started_at = self.clock.wall();
        let system_id = new.system_id.clone().unwrap_or_default();
        let stand_in = stand_in(&new, started_at);
        let read = read_part(&at.driver, &stand_in, &[], started_at, self.clock.as_ref()).await;
        let observation = match read {
            Ok(all) => all.into_iter().next().map(|observe| observe.observation),
            Err(ReadFailed::Cloud(error)) if is_absent(&error) => {
                return Err(missing("systemId", new.kind, &system_id, " at the cloud"));
            }
            Err(ReadFailed::Cloud(error)) => return Err(at.failed(&error)),
            Err(ReadFailed::Record(failure)) => return Err(failure),
        };
        let region = observation.as_ref().and_then(|seen| seen.value.get("region")?.as_str());
        if let Some(says) = region.and_then(|region| at.elsewhere(region)) {
            return Err(invalid("systemId", says));
        }
        if let (Some(network), Some(seen)) = (network, &observation) {
            let belongs = seen.value.get("network").and_then(Value::as_str).unwrap_or_default();
            if belongs.is_empty() && new.kind == ResourceKind::SecurityGroup {
                // Where a cloud's groups lie in no network it is the user who says for which one it is.
                let intent = SecurityGroupIntent { network: network.name.clone(), ..Default::default() };
                new.request = stored(&intent)?;
            } else if !is_of(network, belongs) {
                let records = Records { store: self.store.as_ref(), place };
                let own = records.find(ResourceKind::Network, None, Reference::identifier(belongs)).await?;
                return Err(invalid("systemId", not_in(&system_id, network, own.as_ref(), belongs)));
            }
        }
        // As the cloud writes it: another way to write the same one would be a second record of one thing.
        let written = observation.as_ref().and_then(|seen| seen.value.pointer("/iid/systemId")?.as_str());
        let system_id = written.filter(|id| !id.is_empty()).map_or(system_id, str::to_owned);
        // What tells it from another one of that name, where the cloud says; a removal looks for the same one.
        let told = observation.as_ref().and_then(|seen| seen.value.get("incarnation")?.as_str());
        let incarnation = kept(&system_id, told.unwrap_or_default()).to_owned();
        let called = observation.as_ref().and_then(|seen| seen.value.pointer("/iid/nameId")?.as_str());
        Ok(NewResource {
            cloud_name: called.and_then(|called| other_name(called, &new.name)),
            incarnation: Some(incarnation),
            system_id: Some(system_id),
            observation,
            ..new
        })
    }

    async fn network_of(&self, place: &Place, part: Part<'_>) -> Result<Option<Resource>> {
        let Some(name) = part.network else { return Ok(None) };
        let records = Records { store: self.store.as_ref(), place };
        Ok(Some(records.get(ResourceKind::Network, None, name).await?))
    }

    /// All that we keep a record of.
    pub(crate) async fn list_parts(&self, connection: &str, part: Part<'_>) -> Result<Known> {
        let at = self.reading(connection).await?;
        let Some(place) = at.place() else {
            if let Some(name) = part.network {
                return Err(not_found(ResourceKind::Network, name));
            }
            return self.known_parts(&Place::nowhere(), part.kind, None).await;
        };
        let network = self.network_of(&place, part).await?;
        self.known_parts(&place, part.kind, network.map(|network| network.uid)).await
    }

    /// What the cloud has of a kind, asked now, and nobody keeps a record of, as records that have no uid.
    pub(crate) async fn unmanaged_parts<T: Listed>(&self, connection: &str) -> Result<Known> {
        let (at, place) = self.drivers.proven(connection).await?;
        let found = T::list(at.driver.as_ref()).await.map_err(|error| at.failed(&error))?;
        self.strangers_of(connection, &place, &found).await
    }

    /// Those of a list that nobody keeps a record of, as records that have no uid.
    pub(crate) async fn strangers_of<T: Listed>(
        &self,
        connection: &str,
        place: &Place,
        listed: &[T],
    ) -> Result<Known> {
        let now = self.clock.wall();
        let ours = self.ours_at_cloud(place, T::KIND).await?;
        let mut known = self.known_parts(place, T::KIND, None).await?;
        known.records.clear();
        for found in listed.iter().filter(|one| !ours.has(one.iid())) {
            let Iid { name_id, system_id } = found.iid().clone();
            let asked = ImportResource { name: name_id, system_id };
            let record = unread(connection, place, T::KIND, uuid::Uuid::nil(), asked);
            let seen = Some(observation(found, now, now)?);
            known.records.push(Resource { observation: seen, ..stand_in(&record, now) });
        }
        Ok(known)
    }

    /// One of them, its observation as new as asked for.
    pub(crate) async fn get_part(
        &self,
        connection: &str,
        part: Part<'_>,
        meant: impl Into<Reference>,
        max_age: Option<Duration>,
    ) -> Result<Known> {
        let meant = meant.into();
        let began = self.clock.wall();
        let at = self.reading(connection).await?;
        let place = at.place().ok_or_else(|| not_found(part.kind, meant.as_str()))?;
        let network = self.network_of(&place, part).await?;
        let parent = network.map(|network| network.uid);
        let records = Records { store: self.store.as_ref(), place: &place };
        let record = records.get(part.kind, parent, &meant).await?;
        let busy = Activity::about(self.store.as_ref(), [&record]).await?.busy([&record]);
        self.inventory.freshen(&at, &place, &record, Asked { began, busy, max_age }).await?;
        let mut known = self.known_parts(&place, part.kind, parent).await?;
        known.records.retain(|other| other.uid == record.uid);
        Ok(known)
    }

    /// Drops only our record, where nothing of ours lives in it.
    pub(crate) async fn forget_part(
        &self,
        caller: &Caller,
        connection: &str,
        part: Part<'_>,
        meant: Reference,
    ) -> Result<()> {
        let record = self.forgettable_part(caller, connection, part, meant).await?;
        self.forget(caller, &record, false).await
    }

    /// Refuses what [`Self::forget_part`] would, and drops nothing.
    pub(crate) async fn plan_forget_part(
        &self,
        caller: &Caller,
        connection: &str,
        part: Part<'_>,
        meant: Reference,
    ) -> Result<()> {
        let record = self.forgettable_part(caller, connection, part, meant).await?;
        self.require_unheld(&record).await
    }

    /// The record, where the caller may drop it and nothing of ours lives in it.
    async fn forgettable_part(
        &self,
        caller: &Caller,
        connection: &str,
        part: Part<'_>,
        meant: Reference,
    ) -> Result<Resource> {
        caller.require_operator(connection)?;
        caller.refuse_key()?;
        let mut known = self.get_part(connection, part, &meant, None).await?;
        let Some(record) = known.records.pop() else { return Err(not_found(part.kind, meant.as_str())) };
        let network = known.all.iter().find(|other| Some(other.uid) == record.parent);
        let holders = users(self.store.as_ref(), &known.all, &record, network).await?;
        if !holders.is_empty() {
            return Err(used(part.kind, meant.as_str(), holders));
        }
        Ok(record)
    }

    pub(crate) async fn known_parts(
        &self,
        place: &Place,
        kind: ResourceKind,
        parent: Option<uuid::Uuid>,
    ) -> Result<Known> {
        let all = Records { store: self.store.as_ref(), place }.all(None, None).await?;
        let is_wanted =
            |record: &&Resource| record.kind == kind && (parent.is_none() || record.parent == parent);
        let records: Vec<Resource> = all.iter().filter(is_wanted).cloned().collect();
        let concerns = |other: &&Resource| {
            let is_whole_or_part =
                |record: &Resource| record.parent == Some(other.uid) || other.parent == Some(record.uid);
            records.iter().any(|record| record.uid == other.uid || is_whole_or_part(record))
        };
        let about: Vec<&Resource> = all.iter().filter(concerns).collect();
        let activity = Activity::about(self.store.as_ref(), about).await?;
        Ok(Known { records, all, activity })
    }
}

/// Whether the cloud's identifier of a network is that of a record.
pub(crate) fn is_of(network: &Resource, system_id: &str) -> bool {
    network.system_id.as_deref().is_some_and(|known| is_same_identifier(known, system_id))
}

/// That something lies in another network than was said; `own`: the record of the one that it lies in.
pub(crate) fn not_in(system_id: &str, said: &Resource, own: Option<&Resource>, own_id: &str) -> Says {
    let own = own.map_or(own_id, |own| own.name.as_str());
    let says = Says::from(format!("{system_id:?} is no part of ")).then(Says::kind(ResourceKind::Network));
    says.text(format!(" {:?}: it lies in {own:?}", said.name))
}

/// The record of something at the cloud, of which the cloud has said nothing yet.
pub(crate) fn unread(
    connection: &str,
    place: &Place,
    kind: ResourceKind,
    uid: uuid::Uuid,
    asked: ImportResource,
) -> NewResource {
    NewResource {
        uid,
        kind,
        connection: connection.to_owned(),
        account: place.account.clone(),
        location: place.location(kind),
        parent: None,
        name: asked.name,
        cloud_name: None,
        system_id: Some(asked.system_id.clone()),
        incarnation: Some(asked.system_id),
        request: Value::Null,
        observation: None,
        protected: false,
        imported: true,
    }
}

/// A record that is about to be made, as a read wants it.
pub(crate) fn stand_in(new: &NewResource, now: jiff::Timestamp) -> Resource {
    Resource {
        uid: new.uid,
        kind: new.kind,
        connection: new.connection.clone(),
        account: new.account.clone(),
        location: new.location.clone(),
        parent: new.parent,
        name: new.name.clone(),
        cloud_name: new.cloud_name.clone(),
        system_id: new.system_id.clone(),
        incarnation: new.incarnation.clone(),
        request: Value::Null,
        observation: None,
        protected: false,
        missing_since: None,
        imported: true,
        broken_off: None,
        not_removed: None,
        changed_at: now,
        revision: 0,
        created_at: now,
        updated_at: now,
    }
}

/// With the whole identifier, where a subnet was told by its name within the network.
fn within(at: &At, network: Option<&Resource>, asked: ImportResource) -> ImportResource {
    let network = network.and_then(|network| network.system_id.as_deref());
    let whole = network.and_then(|network| at.driver.subnet_id(network, &asked.system_id));
    ImportResource { system_id: whole.unwrap_or(asked.system_id), ..asked }
}

/// A record as tests want one, known to the cloud by that identifier and incarnation.
#[cfg(test)]
pub(crate) fn sample(kind: ResourceKind, uid: u128, name: &str, known: Option<(&str, &str)>) -> Resource {
    let new = NewResource {
        uid: uuid::Uuid::from_u128(uid),
        kind,
        connection: "c".to_owned(),
        account: "a".to_owned(),
        location: "l".to_owned(),
        parent: None,
        name: name.to_owned(),
        cloud_name: None,
        system_id: known.map(|(id, _)| id.to_owned()),
        incarnation: known.map(|(_, incarnation)| incarnation.to_owned()),
        request: Value::Null,
        observation: None,
        protected: false,
        imported: false,
    };
    Resource { imported: false, ..stand_in(&new, jiff::Timestamp::UNIX_EPOCH) }
}
