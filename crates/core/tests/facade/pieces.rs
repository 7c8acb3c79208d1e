//! Pieces, and the connections that are made of them.

use pmks_core::{Holds, Mutation, Piece, Reference};
use pmks_driver::{Credential, ErrorKind};
use pmks_model::{FailureKind, OperationState};
use pmks_store::PieceKind;

use super::rig::{Rig, create, new_cluster, new_network};

fn piece(name: &str, holds: Holds) -> Piece {
    Piece { name: name.to_owned(), provider: "fake".to_owned(), holds }
}

fn region(region: &str) -> Piece {
    let holds =
        Holds::Region { region: region.to_owned(), zone: String::new(), zones: None, more: Vec::new() };
    piece("region", holds)
}

fn config() -> Piece {
    let [driver, credential, region] = ["driver", "credential", "region"].map(str::to_owned);
    piece("config", Holds::Connection { driver, credential, region })
}

impl Rig {
    async fn put(&self, piece: Piece) -> Result<(), FailureKind> {
        self.pmks.pieces().put(&self.admin, piece, None).await.map_err(|failure| failure.kind)
    }

    async fn put_credential(&self, key: &str) -> Result<(), FailureKind> {
        let values = [("accessKey", key), ("secretKey", "hunter2")];
        let fields = values.map(|(name, _)| name.to_owned()).into();
        let credential = Credential::from_values(values.map(|(name, value)| (name.to_owned(), value.into())));
        let piece = piece("credential", Holds::Credential { fields });
        self.pmks.pieces().put(&self.admin, piece, Some(credential)).await.map_err(|failure| failure.kind)
    }

    /// All that a connection is made of, but for what names them.
    async fn with_pieces() -> Self {
        let rig = Self::empty().await;
        rig.put(piece("driver", Holds::Driver { file: "fake.so".to_owned() })).await.unwrap();
        rig.put_credential("AK1").await.unwrap();
        rig.put(region("r1")).await.unwrap();
        rig
    }

    async fn connections(&self) -> Vec<String> {
        let all = self.pmks.connections().list(&pmks_core::PageRequest::default()).await.unwrap();
        all.items.into_iter().map(|view| format!("{} in {}", view.name, view.region)).collect()
    }
}

#[tokio::test]
async fn what_many_put_at_once_is_one_connection() {
    let rig = Rig::with_pieces().await;
    let puts = (0..8).map(|_| rig.put(config()));
    assert_eq!(futures::future::join_all(puts).await, [Ok(()); 8]);
    assert_eq!(rig.connections().await, ["config in r1"]);
}

#[tokio::test]
async fn a_connection_follows_its_pieces_until_something_is_known_there() {
    let rig = Rig::with_pieces().await;
    rig.put(config()).await.unwrap();
    // Both change it: one after the other, whichever is first.
    let (moved, anew) = futures::join!(rig.put(region("r2")), rig.put_credential("AK1b"));
    assert_eq!((moved, anew), (Ok(()), Ok(())));
    assert_eq!(rig.connections().await, ["config in r2"]);
    rig.done(Mutation::CreateNetwork { connection: "config".into(), network: new_network("net") }).await;
    assert_eq!(rig.put(region("r1")).await, Err(FailureKind::Conflict));
    assert_eq!(rig.put_credential("AK2").await, Err(FailureKind::Conflict), "another account's");
    assert_eq!(rig.put_credential("AK1").await, Ok(()));
    assert_eq!(rig.connections().await, ["config in r2"]);
}

#[tokio::test]
async fn a_piece_that_a_connection_is_made_of_stays() {
    let rig = Rig::with_pieces().await;
    rig.put(config()).await.unwrap();
    let delete = async |kind, name| {
        rig.pmks.pieces().delete(&rig.admin, kind, name).await.map_err(|failure| failure.detail)
    };
    for (kind, name) in
        [(PieceKind::Driver, "driver"), (PieceKind::Credential, "credential"), (PieceKind::Region, "region")]
    {
        let refused = delete(kind, name).await.unwrap_err();
        assert!(refused.contains("is used by connection config"), "{refused}");
    }
    delete(PieceKind::Connection, "config").await.unwrap();
    assert!(rig.connections().await.is_empty());
    delete(PieceKind::Region, "region").await.unwrap();
    delete(PieceKind::Region, "region").await.unwrap();
    assert_eq!(rig.pmks.pieces().list(PieceKind::Region).await.unwrap(), []);
}

#[tokio::test]
async fn a_connection_is_of_its_drivers_provider_whatever_its_row_says() {
    let rig = Rig::with_pieces().await;
    let says = Piece { provider: "another".to_owned(), ..config() };
    rig.put(says.clone()).await.unwrap();
    assert_eq!(rig.connections().await, ["config in r1"]);
    assert_eq!(rig.pmks.connections().get("config").await.unwrap().provider, "fake");
    assert_eq!(rig.pmks.pieces().get(PieceKind::Connection, "config").await.unwrap(), says, "as it was put");
    // A credential of another provider than the driver makes none.
    let stranger =
        Piece { provider: "another".to_owned(), ..piece("other", Holds::Driver { file: "x".into() }) };
    rig.put(stranger).await.unwrap();
    let holds = Holds::Connection {
        driver: "other".to_owned(),
        credential: "credential".to_owned(),
        region: "region".to_owned(),
    };
    rig.put(piece("mixed", holds)).await.unwrap();
    assert_eq!(rig.connections().await, ["config in r1"]);
    let lacking = rig.pmks.pieces().lacking("mixed").await.unwrap().unwrap();
    assert_eq!(lacking.detail, "credential \"credential\" is of fake, and the driver of another");
}

