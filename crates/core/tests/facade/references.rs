//! A name is no identifier, and an identifier no name, where that is said.

use pmks_core::{ImportResource, Mutation, NetworkView, PageRequest, Reference};
use pmks_model::FailureKind;

use super::rig::{Rig, new_network};
use super::stages::network;

impl Rig {
    async fn made(&self, name: &str) -> NetworkView {
        let mut network = new_network(name);
        network.subnets.clear();
        self.done(Mutation::CreateNetwork { connection: "here".into(), network }).await;
        self.pmks.networks().get("here", name, None).await.unwrap()
    }

    async fn names(&self) -> Vec<String> {
        let all = self.pmks.networks().list("here", &PageRequest::default()).await.unwrap();
        all.items.into_iter().map(|view| view.name).collect()
    }

    /// Two networks, of which the one is called as the other is known at the cloud: the name, and its owner's identifier.
    async fn twisted(&self) -> (String, String) {
        let (first, second) = (self.made("first").await, self.made("second").await);
        let (first, second) = (first.iid.system_id, second.iid.system_id);
        self.pmks.networks().forget(&self.admin, "here", "second").await.unwrap();
        let import = ImportResource { name: first.clone(), system_id: second.clone() };
        self.pmks.networks().import(&self.admin, "here", import).await.unwrap();
        (first, second)
    }
}

fn delete(network: Reference) -> Mutation {
    Mutation::DeleteNetwork { connection: "here".into(), network }
}

#[tokio::test]
async fn a_removal_says_which_one_it_means() {
    let rig = Rig::new().await;
    let (first, second) = rig.twisted().await;
    for lost in [Reference::name(&second), Reference::identifier("first")] {
        let failure = rig.accept(delete(lost.clone())).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound, "{lost}");
    }
    // In another case it is another one's, unless the cloud knows none.
    let failure = rig.accept(delete(Reference::identifier(first.to_uppercase()))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    rig.cloud.world().networks.insert("/g/net".into(), network("/g/net", "", "10.9.0.0/16"));
    let import = ImportResource { name: "slashed".into(), system_id: "/g/net".into() };
    rig.pmks.networks().import(&rig.admin, "here", import).await.unwrap();
    rig.done(delete(Reference::identifier("/G/Net"))).await;
    rig.done(delete(Reference::identifier(&first))).await;
    assert_eq!(rig.names().await, [first.as_str()]);
    assert_eq!(rig.cloud.world().networks.keys().collect::<Vec<_>>(), [&second]);
    rig.done(delete(Reference::name(&first))).await;
    assert!(rig.cloud.world().networks.is_empty());
}

#[tokio::test]
async fn either_is_our_name_first() {
    let rig = Rig::new().await;
    let (first, _) = rig.twisted().await;
    rig.done(delete(first.as_str().into())).await;
    assert_eq!(rig.names().await, ["first"]);
    rig.done(delete(first.as_str().into())).await;
    assert!(rig.names().await.is_empty(), "by its identifier, now that nothing is called so");
}

#[tokio::test]
async fn what_is_forgotten_is_what_was_meant() {
    let rig = Rig::new().await;
    let (first, second) = rig.twisted().await;
    let networks = rig.pmks.networks();
    let failure = networks.forget(&rig.admin, "here", Reference::name(&second)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    networks.forget(&rig.admin, "here", Reference::identifier(&first)).await.unwrap();
    assert_eq!(rig.names().await, [first]);
}

#[tokio::test]
async fn a_subnet_without_a_record_has_an_identifier_and_no_name() {
    let rig = Rig::new().await;
    rig.network().await;
    let id = rig.pmks.subnets().get("here", "net", "sub", None).await.unwrap().iid.system_id;
    rig.pmks.subnets().forget(&rig.admin, "here", "net", "sub").await.unwrap();
    let delete = |subnet| Mutation::DeleteSubnet { connection: "here".into(), network: "net".into(), subnet };
    for lost in [Reference::name(&id), Reference::name("sub"), Reference::identifier("sub")] {
        let failure = rig.accept(delete(lost.clone())).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound, "{lost}");
    }
    rig.done(delete(Reference::identifier(&id))).await;
    assert!(rig.cloud.world().subnets.is_empty());
}
