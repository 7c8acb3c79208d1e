//! The one writer. Transactions that wait at the same time share a commit, so that many changes cost one write to the
//! disk.
//!
//! ```text
//! begin, savepoint ─ a change ─ release, savepoint ─ a change ─ … ─ commit ─ everybody hears
//! ```
//! Each change stands behind a savepoint of its own: one that fails takes nothing with it. Acceptances that wait at the
//! same time are one change, and where something is in the way of one of them are tried in halves. Nobody hears of a
//! change, or of a refusal that another change led to, before it is on the disk: a crash before the commit loses what
//! nobody was told of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Executor as _, Pool, Row as _};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot, watch};

use super::{BEGIN_CHANGE, Connection, Db, together};
use crate::{Accept, DatabaseError, Error, KillPoints, Operation, Result, telemetry};

/// Ends a group, with the savepoint of its last change; answers the number of the newest of what was changed. Several
/// statements in one: each that is sent by itself costs two switches of threads.
const COMMIT: &str = "SELECT COALESCE(MAX(sequence), 0) FROM changes; COMMIT";

/// How many changes share a commit.
///
/// A group ends as soon as nobody waits: the time is a bound, not a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// The most changes of one commit; 1: each change has its own.
    pub changes: usize,
    /// How long a group takes changes in.
    pub time: Duration,
}

impl Default for Grouping {
    fn default() -> Self {
        Self { changes: 256, time: Duration::from_millis(5) }
    }
}

/// What is told to a change once the commit of its group is over.
type Committed = std::result::Result<(), DatabaseError>;

/// Something that waits for the writer.
pub(super) enum Request {
    /// A change, for its turn.
    Change { enter: oneshot::Sender<OwnedMutexGuard<Group>>, committed: oneshot::Sender<Committed> },
    /// An acceptance, to be kept with all others that wait.
    Accept(Box<Accepting>),
}

impl Request {
    /// Says that nothing came of it.
    fn fail(self, error: &DatabaseError) {
        match self {
            Self::Change { committed, .. } => drop(committed.send(Err(error.clone()))),
            Self::Accept(accepting) => drop(accepting.tell.send(Err(error.clone()))),
        }
    }
}

/// An acceptance, and who waits for it.
pub(super) struct Accepting {
    accept: Accept,
    tell: oneshot::Sender<std::result::Result<Told, DatabaseError>>,
}

/// What became of an acceptance.
pub(super) enum Told {
    /// It is on the disk.
    Kept(Box<Operation>),
    /// Something is in its way, and it takes a turn of its own to say what.
    InTheWay(Box<Accept>),
}

/// Who hears of the commit.
enum Hears {
    Change(oneshot::Sender<Committed>),
    Accepted(oneshot::Sender<std::result::Result<Told, DatabaseError>>, Box<Operation>),
}

impl Hears {
    fn tell(self, outcome: Committed) {
        // Whoever went away does not want to hear.
        match self {
            Self::Change(tell) => drop(tell.send(outcome)),
            Self::Accepted(tell, operation) => drop(tell.send(outcome.map(|()| Told::Kept(operation)))),
        }
    }
}

/// A change whose turn it is. Given back with [`Turn::end`]; dropped, it changes nothing.
pub(super) struct Turn {
    group: OwnedMutexGuard<Group>,
    committed: oneshot::Receiver<Committed>,
    newest_event: Option<i64>,
}

/// The connection of a group, in the hands of one change after the other.
pub(super) struct Group {
    connection: PoolConnection<Db>,
    /// Whether its transaction has begun.
    begun: bool,
    /// Whether the savepoint of a change that stands is still there.
    open: bool,
    /// Whether the change that had it last is to stand.
    kept: bool,
    /// What the database said to the change that had it last, if it failed by that.
    failed: Option<DatabaseError>,
    newest_event: Option<i64>,
    newest_change: i64,
}

/// The writer's side.
pub(super) struct Writer {
    pub(super) pool: Pool<Db>,
    pub(super) requests: mpsc::UnboundedReceiver<Request>,
    pub(super) grouping: Grouping,
    pub(super) kill_points: Arc<dyn KillPoints>,
    pub(super) newest_event: watch::Sender<i64>,
    pub(super) newest_change: watch::Sender<i64>,
}

