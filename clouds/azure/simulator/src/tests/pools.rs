//! Agent pools: added, scaled, autoscaled and removed.

use pmks_simulation::Cloud;
use serde_json::{Value, json};

use super::Rig;

#[test]
fn a_pool_is_added_scaled_and_removed() {
    let rig = Rig::new();
    let path = rig.standing();
    let pool = format!("{path}/agentPools/two");
    let got = rig.ok(
        "PUT",
        &pool,
        json!({"properties": {"count": 1, "vmSize": "standard_d4s_v5", "availabilityZones": ["1", "3"]}}),
    );
    assert_eq!((got.status, got.text("/properties/provisioningState")), (201, "Creating"));
    assert_eq!((got.text("/properties/vmSize"), got.text("/properties/mode")), ("Standard_D4s_v5", "User"));
    rig.advance(200);
    assert_eq!(rig.operation(&got)["status"], "Succeeded");
    let mut body = rig.get(&pool);
    body["properties"]["count"] = 3.into();
    let got = rig.ok("PUT", &pool, body.clone());
    assert_eq!((got.status, got.text("/properties/provisioningState")), (200, "Scaling"));
    rig.advance(121);
    assert_eq!(
        (rig.get(&pool)["properties"]["provisioningState"].as_str(), rig.ids("virtualMachine").len()),
        (Some("Succeeded"), 5)
    );
    body["properties"]["count"] = 0.into();
    rig.ok("PUT", &pool, body);
    rig.advance(121);
    assert_eq!(rig.ids("virtualMachine").len(), 2);
    assert_eq!(rig.ok("DELETE", &pool, Value::Null).status, 202);
    rig.advance(121);
    assert_eq!(rig.refused("GET", &pool, Value::Null).0, 404);
    assert_eq!(rig.call("DELETE", &pool, Value::Null).status, 204);
    assert_eq!(
        rig.refused("PUT", &rig.cluster("none/agentPools/x"), json!({"properties": {"count": 1}})),
        (404, "ParentResourceNotFound".to_owned())
    );
}

#[test]
fn the_last_system_pool_stays() {
    let rig = Rig::new();
    let path = rig.standing();
    let one = format!("{path}/agentPools/one");
    assert_eq!(rig.refused("DELETE", &one, Value::Null), (400, "OperationNotAllowed".to_owned()));
    let mut body = rig.get(&one);
    body["properties"]["mode"] = "User".into();
    assert_eq!(rig.refused("PUT", &one, body).0, 400);
    rig.ok("PUT", &format!("{path}/agentPools/two"), json!({"properties": {"count": 1, "mode": "System"}}));
    rig.advance(200);
    assert_eq!(rig.ok("DELETE", &one, Value::Null).status, 202);
}

#[test]
fn only_the_autoscaler_moves_the_count_while_it_is_on() {
    let rig = Rig::new();
    let path = rig.standing();
    let pool = format!("{path}/agentPools/one");
    let mut body = rig.get(&pool);
    body["properties"]["enableAutoScaling"] = true.into();
    body["properties"]["minCount"] = 1.into();
    body["properties"]["maxCount"] = 5.into();
    let mut both = body.clone();
    both["properties"]["count"] = 4.into();
    let got = rig.call("PUT", &pool, both);
    assert!(
        got.message().contains("Cannot manually scale and enable cluster autoscaler"),
        "{}",
        got.message()
    );
    rig.ok("PUT", &pool, body);
    rig.advance(100);
    let stale = rig.get(&pool);
    rig.cloud.event(&json!({"type": "autoscalerScales", "cluster": "k", "pool": "one", "count": 3})).unwrap();
    assert_eq!(rig.ids("virtualMachine").len(), 3);
    let got = rig.call("PUT", &pool, stale.clone());
    assert_eq!(got.status, 400);
    assert!(got.message().contains("Cannot manually scale AgentPool"), "{}", got.message());
    let tag = stale["properties"]["eTag"].as_str().unwrap().to_owned();
    assert_eq!(rig.put_if("if-match", &tag, &pool, stale).status, 412);
    let mut fresh = rig.get(&pool);
    fresh["properties"]["minCount"] = 4.into();
    rig.ok("PUT", &pool, fresh);
    rig.advance(100);
    assert_eq!(rig.get(&pool)["properties"]["count"], 4, "the autoscaler keeps to its limits");
    assert_eq!(rig.ids("virtualMachine").len(), 4);
    assert!(
        rig.cloud
            .event(&json!({"type": "autoscalerScales", "cluster": "k", "pool": "one", "count": 9}))
            .is_err()
    );
}
