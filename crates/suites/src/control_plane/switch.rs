//! Backs that can be exchanged while their cluster stands: first the built-in one answers, then a real control plane.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pmks_simulation::kubernetes::{Back, Builtin, ClusterState, MakeBack, Request, Response};

/// What answers for one cluster.
pub struct Switch {
    /// What the cluster holds.
    pub state: ClusterState,
    answering: Mutex<Arc<dyn Back>>,
}

impl Switch {
    /// Lets another one answer from now on.
    pub fn to(&self, back: Arc<dyn Back>) {
        *self.answering.lock().unwrap_or_else(PoisonError::into_inner) = back;
    }
}

#[async_trait]
impl Back for Switch {
    async fn serve(&self, request: Request) -> Response {
        let back = Arc::clone(&self.answering.lock().unwrap_or_else(PoisonError::into_inner));
        back.serve(request).await
    }
}

/// Makes a [`Switch`] for each cluster of a cloud.
#[derive(Default)]
pub struct Switchboard {
    switches: Mutex<BTreeMap<String, Arc<Switch>>>,
}

impl Switchboard {
    /// The switch of the cluster of this name.
    pub fn switch(&self, cluster: &str) -> Arc<Switch> {
        let switches = self.switches.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(switches.get(cluster).expect("a cluster of this name stands"))
    }
}

impl MakeBack for Switchboard {
    fn make(&self, state: &ClusterState) -> Arc<dyn Back> {
        let answering: Arc<dyn Back> = Arc::new(Builtin::new(state.clone()));
        let switch = Arc::new(Switch { state: state.clone(), answering: Mutex::new(answering) });
        let mut switches = self.switches.lock().unwrap_or_else(PoisonError::into_inner);
        switches.insert(state.name(), Arc::clone(&switch));
        switch
    }
}
