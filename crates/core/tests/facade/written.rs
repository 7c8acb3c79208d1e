//! What is written of a cluster is kept for whoever reads next, until anything changes that shows in it.

use std::sync::atomic::{AtomicUsize, Ordering};

use pmks_core::{ClusterFilter, ClusterView, Interface, Mutation};
use pmks_driver::ErrorKind;
use serde_json::json;

use super::rig::{Rig, new_network};

/// How often one was written.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);

#[expect(clippy::needless_pass_by_value, reason = "the facade gives it away")]
fn write(view: ClusterView) -> String {
    WRITTEN.fetch_add(1, Ordering::SeqCst);
    format!("{view:?}")
}

/// Reads the list twice, which must say what the views say; answers how often a cluster was written for it.
async fn writes(rig: &Rig) -> usize {
    let before = WRITTEN.load(Ordering::SeqCst);
    let (all, clusters) = (ClusterFilter::default(), rig.pmks.clusters());
    for _ in 0..2 {
        let written = clusters.list_written(Some("here"), &all, Interface::Own, &write).await.unwrap();
        let views = clusters.list(Some("here"), &all).await.unwrap();
        let says: Vec<String> = views.items.iter().map(|view| format!("{view:?}")).collect();
        assert_eq!(written.items.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), says);
        assert_eq!(written.next_page_token, views.next_page_token);
        // In other words, which are kept beside these.
        let other = |view: ClusterView| format!("other {view:?}");
        let others = clusters.list_written(Some("here"), &all, Interface::Spider, &other).await.unwrap();
        assert!(others.items.iter().zip(&says).all(|(other, says)| **other == format!("other {says}")));
    }
    WRITTEN.load(Ordering::SeqCst) - before
}

#[tokio::test]
async fn a_cluster_is_written_once_for_each_change_that_shows_in_it() {
    let rig = Rig::new().await;
    rig.cluster().await;
    writes(&rig).await;
    assert_eq!(writes(&rig).await, 0, "nothing has changed");
    let patch = json!({"tags": {"team": "b"}});
    let (connection, cluster, if_match) = ("here".to_owned(), "prod".to_owned(), "*".to_owned());
    let update = Mutation::UpdateCluster { connection, cluster, patch, if_match };
    rig.accept(update).await.unwrap();
    assert_eq!(writes(&rig).await, 1, "an operation goes on");
    rig.settle().await;
    assert_eq!(writes(&rig).await, 1, "it is over");
    rig.done(Mutation::CreateNetwork { connection: "here".into(), network: new_network("other") }).await;
    assert_eq!(writes(&rig).await, 1, "a name may be another one");
    // Why a refresh failed is no change of anything that is kept.
    rig.cloud.world().failures.insert("list_clusters".into(), ErrorKind::Unavailable);
    rig.advance(600);
    writes(&rig).await;
    rig.breathe().await;
    let shown = rig.get("prod").await.refresh_error;
    assert_eq!((shown.is_some(), writes(&rig).await), (true, 2), "{shown:?}");
    rig.cloud.world().failures.clear();
    rig.advance(600);
    writes(&rig).await;
    rig.breathe().await;
    assert!(rig.get("prod").await.refresh_error.is_none());
}
