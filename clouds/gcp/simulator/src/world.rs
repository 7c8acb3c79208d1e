//! The whole state of a simulated Google Cloud: identities, and projects with what every service holds in each.
//!
//! Plain data that can be cloned and written as JSON; what is pending is settled when somebody looks.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::{Now, Random, Resource, StateError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::{self, CLOUD_PLATFORM, ServiceAccount, ServiceKey};
use crate::{compute, container, service_usage};

/// The name of the service account that every project begins with.
const FIRST_ACCOUNT: &str = "pmks";

/// Everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// Where identifiers come from.
    pub(crate) random: Random,
    /// Who may call.
    pub(crate) auth: auth::State,
    /// Projects by id.
    pub(crate) projects: BTreeMap<String, Project>,
    /// The project of the connection that is offered.
    pub(crate) first: String,
    /// The bearer token that is offered beside it.
    pub(crate) offered_token: String,
}

/// One project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    /// Twelve digits.
    pub(crate) number: String,
    /// The number that it does not have at the moment, where credentials have moved.
    #[serde(default)]
    pub(crate) other_number: Option<String>,
    pub(crate) created: Timestamp,
    /// Which APIs are on.
    pub(crate) services: service_usage::State,
    /// Networks, machines, balancers.
    pub(crate) compute: compute::State,
    /// Clusters and their operations.
    pub(crate) container: container::State,
}

/// What a project that does not exist looks like.
static EMPTY: LazyLock<Project> = LazyLock::new(Project::default);

impl World {
    /// A world with one project, whose service account is an owner.
    pub(crate) fn new(seed: u64, key: ServiceKey, now: Timestamp) -> Self {
        let mut random = Random::new(seed);
        let id = format!("pmks-simulated-{}", random.digits(6));
        let mut world = Self {
            random,
            auth: auth::State::default(),
            projects: BTreeMap::new(),
            first: id.clone(),
            offered_token: String::new(),
        };
        world.add_project(&id, key, now);
        if let Some(account) = world.auth.accounts.values().next() {
            let principal = account.principal();
            let scopes = vec![
                CLOUD_PLATFORM.to_owned(),
                "https://www.googleapis.com/auth/userinfo.email".to_owned(),
                "openid".to_owned(),
            ];
            // It stands for what a login prints; a client that brings its own token cannot get another one.
            world.offered_token = world.auth.give(principal, scopes, None, &mut world.random, now);
        }
        world
    }

    /// Adds a project with the `default` network and a service account that has this key.
    pub(crate) fn add_project(&mut self, id: &str, key: ServiceKey, now: Timestamp) {
        let number = Self::project_number(&mut self.random);
        let account = ServiceAccount::new(FIRST_ACCOUNT, id, key, &mut self.random, now);
        self.auth.accounts.insert(account.email.clone(), account);
        let mut project = Project { id: id.to_owned(), number, created: now, ..Project::default() };
        compute::make_default_network(&mut project, &mut self.random, now);
        self.projects.insert(id.to_owned(), project);
    }

    /// A number as Google gives to projects: twelve digits.
    pub(crate) fn project_number(random: &mut Random) -> String {
        format!("{}{}", 1 + random.below(9), random.digits(11))
    }

    /// The key of the offered service account, for a world that begins anew.
    pub(crate) fn offered_key(&self) -> Option<ServiceKey> {
        let account = self.auth.accounts.values().find(|account| account.project == self.first)?;
        account.keys.values().next().cloned()
    }

    /// The key file of the offered service account.
    pub(crate) fn offered_key_file(&self) -> Value {
        let account = self.auth.accounts.values().find(|account| account.project == self.first);
        account.map(ServiceAccount::key_file).unwrap_or_default()
    }

    /// The project's id, of its id or number.
    pub(crate) fn project_id(&self, named: &str) -> Option<&str> {
        let found = self.projects.values().find(|project| project.id == named || project.number == named);
        found.map(|project| project.id.as_str())
    }

    /// The project that an event names, or the first.
    ///
    /// # Errors
    /// When there is no such project.
    pub(crate) fn project_named(&self, named: Option<&str>) -> Result<String, StateError> {
        let named = named.unwrap_or(&self.first);
        let found = self.project_id(named).map(str::to_owned);
        found.ok_or_else(|| StateError(format!("there is no project `{named}`")))
    }

    /// What a project holds, to read.
    pub(crate) fn project(&self, id: &str) -> &Project {
        self.projects.get(id).unwrap_or(&EMPTY)
    }

    /// What a project holds, to change.
    pub(crate) fn project_mut(&mut self, id: &str) -> &mut Project {
        self.projects.entry(id.to_owned()).or_default()
    }

    /// Ground truth.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut rows = auth::resources(&self.auth);
        for project in self.projects.values() {
            let of_services = compute::resources(project).into_iter().chain(container::resources(project));
            rows.extend(of_services.map(|row| row.with("project", &*project.id)));
        }
        rows
    }
}

impl pmks_simulation::World for World {
    const SNAPSHOT_VERSION: u32 = 1;

    fn settle_at(&mut self, now: Now) {
        let projects: Vec<String> = self.projects.keys().cloned().collect();
        for project in projects {
            service_usage::settle(self, &project, now);
            compute::settle(self, &project, now);
            container::settle(self, &project, now);
        }
    }

    fn next_due(&self) -> Option<Duration> {
        let of_project = |project: &Project| {
            let dues = [
                service_usage::next_due(&project.services),
                compute::next_due(&project.compute),
                container::next_due(&project.container),
            ];
            dues.into_iter().flatten().min()
        };
        self.projects.values().filter_map(of_project).min()
    }
}
