//! The service, and the four records: drivers, credentials, regions, connection configs.

use pmks_driver::Credential;
use pmks_model::OperationKind;
use serde_json::{Value, json};

use super::{CONNECTION, Scene, at};

/// Who nobody knows learns nothing, not even which paths there are; what is for everybody is.
pub(super) async fn strangers(scene: &Scene) {
    for user in [None, Some(("spider", "wrong")), Some(("nobody", "pass:word<&>"))] {
        let stranger = scene.client.user(user);
        for path in ["/cluster", "/nowhere", "/connectionconfig"] {
            let answer = stranger.raw("GET", path, None).await;
            assert_eq!(answer.status().as_u16(), 401, "{path}");
            assert!(!answer.headers().contains_key("www-authenticate"), "{path}");
            assert_eq!(answer.text().await.unwrap(), "{\"message\":\"Unauthorized\"}\n", "{path}");
        }
        let (status, ready) = stranger.ask("GET", "/readyz", None).await;
        assert_eq!((status, ready), (200, json!({"message": "CB-Spider is ready"})));
    }
    // A token of pmks is a password, with that token's rights.
    let token = scene.client.user(Some(("anybody", &scene.served.token)));
    assert_eq!(
        token.raw("GET", "/cloudos", None).await.status().as_u16(),
        401,
        "a local token is no API token"
    );
}

pub(super) async fn service(scene: &Scene) {
    let nobody = scene.client.user(None);
    for path in ["/healthcheck", "/health", "/ping", "/readyz", "/readyz/"] {
        assert_eq!(nobody.ok("GET", path, None).await, json!({"message": "CB-Spider is ready"}), "{path}");
    }
    for path in ["/version", "/ver"] {
        assert!(nobody.ok("GET", path, None).await["Version"].as_str().unwrap().starts_with("CB-Spider"));
    }
    for path in ["/api", "/api/index.html", "/api/doc.json", "/endpointinfo"] {
        assert_eq!(nobody.raw("GET", path, None).await.status().as_u16(), 200, "{path}");
    }
    let clouds = [
        "AWS",
        "AZURE",
        "GCP",
        "ALIBABA",
        "TENCENT",
        "IBM",
        "ORACLE",
        "OPENSTACK",
        "NCP",
        "NHN",
        "KT",
        "KTCLASSIC",
        "MOCK",
    ];
    assert_eq!(scene.client.ok("GET", "/cloudos", None).await, json!({"cloudos": clouds}));
    let system = scene.client.ok("GET", "/sysstats/system", None).await;
    assert!(system["LogicalCores"].as_u64().is_some_and(|cores| cores > 0), "{system}");
    let usage = scene.client.ok("GET", "/sysstats/usage", None).await;
    assert!(usage["ProcessMemoryUsed"].as_str().is_some_and(|used| used.ends_with(" GiB")), "{usage}");
    let meta = scene.client.ok("GET", "/cloudos/metainfo/AWS", None).await;
    assert_eq!(meta["CredentialCSP"], json!(["aws_access_key_id", "aws_secret_access_key"]));
    assert_eq!(
        (&meta["RootDiskType"], &meta["RootDiskSize"]),
        (&json!(["standard", "gp2", "gp3"]), &json!([""]))
    );
    assert_eq!(scene.client.ok("GET", "/cloudos/metainfo/NONE", None).await["Region"], Value::Null);
    scene.refused("GET", "/nowhere", None, 404, "Not Found").await;
    scene.refused("PATCH", "/cluster", None, 405, "Method Not Allowed").await;
    scene.refused("GET", "/disk", None, 501, "disk is not supported here").await;
    scene.refused("GET", "/cluster", None, 400, "connectionName is empty!").await;
    scene.refused("GET", "/cluster?ConnectionName=none", None, 404, "none: does not exist!").await;
    let text = scene.client.raw("POST", "/vpc", None).await;
    assert_eq!(text.status().as_u16(), 400);
}

