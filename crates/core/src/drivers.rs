//! Drivers, one a connection and revision, made when first needed; and the proof of whom a credential acts for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pmks_driver::{
    AccountIdentity, ConnectionSpecification, Credential, Driver, Environment, House, Provider,
};
use pmks_model::{Failure, Findings, ResourceKind};
use pmks_store::{AuditEntry, Connection, ConnectionUpdate, Resource, Store};
use pmks_transport::{Clock, Lane, Transport};
use uuid::Uuid;

use crate::connections::Specification;
use crate::engine::{self, Connected};
use crate::failure::{conflict, not_found, of_cloud, of_cloud_by, of_store, unexpected};
use crate::inventory::memory::Memory;
use crate::records::stored;
use crate::{NewConnection, Registry, Result};

/// Makes and keeps drivers.
pub(crate) struct Drivers {
    store: Arc<dyn Store>,
    memory: Arc<Memory>,
    clock: Arc<dyn Clock>,
    registry: Registry,
    transport: Transport,
    environment: Environment,
    made: Mutex<HashMap<Uuid, At>>,
    proven: Mutex<HashMap<Uuid, (i64, AccountIdentity)>>,
}

/// A connection with its driver. Clones are the same one: each reader has its own.
#[derive(Clone)]
pub(crate) struct At {
    pub(crate) connection: Arc<Connection>,
    pub(crate) specification: Arc<Specification>,
    /// Its reads wait in the lane of those that a user waits for.
    pub(crate) driver: Arc<dyn Driver>,
    /// `None` until its account was proven.
    place: Option<Arc<Place>>,
}

/// Where names and the cloud's identifiers are unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) account: String,
    /// The region, and what within it has names for itself.
    location: String,
    /// What within that has names of clusters for itself; else empty.
    of_clusters: String,
}

/// Stands before what clusters alone have; no cloud's places hold it.
const OF_CLUSTERS: char = '#';

impl Place {
    /// Where nothing is.
    pub(crate) fn nowhere() -> Self {
        Self { account: String::new(), location: String::new(), of_clusters: String::new() }
    }

    /// The place of a record, by what it keeps of it.
    pub(crate) fn kept(account: &str, location: &str) -> Self {
        let (location, of_clusters) = location.split_once(OF_CLUSTERS).unwrap_or((location, ""));
        Self {
            account: account.to_owned(),
            location: location.to_owned(),
            of_clusters: of_clusters.to_owned(),
        }
    }

    /// What a record of that kind keeps of it.
    pub(crate) fn location(&self, kind: ResourceKind) -> String {
        match kind {
            ResourceKind::Cluster | ResourceKind::NodeGroup if !self.of_clusters.is_empty() => {
                format!("{}{OF_CLUSTERS}{}", self.location, self.of_clusters)
            }
            _ => self.location.clone(),
        }
    }

    /// The same for all its clusters together.
    pub(crate) fn whole(&self) -> Self {
        Self { of_clusters: String::new(), ..self.clone() }
    }

    /// Whether a record is of the same account and region: the cloud's identifiers of clusters are one's alone there.
    pub(crate) fn is_in_region_of(&self, record: &Resource) -> bool {
        let region = |location: &str| location.split(['/', OF_CLUSTERS]).next().map(str::to_owned);
        record.account == self.account && region(&record.location) == region(&self.location)
    }

    /// Whether a record of that account lies here, of clusters wherever they have their names.
    pub(crate) fn holds(&self, record: &Resource) -> bool {
        Self::kept(&record.account, &record.location).whole() == self.whole()
    }
}

impl At {
    fn new(connection: Arc<Connection>, specification: Arc<Specification>, driver: Arc<dyn Driver>) -> Self {
        let mut at = Self { connection, specification, driver, place: None };
        at.place = at.connection.account.clone().map(|account| Arc::new(at.place_in(account)));
        at
    }

    /// The same, whose reads may be answered with what the cloud said a moment ago: for what is asked before a change is
    /// taken on, and again when it begins.
    pub(crate) fn checking(&self) -> Self {
        Self { driver: self.driver.on_lane(Lane::Check), ..self.clone() }
    }

