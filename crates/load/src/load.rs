//! The load: many callers who ask as soon as they are answered, or a fixed number of requests a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::caller::{Ask, Caller, Target};
use crate::processes::Process;

/// What is asked, by the number of the request.
pub(crate) type Asks = Arc<dyn Fn(usize) -> Ask + Send + Sync>;

/// What a round showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// How long each request took, the shortest first.
    pub(crate) took: Vec<Duration>,
    /// How long the round took.
    pub(crate) whole: Duration,
    /// How many bytes all bodies had.
    pub(crate) bytes: usize,
    /// What the server used of the processors.
    pub(crate) used: Duration,
}

impl Round {
    /// Requests a second.
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    pub(crate) fn rate(&self) -> f64 {
        self.took.len() as f64 / self.whole.as_secs_f64().max(1e-9)
    }

    /// How long a request took that so many of a hundred were not slower than.
    pub(crate) fn at(&self, hundredth: usize) -> Duration {
        let index = (self.took.len() * hundredth / 100).min(self.took.len().saturating_sub(1));
        self.took.get(index).copied().unwrap_or_default()
    }
}

/// A server that is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) target: &'a Target,
    pub(crate) process: &'a Process,
}

/// So many callers, each asking anew once it is answered, for that long, or until so many requests were sent.
///
/// # Errors
/// If an answer has another status.
pub(crate) async fn closed(
    server: Server<'_>,
    callers: usize,
    until: Until,
    asks: &Asks,
    expected: StatusCode,
) -> anyhow::Result<Round> {
    let mut open = Vec::new();
    for _ in 0..callers {
        open.push(Caller::open(server.target).await?);
    }
    let used = server.process.used()?;
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let tasks = open.into_iter().map(|mut caller| {
        let (next, asks) = (Arc::clone(&next), Arc::clone(asks));
        tokio::spawn(async move {
            let (mut took, mut bytes) = (Vec::new(), 0);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if began.elapsed() >= until.time || number >= until.requests {
                    return anyhow::Ok((took, bytes));
                }
                let ask = asks(number);
                let asked = Instant::now();
                bytes += caller.drain(&ask, expected).await?;
                took.push(asked.elapsed());
            }
        })
    });
    let ended = futures::future::join_all(tasks.collect::<Vec<_>>()).await;
    let mut round = Round { whole: began.elapsed(), ..Round::default() };
    round.used = server.process.used()?.saturating_sub(used);
    for one in ended {
        let (took, bytes) = one??;
        round.took.extend(took);
        round.bytes += bytes;
    }
    round.took.sort_unstable();
    Ok(round)
}

/// When a round ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    pub(crate) time: Duration,
    pub(crate) requests: usize,
}

impl Until {
    pub(crate) fn passed(time: Duration) -> Self {
        Self { time, requests: usize::MAX }
    }

    pub(crate) fn sent(requests: usize) -> Self {
        Self { time: Duration::from_mins(2), requests }
    }
}

/// So many requests a second, each counted from when it was due: one that waits for the one before it is slow.
///
/// # Errors
/// If an answer has another status.
pub(crate) async fn paced(
    target: &Target,
    a_second: u32,
    count: u32,
    asks: &Asks,
    expected: StatusCode,
) -> anyhow::Result<Round> {
    const CALLERS: u32 = 8;
    let began = tokio::time::Instant::now() + Duration::from_millis(50);
    let mut tasks = Vec::new();
    for first in 0..CALLERS {
        let (mut caller, asks) = (Caller::open(target).await?, Arc::clone(asks));
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for number in (first..count).step_by(CALLERS as usize) {
                let due = began + Duration::from_secs(1) * number / a_second;
                tokio::time::sleep_until(due).await;
                let ask = asks(number as usize);
                caller.drain(&ask, expected).await?;
                took.push(due.elapsed());
            }
            anyhow::Ok(took)
        }));
    }
    let mut round = Round::default();
    for task in tasks {
        round.took.extend(task.await??);
    }
    round.whole = began.elapsed();
    round.took.sort_unstable();
    Ok(round)
}
