//! `pmks audit list`: as many lines as are wanted, of the times that are wanted.

use crate::sandbox::Sandbox;

#[test]
fn the_audit_is_listed_by_time_and_up_to_a_number() {
    let user = Sandbox::new();
    let server = user.serve(&[]);
    for number in 0..3 {
        user.good(&["api-token", "create", &format!("t{number}"), "--role", "viewer"]);
    }
    let told = |more: &[&str]| {
        let listed = user.json(&[&["audit", "list"], more].concat());
        let lines = listed["items"].as_array().unwrap().clone();
        lines.into_iter().map(|line| line["target"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["API token t2", "API token t1", "API token t0"];
    assert_eq!(told(&[]), all);
    assert_eq!(told(&["--limit", "2"]), all[..2]);
    assert_eq!(told(&["--since", "1h"]), all);
    assert_eq!(told(&["--until", "1h"]), [""; 0]);
    assert_eq!(told(&["--since", "2020-01-31T12:00:00Z", "--until", "2020-02-01T00:00:00Z"]), [""; 0]);
    let wrong = user.run(&["audit", "list", "--since", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("how long ago"), "{wrong:?}");
    let twisted = user.run(&["audit", "list", "--since", "1h", "--until", "2h"]);
    assert_eq!(twisted.code, Some(2), "{twisted:?}");
    assert_eq!(server.terminate(), Some(0));
}