    /// Its place; `None` until its account was proven, and then nothing can be known there.
    pub(crate) fn place(&self) -> Option<Place> {
        self.here().cloned()
    }

    /// The same, for whoever only looks there.
    pub(crate) fn here(&self) -> Option<&Place> {
        self.place.as_deref()
    }

    /// The same once its account is known.
    pub(crate) fn place_in(&self, account: String) -> Place {
        let space = |kind| self.driver.space_of_names(kind, None);
        let (of_all, of_clusters) = (space(ResourceKind::Network), space(ResourceKind::Cluster));
        let region = &self.specification.region;
        Place {
            account,
            location: of_all.as_ref().map_or_else(|| region.clone(), |space| format!("{region}/{space}")),
            of_clusters: of_clusters.filter(|space| Some(space) != of_all.as_ref()).unwrap_or_default(),
        }
    }

    /// Why something that was read does not lie where the connection is; `None`: it does, or lies in no region. Some
    /// clouds' identifiers name things of every region.
    pub(crate) fn elsewhere(&self, region: &str) -> Option<String> {
        let here = &self.specification.region;
        (!region.is_empty() && region != here)
            .then(|| format!("lies in {region}; this connection's region is {here}"))
    }

    /// The same of a cluster whose name means another one here.
    pub(crate) fn cluster_elsewhere(&self, system_id: &str) -> Option<String> {
        let space = |of| self.driver.space_of_names(ResourceKind::Cluster, of).unwrap_or_default();
        let (there, here) = (space(Some(system_id)), space(None));
        let named = |space: &str| if space.is_empty() { "the region".to_owned() } else { space.to_owned() };
        (there != here)
            .then(|| {
                let (there, here) = (named(&there), named(&here));
                format!("lies in {there}, and this connection's clusters in {here}: import it by a connection of {there}")
            })
    }

    /// What a failed read of its driver is to a caller.
    pub(crate) fn failed(&self, error: &pmks_driver::DriverError) -> Box<Failure> {
        of_cloud(&self.connection.name, error)
    }
}

impl Drivers {
    pub(crate) fn new(options: &crate::Options, memory: Arc<Memory>) -> Self {
        Self {
            store: Arc::clone(&options.store),
            memory,
            clock: Arc::clone(options.transport.clock()),
            registry: options.registry.clone(),
            transport: options.transport.clone(),
            environment: options.environment.clone(),
            made: Mutex::default(),
            proven: Mutex::default(),
        }
    }

    /// A connection with its driver.
    pub(crate) async fn at(&self, name: &str) -> Result<At> {
        self.memory.refresh().await?;
        let connection = self.memory.kept().connection(name).map(Arc::clone);
        self.of(connection.ok_or_else(|| not_found(ResourceKind::Connection, name))?).await
    }

    /// The driver of a record that was read. Whatever changes in that, its account among it, has another revision.
    pub(crate) async fn of(&self, connection: Arc<Connection>) -> Result<At> {
        if let Some(made) = lock(&self.made).get(&connection.uid)
            && made.connection.revision == connection.revision
        {
            return Ok(made.clone());
        }
        // Seldom, and large: within, it would be moved with every read.
        Box::pin(self.anew(connection)).await
    }

    async fn anew(&self, connection: Arc<Connection>) -> Result<At> {
        let specification = read_specification(&connection)?;
        let credential = self.credential(&connection, &specification).await?;
        let driver = self.make(&connection.name, &connection.provider, &specification, credential).await?;
        let at = At::new(connection, Arc::new(specification), driver);
        lock(&self.made).insert(at.connection.uid, at.clone());
        Ok(at)
    }

    /// The way to every cloud.
    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Drops what is kept of a connection that is gone: its driver holds the credential.
    pub(crate) fn forget(&self, connection: Uuid) {
        lock(&self.made).remove(&connection);
        lock(&self.proven).remove(&connection);
    }

    /// A driver that is kept nowhere, for a connection that is not stored yet.
    pub(crate) async fn make(
        &self,
        name: &str,
        provider: &str,
        specification: &Specification,
        credential: Credential,
    ) -> Result<Arc<dyn Driver>> {
        self.make_by(&format!("connection {name:?}"), name, provider, specification, credential).await
    }