#[tokio::test]
async fn whom_a_credential_acted_for_is_not_kept_beside_another_one() {
    let rig = Rig::with_pieces().await;
    rig.put(config()).await.unwrap();
    rig.cloud.world().hangs.push("account_identity");
    let create = Mutation::CreateNetwork { connection: "config".into(), network: new_network("net") };
    let put = async {
        rig.breathe().await;
        rig.put_credential("AK2").await.unwrap();
        rig.cloud.world().hangs.clear();
    };
    let (refused, ()) = futures::join!(rig.accept(create), put);
    let refused = refused.unwrap_err();
    assert!(refused.detail.contains("was changed while this was asked for"), "{refused}");
    let create = Mutation::CreateNetwork { connection: "config".into(), network: new_network("net") };
    rig.done(create).await;
    let account = rig.pmks.connections().get("config").await.unwrap().account.unwrap().account;
    assert_eq!(account, "fake:2");
}

#[tokio::test]
async fn what_a_connection_made_otherwise_shows_is_its_own() {
    let rig = Rig::with_pieces().await;
    rig.connect("there", "AK1").await;
    let shown = async |kind, name: &str| rig.pmks.pieces().get(kind, name).await.unwrap();
    for kind in [PieceKind::Region, PieceKind::Connection] {
        assert_eq!(rig.put(shown(kind, "there").await).await, Ok(()), "{kind:?}");
    }
    let elsewhere = Piece { name: "there".into(), ..region("r2") };
    assert_eq!(rig.put(elsewhere).await, Err(FailureKind::Conflict));
    let credential = shown(PieceKind::Credential, "there").await;
    let values = [("accessKey".to_owned(), "AK2".to_owned()), ("secretKey".to_owned(), "x".to_owned())];
    let put = rig.pmks.pieces().put(&rig.admin, credential, Some(Credential::from_values(values))).await;
    assert_eq!(put.unwrap_err().kind, FailureKind::Conflict);
    let of_its_own = Holds::Connection {
        driver: "driver".to_owned(),
        credential: "there".to_owned(),
        region: "region".to_owned(),
    };
    assert_eq!(rig.put(piece("other", of_its_own)).await, Err(FailureKind::Conflict));
    assert_eq!(rig.connections().await, ["there in r1"]);
    let stranger = Piece { provider: "another".into(), ..piece("fake", Holds::Driver { file: "x".into() }) };
    assert_eq!(rig.put(stranger).await, Err(FailureKind::Conflict));
    assert_eq!(rig.put(piece("fake", Holds::Driver { file: "x".into() })).await, Ok(()));
}

#[tokio::test]
async fn a_secret_that_the_cloud_refuses_is_what_was_put() {
    let rig = Rig::with_pieces().await;
    rig.put(config()).await.unwrap();
    rig.done(Mutation::CreateNetwork { connection: "config".into(), network: new_network("net") }).await;
    for refusal in [ErrorKind::Unauthenticated, ErrorKind::Forbidden { permission: None }] {
        rig.cloud.world().failures.insert("account_identity".into(), refusal);
        assert_eq!(rig.put_credential("AK1b").await, Err(FailureKind::InvalidRequest));
    }
    rig.cloud.world().failures.insert("account_identity".into(), ErrorKind::Unavailable);
    assert_eq!(rig.put_credential("AK1b").await, Err(FailureKind::Unavailable));
    rig.cloud.world().failures.clear();
    assert_eq!(rig.put_credential("AK1b").await, Ok(()));
}

#[tokio::test]
async fn what_was_never_made_goes_with_its_connection_or_stays_with_it() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask control plane".into(), ErrorKind::QuotaExceeded);
    assert_eq!(rig.run(create(new_cluster("prod"))).await.state, OperationState::Failed);
    rig.cloud.world().failures.clear();
    let unmade = async || rig.pmks.clusters().get("here", "prod", None).await.is_ok();
    let delete = async || {
        let deleted = rig.pmks.pieces().delete(&rig.admin, PieceKind::Connection, "here").await;
        deleted.map_err(|failure| failure.detail)
    };
    let refused = delete().await.unwrap_err();
    assert_eq!(refused, "connection \"here\" is needed by network \"net\"");
    assert!(unmade().await, "nothing went with what stays");
    rig.done(Mutation::DeleteNetwork { connection: "here".into(), network: Reference::name("net") }).await;
    assert_eq!(delete().await, Ok(()));
    assert!(!unmade().await && rig.connections().await.is_empty());
    let times = pmks_core::AuditTimes::default();
    let audit = rig.pmks.audit().list(&rig.admin, times, &pmks_core::PageRequest::default()).await.unwrap();
    let actions: Vec<&str> = audit.items.iter().map(|line| line.action.as_str()).collect();
    for action in ["cluster.forget", "connection.delete"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
}
