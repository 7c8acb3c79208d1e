//! Rules of security groups.

use pmks_core::{Mutation, NewSecurityGroup};
use pmks_model::FailureKind;
use serde_json::json;

use super::networks::group;
use super::rig::{Rig, fields, from};

fn rules(add: &[(i64, &str)], remove: &[(i64, &str)]) -> Mutation {
    let rule = |(port, cidr): &(i64, &str)| {
        from(json!({"direction": "inbound", "protocol": "tcp", "fromPort": port, "cidr": cidr}))
    };
    Mutation::UpdateSecurityGroup {
        connection: "here".into(),
        security_group: "web".into(),
        add: add.iter().map(rule).collect(),
        remove: remove.iter().map(rule).collect(),
    }
}

#[tokio::test]
async fn the_rules_of_a_group_that_stands_change() {
    const ALL: &str = "0.0.0.0/0";
    let rig = Rig::new().await;
    rig.network().await;
    assert_eq!(rig.accept(rules(&[(80, ALL)], &[])).await.unwrap_err().kind, FailureKind::NotFound);
    // One that is still being made is waited for.
    rig.accept(group("web", "net")).await.unwrap();
    rig.done(rules(&[(80, ALL), (443, ALL)], &[(22, "10.0.0.0/8"), (23, ALL)])).await;
    let ports = async || {
        let view = rig.pmks.security_groups().get("here", "web", None).await.unwrap();
        view.rules.iter().filter_map(|rule| rule.from_port).collect::<Vec<_>>()
    };
    assert_eq!(ports().await, [80, 443]);
    rig.done(rules(&[(443, ALL)], &[(80, ALL)])).await;
    assert_eq!(ports().await, [443]);
    for (wrong, found) in [
        (rules(&[], &[]), vec!["add"]),
        (rules(&[(1, ALL), (1, ALL)], &[]), vec!["add[1]"]),
        (rules(&[(1, ALL)], &[(2, ALL), (1, ALL)]), vec!["remove[1]"]),
        (
            rules(&[(1, "10.0.0.1/8")], &[(99_999, "x")]),
            vec!["add[0].cidr", "remove[0].fromPort", "remove[0].cidr"],
        ),
    ] {
        let mut fields: Vec<String> =
            fields(&rig.accept(wrong).await.unwrap_err()).into_iter().map(str::to_owned).collect();
        let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
        fields.sort();
        found.sort();
        assert_eq!(fields, found);
    }
    assert_eq!(ports().await, [443], "what is refused changes nothing");
}

#[tokio::test]
async fn a_group_lets_everything_out_unless_it_names_what_it_lets_out() {
    let rig = Rig::new().await;
    rig.network().await;
    let all = json!({"direction": "outbound", "protocol": "all", "cidr": "0.0.0.0/0"});
    let https = json!({"direction": "outbound", "protocol": "tcp", "fromPort": 443, "cidr": "10.0.0.0/8"});
    let ssh = json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "cidr": "10.0.0.0/8"});
    for (name, asked, has) in [
        ("none", json!([]), json!([all])),
        ("inbound", json!([ssh]), json!([ssh, all])),
        ("outbound", json!([https]), json!([https])),
        ("both", json!([all, https]), json!([all, https])),
    ] {
        let group: NewSecurityGroup = from(json!({"name": name, "network": "net", "rules": asked}));
        let mutation = Mutation::CreateSecurityGroup { connection: "here".into(), security_group: group };
        rig.accept(mutation).await.unwrap();
        // While it is made, and once it is.
        for _ in 0..2 {
            let view = rig.pmks.security_groups().get("here", name, None).await.unwrap();
            assert_eq!(json!(view.rules), has, "{name}");
            rig.settle().await;
        }
    }
}
