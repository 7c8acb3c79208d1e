//! The budget on virtual time: rates, fairness, throttling and recovery, waits that are given up.

use super::*;
use crate::VirtualClock;

/// Longer than a busy machine keeps a test from going on.
const SHORT: Duration = Duration::from_millis(5);

struct Bench {
    clock: VirtualClock,
    gate: Arc<Gate>,
}

fn bench(burst: u32, per_second: f64) -> Bench {
    let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let budget = Budget::new(Arc::new(clock.clone()));
    let key = ("aws", "1".to_owned(), "eks", "eks.ListClusters");
    Bench { gate: budget.gate(key, Bucket::new(burst, per_second)), clock }
}

impl Bench {
    /// Takes so many turns one after the other and says how long that took.
    async fn take(&self, turns: usize) -> Duration {
        let start = self.clock.monotonic();
        self.clock
            .run(SHORT, async {
                for _ in 0..turns {
                    self.gate.acquire(Lane::Live, Duration::from_hours(1)).await.unwrap();
                }
            })
            .await;
        self.clock.monotonic().saturating_sub(start)
    }
}

fn near(left: Duration, right: Duration) -> bool {
    left.abs_diff(right) < Duration::from_millis(50)
}

#[tokio::test]
async fn a_burst_passes_at_once_and_then_the_rate_holds() {
    let bench = bench(5, 2.0);
    assert_eq!(bench.take(5).await, Duration::ZERO);
    let slow = bench.take(6).await;
    assert!(near(slow, Duration::from_secs(3)), "{slow:?}");
    bench.clock.advance(Duration::from_mins(1));
    assert_eq!(bench.take(5).await, Duration::ZERO);
}

#[test]
fn each_account_and_action_has_a_bucket_for_itself() {
    let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let budget = Budget::new(Arc::new(clock));
    let gate =
        |account: &str, action| budget.gate(("aws", account.to_owned(), "eks", action), Bucket::new(1, 1.0));
    assert!(Arc::ptr_eq(&gate("1", "a"), &gate("1", "a")));
    assert!(!Arc::ptr_eq(&gate("1", "a"), &gate("1", "b")));
    assert!(!Arc::ptr_eq(&gate("1", "a"), &gate("2", "a")));
}

#[tokio::test]
async fn what_is_left_and_who_waits_can_be_read_without_the_account() {
    let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let budget = Budget::new(Arc::new(clock));
    let gate = |account: &str| budget.gate(("aws", account.to_owned(), "eks", "a"), Bucket::new(3, 1.0));
    let (one, two) = (gate("1"), gate("2"));
    for _ in 0..3 {
        one.acquire(Lane::Live, Duration::ZERO).await.unwrap();
    }
    two.acquire(Lane::Live, Duration::ZERO).await.unwrap();
    let mut waiting = Box::pin(one.acquire(Lane::Look, Duration::from_mins(1)));
    assert!(futures::poll!(&mut waiting).is_pending());
    let readings = budget.readings();
    assert_eq!(readings.len(), 1, "one for all accounts");
    let BudgetReading { provider, service, action, tokens, waiting: behind, share } = readings[0];
    assert_eq!((provider, service, action, behind), ("aws", "eks", "a", 1));
    assert!(tokens < 1.0 && (share - 1.0).abs() < 1e-9, "{readings:?}");
    one.lower(None);
    assert!((budget.readings()[0].share - 0.5).abs() < 1e-9);
}

#[test]
fn the_most_particular_bucket_is_taken() {
    let buckets = Buckets::new(Bucket::new(1, 1.0))
        .service("eks", Bucket::new(2, 2.0))
        .action("eks.CreateCluster", Bucket::new(3, 3.0));
    assert_eq!(buckets.of("ec2", "ec2.DescribeVpcs").burst, 1);
    assert_eq!(buckets.of("eks", "eks.ListClusters").burst, 2);
    assert_eq!(buckets.of("eks", "eks.CreateCluster").burst, 3);
}

