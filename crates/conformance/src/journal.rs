//! What a run has asked a cloud for, written down before it is asked: the base of a sweep that leaves nothing behind,
//! even where the process is killed.
//!
//! Holds no secret: plans and intents hold none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use pmks_driver::{Change, Plan, StageContext, StageSpecification};
use pmks_model::{Children, OperationKind, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "camelCase")]
pub enum Entry {
    /// A change was prepared. Nothing was asked for yet.
    #[serde(rename_all = "camelCase")]
    Planned {
        /// What tells the plan from every other.
        plan: String,
        /// What was wanted.
        change: Box<Change>,
        /// Its stages, in the order in which they are carried out.
        stages: Vec<StageSpecification>,
        /// At a deletion: what was known to stand because its cluster did.
        #[serde(default, skip_serializing_if = "is_nothing")]
        children: Children,
    },
    /// A stage is about to ask for the first time.
    #[serde(rename_all = "camelCase")]
    Asking {
        /// The plan.
        plan: String,
        /// The stage's name.
        stage: String,
        /// When.
        at: Timestamp,
        /// What already matched.
        baseline: Option<Vec<String>>,
    },
    /// The cloud named what a stage makes.
    #[serde(rename_all = "camelCase")]
    Known {
        /// The plan.
        plan: String,
        /// The stage's name.
        stage: String,
        /// The cloud's identifier.
        system_id: String,
        /// What tells it from a later one of its name; empty if the cloud did not say.
        incarnation: String,
    },
    /// A stage is over, and well.
    #[serde(rename_all = "camelCase")]
    Done {
        /// The plan.
        plan: String,
        /// The stage's name.
        stage: String,
        /// What it left behind.
        outputs: Value,
    },
}

fn is_nothing(children: &Children) -> bool {
    *children == Children::default()
}

/// Where the lines of a journal go before the cloud is asked.
pub trait Sink: Send + Sync {
    /// Keeps a line. `lasting` ones must survive the end of the machine before this returns.
    ///
    /// # Errors
    /// Why it could not be kept; nothing is asked of the cloud then.
    fn keep(&self, entry: &Entry, lasting: bool) -> Result<(), String>;
}

/// Keeps nothing beyond the process.
#[derive(Debug)]
pub struct Forgetful;

impl Sink for Forgetful {
    fn keep(&self, _entry: &Entry, _lasting: bool) -> Result<(), String> {
        Ok(())
    }
}

/// What a run has asked for. Clones share it.
#[derive(Clone)]
pub struct Journal {
    begun: Arc<Mutex<Vec<Begun>>>,
    sink: Arc<dyn Sink>,
}

impl Journal {
    /// An empty one, whose lines go to that sink too.
    pub fn new(sink: Arc<dyn Sink>) -> Self {
        Self { begun: Arc::default(), sink }
    }

    /// Goes on from lines that an earlier process kept. Later lines go to the sink.
    pub fn of(lines: impl IntoIterator<Item = Entry>, sink: Arc<dyn Sink>) -> Self {
        let mut begun = Vec::new();
        for line in lines {
            apply(&mut begun, line);
        }
        Self { begun: Arc::new(Mutex::new(begun)), sink }
    }

    /// Everything that was begun, in order.
    pub fn begun(&self) -> Vec<Begun> {
        self.lock().clone()
    }

    /// Forgets everything: what was made is gone.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many resources were asked for, by kind.
    pub fn made(&self) -> BTreeMap<ResourceKind, usize> {
        let mut made = BTreeMap::new();
        for begun in self.lock().iter().filter(|begun| begun.creates()) {
            for stage in begun.asked_stages() {
                if let Some(subject) = &stage.subject {
                    *made.entry(subject.kind).or_insert(0) += 1;
                }
            }
        }
        made
    }

    pub(crate) fn write(&self, entry: Entry) -> Result<(), String> {
        let lasting = matches!(entry, Entry::Asking { .. } | Entry::Known { .. });
        self.sink.keep(&entry, lasting)?;
        apply(&mut self.lock(), entry);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Begun>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that was begun, as far as it came.
#[derive(Clone, Debug)]
pub struct Begun {
    plan: String,
    /// What was wanted.
    pub(crate) change: Change,
    pub(crate) stages: Vec<StageSpecification>,
    pub(crate) children: Children,
    pub(crate) progress: BTreeMap<String, Progress>,
}

/// How far a stage came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) baseline: Option<Vec<String>>,
    pub(crate) system_id: Option<String>,
    pub(crate) incarnation: Option<String>,
    pub(crate) outputs: Option<Value>,
}

impl Progress {
    /// What the stage knew when it asked.
    pub(crate) fn onto(&self, context: &mut StageContext) {
        context.baseline.clone_from(&self.baseline);
        context.system_id.clone_from(&self.system_id);
        context.incarnation.clone_from(&self.incarnation);
        if let Some(at) = self.asked_at {
            context.started_at = at;
        }
    }
}

impl Begun {
    /// Whether it makes resources of ours.
    pub(crate) fn creates(&self) -> bool {
        matches!(
            self.change.kind(),
            OperationKind::ClusterCreate
                | OperationKind::NodeGroupAdd
                | OperationKind::NetworkCreate
                | OperationKind::SubnetCreate
                | OperationKind::SecurityGroupCreate
                | OperationKind::KeyPairCreate
        )
    }

