//! Creations that are taken on, and those who listen to what becomes of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::sync::watch;

use crate::caller::{Ask, Caller, Target};
use crate::figures::{Measured, head, milliseconds, target};
use crate::load::{Asks, Round, Server, Until, closed, paced};
use crate::processes::Pmks;
use crate::stand::Stand;
use crate::{ROUNDS, empty};

const CALLERS: usize = 64;
const LISTENERS: usize = 200;
const ROUND: Duration = Duration::from_secs(3);
/// How many are asked for in a round where the cloud is asked first.
const ASKED: usize = 128;
/// What the names of clusters begin with that somebody listens for.
const HEARD: &str = "heard-";
/// How many of those there are, at ten a second.
const TOLD: u32 = 50;

/// Prints the figures.
pub(crate) async fn run(pmks: &Pmks, empty: Server<'_>) -> anyhow::Result<()> {
    let nothing: Asks = Arc::new(|_| Ask::post(empty::WRITE, &json!({"name": "nobody"})));
    // A cloud that stands still, and whose networks are not there at once: one is being made for as long as this takes.
    let waiting = Stand::new(pmks, "waiting", "gcp", "0").await?;
    waiting.network().await?;
    let mut waits = Measured::new("POST of a cluster on a network that is being made");
    for round in 0..ROUNDS {
        let beside = closed(empty, CALLERS, Until::passed(ROUND / 3), &nothing, StatusCode::ACCEPTED).await?;
        let asks = clusters(&waiting, &format!("w{round}-"));
        waits.add(
            closed(waiting.server(), CALLERS, Until::passed(ROUND), &asks, StatusCode::ACCEPTED).await?,
            beside,
        );
    }
    let more = waiting.token("more").await?;
    let names = waiting.cluster(&format!("{HEARD}0"), &["workers"]);
    let targets = [waiting.target.clone(), Target { token: more, ..waiting.target.clone() }];
    let heard = listen(&targets, "/v1/events", &names).await?;
    let idle = listen(
        std::slice::from_ref(empty.target),
        empty::LISTEN,
        &Ask::post(empty::WRITE, &json!({"name": format!("{HEARD}0")})),
    )
    .await?;
    let resident = waiting.served.process.resident()?;
    drop(waiting);

    let mut asked = Measured::new("POST of a cluster on a network that stands: the cloud is asked first");
    let stand = Stand::new(pmks, "standing", "aws", "3000").await?;
    stand.prepared().await?;
    let before = stand.sum("pmks_cloud_calls_total").await?;
    for round in 0..ROUNDS.min(3) {
        let beside = closed(empty, CALLERS, Until::passed(ROUND / 3), &nothing, StatusCode::ACCEPTED).await?;
        let asks = clusters(&stand, &format!("a{round}-"));
        asked.add(
            closed(stand.server(), CALLERS, Until::sent(ASKED), &asks, StatusCode::ACCEPTED).await?,
            beside,
        );
    }
    let calls = stand.sum("pmks_cloud_calls_total").await? - before;
    head(&format!("creations accepted, {CALLERS} connections"));
    waits.print();
    asked.print();
    println!(
        "cloud calls meanwhile, of acceptances and of the operations that were at work by then: {calls:.0}"
    );
    println!(
        "\n{LISTENERS} listeners, {TOLD} clusters asked for at ten a second: from the request to each who hears of it"
    );
    for (what, round) in [("pmks", &heard), ("the empty handler", &idle)] {
        let (median, slow) = (milliseconds(round.at(50)), milliseconds(round.at(99)));
        println!("{what}: {} events heard, median {median:.1} ms, p99 {slow:.1} ms", round.took.len());
    }
    println!("server with its operations and listeners: {resident:.0} MiB resident");
    target("creations accepted, at least 1,000 a second", waits.rate(), " a second", waits.rate() >= 1_000.0);
    let says = "the same where the cloud is asked first";
    target(says, asked.rate(), " a second", asked.rate() >= 1_000.0);
    Ok(())
}

/// Clusters whose names begin so.
fn clusters(stand: &Stand, prefix: &str) -> Asks {
    let (sample, prefix) = (stand.cluster("NAME", &["workers"]), prefix.to_owned());
    let body = String::from_utf8_lossy(&sample.body).into_owned();
    Arc::new(move |number| Ask {
        body: body.replace("NAME", &format!("{prefix}{number}")).into(),
        ..sample.clone()
    })
}

/// How long each of all who listen waits for what is asked for at ten a second.
async fn listen(targets: &[Target], path: &str, sample: &Ask) -> anyhow::Result<Round> {
    let (told, sent) = watch::channel::<Option<Instant>>(None);
    let mut listeners = Vec::new();
    for number in 0..LISTENERS {
        let at = targets.get(number % targets.len()).cloned().unwrap_or_else(|| unreachable!());
        let mut caller = Caller::open(&at).await?;
        let body = caller.answer(&Ask::get(path)).await?.into_body();
        let sent = sent.clone();
        listeners.push(tokio::spawn(async move { hear(body, sent, caller).await }));
    }
    let [first, ..] = targets else { anyhow::bail!("nobody is asked") };
    let (sample, body) = (sample.clone(), String::from_utf8_lossy(&sample.body).into_owned());
    let asks: Asks = Arc::new(move |number| Ask {
        body: body.replace(&format!("{HEARD}0"), &format!("{HEARD}{number}")).into(),
        ..sample.clone()
    });
    told.send_replace(Some(Instant::now() + Duration::from_millis(50)));
    paced(first, 10, TOLD, &asks, StatusCode::ACCEPTED).await?;
    let mut round = Round::default();
    for listener in listeners {
        let heard = tokio::time::timeout(Duration::from_secs(10), listener).await;
        round.took.extend(heard.map_err(|_| anyhow::anyhow!("a listener does not hear of all"))???);
    }
    round.took.sort_unstable();
    Ok(round)
}

/// Reads events until it has heard of all; answers how long after each was due.
async fn hear(
    mut body: hyper::body::Incoming,
    sent: watch::Receiver<Option<Instant>>,
    _open: Caller,
) -> anyhow::Result<Vec<Duration>> {
    let (mut took, mut rest) = (vec![None; TOLD as usize], String::new());
    while took.iter().any(Option::is_none) {
        let Some(frame) = body.frame().await else { anyhow::bail!("the stream has ended") };
        rest.push_str(&String::from_utf8_lossy(frame?.data_ref().unwrap_or(&Bytes::new())));
        let whole = rest.rfind('\n').map_or(0, |end| end + 1);
        let lines: String = rest.drain(..whole).collect();
        let Some(began) = *sent.borrow() else { continue };
        for number in lines.lines().filter_map(named) {
            let due = began + Duration::from_millis(100) * number;
            if let Some(first) = took.get_mut(number as usize) {
                first.get_or_insert(due.elapsed());
            }
        }
    }
    Ok(took.into_iter().flatten().collect())
}

/// The number in the name of the cluster that a line tells of.
fn named(line: &str) -> Option<u32> {
    let (_, after) = line.split_once(HEARD)?;
    after.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}