#[tokio::test]
async fn an_ask_does_not_wait_behind_a_hundred_refreshes() {
    let bench = bench(1, 10.0);
    bench.take(1).await;
    let mut refreshes = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let gate = Arc::clone(&bench.gate);
        refreshes.spawn(async move { gate.acquire(Lane::Refresh, Duration::from_hours(1)).await });
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let start = bench.clock.monotonic();
    let asked = bench.gate.acquire(Lane::Ask, Duration::from_secs(1));
    bench.clock.run(Duration::from_millis(20), asked).await.unwrap();
    assert!(bench.clock.monotonic().saturating_sub(start) <= Duration::from_millis(250));
    bench.clock.run(SHORT, async { while refreshes.join_next().await.is_some() {} }).await;
    let all = bench.clock.monotonic().saturating_sub(start);
    assert!(near(all, Duration::from_millis(10_100)), "{all:?}");
}

#[tokio::test]
async fn a_wait_that_would_be_too_long_is_refused_at_once_with_its_length() {
    let bench = bench(1, 0.1);
    bench.take(1).await;
    let refused = bench.gate.acquire(Lane::Live, Duration::from_secs(5)).await.unwrap_err();
    assert!(near(refused, Duration::from_secs(10)), "{refused:?}");
    assert_eq!(bench.clock.next_wake(), None, "nobody may be left waiting");
}

#[tokio::test]
async fn a_wait_given_up_costs_no_token() {
    let bench = bench(1, 1.0);
    bench.take(1).await;
    {
        let mut abandoned = Box::pin(bench.gate.acquire(Lane::Live, Duration::from_mins(1)));
        assert!(futures::poll!(&mut abandoned).is_pending());
    }
    let next = bench.take(1).await;
    assert!(near(next, Duration::from_secs(1)), "{next:?}");
}

#[tokio::test]
async fn throttling_closes_then_slows_and_recovers_over_minutes() {
    let bench = bench(10, 10.0);
    bench.gate.lower(Some(Duration::from_secs(20)));
    bench.gate.lower(None);
    let closed = bench.take(1).await;
    assert!(near(closed, Duration::from_secs(20)), "{closed:?}");
    bench.take(10).await;
    let slowed = bench.take(20).await;
    assert!(slowed > Duration::from_millis(2800) && slowed < Duration::from_millis(4100), "{slowed:?}");
    bench.clock.advance(Duration::from_mins(5));
    bench.take(10).await;
    let whole = bench.take(20).await;
    assert!(near(whole, Duration::from_secs(2)), "{whole:?}");
}

#[tokio::test]
async fn throttled_answers_of_calls_under_way_together_count_once() {
    let bench = bench(10, 10.0);
    for _ in 0..50 {
        bench.gate.lower(None);
    }
    let slowed = bench.take(10).await;
    assert!(slowed < Duration::from_millis(2100), "{slowed:?}");
    for _ in 0..50 {
        bench.clock.advance(Duration::from_secs(2));
        bench.gate.lower(None);
    }
    let least = bench.take(2).await;
    assert!(least < Duration::from_secs(4), "a sixteenth of the rate is left: {least:?}");
}

#[test]
fn a_pump_dropped_with_its_runtime_is_started_again() {
    let bench = bench(1, 1.0);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime().block_on(async {
        bench.take(1).await;
        let mut waiting = Box::pin(bench.gate.acquire(Lane::Live, Duration::from_mins(1)));
        assert!(futures::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    });
    runtime().block_on(bench.take(2));
}

#[tokio::test]
async fn a_pause_that_the_cloud_asks_for_is_shown_and_no_longer_than_five_minutes() {
    let bench = bench(5, 2.0);
    bench.gate.lower(Some(Duration::from_secs(99_999_999_999)));
    bench.clock.advance(Duration::from_mins(4));
    assert!(bench.gate.reading("aws", "eks", "eks.ListClusters").tokens.abs() < ROUNDING);
    let left = bench.gate.acquire(Lane::Live, Duration::from_secs(1)).await.unwrap_err();
    assert!(near(left, Duration::from_mins(1)), "{left:?}");
    bench.clock.advance(Duration::from_mins(1));
    assert_eq!(bench.take(1).await, Duration::ZERO);
}
