//! `TagList` and `/tag`, for every kind of resource: of those that take none it is said.

use pmks_model::ResourceKind;
use serde_json::{Value, json};

use super::{CONNECTION, Scene, asks, has_keys};

/// The tags that a creation gives, where the cloud has some for the kind.
pub(super) fn of(scene: &Scene, kind: ResourceKind) -> Value {
    if takes(scene, kind) { json!([{"Key": "team", "Value": "a"}]) } else { json!([]) }
}

fn takes(scene: &Scene, kind: ResourceKind) -> bool {
    scene.under_test.provider().capabilities().takes_tags(kind)
}

/// A creation with tags, of a kind that takes none, makes nothing.
pub(super) async fn refused(scene: &Scene, path: &str, asked: &Value, kind: ResourceKind) {
    if takes(scene, kind) {
        return;
    }
    let mut asked = asked.clone();
    asked["TagList"] = json!([{"Key": "team", "Value": "a"}]);
    scene.refused("POST", path, Some(asks(asked)), 400, "takes no tags").await;
}

/// One more tag, another client that has the same wish, and its end. The tag that was there before stays.
pub(super) async fn change(scene: &Scene, kind: ResourceKind, word: &str, name: &str) {
    let about = json!({"ResourceType": word, "ResourceName": name});
    let query = format!("?ConnectionName={CONNECTION}&ResourceType={word}&ResourceName={name}");
    let mut asked = about.clone();
    asked["Tag"] = json!({"Key": "env", "Value": "test"});
    if !takes(scene, kind) {
        scene.refused("POST", "/tag", Some(asks(asked)), 501, "takes no tags").await;
        return;
    }
    let (tag, path) = (asked["Tag"].clone(), format!("/tag{query}"));
    assert_eq!(scene.post("/tag", asked.clone()).await, tag);
    let says = format!("tag key 'env' already exists for the resource '{name}'");
    scene.refused("POST", "/tag", Some(asks(asked)), 409, &says).await;
    let listed = scene.client.ok("GET", &path, None).await;
    has_keys(&listed, &["tag", "resourceType"]);
    let before = of(scene, kind)[0].clone();
    assert_eq!(listed["tag"], json!([tag, before]), "{word}");
    assert_eq!(scene.client.ok("GET", &format!("/tag/env{query}"), None).await, tag);
    let removed = scene.client.ok("DELETE", "/tag/env", Some(asks(about.clone()))).await;
    assert_eq!(removed, json!({"Result": "true"}));
    let says = format!("tag key 'env' does not exist for the resource '{name}'");
    scene.refused("DELETE", "/tag/env", Some(asks(about)), 404, &says).await;
    assert_eq!(scene.client.ok("GET", &path, None).await["tag"], json!([before]), "{word}");
}
