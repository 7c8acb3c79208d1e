//! What is known of a change before it is taken on: our rules, our records, and what the cloud says. The same for a
//! plan and for an acceptance, so that a plan finds what the acceptance would refuse.
//!
//! Reads only. What the cloud says now is no promise: a change is validated again when it begins.

use futures::FutureExt as _;
use pmks_driver::{Change, DriverError, ErrorKind, Prepared, Reaction, Search, reaction, validate};
use pmks_model::{Failure, FailureKind, Findings, OperationKind, ResourceKind, Says};
use pmks_store::{Hold, NewResource, Operation, OperationFilter, Page, Resource, SystemKey, made_nothing};
use pmks_transport::Effect;
use uuid::Uuid;

use crate::Result;
use crate::drafts::Draft;
use crate::drivers::{At, Place, same_account};
use crate::engine::{known_before, made_for, prepare_removal};
use crate::failure::{already_exists, check, of_store};
use crate::hooks::resolve_change;
use crate::patience::Patience;
use crate::pmks::Shared;
use crate::records::Records;
use crate::resolve::{add_apart, add_unsaid, apart_from};

/// Why there is nothing prepared.
pub(crate) enum Unprepared {
    /// It would fail having changed nothing.
    Refused(Box<Failure>),
    /// The cloud cannot say now.
    NotNow(Box<Failure>),
}

impl Shared {
    /// Refuses what our rules and records refuse, with what the cloud finds wrong in the other fields. Answers the
    /// operations that this one would wait for.
    pub(crate) async fn check(
        &self,
        at: &At,
        place: &Place,
        draft: &Draft,
        patience: &Patience,
    ) -> Result<Vec<Uuid>> {
        // What is made with it nobody holds yet.
        let is_new = |hold: &&Hold| draft.resources.iter().any(|record| record.uid == hold.resource);
        let holds: Vec<Hold> = draft.holds.iter().filter(|hold| !is_new(hold)).copied().collect();
        let waits_for = self.store.holders(&holds).await.map_err(of_store)?;
        let unread = draft.unreadable.clone();
        let mut findings = apart_from(&unread, &draft.findings);
        if let Some(change) = &draft.change {
            let rules = validate(change, at.driver.capabilities());
            add_unsaid(&mut findings, &apart_from(&unread, &rules));
            if !(findings.is_empty() && unread.is_empty())
                && waits_for.is_empty()
                && let Some(change) = self.judged(place, draft).await
            {
                let found = found_by_the_cloud(at, &change, patience).await;
                add_apart(&mut findings, &apart_from(&unread, &found));
            }
        }
        let mut all = unread;
        all.extend(findings);
        check(all)?;
        self.name_is_free(place, draft).await?;
        Ok(waits_for)
    }

    /// A change of which something is wrong already, for the cloud to say what else is; `None` where that makes no
    /// sense. What a new cluster names and is not there has no identifier: the rest is judged all the same.
    async fn judged(&self, place: &Place, draft: &Draft) -> Option<Change> {
        match self.resolved(place, draft).await {
            Ok(change) => change,
            Err(_) => draft.change.clone().filter(|change| matches!(change, Change::CreateCluster(_))),
        }
    }

    /// Refuses what would fail having changed nothing, as far as the cloud says so in time.
    pub(crate) async fn ask_first(
        &self,
        at: &At,
        place: &Place,
        draft: &Draft,
        patience: &Patience,
    ) -> Result<()> {
        // A cluster that is silent now is listened to for a while by the operation.
        let heard = Search { must_hear: true, ..self.search(draft).await? };
        match patience.useful(self.prepare(at, place, draft, &heard).boxed()).await {
            // What it would have said later, the first stage finds out.
            None | Some(Ok(_)) => Ok(()),
            Some(Err(Unprepared::Refused(failure))) => Err(failure),
            Some(Err(Unprepared::NotNow(failure))) => {
                tracing::info!(kind = %draft.kind, %failure, "taken on without what the cloud says");
                Ok(())
            }
        }
    }

    /// How a deletion looks for children: what an earlier one left is known.
    pub(crate) async fn search(&self, draft: &Draft) -> Result<Search> {
        let mut search = Search::default();
        if let Some(uid) = draft.resource_uid
            && draft.kind == OperationKind::ClusterDelete
        {
            search.known = known_before(self.store.as_ref(), uid, None).await.map_err(of_store)?;
        }
        Ok(search)
    }

    /// What the driver prepares; `None` where the cloud has nothing to do.
    pub(crate) async fn prepare(
        &self,
        at: &At,
        place: &Place,
        draft: &Draft,
        search: &Search,
    ) -> std::result::Result<Option<Prepared>, Unprepared> {
        if !draft.asks_the_cloud() {
            return Ok(None);
        }
        let identity = self.drivers.identity(at).await.map_err(|error| unprepared(at, &error))?;
        same_account(&at.connection, &identity).map_err(Unprepared::Refused)?;
        let change = self.resolved(place, draft).await.map_err(Unprepared::Refused)?;
        let Some(change) = change else { return self.prepare_remainder(at, draft).await };
        match at.driver.prepare_by(&change, search).await {
            Ok(prepared) => Ok(Some(prepared)),
            Err(error) => Err(unprepared(at, &error)),
        }
    }

