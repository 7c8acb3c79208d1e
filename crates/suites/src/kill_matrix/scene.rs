//! A scene: what stands before, what is asked for, and what it makes of the world.

use pmks_core::{Caller, Mutation};
use pmks_model::{Failure, ResourceKind};
use pmks_simulation::Rule;
use pmks_store::{Page, ResourceFilter, Resources as _};
use serde_json::Value;
use uuid::Uuid;

use super::house::{HERE, House, Process};
use super::truth::{self, Counts};

/// One kind of operation.
pub struct Scene {
    /// What stands before.
    pub(super) before: Vec<Step>,
    /// What is asked for.
    pub(crate) asks: Mutation,
    /// The rule by which the cloud ends a call as failed: the mutation has failed of it before, and what is asked for
    /// is its next attempt.
    fails: Option<Rule>,
    /// That operation.
    failed: Option<Uuid>,
    /// What the world is in the end.
    pub(crate) change: Change,
    /// What rows of the world say in the end.
    pub(crate) says: Vec<(&'static str, &'static str, Says)>,
    /// Whether what is made has unique names at the cloud.
    pub(super) unique_names: bool,
}

/// By how much the world differs in the end from what it was before the operation and its failed attempt.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// By kind of row, so many more, and as many as before of every other kind.
    Exactly(Vec<(&'static str, i64)>),
    /// By kind of row, so many more; other kinds are not counted.
    AtLeast(Vec<(&'static str, i64)>),
    /// By nothing from what stood at [`Step::Remembers`].
    Undone,
}

/// What a row says.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// This value.
    Value(Value),
    /// A version of this minor.
    Minor(String),
}

/// One step to what stands before.
pub enum Step {
    /// The product carries this out.
    Does(Mutation),
    /// This event happens in the world.
    Happens(Value),
    /// What stands now stands again in the end, and nothing else.
    Remembers,
    /// The product forgets a cluster.
    Forgets(&'static str),
    /// What changes by hand of others alone: the world's snapshot, changed.
    Changes(fn(&mut Value)),
}

impl Scene {
    /// A scene whose change is not said yet: none.
    pub fn new(before: Vec<Step>, asks: Mutation) -> Self {
        let change = Change::Exactly(Vec::new());
        Self { before, asks, fails: None, failed: None, change, says: Vec::new(), unique_names: false }
    }

    /// By kind of row, so many more in the end, and as many as before of every other kind.
    #[must_use]
    pub fn making(mut self, change: &[(&'static str, i64)]) -> Self {
        self.change = Change::Exactly(change.to_vec());
        self
    }

    /// By kind of row, so many more in the end; other kinds are as the undisturbed run leaves them.
    #[must_use]
    pub fn making_at_least(mut self, change: Vec<(&'static str, i64)>) -> Self {
        self.change = Change::AtLeast(change);
        self
    }

    /// In the end all is as it was at [`Step::Remembers`].
    #[must_use]
    pub fn undoing(mut self) -> Self {
        self.change = Change::Undone;
        self
    }

    /// What is asked for has failed before of the effect that this rule struck, and is asked for again.
    #[must_use]
    pub fn failing(mut self, rule: Rule) -> Self {
        self.fails = Some(rule);
        self
    }

    /// A row of that kind says so in the end, as an attribute or a tag.
    #[must_use]
    pub fn saying(mut self, kind: &'static str, what: &'static str, value: Value) -> Self {
        self.says.push((kind, what, Says::Value(value)));
        self
    }

    /// A row of that kind has a version of that minor in the end.
    #[must_use]
    pub fn at_version(mut self, kind: &'static str, minor: &str) -> Self {
        self.says.push((kind, "version", Says::Minor(minor.to_owned())));
        self
    }

    /// What the scene is called among figures.
    pub(crate) fn title(&self) -> String {
        if self.unique_names {
            return format!("{} under unique names", self.asks.kind());
        }
        let action = self.fails.as_ref().and_then(|rule| rule.matcher.action.as_deref());
        match action {
            None => self.asks.kind().to_string(),
            Some(action) => format!("retry of {} after a failed {action}", self.asks.kind()),
        }
    }

    /// Asks for it, as a client does that repeats itself until it is answered.
    pub(crate) async fn ask(&self, house: &House, process: &Process) -> Result<Uuid, Box<Failure>> {
        match self.failed {
            None => Ok(house.accept(process, &self.asks).await?.operation.id),
            Some(id) => house.retry(process, id).await,
        }
    }

    /// Makes what stands before, and counts what the change is counted from.
    pub(crate) async fn set(&mut self, house: &House, process: &Process) -> Counts {
        let mut remembered = None;
        for step in std::mem::take(&mut self.before) {
            match step {
                Step::Does(mutation) => house.done(process, mutation).await,
                Step::Happens(event) => drop(house.cloud.event(&event).unwrap()),
                Step::Changes(change) => house.change_world(change),
                Step::Forgets(cluster) => self.forget(process, cluster).await,
                Step::Remembers => {
                    house.rest().await;
                    remembered = Some(truth::counts(house));
                }
            }
        }
        house.rest().await;
        let base = truth::counts(house);
        if let Some(rule) = self.fails.clone() {
            self.failed = Some(house.failed(process, self.asks.clone(), rule).await);
            house.rest().await;
        }
        match self.change {
            Change::Undone => remembered.expect("a step that remembers"),
            _ => base,
        }
    }

    /// An import that is asked for is of the cluster that was forgotten.
    async fn forget(&mut self, process: &Process, cluster: &str) {
        let filter = ResourceFilter {
            kind: Some(ResourceKind::Cluster),
            name: Some(cluster.to_owned()),
            ..ResourceFilter::default()
        };
        let known = process.store.resources(&filter, Page::all()).await.unwrap();
        if let (Mutation::ImportCluster { import, .. }, Some(known)) = (&mut self.asks, known.first()) {
            import.system_id = known.system_id.clone().expect("an identifier");
        }
        process.pmks.clusters().forget(&Caller::local("me"), HERE, cluster, false).await.unwrap();
    }
}
