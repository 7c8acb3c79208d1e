//! The demo to its end.

use std::time::Instant;

use crate::sandbox::Sandbox;

#[test]
fn the_demo_leaves_nothing() {
    let user = Sandbox::new();
    let began = Instant::now();
    let ended = user.run(&["demo", "--once", "--speed", "1000"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for says in ["is ready", "Scaling: 2 to 3 nodes", "Upgrading", "What remains at the cloud\n   ✓ nothing"]
    {
        assert!(ended.out.contains(says), "{says}: {}", ended.out);
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    assert!(
        !user.path(".local").exists() && !user.path(".config").exists(),
        "the user's own files are left alone"
    );
}
