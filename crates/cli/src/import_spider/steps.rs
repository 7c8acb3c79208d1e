//! What there is to take over, in an order in which each thing comes after what it needs.

use std::collections::{BTreeMap, BTreeSet};

use pmks_meta_database::{Known, KnownKind, MetaDatabase, RowKind};
use pmks_model::refusal_of_ours;

use super::records::records;
use super::step::{Ending, Here, Key, Standing, Step, What, refusal_of};

/// All of them.
#[derive(Clone)]
pub(super) struct Steps(Vec<Step>);

impl Steps {
    pub(super) fn of(meta: &MetaDatabase) -> Self {
        let mut steps = records(meta);
        // A connection is of its driver's provider, whatever its own row says.
        let provider = |connection: &str| {
            let config = meta.connection_configs.iter().find(|config| config.name == connection);
            let driver =
                config.and_then(|config| meta.drivers.iter().find(|driver| driver.name == config.driver));
            let own = || config.map(|config| config.provider.as_str());
            driver.map(|driver| driver.provider.as_str()).or_else(own).unwrap_or_default()
        };
        for known in &meta.known {
            let of_it = |group: &&Known| {
                known.kind == KnownKind::Cluster
                    && group.kind == KnownKind::NodeGroup
                    && group.connection == known.connection
                    && group.owner == known.name
                    && refusal_of_known(group, meta).is_none()
            };
            let node_groups = meta.known.iter().filter(of_it).cloned().collect();
            let refusal = refusal_of_known(known, meta);
            steps.push(Step::of_known(known, provider(&known.connection), node_groups, refusal));
        }
        for row in &meta.unreadable {
            let what = What::Unreadable(row.why.to_string());
            steps.push(Step::new(row.kind, &row.connection, &row.name, "", what));
        }
        steps.sort_by_key(|step| step.kind);
        Self(steps)
    }

    pub(super) fn all(&self) -> &[Step] {
        &self.0
    }

    pub(super) fn count(&self, standing: Standing) -> usize {
        self.0.iter().filter(|step| step.standing() == standing).count()
    }

    /// The place of the first one that stands so.
    pub(super) fn next(&self, standing: Standing) -> Option<usize> {
        self.0.iter().position(|step| step.standing() == standing)
    }

    /// The one at that place.
    pub(super) fn at(&mut self, place: usize) -> Option<&mut Step> {
        self.0.get_mut(place)
    }

    /// The places of the node groups that come with the cluster at that place.
    pub(super) fn coming_with(&self, place: usize) -> Vec<usize> {
        let Some(key) = self.0.get(place).map(Step::key) else { return Vec::new() };
        let comes = |step: &Step| step.standing() == Standing::Comes && step.hangs_on().contains(&key);
        self.0.iter().enumerate().filter(|(_, step)| comes(step)).map(|(place, _)| place).collect()
    }

    /// The places of all node groups of the cluster at that place, but of those that nothing can be made of.
    pub(super) fn node_groups_of(&self, place: usize) -> Vec<usize> {
        let Some(key) = self.0.get(place).map(Step::key) else { return Vec::new() };
        let is_one =
            |step: &Step| step.kind == RowKind::Known(KnownKind::NodeGroup) && step.hangs_on().contains(&key);
        self.0.iter().enumerate().filter(|(_, step)| is_one(step)).map(|(place, _)| place).collect()
    }

    /// Ends the one at that place.
    pub(super) fn end(&mut self, place: usize, standing: Standing, why: String) {
        if let Some(step) = self.0.get_mut(place) {
            step.end(standing, why);
        }
    }

    /// Takes from what comes with the cluster at that place the node groups for which alone it was refused; whether there
    /// are any: then it can be asked for again.
    pub(super) fn leave_groups(&mut self, place: usize, refused: &[(usize, Ending)]) -> bool {
        let Some(cluster) = self.0.get_mut(place) else { return false };
        let left = cluster.leave_groups(refused);
        for (group, (standing, why)) in &left {
            let is_it = |step: &&mut Step| matches!(&step.what, What::Known { known, .. } if known == group);
            if let Some(step) = self.0.iter_mut().find(is_it) {
                step.end(*standing, why.clone());
            }
        }
        !left.is_empty()
    }

    /// Ends what is wanted after the one at that place, and at its connection, which says why: what came before was told
    /// already.
    pub(super) fn end_connection_of(&mut self, place: usize) {
        let Some(step) = self.0.get(place).filter(|step| !step.connection.is_empty()) else { return };
        let (connection, why) = (step.connection.clone(), format!("as {} {}", step.kind, step.name));
        let is_at = |step: &&mut Step| step.standing() == Standing::Wanted && step.connection == connection;
        for step in self.0.iter_mut().skip(place).filter(is_at) {
            step.end(Standing::Failed, why.clone());
        }
    }

