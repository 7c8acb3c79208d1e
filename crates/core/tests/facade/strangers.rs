//! What of the cloud is nobody's: not what an operation under way may have made.

use std::time::Duration;

use pmks_core::{Mutation, NewKeyPair, NewSecurityGroup, NewSubnet, OperationView};
use serde_json::json;

use super::rig::{Rig, create, from, new_cluster, new_network};

/// Everything that has a list of the cloud's own, made again under its name.
fn creations() -> Vec<Mutation> {
    let connection = || "here".to_owned();
    let group: NewSecurityGroup = from(json!({"name": "group", "network": "net", "rules": []}));
    vec![
        create(new_cluster("prod")),
        Mutation::CreateNetwork { connection: connection(), network: new_network("other") },
        Mutation::CreateSecurityGroup { connection: connection(), security_group: group },
        Mutation::CreateKeyPair {
            connection: connection(),
            key_pair: NewKeyPair { name: "key".into(), ..NewKeyPair::default() },
        },
    ]
}

impl Rig {
    async fn strangers(&self) -> [usize; 4] {
        [
            self.pmks.clusters().sides("here").await.unwrap().strangers.len(),
            self.pmks.networks().sides("here").await.unwrap().strangers.len(),
            self.pmks.security_groups().sides("here").await.unwrap().strangers.len(),
            self.pmks.key_pairs().sides("here").await.unwrap().strangers.len(),
        ]
    }

    /// The cloud has everything, and nobody knows of it.
    async fn forgotten(&self) {
        self.network().await;
        for creation in creations() {
            self.done(creation).await;
        }
        self.pmks.clusters().forget(&self.admin, "here", "prod", false).await.unwrap();
        self.pmks.networks().forget(&self.admin, "here", "other").await.unwrap();
        self.pmks.security_groups().forget(&self.admin, "here", "group").await.unwrap();
        self.pmks.key_pairs().forget(&self.admin, "here", "key").await.unwrap();
    }
}

#[tokio::test]
async fn what_an_operation_under_way_may_have_made_is_no_strangers() {
    let rig = Rig::new().await;
    rig.forgotten().await;
    assert_eq!(rig.strangers().await, [1; 4]);
    let mut under_way: Vec<OperationView> = Vec::new();
    for creation in creations() {
        under_way.push(rig.accept(creation).await.unwrap());
    }
    assert_eq!(rig.strangers().await, [0; 4]);
    // Of what nobody makes any more the cloud's are strangers again.
    for operation in under_way {
        rig.pmks.operations().cancel(&rig.admin, &operation.id.to_string()).await.unwrap();
    }
    assert_eq!(rig.strangers().await, [1; 4]);
}

#[tokio::test]
async fn a_subnet_that_is_being_made_is_shown_once() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.pmks.subnets().forget(&rig.admin, "here", "net", "sub").await.unwrap();
    rig.cloud.world().subnets.values_mut().for_each(|subnet| subnet.iid.name_id = "sub".to_owned());
    let names = async || {
        let network = rig.pmks.networks().get("here", "net", Some(Duration::ZERO)).await.unwrap();
        network.subnets.into_iter().map(|subnet| (subnet.name, subnet.uid.is_empty())).collect::<Vec<_>>()
    };
    assert_eq!(names().await, [("subnet-0002".to_owned(), true)], "a stranger, by its identifier");
    let subnet: NewSubnet = from(json!({"name": "sub", "cidr": "10.0.2.0/24"}));
    rig.accept(Mutation::CreateSubnet { connection: "here".into(), network: "net".into(), subnet })
        .await
        .unwrap();
    assert_eq!(names().await, [("sub".to_owned(), false)]);
}
