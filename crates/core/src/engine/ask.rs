//! The ask: written down before and after, sent once, and what each answer means.

use std::time::Duration;

use pmks_driver::{Asked, Change, DriverError, Effect, ErrorKind, Identity, Reaction, StageCalls, reaction};
use pmks_model::{Cluster, ResourceKind, StageState};
use pmks_store::Result;

use super::bounded::bounded;
use super::stage::Turn;
use super::timing::{after, since};

/// How often the thing may change between our read and our write, how often an answer may contradict a look, and how
/// often what failed may be asked to go.
pub(super) const REPEATED: u32 = 5;

/// How often a cloud may call a settled resource busy.
const SETTLED_LOOKS: u32 = 3;

/// How long, at the real cloud's pace, a cloud may take to let go of a network after what was in it is gone.
const HELD: Duration = Duration::from_mins(20);

impl Turn<'_> {
    /// Asks for what is surely absent.
    pub(super) async fn ask(&mut self, calls: &dyn StageCalls) -> Result<()> {
        if self.is_refused_for_no_reason().await {
            let busy = self.notes.busy.take();
            if let Some(failure) = busy {
                self.fail(failure);
                return Ok(());
            }
        }
        // Past its deadline nothing new is begun.
        self.look_again(Duration::ZERO);
        if self.record.state == StageState::Failed {
            return Ok(());
        }
        if !self.token_holds() {
            self.notes.next_generation();
        }
        self.record.token = self.token();
        if self.specification.identity == Identity::Baseline {
            let context = self.context();
            match self.call("baseline", calls.baseline(&context)).await {
                Ok(ids) => self.record.baseline = ids,
                Err(error) => {
                    self.unanswered(&error);
                    return Ok(());
                }
            }
        }
        self.write_asking().await?;
        let context = self.context();
        let answer = self.call("ask", calls.ask(&context)).await;
        match answer {
            Ok(asked) => self.accepted(asked),
            Err(error) => self.not_accepted(&error),
        }
        self.persist().await
    }

    /// Asks for the removal of what an earlier attempt of this operation left failed.
    pub(super) async fn remove_failed(&mut self, calls: &dyn StageCalls, found: DriverError) -> Result<()> {
        self.notes.replacing = true;
        self.notes.removals += 1;
        if self.notes.removals > REPEATED {
            self.notes.unsettled = false;
            self.fail(found.to_failure());
            return self.persist().await;
        }
        "removes what failed before".clone_into(&mut self.record.detail);
        let asked_in = self.notes.asked_in;
        self.write_asking().await?;
        // The thing itself was not asked for in this attempt yet.
        self.notes.asked_in = asked_in;
        let context = self.context();
        match self.call("remove_failed", calls.remove_failed(&context)).await {
            Ok(_) => {
                self.notes.unsettled = false;
                self.doubt(false);
                self.record.state = StageState::Following;
                self.record.handle = None;
                self.look_again(self.poll_wait());
            }
            Err(error) => match (error.kind(), reaction(error.kind(), Effect::Idempotent)) {
                (ErrorKind::Unsupported { .. }, _) => self.not_removed(&found),
                (_, Reaction::Fail) => self.not_removed(&error),
                (_, Reaction::Wait | Reaction::Retry | Reaction::LookFirst) => self.unanswered(&error),
            },
        }
        self.persist().await
    }

    /// What failed stays, and nothing is under way.
    fn not_removed(&mut self, why: &DriverError) {
        self.notes.replacing = false;
        self.notes.unsettled = false;
        self.fail(why.to_failure());
    }

    /// The write without which nothing is sent: from here on the answer may be lost.
    async fn write_asking(&mut self) -> Result<()> {
        let now = self.now();
        self.record.state = StageState::Asking;
        self.record.attempts += 1;
        self.record.asked_at = Some(now);
        self.record.handle = None;
        self.notes.unsettled = true;
        self.doubt(true);
        self.notes.token_since = self.notes.token_since.or(Some(now));
        self.notes.asked_in = self.run.operation.attempt;
        // After a crash nothing is read before everything that was sent has had its time.
        self.notes.due = Some(after(self.run.house.steady(), self.until_certain()));
        self.persist().await
    }

    fn accepted(&mut self, asked: Asked) {
        self.answered();
        self.notes.unsettled = false;
        self.doubt(false);
        self.not_busy();
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        self.record.system_id = given(asked.system_id).or(self.record.system_id.take());
        self.record.incarnation = given(asked.incarnation).or(self.record.incarnation.take());
        self.record.detail = String::new();
        if let Some(outputs) = asked.done {
            return self.done(outputs);
        }
        self.record.state = StageState::Following;
        self.record.handle = asked.handle.map(|handle| handle.0);
        self.look_again(asked.after.unwrap_or_else(|| self.poll_wait()));
    }

    fn not_accepted(&mut self, error: &DriverError) {
        self.record.detail = error.to_string();
        match reaction(error.kind(), self.specification.effect) {
            Reaction::Fail => {
                self.notes.unsettled = false;
                self.fail(error.to_failure());
            }
            Reaction::Wait => self.refused_as_busy(error),
            Reaction::Retry => self.ask_again(error),
            Reaction::LookFirst => self.look_first(error),
        }
    }

    /// The cloud says no more that it is busy: how long it was does not count.
    pub(super) fn not_busy(&mut self) {
        let now = self.forgive_drift();
        if let Some(busy_since) = self.notes.busy_since.take() {
            self.notes.forgive(since(busy_since, now));
        }
        self.notes.busy = None;
        self.notes.settled_looks = 0;
    }

    fn refused_as_busy(&mut self, error: &DriverError) {
        let now = self.forgive_drift();
        self.not_heard();
        self.record.state = StageState::Waiting;
        self.notes.busy_since.get_or_insert(now);
        // Throttling says nothing of the resource.
        self.notes.busy = matches!(error.kind(), ErrorKind::Conflict { .. }).then(|| error.to_failure());
        self.notes.busy_times += 1;
        let wait = error.retry_after().unwrap_or_else(|| self.run.timing.busy(self.notes.busy_times));
        self.look_again(wait);
    }

    /// The cloud took nothing on: what an earlier attempt left failed is still to be asked for in this one.
    fn not_heard(&mut self) {
        self.notes.unsettled = false;
        if self.run.operation.attempt > 1 {
            self.notes.asked_in = self.notes.asked_in.min(self.run.operation.attempt - 1);
        }
    }

    /// Nothing was changed, or asking again changes nothing.
    pub(super) fn ask_again(&mut self, error: &DriverError) {
        self.record.state = StageState::Waiting;
        self.notes.tries += 1;
        if *error.kind() != ErrorKind::Ambiguous {
            // It was answered, or never sent: nothing comes late.
            self.doubt(false);
        }
        match error.kind() {
            ErrorKind::Stale => {
                self.not_heard();
                self.notes.stale += 1;
                if self.notes.stale > REPEATED {
                    return self.fail(error.to_failure());
                }
            }
            // An idempotent ask may have been applied: that matters to whoever stops now.
            _ => self.notes.unsettled = self.specification.effect != Effect::Creates,
        }
        let wait = self.run.timing.backoff(self.notes.tries);
        self.look_again(error.retry_after().unwrap_or(wait));
    }

    /// Nobody knows whether it was applied, or the answer contradicts what was seen.
    fn look_first(&mut self, error: &DriverError) {
        self.notes.tries += 1;
        if *error.kind() != ErrorKind::Ambiguous {
            self.notes.refused += 1;
            if self.notes.refused > REPEATED {
                return self.fail(error.to_failure());
            }
        }
        if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) {
            // It was answered: nothing is under way any more, but the effect may be out of sight.
            self.doubt(false);
        }
        // A newer match outside the baseline may be a stranger's until ours has had the time to appear.
        let wait = match (self.specification.identity, self.notes.certain_at) {
            (Identity::Baseline, Some(certain_at)) => since(self.now(), certain_at),
            _ => self.run.timing.backoff(self.notes.tries),
        };
        self.look_again(wait);
    }

    /// Whether the cloud said busy again and again while the resource is settled.
    async fn is_refused_for_no_reason(&mut self) -> bool {
        if self.notes.busy.is_none() {
            return false;
        }
        self.run.house.at("engine.settled.before").await;
        let settled = self.is_settled().await;
        self.run.house.at("engine.settled.after").await;
        match settled {
            Some(true) => self.notes.settled_looks += 1,
            Some(false) => self.notes.settled_looks = 0,
            None => {}
        }
        self.notes.settled_looks >= SETTLED_LOOKS
    }

    /// Whether the resource is at rest, a cluster with all its node groups; `None` if that cannot be said.
    async fn is_settled(&mut self) -> Option<bool> {
        let Some(cluster) = self.cluster() else { return self.is_there().await };
        let limit = self.run.timing.request_limit() * 4;
        let call = self.run.connected.driver.get_cluster(&cluster);
        let cluster: Cluster =
            bounded(&*self.run.house.clock, limit, self.capabilities(), call).await.ok()?;
        let groups = cluster.node_groups.iter();
        Some(
            cluster.status.is_settled()
                && groups.map(|group| group.status).all(pmks_model::Status::is_settled),
        )
    }

    /// Networks and what belongs to them have no state that a cloud shows: what stands, and was called busy for long,
    /// is held by something that no operation of ours will end.
    async fn is_there(&mut self) -> Option<bool> {
        let run = self.run;
        let Some(Change::DeleteResource(asked)) = run.change.as_ref() else { return None };
        let now = self.forgive_drift();
        let busy = since(self.notes.busy_since?, now);
        if busy < self.run.timing.paced(HELD) {
            return Some(false);
        }
        let (driver, id) = (&self.run.connected.driver, asked.iid.system_id.as_str());
        let limit = self.run.timing.request_limit() * 4;
        let read = async {
            match asked.kind {
                ResourceKind::Network => driver.get_network(id).await.map(drop),
                ResourceKind::Subnet => driver.get_subnet(id).await.map(drop),
                ResourceKind::SecurityGroup => driver.get_security_group(id).await.map(drop),
                _ => driver.get_key_pair(id).await.map(drop),
            }
        };
        bounded(&*self.run.house.clock, limit, self.capabilities(), read).await.ok().map(|()| true)
    }

    /// The cloud's identifier of the cluster that the operation works on, once it has one.
    fn cluster(&self) -> Option<String> {
        let known = match self.run.change.as_ref()? {
            Change::DeleteCluster(asked) => &asked.target,
            Change::UpdateCluster(asked) => &asked.target,
            Change::UpgradeCluster(asked) => &asked.target,
            Change::AddNodeGroup(asked) => &asked.cluster,
            Change::ChangeNodeGroupScaling(asked) => &asked.target.cluster,
            Change::UpgradeNodeGroup(asked) => &asked.target.cluster,
            Change::RemoveNodeGroup(asked) => &asked.target.cluster,
            Change::CreateCluster(_) => return self.cluster_in_the_making(),
            _ => return None,
        };
        Some(known.iid.system_id.clone()).filter(|id| !id.is_empty())
    }

    fn cluster_in_the_making(&self) -> Option<String> {
        let stages = self.run.operation.stages.iter().skip(1);
        stages
            .zip(&self.run.plan)
            .find(|(_, specification)| {
                let subject = specification.subject.as_ref();
                subject.is_some_and(|subject| subject.kind == ResourceKind::Cluster)
            })
            .and_then(|(stage, _)| stage.record.system_id.clone())
            .filter(|id| !id.is_empty())
    }

    /// The cloud's client token: `<operation>-<stage>-<number>` in at most 64 characters of `[A-Za-z0-9-]`.
    fn token(&self) -> String {
        let letters = self.specification.name.chars();
        let name: String = letters
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
            .take(16)
            .collect();
        let operation = self.run.operation.id.simple();
        let number = self.notes.generation;
        format!("{operation}-{name}-{}-{number}", self.index + 1)
    }
}
