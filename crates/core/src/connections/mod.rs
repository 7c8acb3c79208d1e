//! Connections: one account in one place. Secrets go in and never come out.

mod change;
mod learning;
mod specification;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{FutureExt as _, TryFutureExt as _};
use pmks_driver::{AccountIdentity, ConnectionSpecification, Credential};
use pmks_model::{Failure, FailureKind, Findings, ResourceKind, Says};
use pmks_store::{Connection, OperationFilter, Page as StorePage, Resource};
use serde_json::Value;
use uuid::Uuid;

use crate::drivers::read_specification;
use crate::failure::{already_exists, check, not_found, of_store, unexpected};
use crate::patience::{ACTS_FOR, Patience};
use crate::pmks::Shared;
use crate::resolve::add_apart;
use crate::{
    Caller, ConnectionView, NewConnection, Page, PageRequest, Pmks, PrerequisiteView, Result, ValidationView,
};

pub(crate) use change::update_of_pieces;
pub(crate) use learning::Silent;
pub(crate) use specification::Specification;

/// What a validation waits for, once it is known whom the credential acts for.
const PREREQUISITES: &str = "what stands of what must exist in the account";

/// Connections.
#[derive(Clone, Copy, Debug)]
pub struct Connections<'a>(pub(crate) &'a Pmks);