    /// The same with the connection as it would be stored. Whoever is done with it forgets it.
    pub(crate) async fn unstored(&self, asked: NewConnection, specification: Specification) -> Result<At> {
        let driver = self.make(&asked.name, &asked.provider, &specification, asked.credential).await?;
        let now = self.clock.wall();
        let connection = Connection {
            uid: pmks_store::new_uid(now),
            name: asked.name,
            provider: asked.provider,
            specification: stored(&specification)?,
            account: None,
            principal: None,
            credential_revision: 0,
            revision: 0,
            created_at: now,
            updated_at: now,
        };
        Ok(At::new(Arc::new(connection), Arc::new(specification), driver))
    }

    /// The same for what no connection is made of; `who` says in failures what asks instead of one.
    pub(crate) async fn make_by(
        &self,
        who: &str,
        name: &str,
        provider: &str,
        specification: &Specification,
        credential: Credential,
    ) -> Result<Arc<dyn Driver>> {
        let house = House {
            transport: self.transport.clone(),
            environment: self.seen_environment(specification),
            installation: self.store.installation().to_string(),
        };
        let whole = whole(name, specification, credential);
        let provider = self.registry.get(provider)?;
        let driver = provider.connect(&whole, &house).await.map_err(|error| of_cloud_by(who, &error))?;
        Ok(driver.on_lane(Lane::Live))
    }

    /// Everything that a provider knows to be wrong with a connection without asking anybody.
    pub(crate) fn check(
        &self,
        name: &str,
        provider: &dyn Provider,
        specification: &Specification,
        credential: Credential,
    ) -> Findings {
        provider.check(&whole(name, specification, credential), &self.seen_environment(specification))
    }

    /// The variables that a connection's credential chain may read.
    fn seen_environment(&self, specification: &Specification) -> Environment {
        if specification.ambient { self.environment.clone() } else { Environment::default() }
    }

    /// What a stored connection's driver is made from.
    pub(crate) async fn whole(&self, connection: &Connection) -> Result<ConnectionSpecification> {
        let specification = read_specification(connection)?;
        let credential = self.credential(connection, &specification).await?;
        Ok(whole(&connection.name, &specification, credential))
    }

    async fn credential(&self, connection: &Connection, specification: &Specification) -> Result<Credential> {
        if specification.ambient {
            return Ok(Credential::Ambient);
        }
        let stored = self.store.credential(&connection.name).await.map_err(of_store)?;
        let Some((_, sealed)) = stored else { return Err(self.without_credential(connection).await?) };
        serde_json::from_slice(sealed.expose())
            .map_err(|_| unexpected(format!("the credential of {:?} cannot be read", connection.name)))
    }

    /// Why a connection has no credential: most often it is gone by now, and its credential with it.
    async fn without_credential(&self, connection: &Connection) -> Result<Box<Failure>> {
        let now = self.store.connection(&connection.name).await.map_err(of_store)?;
        if now.is_some_and(|now| now.uid == connection.uid) {
            return Ok(conflict(format!("{:?} has no credential", connection.name)));
        }
        Ok(not_found(ResourceKind::Connection, &connection.name))
    }

    /// Whom the credential acts for, asked once a process and credential revision. Stores nothing.
    pub(crate) async fn identity(&self, at: &At) -> pmks_driver::Result<AccountIdentity> {
        let revision = at.connection.credential_revision;
        if let Some((proven, identity)) = lock(&self.proven).get(&at.connection.uid)
            && *proven == revision
        {
            return Ok(identity.clone());
        }
        let identity = at.driver.account_identity().await?;
        if same_account(&at.connection, &identity).is_ok() {
            lock(&self.proven).insert(at.connection.uid, (revision, identity.clone()));
        }
        Ok(identity)
    }

    /// The same, which must be the connection's own account if that is known.
    pub(crate) async fn acts_for(&self, at: &At) -> Result<AccountIdentity> {
        let identity = self.identity(at).await.map_err(|error| at.failed(&error))?;
        same_account(&at.connection, &identity)?;
        Ok(identity)
    }

