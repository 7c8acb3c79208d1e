//! Bodies of many shapes: what is found in them, and in which words.

use pmks_api::{NewCluster, NewConnection, NewKeyPair, Upgrade};
use serde_json::json;

use super::*;

fn of<T: DeserializeOwned>(body: &str) -> Result<Vec<String>, Vec<String>> {
    let texts = |findings: &Findings| {
        findings.iter().map(|one| format!("{}: {}", one.field, one.says)).collect::<Vec<_>>()
    };
    match read::<T>(body.as_bytes()) {
        Ok(read) => Ok(texts(&read.unreadable)),
        Err(refused) => Err(texts(refused.findings())),
    }
}

fn group(more: &Value) -> Value {
    let mut group = json!({"name": "w", "scaling": {"autoScaling": false, "min": 1, "max": 3, "desired": 2}});
    group.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    group
}

fn cluster(group: &Value) -> String {
    json!({"name": "k", "network": "n", "subnets": ["s"], "nodeGroups": [group]}).to_string()
}

#[test]
fn numbers_that_are_none_are_found_together_and_the_rest_is_read() {
    let scaling = json!({"autoScaling": false, "min": "3", "max": 99_999_999_999_u64, "desired": -1});
    let body = cluster(&group(&json!({"rootDiskSizeGib": null, "scaling": scaling})));
    let body = body.replace("null", "1e3");
    let found = of::<NewCluster>(&body).unwrap();
    assert_eq!(
        found,
        [
            "nodeGroups[0].rootDiskSizeGib: must be a whole number, without a point or an exponent",
            "nodeGroups[0].scaling.desired: must be a whole number of at least 0, not -1",
            "nodeGroups[0].scaling.max: 99999999999 is too large a number",
            "nodeGroups[0].scaling.min: must be a number, not a text",
        ]
    );
    let value = read::<NewCluster>(body.as_bytes()).unwrap().value;
    assert_eq!((value.name.as_str(), value.node_groups.len()), ("k", 1));
    assert_eq!(of::<NewCluster>(&cluster(&group(&json!({})))), Ok(vec![]));
}

#[test]
fn everything_of_another_shape_is_found_together() {
    let wrong = json!({
        "name": 7, "subnets": "s", "colour": "hunter2", "tags": {"a": 1}, "nodeGroups": [["w"], {"name": "x",
        "scaling": [1], "rootDiskSizeGib": -1}], "deletionProtection": "hunter2",
    });
    let mut found = of::<NewCluster>(&wrong.to_string()).unwrap_err();
    found.sort();
    let known = "name, uniqueCloudName, version, network, subnets, securityGroups, nodeGroups, tags, deletionProtection, \
                 options";
    let wanted = [
        &format!("colour: is not known here; known are {known}"),
        "deletionProtection: must be true or false, not a text",
        "name: must be a text, not a number",
        "network: is required",
        "nodeGroups[0]: must be an object, not an array",
        "nodeGroups[1].rootDiskSizeGib: must be a whole number of at least 0, not -1",
        "nodeGroups[1].scaling: must be an object, not an array",
        "subnets: must be an array, not a text",
        "tags.a: must be a text, not a number",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn what_is_no_json_is_said_plainly_and_where_it_is() {
    for (body, wanted) in [
        ("", ": the body is empty: it must be a JSON object"),
        (" ", ": the body ends before its JSON is whole"),
        ("{\"name\": \"a\"", ": the body ends before its JSON is whole"),
        ("{\"name\": \"a", ": the body ends before its JSON is whole"),
        ("{\n\"name\": }", ": the body is no JSON: expected value, at line 2, byte 9"),
        ("{\"name\": \"a\",}", ": the body is no JSON: trailing comma, at line 1, byte 14"),
        ("{} {}", ": something follows the JSON value"),
        ("[]", ": must be an object, not an array"),
        ("null", ": must be an object, not null"),
        ("7", ": must be an object, not a number"),
    ] {
        let found = of::<NewKeyPair>(body).unwrap_err();
        assert_eq!(found.first().map(String::as_str), Some(wanted), "{body:?}: {found:?}");
    }
    let deep = format!("{{\"name\": {}", "[".repeat(100_000));
    assert_eq!(of::<NewKeyPair>(&deep).unwrap_err(), [": the body is nested too deeply"]);
    let broken = of::<NewKeyPair>("{\"name\": \"a\nb\"}").unwrap_err();
    assert!(broken[0].starts_with(": the body is no JSON: control character"), "{broken:?}");
    assert!(!broken[0].contains("byte 0"), "{broken:?}");
}

#[test]
fn what_stands_there_twice_is_named() {
    let found = of::<NewKeyPair>(r#"{"name": "a", "name": "b", "colour": 1}"#).unwrap_err();
    assert_eq!(found[0], "name: is given twice");
    assert!(found[1].starts_with("colour: is not known here"), "{found:?}");
}

#[test]
fn never_quotes_a_credential() {
    for credential in [json!("hunter2"), json!(["hunter2"]), json!(7)] {
        let body = json!({"name": "a", "provider": "aws", "credential": credential, "pace": "hunter2"});
        let found = of::<NewConnection>(&body.to_string()).unwrap_err();
        assert!(found[0].starts_with("credential: must be an object, not a"), "{found:?}");
        assert!(!found.concat().contains("hunter2"), "{found:?}");
    }
    let missing = of::<NewConnection>(r#"{"name": "a", "provider": "aws"}"#).unwrap_err();
    assert_eq!(missing, ["credential: is required"]);
}

#[test]
fn what_fits_none_of_several_shapes_is_named() {
    let found = of::<Upgrade>(r#"{"nodeGroups": 7, "force": "yes"}"#).unwrap_err();
    assert!(found.iter().any(|one| one.starts_with("nodeGroups: ")), "{found:?}");
}
