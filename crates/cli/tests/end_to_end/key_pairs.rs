//! The private half of a key pair is answered once: it is lost nowhere, and nobody is told that it is where it is not.

use serde_json::json;

use crate::sandbox::Sandbox;

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_is_made() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let before = simulator.world.everything();
    let create = |name: &str, file: &str| user.run(&["-c", "a", "key-pair", "create", name, "--save", file]);
    user.write("taken", "mine");
    for file in ["nowhere/k", "taken", "."] {
        let refused = create("k", file);
        assert_eq!(refused.code, Some(2), "{file}: {refused:?}");
    }
    assert_eq!(simulator.world.everything(), before);
    assert_eq!(std::fs::read_to_string(user.path("taken")).unwrap(), "mine");
    assert!(user.json(&["-c", "a", "key-pair", "list"])["items"].as_array().unwrap().is_empty());
    assert!(
        user.json(&["operation", "list", "--kind", "keyPair.create"])["items"].as_array().unwrap().is_empty()
    );

    assert_eq!(create("", "k").code, Some(2));
    assert!(!user.path("k").exists(), "nothing came of it");
    user.good(&["-c", "a", "key-pair", "create", "k", "--save", "k", "--plan"]);
    assert!(!user.path("k").exists(), "a plan leaves nothing");
    assert_eq!(create("k", "k").code, Some(0));
    assert!(std::fs::read_to_string(user.path("k")).unwrap().contains("PRIVATE KEY"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(user.path("k")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_repeated_request_says_that_its_private_key_was_shown_before() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let create = |file: &str, more: &[&str]| {
        let create = ["-c", "a", "key-pair", "create", "k", "--idempotency-key", "x", "--save", file];
        user.run(&[&create[..], more].concat())
    };
    let first = create("first", &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    for more in [&[][..], &["-o", "json"]] {
        let again = create("again", more);
        assert_eq!(again.code, Some(4), "{again:?}");
        assert!(again.err.contains("shown once then, and is in no later answer"), "{again:?}");
        assert!(!user.path("again").exists(), "no empty file stays");
    }
    assert_eq!(simulator.world.resources("keyPair").len(), 1);
}

#[test]
fn the_private_key_of_a_pair_that_was_not_made_is_given_to_nobody() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    simulator.world.faults(&json!([
        {"match": {"service": "ec2", "action": "ImportKeyPair"},
         "effect": {"type": "status", "status": 400, "code": "KeyPairLimitExceeded"}},
    ]));
    let create =
        |name: &str, more: &[&str]| user.run(&[&["-c", "a", "key-pair", "create", name][..], more].concat());
    let refused = |name: &str, more: &[&str]| {
        let ended = create(name, more);
        assert_eq!(ended.code, Some(6), "{more:?}: {ended:?}");
        assert!(!ended.out.contains("PRIVATE KEY"), "{more:?}: {ended:?}");
        assert!(!user.path("k").exists(), "{more:?}");
    };
    refused("a", &[]);
    refused("b", &["-o", "json"]);
    refused("c", &["--save", "k"]);
    let _server = user.serve(&[]);
    refused("d", &["--no-wait"]);

    simulator.world.faults(&json!([]));
    for (name, more) in [("e", &[][..]), ("f", &["--no-wait"])] {
        let made = create(name, more);
        assert_eq!(made.code, Some(0), "{more:?}: {made:?}");
        assert!(made.out.contains("PRIVATE KEY"), "{more:?}: {made:?}");
    }
    let made = user.json(&["-c", "a", "key-pair", "create", "g"]);
    assert!(made["privateKey"].as_str().unwrap().contains("PRIVATE KEY"), "{made}");
    assert_eq!(made["operation"]["state"], "succeeded", "{made}");
}
