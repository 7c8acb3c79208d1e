//! The audit log by time and in pages, whatever becomes of the clock.

use super::*;

async fn told(store: &SqliteStore, filter: AuditFilter, most: u32) -> Vec<(i64, String)> {
    let lines = store.audit_log(&filter, most).await.unwrap();
    lines.into_iter().map(|line| (line.sequence, line.entry.target)).collect()
}

fn targets(told: &[(i64, String)]) -> Vec<&str> {
    told.iter().map(|(_, target)| target.as_str()).collect()
}

#[tokio::test]
async fn lines_of_a_time_are_told_the_newest_first_and_page_by_page() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    // The clock is set back before the last one.
    for (seconds, target) in [(10, "a"), (20, "b"), (20, "c"), (30, "d"), (15, "e")] {
        store.audit(AuditEntry { at: at(seconds), target: target.into(), ..audit() }).await.unwrap();
    }
    let all = AuditFilter::default();
    let whole = told(&store, all, 100).await;
    assert_eq!(targets(&whole), ["e", "d", "c", "b", "a"]);
    // From a time on, and before one.
    let between = AuditFilter { since: Some(at(15)), until: Some(at(30)), before: None };
    assert_eq!(targets(&told(&store, between, 100).await), ["e", "c", "b"]);
    // Two lines of one time are on two pages, and each is told once.
    let first = told(&store, between, 2).await;
    assert_eq!(targets(&first), ["e", "c"]);
    store.audit(AuditEntry { at: at(16), target: "late".into(), ..audit() }).await.unwrap();
    let next = AuditFilter { before: Some(first[1].0), ..between };
    assert_eq!(targets(&told(&store, next, 2).await), ["b"]);
    assert_eq!(targets(&told(&store, AuditFilter { since: Some(at(31)), ..all }, 100).await), [""; 0]);
}