/// Makes them, each twice, as clients do at every start.
pub(super) async fn make(scene: &Scene) {
    let provider = scene.provider();
    let driver =
        json!({"DriverName": "driver-01", "ProviderName": provider, "DriverLibFileName": "x-driver-v1.0.so"});
    let config = json!({
        "ConfigName": CONNECTION, "ProviderName": provider, "DriverName": "driver-01",
        "CredentialName": "credential-01", "RegionName": "region-01",
    });
    // A config may be there before what it names, and is no connection then.
    assert_eq!(scene.client.ok("POST", "/connectionconfig", Some(config.clone())).await, config);
    let lacking = "config-01: driver \"driver-01\" does not exist";
    scene.refused("GET", "/vpc", Some(at()), 404, lacking).await;
    for kind in ["vpc", "subnet", "securitygroup", "keypair", "cluster", "vm"] {
        let count = format!("/count{kind}/{CONNECTION}");
        assert_eq!(scene.client.ok("GET", &count, None).await, json!({"count": 0}), "{kind}");
    }
    let can = format!("/driver/capability?ConnectionName={CONNECTION}");
    assert_eq!(scene.client.ok("GET", &can, None).await["ClusterHandler"], true);
    let lower = json!({
        "drivername": "driver-01", "providername": provider.to_lowercase(), "driverlibfilename": "x-driver-v1.0.so",
    });
    assert_eq!(scene.client.ok("POST", "/driver", Some(lower)).await, driver);
    let (credential, shown) = credential(scene);
    let region = region(scene);
    for (path, body, planned) in [
        ("driver", &driver, &driver),
        ("credential", &credential, &shown),
        ("region", &region, &region),
        ("connectionconfig", &config, &config),
    ] {
        let path = format!("/plan/{path}");
        assert_eq!(scene.client.ok("POST", &path, Some(body.clone())).await, *planned);
    }
    for _ in 0..2 {
        assert_eq!(scene.client.ok("POST", "/credential", Some(credential.clone())).await, shown);
        assert_eq!(scene.client.ok("POST", "/region/", Some(region.clone())).await, region);
    }
    for (path, name, own, one) in [
        ("/driver", "driver", "driver-01", &driver),
        ("/credential", "credential", "credential-01", &shown),
        ("/region", "region", "region-01", &region),
        ("/connectionconfig", "connectionconfig", CONNECTION, &config),
    ] {
        assert_eq!(scene.client.ok("GET", &format!("{path}/{own}"), None).await, *one);
        let listed = scene.client.ok("GET", path, None).await;
        assert_eq!(listed, json!({name: [one]}));
        let of_others = scene.client.ok("GET", &format!("{path}?provider=NHN"), None).await;
        assert_eq!(of_others, json!({name: []}), "{path}");
        scene.refused("GET", &format!("{path}/none"), None, 404, "none: does not exist!").await;
    }
    assert_eq!(scene.client.ok("GET", "/countconnectionconfig", None).await, json!({"count": 1}));
    let of_provider = format!("/countconnectionconfig/{provider}");
    assert_eq!(scene.client.ok("GET", &of_provider, None).await, json!({"count": 1}));
    before_a_connection(scene).await;
    let wrong = json!({
        "CredentialName": "c", "ProviderName": provider, "KeyValueInfoList": [{"Key": "Password", "Value": "x"}],
    });
    scene.refused("POST", "/credential", Some(wrong), 400, "Invalid Key in input arguments.").await;
    // It is one inventory: `/v1`'s client sees the connection, and makes the account's prerequisites by it.
    tokio::task::block_in_place(|| {
        let seen = scene.pmks.json(&["connection", "get", CONNECTION]);
        assert_eq!(seen["provider"], provider.to_lowercase());
        if scene.under_test.provider().capabilities().has(OperationKind::PrerequisiteFix) {
            scene.pmks.succeed(&["connection", "prerequisites", CONNECTION, "--fix", "--yes"]);
        }
    });
    let capability =
        scene.client.ok("GET", &format!("/driver/capability?ConnectionName={CONNECTION}"), None).await;
    assert_eq!((&capability["ClusterHandler"], &capability["VPCHandler"]), (&json!(true), &json!(true)));
    let addressed = scene.under_test.provider().capabilities().network_addresses;
    assert_eq!(capability["VPC_CIDR"], json!(addressed), "{capability}");
    let secret = scene.under_test.secrets(&scene.world.connection("x").credential);
    let all = scene.client.ok("GET", "/credential", None).await.to_string();
    assert!(secret.iter().all(|secret| !all.contains(secret.as_str())));
}