    /// Whether anything was asked for.
    pub(crate) fn asked(&self) -> bool {
        self.asked_stages().next().is_some()
    }

    pub(crate) fn asked_stages(&self) -> impl Iterator<Item = &StageSpecification> {
        self.stages
            .iter()
            .filter(|stage| self.progress.get(&stage.name).is_some_and(|one| one.asked_at.is_some()))
    }

    /// Whether every stage is over.
    pub(crate) fn is_done(&self) -> bool {
        self.stages
            .iter()
            .all(|stage| self.progress.get(&stage.name).is_some_and(|one| one.outputs.is_some()))
    }

    /// The identifier of the resource of that kind and name that it made, and its incarnation.
    pub(crate) fn made(&self, kind: ResourceKind, name: &str) -> Option<(String, String)> {
        let stage = self.stage_of(kind, name)?;
        let progress = self.progress.get(&stage.name)?;
        Some((progress.system_id.clone()?, progress.incarnation.clone().unwrap_or_default()))
    }

    /// The stage that makes it.
    pub(crate) fn stage_of(&self, kind: ResourceKind, name: &str) -> Option<&StageSpecification> {
        self.stages.iter().find(|stage| {
            stage.subject.as_ref().is_some_and(|subject| subject.kind == kind && subject.name == name)
        })
    }
}

/// What tells a plan from every other: its stages hold the marks of the operation, which no other has.
pub(crate) fn plan_id(plan: &Plan) -> String {
    let text = serde_json::to_string(plan).unwrap_or_default();
    // FNV-1a: the same in every process that reads the file.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn apply(begun: &mut Vec<Begun>, entry: Entry) {
    let mut progress = |plan: &str, stage: &str, change: &dyn Fn(&mut Progress)| {
        // The last one: a plan that was prepared twice in the same words is one plan.
        if let Some(begun) = begun.iter_mut().rfind(|begun| begun.plan == plan) {
            change(begun.progress.entry(stage.to_owned()).or_default());
        }
    };
    match entry {
        Entry::Planned { plan, change, stages, children } => {
            begun.push(Begun { plan, change: *change, stages, children, progress: BTreeMap::new() });
        }
        Entry::Asking { plan, stage, at, baseline } => progress(&plan, &stage, &|one| {
            one.asked_at.get_or_insert(at);
            one.baseline.clone_from(&baseline);
        }),
        Entry::Known { plan, stage, system_id, incarnation } => progress(&plan, &stage, &|one| {
            one.system_id = Some(system_id.clone());
            if !incarnation.is_empty() {
                one.incarnation = Some(incarnation.clone());
            }
        }),
        Entry::Done { plan, stage, outputs } => {
            progress(&plan, &stage, &|one| one.outputs = Some(outputs.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::{CreateKeyPair, Subject};

    use super::*;
    use crate::ground::key_pair_request;

    fn planned() -> (Entry, String) {
        let stage = StageSpecification::new("key pair", "x.keyPair", 1, serde_json::json!({"uid": "u"}));
        let subject = Subject { kind: ResourceKind::KeyPair, name: "k".to_owned() };
        let stage = StageSpecification { subject: Some(subject), ..stage };
        let plan = Plan { stages: vec![stage.clone()] };
        let id = plan_id(&plan);
        let asked: CreateKeyPair = key_pair_request("k");
        let change = Box::new(Change::CreateKeyPair(asked));
        (Entry::Planned { plan: id.clone(), change, stages: vec![stage], children: Children::default() }, id)
    }

    /// What is read back of the lines is what the process knew.
    #[test]
    fn lines_are_read_back() {
        let (planned, plan) = planned();
        let stage = || "key pair".to_owned();
        let lines = [
            planned,
            Entry::Asking {
                plan: plan.clone(),
                stage: stage(),
                at: Timestamp::UNIX_EPOCH,
                baseline: Some(vec!["old".to_owned()]),
            },
            Entry::Known {
                plan: plan.clone(),
                stage: stage(),
                system_id: "key-1".to_owned(),
                incarnation: String::new(),
            },
            Entry::Done { plan: "of another file".to_owned(), stage: stage(), outputs: Value::Null },
        ];
        let text: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
        let read = text.iter().map(|line| serde_json::from_str(line).unwrap());
        let journal = Journal::of(read, Arc::new(Forgetful));
        let begun = journal.begun();
        assert_eq!(begun.len(), 1);
        assert!(begun[0].asked() && !begun[0].is_done() && begun[0].creates());
        assert_eq!(begun[0].made(ResourceKind::KeyPair, "k"), Some(("key-1".to_owned(), String::new())));
        assert_eq!(journal.made(), BTreeMap::from([(ResourceKind::KeyPair, 1)]));
        journal.write(Entry::Done { plan, stage: stage(), outputs: Value::Null }).unwrap();
        assert!(journal.begun()[0].is_done());
    }

    /// What cannot be kept is not asked for.
    #[test]
    fn a_line_that_cannot_be_kept_is_an_error() {
        struct Full;
        impl Sink for Full {
            fn keep(&self, _entry: &Entry, _lasting: bool) -> Result<(), String> {
                Err("the disk is full".to_owned())
            }
        }
        let journal = Journal::new(Arc::new(Full));
        let (planned, _) = planned();
        assert_eq!(journal.write(planned).unwrap_err(), "the disk is full");
        assert!(journal.begun().is_empty());
    }
}