impl Connections<'_> {
    /// Makes a connection. Asks no cloud: see [`Connections::validate`].
    ///
    /// # Errors
    /// `InvalidRequest` with all findings, `AlreadyExists`, `NotAllowed`.
    pub async fn create(self, caller: &Caller, asked: NewConnection) -> Result<ConnectionView> {
        let shared = &self.0.shared;
        let specification = shared.asked_for(caller, &asked).await?;
        let _alone = shared.pieces.lock().await;
        shared.refuse_names_of_pieces(&asked.name).await?;
        let new = pmks_store::NewConnection {
            uid: pmks_store::new_uid(shared.clock.wall()),
            name: asked.name.clone(),
            provider: asked.provider.clone(),
            specification: crate::records::stored(&specification)?,
            account: None,
            credential: sealed(&asked.credential)?,
        };
        let audit = shared.audit(caller, "connection.create", format!("connection {}", asked.name));
        let stored = shared.store.create_connection(new, audit).await.map_err(of_store)?;
        view(&stored)
    }

    /// Finds out whether [`Connections::create`] would make it. Makes nothing, and asks no cloud.
    ///
    /// # Errors
    /// As [`Connections::create`].
    pub async fn plan_create(self, caller: &Caller, asked: &NewConnection) -> Result<()> {
        let shared = &self.0.shared;
        shared.asked_for(caller, asked).await?;
        match shared.connection(&asked.name).await {
            Ok(_) => Err(already_exists(ResourceKind::Connection, &asked.name)),
            Err(failure) if failure.kind == FailureKind::NotFound => {
                shared.refuse_names_of_pieces(&asked.name).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// A page of all connections.
    ///
    /// # Errors
    /// `InvalidRequest` for the page.
    pub async fn list(self, page: &PageRequest) -> Result<Page<ConnectionView>> {
        let all = self.0.shared.store.connections(StorePage::all()).await.map_err(of_store)?;
        let mut views = all.iter().map(view).collect::<Result<Vec<_>>>()?;
        views.retain(|view| page.keeps(&view.name, "", None));
        page.cut("connections", views, |view| &view.uid)
    }

    /// One connection.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(self, name: &str) -> Result<ConnectionView> {
        view(&*self.0.shared.connection(name).await?)
    }

    /// Applies a JSON merge patch. `if_match` is the version tag, `*` any.
    ///
    /// A changed credential must prove the same account. What changes endpoints or settings carries the whole
    /// credential again, so that nobody can send a credential that they do not know to a host of their choice.
    ///
    /// # Errors
    /// `Stale`; `Conflict` for another account, or for a region, zone or endpoint while anything is known there;
    /// `InvalidRequest`, `NotAllowed`, `NotFound`; what the cloud says of a changed credential.
    pub async fn update(
        self,
        caller: &Caller,
        name: &str,
        patch: Value,
        if_match: &str,
    ) -> Result<ConnectionView> {
        change::update(&self.0.shared, caller, name, patch, if_match).await
    }

    /// Finds out whether [`Connections::update`] would change it. Changes nothing; reads whom a changed credential acts
    /// for.
    ///
    /// # Errors
    /// As [`Connections::update`].
    pub async fn plan_update(self, caller: &Caller, name: &str, patch: Value, if_match: &str) -> Result<()> {
        change::checked(&self.0.shared, caller, name, patch, if_match).await.map(drop)
    }

    /// Removes a connection at which nothing is known.
    ///
    /// # Errors
    /// `Conflict` with what is known there, `NotFound`, `NotAllowed`.
    pub async fn delete(self, caller: &Caller, name: &str) -> Result<()> {
        let _alone = self.0.shared.pieces.lock().await;
        self.0.shared.delete_connection(caller, name, &[]).await
    }

    /// Refuses what [`Self::delete`] would, and removes nothing.
    ///
    /// # Errors
    /// Those of [`Self::delete`].
    pub async fn plan_delete(self, caller: &Caller, name: &str) -> Result<()> {
        let shared = &self.0.shared;
        shared.unneeded(caller, name, &[]).await?;
        let holders = shared.unfinished_at(name).await?;
        if holders.is_empty() { Ok(()) } else { Err(shared.held(&holders).await) }
    }

    /// What the provider makes a driver from, with the provider's name. The credential is in it: for a program that
    /// works at the cloud by itself, on the machine of the data directory. No surface answers it.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`.
    pub async fn specification(
        self,
        caller: &Caller,
        name: &str,
    ) -> Result<(String, ConnectionSpecification)> {
        caller.require_admin("the credential of a connection")?;
        let shared = &self.0.shared;
        let connection = shared.connection(name).await?;
        let whole = shared.drivers.whole(&connection).await?;
        Ok((connection.provider.clone(), whole))
    }

    /// Finds out whom the credential acts for, asking the cloud unless this process knows it.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; `Conflict` if it acts for another account; what the cloud says.
    pub async fn prove(self, caller: &Caller, name: &str) -> Result<AccountIdentity> {
        let shared = &self.0.shared;
        let at = shared.drivers.at(name).await?;
        if at.connection.account.is_none() {
            caller.require_operator(name)?;
        }
        shared.drivers.prove(&at).await
    }

    /// Asks the cloud whether the credential is accepted, stores whom it acts for, and reads the prerequisites.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; `Conflict` if it acts for another account. What the cloud says is in the answer, and
    /// that it does not say it in twenty seconds.
    pub async fn validate(self, caller: &Caller, name: &str) -> Result<ValidationView> {
        caller.require_operator(name)?;
        caller.refuse_key()?;
        let shared = &self.0.shared;
        let at = shared.drivers.at(name).await?;
        let patience = Patience::begins(&shared.clock);
        let account = match patience.needed(name, ACTS_FOR, shared.drivers.prove_now(&at).boxed()).await {
            Ok(account) => account,
            Err(failure) if failure.kind == FailureKind::Conflict => return Err(failure),
            Err(failure) => {
                return Ok(ValidationView {
                    valid: false,
                    account: None,
                    error: Some(*failure),
                    prerequisites: Vec::new(),
                    missed: Vec::new(),
                });
            }
        };
        let (mut prerequisites, mut missed) = (Vec::new(), Vec::new());
        let asked = at.driver.prerequisites(None).map_err(|error| at.failed(&error)).boxed();
        match patience.needed(name, PREREQUISITES, asked).await {
            Ok(found) => prerequisites = found,
            Err(failure) => missed.push(*failure),
        }
        Ok(ValidationView { valid: true, account: Some(account), error: None, prerequisites, missed })
    }

    /// What must exist in the account, or at a cluster of it, asked now.
    ///
    /// # Errors
    /// `NotFound`; what the cloud says.
    pub async fn prerequisites(self, name: &str, cluster: Option<&str>) -> Result<PrerequisiteView> {
        let shared = &self.0.shared;
        let (at, cluster) = match cluster {
            Some(cluster) => {
                let (at, seen) = shared.seen_cluster(name, cluster).await?;
                (at, Some(seen))
            }
            None => (shared.drivers.at(name).await?, None),
        };
        let prerequisites =
            at.driver.prerequisites(cluster.as_ref()).await.map_err(|error| at.failed(&error))?;
        Ok(PrerequisiteView { prerequisites, observed_at: shared.clock.wall() })
    }
}

impl Shared {
    /// The connection of that name, as it is in memory.
    pub(crate) async fn connection(&self, name: &str) -> Result<Arc<Connection>> {
        self.memory.refresh().await?;
        let found = self.memory.kept().connection(name).map(Arc::clone);
        found.ok_or_else(|| not_found(ResourceKind::Connection, name))
    }

    /// What only an administrator may give, and only where this server allows it.
    pub(crate) async fn asked_for(&self, caller: &Caller, asked: &NewConnection) -> Result<Specification> {
        caller.require_operator(&asked.name)?;
        caller.refuse_key()?;
        self.allowed(caller, asked)?;
        self.specified(asked).await
    }

    pub(crate) fn allowed(&self, caller: &Caller, asked: &NewConnection) -> Result<()> {
        let ambient = matches!(asked.credential, Credential::Ambient);
        let endpoints = !asked.endpoints.is_empty() || asked.ca_certificate.is_some();
        if ambient {
            caller.require_admin("a connection that uses this machine's own credential")?;
        }
        if endpoints {
            caller.require_admin("a connection with endpoints or certificates of its own")?;
        }
        let refused = |what: &str, flag: &str| {
            let failure = Failure::new(FailureKind::NotAllowed, format!("this server allows no {what}"));
            Err(Box::new(failure.with_fix(format!("start the server with {flag}"))))
        };
        match (ambient && !self.allow_ambient, endpoints && !self.allow_endpoints) {
            (true, _) => refused("ambient credentials", "--allow-ambient"),
            (_, true) => refused("endpoints or certificates of a connection's own", "--allow-endpoints"),
            _ => Ok(()),
        }
    }

    /// Checks all that can be known without asking the cloud: our rules, then the provider's own.
    async fn specified(&self, asked: &NewConnection) -> Result<Specification> {
        let mut findings = Findings::default();
        let Ok(provider) = self.registry.get(&asked.provider) else {
            let known: Vec<&str> = self.registry.capabilities().map(|one| one.provider).collect();
            findings.add(
                "provider",
                format!("{:?} is not known; known are {}", asked.provider, known.join(", ")),
            );
            Specification::check(asked, &mut findings);
            return check(findings).and(Err(unexpected("a provider that is not known")));
        };
        let specification = Specification::of(asked, provider.capabilities(), &mut findings);
        let credential = asked.credential.clone();
        if specification.ambient {
            // Its chain may ask the machine's surroundings: that is left to the validation.
            let found = self.drivers.check(&asked.name, provider.as_ref(), &specification, credential);
            add_apart(&mut findings, &found);
        } else {
            match self.drivers.make(&asked.name, &asked.provider, &specification, credential).await {
                Err(failure) if findings.is_empty() => return Err(failure),
                Err(mut failure) => {
                    // What could not be read was given to nobody, who then misses it.
                    let is_read = asked.has_its_credential();
                    failure.findings.retain(|found| is_read || !found.field.starts_with("credential"));
                    add_apart(&mut findings, &failure.findings);
                }
                Ok(_) => {}
            }
        }
        check(findings)?;
        Ok(specification)
    }

    /// Removes it, and with it these records there, of what was never made. Whoever asks sees to it that nothing is taken
    /// on there meanwhile.
    pub(crate) async fn delete_connection(
        &self,
        caller: &Caller,
        name: &str,
        unmade: &[Resource],
    ) -> Result<()> {
        let connection = self.unneeded(caller, name, unmade).await?;
        let audit = self.audit(caller, "connection.delete", format!("connection {name}"));
        let forgotten = |record: &Resource| {
            let target = format!("{} {}", record.kind.says(), record.name);
            (record.uid, self.audit(caller, &format!("{}.forget", record.kind.as_str()), target))
        };
        let unmade = unmade.iter().map(forgotten).collect();
        match self.store.delete_connection(name, unmade, audit).await {
            Err(pmks_store::Error::Held { holders }) => Err(self.held(&holders).await),
            Err(error) => Err(of_store(error)),
            Ok(()) => {
                self.drivers.forget(connection.uid);
                Ok(())
            }
        }
    }

    /// A connection that the caller may remove, where nothing else is known there than this.
    async fn unneeded(&self, caller: &Caller, name: &str, unmade: &[Resource]) -> Result<Arc<Connection>> {
        caller.require_operator(name)?;
        caller.refuse_key()?;
        let connection = self.connection(name).await?;
        let known = self.known_at(name, unmade).await?;
        if known.is_empty() {
            return Ok(connection);
        }
        let says = Says::from(format!("connection {name:?} is needed by ")).then(Says::several(known, ", "));
        Err(Box::new(Failure::new(FailureKind::Conflict, says).with_fix("delete or forget them first")))
    }

    /// The operations at a connection that are not over.
    async fn unfinished_at(&self, name: &str) -> Result<Vec<Uuid>> {
        let filter = OperationFilter {
            connection: Some(name.to_owned()),
            unfinished: true,
            ..OperationFilter::default()
        };
        let unfinished = self.store.operations(&filter, StorePage::all()).await.map_err(of_store)?;
        Ok(unfinished.iter().map(|operation| operation.id).collect())
    }

    /// What is known at a connection, and what goes on there, in words.
    async fn needed_by(&self, name: &str) -> Result<Vec<Says>> {
        let mut needed = self.known_at(name, &[]).await?;
        let unfinished = self.unfinished_at(name).await?;
        if !unfinished.is_empty() {
            needed.push(self.in_words(&unfinished).await);
        }
        Ok(needed)
    }

    /// What else is known at a connection than this, in words.
    async fn known_at(&self, name: &str, but: &[Resource]) -> Result<Vec<Says>> {
        let filter = pmks_store::ResourceFilter {
            connection: Some(name.to_owned()),
            ..pmks_store::ResourceFilter::default()
        };
        let known = self.store.resources(&filter, StorePage::all()).await.map_err(of_store)?;
        let is_whole = |kind| !matches!(kind, ResourceKind::NodeGroup | ResourceKind::Subnet);
        let is_other = |record: &&Resource| but.iter().all(|other| other.uid != record.uid);
        let whole = known.iter().filter(|record| is_whole(record.kind)).filter(is_other);
        Ok(whole.map(|record| Says::kind(record.kind).text(format!(" {:?}", record.name))).collect())
    }
}

/// A credential as it is handed to the store, which seals it.
pub(crate) fn sealed(credential: &Credential) -> Result<Option<pmks_store::Credential>> {
    match credential {
        Credential::Ambient => Ok(None),
        Credential::Values(_) => serde_json::to_vec(credential)
            .map(|bytes| Some(pmks_store::Credential::new(bytes)))
            .map_err(|_| unexpected("the credential cannot be written")),
    }
}

fn view(stored: &Connection) -> Result<ConnectionView> {
    let specification = read_specification(stored)?;
    let mut credential: BTreeMap<String, Value> =
        specification.shown.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    if specification.ambient {
        credential.insert("ambient".to_owned(), Value::Bool(true));
    }
    Ok(ConnectionView {
        uid: stored.uid.to_string(),
        version_tag: version_tag(stored),
        name: stored.name.clone(),
        provider: stored.provider.clone(),
        region: specification.region,
        zone: specification.zone,
        pace: specification.pace,
        credential,
        secrets: specification.secrets,
        endpoints: specification.endpoints,
        ca_certificate: specification.ca_certificate,
        settings: specification.settings,
        account: stored.account.clone().map(|account| AccountIdentity {
            account,
            principal: stored.principal.clone().unwrap_or_default(),
        }),
        created_at: stored.created_at,
        updated_at: stored.updated_at,
    })
}

fn version_tag(stored: &Connection) -> String {
    format!("{}-{}", stored.uid.simple(), stored.revision)
}