/// Which regions and zones there are, by driver and credential; in the query or the body.
async fn before_a_connection(scene: &Scene) {
    let asked = "DriverName=driver-01&CredentialName=credential-01";
    let here = scene.world.connection("x").region;
    // Where the world answers, its region alone says.
    let all =
        scene.client.ok("GET", &format!("/preconfig/regionzone?{asked}&RegionName=region-01"), None).await;
    let all = all["regionzone"].as_array().expect("a list");
    let zones = |name: &str| {
        let region = all.iter().find(|region| region["Name"] == name)?;
        Some(region["ZoneList"].as_array().expect("a list").len())
    };
    let first = scene.under_test.provider().capabilities().first_region;
    assert!(zones(&here).is_some_and(|number| number > 0), "{here} of {all:?}");
    assert!(zones(first).is_some_and(|number| number > 0), "{first} of {all:?}");
    let body = json!({
        "DriverName": "driver-01", "CredentialName": "credential-01", "RegionName": "region-01",
    });
    let one = scene.client.ok("GET", &format!("/preconfig/regionzone/{first}"), Some(body.clone())).await;
    assert_eq!(Some(&one), all.iter().find(|region| region["Name"] == first));
    let path = "/preconfig/regionzone";
    scene.refused("GET", path, None, 400, "DriverName is empty!").await;
    scene.refused("GET", &format!("{path}/nowhere"), Some(body), 404, "nowhere").await;
    for (wrong, says) in [
        ("DriverName=none&CredentialName=credential-01", "driver \"none\" does not exist"),
        ("DriverName=driver-01&CredentialName=none", "credential \"none\" does not exist"),
        (
            "DriverName=driver-01&CredentialName=credential-01&RegionName=none",
            "region \"none\" does not exist",
        ),
    ] {
        scene.refused("GET", &format!("{path}?{wrong}"), None, 404, says).await;
    }
}

/// The credential that the world offers, by CB-Spider's keys; and how it is shown.
fn credential(scene: &Scene) -> (Value, Value) {
    let capabilities = scene.under_test.provider().capabilities();
    let offered = scene.world.connection("x").credential;
    let form = offered.form(capabilities.credential_forms).expect("a form").expect("values");
    let keys: Vec<(&str, String)> = form
        .fields
        .iter()
        .filter_map(|field| Some((field, offered.get(field.name)?)))
        .map(|(field, value)| {
            (if field.spider.is_empty() { field.name } else { field.spider }, value.to_owned())
        })
        .collect();
    assert!(matches!(offered, Credential::Values(_)) && !keys.is_empty());
    let of = |value: &dyn Fn(&str) -> String| {
        let pairs: Vec<Value> =
            keys.iter().map(|(key, own)| json!({"Key": key, "Value": value(own)})).collect();
        json!({"CredentialName": "credential-01", "ProviderName": scene.provider(), "KeyValueInfoList": pairs})
    };
    (of(&|own| own.to_owned()), of(&|_| "Hidden for security.".to_owned()))
}

/// The world's region, and where it answers.
fn region(scene: &Scene) -> Value {
    let here = scene.world.connection("x");
    let mut pairs = vec![json!({"Key": "Region", "Value": here.region})];
    pairs.extend(here.zone.iter().map(|zone| json!({"Key": "Zone", "Value": zone})));
    pairs.push(json!({"Key": "endpoints.all", "Value": scene.world.url()}));
    pairs.push(json!({"Key": "pace", "Value": here.pace.to_string()}));
    json!({
        "RegionName": "region-01", "ProviderName": scene.provider(), "KeyValueInfoList": pairs,
        "AvailableZoneList": [],
    })
}

/// In the order in which clients remove them; a piece in use stays.
pub(super) async fn remove(scene: &Scene) {
    scene.refused("DELETE", "/region/region-01", None, 409, "is used by connection config-01").await;
    for path in
        ["/connectionconfig/config-01", "/region/region-01", "/credential/credential-01", "/driver/driver-01"]
    {
        for _ in 0..2 {
            scene.delete(path).await;
        }
    }
    assert_eq!(scene.client.ok("GET", "/connectionconfig", None).await, json!({"connectionconfig": []}));
    let left = tokio::task::block_in_place(|| scene.pmks.json(&["connection", "list"]));
    assert_eq!(left["items"], json!([]));
}