/// Waits for the turn of a change.
pub(super) async fn turn(writer: &mpsc::UnboundedSender<Request>) -> Result<Turn> {
    let (enter, entered) = oneshot::channel();
    let (committed, heard) = oneshot::channel();
    writer.send(Request::Change { enter, committed }).map_err(|_| Error::Closed)?;
    match entered.await {
        Ok(group) => Ok(Turn { group, committed: heard, newest_event: None }),
        Err(_) => match heard.await {
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(())) | Err(_) => Err(Error::Closed),
        },
    }
}

/// Has an acceptance kept that looks at nothing but what it brings along.
pub(super) async fn accept(writer: &mpsc::UnboundedSender<Request>, accept: Accept) -> Result<Told> {
    let (tell, told) = oneshot::channel();
    writer.send(Request::Accept(Box::new(Accepting { accept, tell }))).map_err(|_| Error::Closed)?;
    Ok(told.await.map_err(|_| Error::Closed)??)
}

impl Turn {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.group.connection
    }

    /// The event that the change wrote last.
    pub(super) fn wrote_event(&mut self, sequence: i64) {
        self.newest_event = Some(sequence);
    }

    /// Gives the connection back, the change to stand or to be undone, and waits for the commit.
    pub(super) async fn end<T>(mut self, outcome: Result<T>) -> Result<T> {
        self.group.kept = outcome.is_ok();
        if outcome.is_ok() {
            // Sequence numbers of what is undone are given again.
            self.group.newest_event = self.newest_event.or(self.group.newest_event);
        }
        if let Err(Error::Database(error)) = &outcome {
            self.group.failed = Some(error.clone());
        }
        drop(self.group);
        match self.committed.await {
            Ok(Ok(())) => outcome,
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Error::Closed),
        }
    }
}

