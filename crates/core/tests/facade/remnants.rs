//! What the creation of a node group made before the group itself was refused.

use pmks_core::{Mutation, NewNodeGroup, OperationView};
use pmks_driver::ErrorKind;
use pmks_model::{FailureKind, OperationState};
use serde_json::json;

use super::rig::{Rig, create, from, new_cluster};

const TEMPLATE: &str = "template tpl-0003";

fn add() -> Mutation {
    let scaling = json!({"autoScaling": false, "min": 1, "max": 3, "desired": 1});
    let node_group: NewNodeGroup = from(json!({"name": "own", "scaling": scaling}));
    Mutation::AddNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group }
}

fn remove(name: &str) -> Mutation {
    Mutation::RemoveNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group: name.into() }
}

fn left(ended: &OperationView) -> Vec<String> {
    ended.remains.iter().map(|left| format!("{} {}", left.kind, left.system_id)).collect()
}

impl Rig {
    fn refuses(&self, call: &str) {
        self.cloud.world().failures.insert(call.into(), ErrorKind::Forbidden { permission: None });
    }

    /// A cluster to which a node group could not be added, whose template was made.
    async fn with_remnant() -> Self {
        let rig = Self::new().await;
        rig.cluster().await;
        rig.cloud.world().makes_templates = true;
        rig.refuses("ask node group");
        let failed = rig.run(add()).await;
        assert_eq!((failed.state, left(&failed)), (OperationState::Failed, vec![TEMPLATE.to_owned()]));
        rig.cloud.world().failures.clear();
        rig
    }

    fn stands(&self, group: &str) -> bool {
        let world = self.cloud.world();
        let cluster = world.clusters.get("prod");
        cluster.is_some_and(|cluster| cluster.node_groups.iter().any(|one| one.iid.system_id == group))
    }
}

#[tokio::test]
async fn what_was_made_for_a_node_group_goes_with_the_record_of_the_group() {
    let rig = Rig::with_remnant().await;
    let removal = "removal of template tpl-0003";
    let plan = rig.pmks.plan(&rig.admin, remove("own")).await.unwrap();
    assert_eq!(plan.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(), [removal]);
    rig.refuses(&format!("ask {removal}"));
    let failed = rig.run(remove("own")).await;
    assert_eq!((failed.state, left(&failed)), (OperationState::Failed, vec![TEMPLATE.to_owned()]));
    assert!(failed.remains[0].reason.contains("scripted"), "{failed:#?}");
    rig.cloud.world().failures.clear();
    let done = rig.done(remove("own")).await;
    assert!(done.remains.is_empty() && rig.cloud.world().templates.is_empty(), "{done:#?}");
    assert_eq!(rig.get("prod").await.node_groups.len(), 1);
}

#[tokio::test]
async fn what_nobody_can_remove_is_named_and_its_record_stays() {
    let rig = Rig::with_remnant().await;
    rig.cloud.world().keeps_templates = true;
    let refused = rig.accept(remove("own")).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Precondition);
    assert!(refused.detail.contains(TEMPLATE), "{refused}");
    // As the operation finds it, where the cloud had not answered before.
    rig.cloud.world().failures.insert("remove made".into(), ErrorKind::Unavailable);
    let removal = rig.accept(remove("own")).await.unwrap();
    rig.cloud.world().failures.clear();
    rig.settle().await;
    let failed = rig.operation(&removal).await;
    assert_eq!((failed.state, left(&failed)), (OperationState::Failed, vec![TEMPLATE.to_owned()]));
    assert_eq!(rig.get("prod").await.node_groups.len(), 2);
}

#[tokio::test]
async fn what_a_clusters_creation_made_for_one_group_goes_with_that_one_alone() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().makes_templates = true;
    let mut asked = new_cluster("prod");
    let mut other = asked.node_groups[0].clone();
    other.name = "other".into();
    asked.node_groups.push(other);
    rig.refuses("ask node group workers");
    assert_eq!(rig.run(create(asked)).await.state, OperationState::Failed);
    rig.cloud.world().failures.clear();
    assert_eq!(rig.cloud.world().templates.len(), 2);
    rig.done(remove("workers")).await;
    assert_eq!(rig.cloud.world().templates.len(), 1);
    assert!(rig.stands("other"));
    // What was removed once is looked at, and not removed again.
    rig.refuses("ask node group");
    rig.cloud.world().makes_templates = false;
    let mut again = add();
    if let Mutation::AddNodeGroup { node_group, .. } = &mut again {
        node_group.name = "workers".into();
    }
    rig.run(again).await;
    rig.done(remove("workers")).await;
    assert!(rig.stands("other"));
}