    /// What the driver prepares for the deletion of what was never made: the removal of what was made for it.
    async fn prepare_remainder(
        &self,
        at: &At,
        draft: &Draft,
    ) -> std::result::Result<Option<Prepared>, Unprepared> {
        let broken = |error| Unprepared::Refused(of_store(error));
        let Some(uid) = draft.resource_uid.filter(|_| draft.kind.removes()) else { return Ok(None) };
        let Some(record) = self.store.resource(uid).await.map_err(broken)? else { return Ok(None) };
        let made = made_for(self.store.as_ref(), &record).await.map_err(broken)?;
        if made.is_empty() {
            return Ok(None);
        }
        match prepare_removal(at.driver.as_ref(), &record, &made).await {
            Ok(Ok(prepared)) => Ok(Some(prepared)),
            Ok(Err(failure)) => Err(Unprepared::Refused(Box::new(failure))),
            Err(error) => Err(unprepared(at, &error)),
        }
    }

    /// The change with what is known by now.
    async fn resolved(&self, place: &Place, draft: &Draft) -> Result<Option<Change>> {
        let Some(change) = draft.change.clone() else { return Ok(None) };
        let record = match draft.resource_uid {
            Some(uid) => self.store.resource(uid).await.map_err(of_store)?,
            None => None,
        };
        let records = Records { store: self.store.as_ref(), place };
        resolve_change(&records, record.as_ref(), change).await
    }

    /// What acceptance would refuse by itself.
    async fn name_is_free(&self, place: &Place, draft: &Draft) -> Result<()> {
        for new in &draft.resources {
            let standing = {
                let kept = self.memory.kept();
                let standing = kept.find(place, new.kind, new.parent, &new.name);
                // The cloud refuses what would be called there as another is known; what is there already is called so
                // here alone, and may have any name that is free.
                let standing =
                    standing.filter(|standing| !new.imported || standing.resource.name == new.name);
                standing.map(|standing| (standing.resource.uid, standing.resource.system_id.is_some()))
            };
            if let Some((uid, is_known)) = standing
                && (is_known || !self.was_never_made(uid).await?)
            {
                return Err(already_exists(new.kind, &new.name));
            }
            self.is_unknown(place, new).await?;
        }
        Ok(())
    }

    /// Refuses a record of what another record is of.
    async fn is_unknown(&self, place: &Place, new: &NewResource) -> Result<()> {
        let Some(system_id) = new.system_id.clone() else { return Ok(()) };
        if new.kind == ResourceKind::Cluster {
            // Its name may mean another one elsewhere; it is the same cluster, and has one queue.
            let records = Records { store: self.store.as_ref(), place };
            let known = records.of_region(ResourceKind::Cluster).await?;
            let known = known.iter().find(|record| record.system_id.as_ref() == Some(&system_id));
            return known.map_or(Ok(()), |known| Err(known_as(new.kind, &system_id, known)));
        }
        let (account, location) = (place.account.clone(), place.location(new.kind));
        let key = SystemKey { account, location, kind: new.kind, parent: new.parent, system_id };
        let Some(known) = self.store.find_system_id(&key).await.map_err(of_store)? else { return Ok(()) };
        Err(known_as(new.kind, &key.system_id, &known))
    }

    /// Whether a record without an identifier tells of a creation alone that ended before it asked the cloud for
    /// anything.
    async fn was_never_made(&self, uid: Uuid) -> Result<bool> {
        let filter = OperationFilter { resource_uid: Some(uid), ..OperationFilter::default() };
        let about: Vec<Operation> = self.store.operations(&filter, Page::all()).await.map_err(of_store)?;
        Ok(made_nothing(&about))
    }
}

/// What the cloud finds wrong with a change of which something else is wrong already.
async fn found_by_the_cloud(at: &At, change: &Change, patience: &Patience) -> Findings {
    let Some(Err(error)) = patience.useful(at.driver.prepare(change).boxed()).await else {
        return Findings::default();
    };
    match error.kind() {
        ErrorKind::InvalidRequest(findings) => findings.clone(),
        _ => Findings::default(),
    }
}

fn known_as(kind: ResourceKind, system_id: &str, known: &Resource) -> Box<Failure> {
    let at =
        format!(" {system_id:?} is known here as {:?}, at connection {:?}", known.name, known.connection);
    let says = Says::kind(kind).text(at);
    Box::new(Failure::new(FailureKind::AlreadyExists, says))
}

fn unprepared(at: &At, error: &DriverError) -> Unprepared {
    let failure = at.failed(error);
    match reaction(error.kind(), Effect::Read) {
        Reaction::Fail => Unprepared::Refused(failure),
        Reaction::Wait | Reaction::Retry | Reaction::LookFirst => Unprepared::NotNow(failure),
    }
}