    /// Keeps of what was foreseen what stays true whatever comes before it: how the cloud writes its identifiers, and what
    /// it has no more.
    pub(super) fn learn(&mut self, foreseen: &Self) {
        for (step, ahead) in self.0.iter_mut().zip(&foreseen.0) {
            if let What::Known { known, .. } = &ahead.what {
                step.is_written(&known.csp_id);
            }
            if ahead.standing() == Standing::Gone {
                step.end(Standing::Gone, ahead.why().to_owned());
            }
        }
    }

    /// The one of that name, rather one that can be read.
    pub(super) fn find(&self, kind: RowKind, connection: &str, name: &str) -> Option<&Step> {
        let is_it = |step: &&Step| step.kind == kind && step.connection == connection && step.name == name;
        self.0.iter().filter(is_it).min_by_key(|step| matches!(step.what, What::Unreadable(_)))
    }

    /// What a row is in, as far as rows tell: how that stands, and what it is here, or will be.
    pub(super) fn home(&self, known: &Known, kind: KnownKind) -> Option<(Standing, Option<Here>)> {
        let row = self.find(RowKind::Known(kind), &known.connection, &known.owner)?;
        match row.what {
            What::Known { .. } => Some((row.standing(), row.home())),
            // Something of that name may be here.
            What::Record(_) | What::Unreadable(_) => None,
        }
    }

    /// What was taken over already and is known by that identifier.
    pub(super) fn brought(&self, kind: KnownKind, system_id: &str) -> Option<&Known> {
        let mut taken_over = self.0.iter().filter(|step| step.standing() == Standing::TakenOver);
        taken_over.find_map(|step| match &step.what {
            What::Known { known, .. } if known.kind == kind && known.csp_id == system_id => Some(known),
            _ => None,
        })
    }

    /// What hangs on something that could not be taken over cannot be either, what lies in something that is gone is gone
    /// with it, and node groups share what becomes of their cluster.
    pub(super) fn settle(&mut self) {
        let (mut lost, mut come): (BTreeMap<Key, Standing>, BTreeSet<Key>) = Default::default();
        for step in &mut self.0 {
            if matches!(step.standing(), Standing::Wanted | Standing::Comes) {
                let needed = step.hangs_on();
                if let Some((key, standing)) = needed.iter().find_map(|key| lost.get_key_value(key)) {
                    let (kind, _, name) = key;
                    let (standing, why) = match standing {
                        Standing::Gone => (Standing::Gone, format!("with its {kind} {name}")),
                        _ => (Standing::LeftOut, format!("its {kind} {name} was not taken over")),
                    };
                    step.end(standing, why);
                } else if step.standing() == Standing::Comes && needed.iter().any(|key| come.contains(key)) {
                    step.has_come();
                }
            }
            if step.is_lost() {
                lost.insert(step.key(), step.standing());
            } else if step.standing() == Standing::TakenOver
                && step.kind == RowKind::Known(KnownKind::Cluster)
            {
                come.insert(step.key());
            }
        }
    }
}

/// Why nothing is made of a row: by itself, or for one before it that is of the same thing.
fn refusal_of_known(known: &Known, meta: &MetaDatabase) -> Option<String> {
    refusal_of_row(known).or_else(|| {
        let within = |one: &Known| match one.kind {
            KnownKind::Subnet | KnownKind::NodeGroup => one.owner.clone(),
            _ => String::new(),
        };
        let is_same = |one: &&Known| {
            (one.kind, &one.connection, &one.csp_id) == (known.kind, &known.connection, &known.csp_id)
                && within(one) == within(known)
                && refusal_of_row(one).is_none()
        };
        let first = meta.known.iter().find(is_same)?;
        (first.name != known.name)
            .then(|| format!("the row of {:?} is of the same {}", first.name, known.csp_id))
    })
}

fn refusal_of_row(known: &Known) -> Option<String> {
    let is_told_by_owner = matches!(known.kind, KnownKind::Subnet | KnownKind::NodeGroup);
    let owner = is_told_by_owner.then_some(known.owner.as_str());
    let names = [&*known.connection, &*known.name, &*known.csp_id];
    // What it is called here is judged as the server judges it, which is asked for nothing else by that name.
    refusal_of(&names).or_else(|| refusal_of(owner.as_slice())).or_else(|| refusal_of_ours(&known.name))
}
