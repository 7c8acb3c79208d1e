//! Many clusters at once on the Mock cloud, whose accounts and networks have no bounds. In a long run alone: what it shows
//! of the engine, it shows at the other clouds.

use pmks_mock_tests::MOCK;
use pmks_suites::crowd::{self, Room};

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_all_end_and_stay_within_the_budget() {
    if std::env::var_os("PMKS_LONG").is_some() {
        crowd::run(MOCK, Room { account: 200, network: 100 }).await;
    } else {
        pmks_suites::note_skipped("the crowd of the Mock cloud", "it is tried in long runs alone");
    }
}