impl Writer {
    /// Serves changes until nobody can ask any more.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            let mut heard_by = Vec::new();
            let outcome = self.serve(first, &mut heard_by).await;
            for hears in heard_by {
                hears.tell(outcome.clone());
            }
        }
    }

    /// One group, from its first change to its commit.
    async fn serve(&mut self, first: Request, heard_by: &mut Vec<Hears>) -> Committed {
        let connection = match self.pool.acquire().await {
            Ok(connection) => connection,
            Err(error) => {
                let error = DatabaseError::from(error);
                first.fail(&error);
                return Err(error);
            }
        };
        let group = Arc::new(Mutex::new(Group {
            connection,
            begun: false,
            open: false,
            kept: false,
            failed: None,
            newest_event: None,
            newest_change: 0,
        }));
        let outcome = self.fill(first, &group, heard_by).await;
        let mut group = group.lock().await;
        if outcome.is_err() {
            // What failed may have ended the transaction by itself; if not even this can be done, the connection is
            // of no use any more.
            if group.connection.execute("ROLLBACK").await.is_err() && group.connection.ping().await.is_err() {
                group.connection.close_on_drop();
            }
            return outcome;
        }
        // First: whoever hears of an event reads what it changed, and not what was kept in memory before it.
        let newest = group.newest_change;
        self.newest_change.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        if let Some(newest) = group.newest_event {
            self.newest_event.send_modify(|sequence| *sequence = newest.max(*sequence));
        }
        self.kill_points.at("store.group.after").await;
        Ok(())
    }

    async fn fill(
        &mut self,
        first: Request,
        group: &Arc<Mutex<Group>>,
        heard_by: &mut Vec<Hears>,
    ) -> Committed {
        let began = Instant::now();
        let mut next = Some(first);
        while let Some(request) = next.take() {
            match request {
                Request::Change { enter, committed } => {
                    heard_by.push(Hears::Change(committed));
                    let mut lent = Arc::clone(group).lock_owned().await;
                    lent.kept = false;
                    lent.begin_change().await?;
                    // A caller that went away gives it back at once.
                    drop(enter.send(lent));
                    self.take_back(group).await?;
                }
                Request::Accept(first) => {
                    let mut all = vec![*first];
                    while heard_by.len() + all.len() < self.grouping.changes && next.is_none() {
                        match self.requests.try_recv() {
                            Ok(Request::Accept(another)) => all.push(*another),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    let kept = self.accept(all, &mut *group.lock().await, heard_by).await;
                    if let Err(error) = kept {
                        if let Some(request) = next {
                            request.fail(&error);
                        }
                        return Err(error);
                    }
                }
            }
            let full = heard_by.len() >= self.grouping.changes || began.elapsed() >= self.grouping.time;
            if next.is_none() && !full {
                next = self.requests.try_recv().ok();
            }
        }
        self.kill_points.at("store.group.before").await;
        let mut group = group.lock().await;
        let commits = Instant::now();
        let newest = sqlx::query(COMMIT).fetch_all(&mut *group.connection).await?;
        telemetry::committed(heard_by.len(), commits.elapsed());
        // It is on the disk: nothing that comes now may be told as a failure.
        group.newest_change = newest.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
        Ok(())
    }

    /// Keeps acceptances together; where something is in the way, in halves, until it is known of which.
    async fn accept(&self, all: Vec<Accepting>, group: &mut Group, heard_by: &mut Vec<Hears>) -> Committed {
        let mut parts = vec![all];
        while let Some(mut part) = parts.pop() {
            // Who went away before it began wants nothing kept.
            part.retain(|accepting| !accepting.tell.is_closed());
            let (accepts, tell): (Vec<_>, Vec<_>) =
                part.into_iter().map(|accepting| (accepting.accept, accepting.tell)).unzip();
            let again = |(accept, tell)| Accepting { accept, tell };
            match self.keep(&accepts, group).await {
                Ok(Some(operations)) => {
                    let operations = operations.into_iter().map(Box::new);
                    heard_by.extend(
                        tell.into_iter().zip(operations).map(|(tell, kept)| Hears::Accepted(tell, kept)),
                    );
                }
                Ok(None) if accepts.len() > 1 => {
                    let mut first: Vec<_> = accepts.into_iter().zip(tell).map(again).collect();
                    let later = first.split_off(first.len() / 2);
                    parts.extend([later, first]);
                }
                Ok(None) => {
                    for (accept, tell) in accepts.into_iter().zip(tell) {
                        drop(tell.send(Ok(Told::InTheWay(Box::new(accept)))));
                    }
                }
                Err(error) => {
                    let left = accepts.into_iter().zip(tell).map(again).chain(parts.into_iter().flatten());
                    for accepting in left {
                        Request::Accept(Box::new(accepting)).fail(&error);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Keeps all of them, or none where something is in the way of any.
    async fn keep(
        &self,
        accepts: &[Accept],
        group: &mut Group,
    ) -> std::result::Result<Option<Vec<Operation>>, DatabaseError> {
        group.begin_change().await?;
        let kept = together::keep_all(&mut group.connection, accepts).await.unwrap_or_else(|error| {
            if let Error::Database(error) = error {
                group.failed = Some(error);
            }
            None
        });
        let Some(kept) = kept else {
            group.undo_change().await?;
            return Ok(None);
        };
        for _ in accepts {
            self.kill_points.at("store.accept.within").await;
        }
        group.open = true;
        group.newest_event = Some(kept.newest_event);
        Ok(Some(kept.operations))
    }

    /// Waits until the change gives the connection back, and keeps or undoes what it did.
    async fn take_back(&self, group: &Mutex<Group>) -> Committed {
        let mut group = group.lock().await;
        if group.kept {
            group.open = true;
            return Ok(());
        }
        group.undo_change().await
    }
}

impl Group {
    async fn begin_change(&mut self) -> Committed {
        self.failed = None;
        let is_begun = std::mem::replace(&mut self.begun, true);
        let begin = match (is_begun, std::mem::take(&mut self.open)) {
            (false, _) => BEGIN_CHANGE,
            (true, true) => "RELEASE change; SAVEPOINT change",
            (true, false) => "SAVEPOINT change",
        };
        sqlx::query(begin).execute(&mut *self.connection).await?;
        Ok(())
    }

    async fn undo_change(&mut self) -> Committed {
        match self.connection.execute("ROLLBACK TO change; RELEASE change").await {
            Ok(_) => Ok(()),
            // A full disk may end the whole transaction: then that is why, and not that the savepoint is gone.
            Err(error) => Err(self.failed.take().unwrap_or_else(|| error.into())),
        }
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
