//! Clients of CB-Spider that come together, go away, or whose server dies, with the Mock cloud behind.

use pmks_mock_tests::MOCK_AT_ONCE;

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_come_together_or_go_away_make_nothing_twice_and_lose_nothing() {
    pmks_suites::conversation::together::run(MOCK_AT_ONCE, ("mock", "clusters.create")).await;
}
