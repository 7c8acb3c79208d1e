//! Reads: one cluster, and lists, of few and of many, in rounds that take turns with the empty handler.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::StatusCode;
use serde_json::Value;

use crate::caller::{Ask, Caller, Target};
use crate::figures::{Measured, head, milliseconds, target};
use crate::load::{Asks, Server, Until, closed, paced};
use crate::processes::{Pmks, Served};
use crate::stand::{self, HERE};
use crate::{ROUNDS, empty};

const SIZES: [usize; 4] = [1, 100, 1_000, 10_000];
const CALLERS: usize = 16;
const ROUND: Duration = Duration::from_millis(500);

/// A measurement: of how many clusters, what is asked.
struct Measurement {
    size: usize,
    asks: Asks,
    measured: Measured,
}

/// Prints the figures, and those of the servers that they were measured on.
pub(crate) async fn run(pmks: &Pmks, empty: Server<'_>) -> anyhow::Result<()> {
    let (folders, token) = stand::filled(pmks, &SIZES).await?;
    let mut servers = Vec::new();
    for (size, data) in &folders {
        let served = pmks.serve(data)?;
        let target = Target { token: token.clone(), ..served.target.clone() };
        servers.push((*size, served, target));
    }
    let of = |size: usize| {
        let found = servers.iter().find(|(of, ..)| *of == size);
        found.map(|(_, served, target)| Server { target, process: &served.process }).context("no such server")
    };
    let at = |size: usize| of(size).map(|server| server.target);
    let mut all = Vec::new();
    for size in SIZES {
        let asks: Asks =
            Arc::new(move |number| Ask::get(format!("{HERE}/clusters/{}", stand::name(number * 17 % size))));
        all.push(Measurement { size, asks, measured: Measured::new(format!("GET one of {size}")) });
    }
    for (size, page) in [(1, 100), (100, 100), (1_000, 100), (1_000, 1_000), (10_000, 100), (10_000, 1_000)] {
        let asks = pages(at(size)?, page).await?;
        let what = match size.div_ceil(page) {
            1 => format!("LIST of {size}, whole"),
            parts => format!("LIST of {size}, a page of {page} ({parts} are the whole)"),
        };
        all.push(Measurement { size, asks, measured: Measured::new(what) });
    }
    let nothing: Asks = Arc::new(|_| Ask::get(empty::READ));
    let mut unmeasured = Measured::new("the empty handler");
    for _ in 0..ROUNDS {
        for one in &mut all {
            let until = Until::passed(ROUND);
            let beside = closed(empty, CALLERS, until, &nothing, StatusCode::OK).await?;
            let round = closed(of(one.size)?, CALLERS, until, &one.asks, StatusCode::OK).await?;
            unmeasured.add(beside.clone(), beside.clone());
            one.measured.add(round, beside);
        }
    }
    let whole = all.iter().find(|one| one.measured.what == "LIST of 1000, whole").context("no such list")?;
    let ten_a_second = paced(at(1_000)?, 10, 200, &whole.asks, StatusCode::OK).await?;
    head(&format!("reads, {CALLERS} connections"));
    unmeasured.print();
    for one in &all {
        one.measured.print();
    }
    for (size, served, at) in &servers {
        asked_no_cloud(at).await.with_context(|| format!("{size} clusters"))?;
        footprint(*size, served)?;
    }
    let found = |what: &str| {
        all.iter().find(|one| one.measured.what == what).map(|one| &one.measured).context("not measured")
    };
    let (few, many) = (found("GET one of 1")?, found("GET one of 10000")?);
    for what in ["GET one of 1", "GET one of 100", "GET one of 1000", "GET one of 10000"] {
        let ratio = found(what)?.ratio();
        let says = format!("{what}, of the empty handler's rate, at least 40 %");
        target(&says, ratio * 100.0, " %", ratio >= 0.4);
    }
    let flat = many.ratio() / few.ratio();
    target("GET of 10,000 beside GET of 1, at least 90 %", flat * 100.0, " %", flat >= 0.9);
    let rate = found("LIST of 100, whole")?.rate();
    target("LIST of 100, at least 500 a second", rate, " a second", rate >= 500.0);
    let rate = whole.measured.rate();
    target("LIST of 1,000 whole, at least 30 a second", rate, " a second", rate >= 30.0);
    let paged = all.iter().find(|one| one.measured.what.starts_with("LIST of 10000, a page of 100 "));
    let paged = paged.context("no such list")?;
    let of_pages = paced(at(paged.size)?, 100, 1000, &paged.asks, StatusCode::OK).await?;
    let slow = milliseconds(of_pages.at(99));
    target("LIST of 10,000, pages of 100 at 100 a second, p99 under 50 ms", slow, " ms", slow < 50.0);
    let slow = milliseconds(ten_a_second.at(99));
    target("LIST of 1,000 whole at 10 a second, p99 under 100 ms", slow, " ms", slow < 100.0);
    Ok(())
}

/// Every page of the list: where each begins is known once the one before was read.
async fn pages(target: &Target, size: usize) -> anyhow::Result<Asks> {
    let mut caller = Caller::open(target).await?;
    let mut paths = vec![format!("{HERE}/clusters?pageSize={size}")];
    let mut next = paths.first().cloned();
    while let Some(path) = next {
        let page = caller.json(&Ask::get(path)).await?;
        next = page
            .get("nextPageToken")
            .and_then(Value::as_str)
            .map(|token| format!("{HERE}/clusters?pageSize={size}&pageToken={token}"));
        paths.extend(next.clone());
    }
    Ok(Arc::new(move |number| Ask::get(paths.get(number % paths.len()).cloned().unwrap_or_default())))
}

/// What a server with so many clusters costs.
fn footprint(size: usize, served: &Served) -> anyhow::Result<()> {
    let (ready, resident) = (served.ready.as_millis(), served.process.resident()?);
    println!("server of {size} clusters: ready in {ready} ms, {resident:.0} MiB resident after the reads");
    Ok(())
}

/// A refresh beside the reads would be measured with them.
async fn asked_no_cloud(target: &Target) -> anyhow::Result<()> {
    let text = Caller::open(target).await?.text(&Ask::get("/metrics")).await?;
    anyhow::ensure!(
        !text.contains("pmks_refreshes_total{"),
        "the cloud was asked meanwhile: the machine is too slow"
    );
    Ok(())
}