    /// Proves, once a process and credential revision, whom the credential acts for. The first proof is stored; a
    /// later one that differs is refused.
    pub(crate) async fn prove(&self, at: &At) -> Result<AccountIdentity> {
        let identity = self.acts_for(at).await?;
        if at.connection.account.is_none() {
            self.keep_account(&at.connection, &identity).await?;
        }
        Ok(identity)
    }

    /// The same, asking the cloud whatever was proven before.
    pub(crate) async fn prove_now(&self, at: &At) -> Result<AccountIdentity> {
        lock(&self.proven).remove(&at.connection.uid);
        self.prove(at).await
    }

    /// Of the connection as it was when it was proven: with another credential it may be another's by now.
    async fn keep_account(&self, connection: &Connection, identity: &AccountIdentity) -> Result<()> {
        let name = connection.name.as_str();
        let update = ConnectionUpdate {
            account: Some((identity.account.clone(), identity.principal.clone())),
            ..ConnectionUpdate::default()
        };
        let audit = AuditEntry {
            at: self.clock.wall(),
            who: "pmks".to_owned(),
            action: "connection.prove".to_owned(),
            target: format!("connection {name}"),
            request_id: String::new(),
        };
        match self.store.update_connection(name, Some(connection.revision), update, audit).await {
            Err(pmks_store::Error::Stale { .. }) => {}
            kept => return kept.map(drop).map_err(of_store),
        }
        let now = self.store.connection(name).await.map_err(of_store)?;
        // Many prove it at once where nobody knew it.
        let is_kept = now.is_some_and(|now| {
            let same = (now.uid, now.credential_revision) == (connection.uid, connection.credential_revision);
            same && now.account.as_ref() == Some(&identity.account)
        });
        if is_kept {
            return Ok(());
        }
        let says = format!("connection {name:?} was changed while this was asked for");
        Err(Box::new((*conflict(says)).with_fix("ask for it again")))
    }

    /// Where the connection is, its account asked for if nobody knows it yet, and not kept.
    pub(crate) async fn place_unkept(&self, at: &At) -> Result<Place> {
        if let Some(place) = at.place() {
            return Ok(place);
        }
        let identity = self.acts_for(at).await?;
        Ok(at.place_in(identity.account))
    }

    /// A connection with its driver and its place, its account proven.
    pub(crate) async fn proven(&self, name: &str) -> Result<(At, Place)> {
        let at = self.at(name).await?;
        let identity = self.prove(&at).await?;
        let place = at.place_in(identity.account);
        Ok((at, place))
    }
}

fn whole(name: &str, specification: &Specification, credential: Credential) -> ConnectionSpecification {
    ConnectionSpecification {
        name: name.to_owned(),
        region: specification.region.clone(),
        zone: specification.zone.clone(),
        credential,
        endpoints: specification.urls(),
        ca_certificate: specification.ca_certificate.clone(),
        settings: specification.settings.clone(),
        pace: specification.pace,
    }
}

/// Refuses a credential that acts for another account than the connection's.
pub(crate) fn same_account(connection: &Connection, identity: &AccountIdentity) -> Result<()> {
    match &connection.account {
        Some(known) if *known != identity.account => {
            let detail = format!(
                "connection {:?} belongs to account {known}, and this credential acts for {}",
                connection.name, identity.account
            );
            let mut failure = conflict(detail);
            failure.fix = Some("make a new connection for the other account".to_owned());
            Err(failure)
        }
        _ => Ok(()),
    }
}

/// What is stored of a connection.
pub(crate) fn read_specification(connection: &Connection) -> Result<Specification> {
    serde_json::from_value(connection.specification.clone())
        .map_err(|error| unexpected(format!("connection {:?} cannot be read: {error}", connection.name)))
}

#[async_trait]
impl engine::Drivers for Drivers {
    async fn connected(&self, connection: &str) -> std::result::Result<Connected, Failure> {
        let at = self.at(connection).await.map_err(|failure| *failure)?;
        Ok(Connected {
            driver: at.driver.on_lane(Lane::Look),
            pace: at.specification.pace,
            connection: at.connection.uid,
            location: at.place_in(String::new()).location(ResourceKind::Cluster),
            credential_revision: at.connection.credential_revision,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
