//! What is sent for a token, and how long one is kept.

use pmks_transport::SystemClock;

use super::*;

fn house(pairs: &[(&str, &str)]) -> House {
    let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    House {
        transport: Transport::builder(Arc::new(SystemClock)).build(),
        environment: Environment::new(variables),
        installation: "i".to_owned(),
    }
}

fn values(pairs: &[(&str, &str)]) -> Credential {
    Credential::from_values(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn word(origin: Result<Origin>) -> String {
    origin.map_or_else(|error| error.to_string(), |origin| format!("{origin:?}"))
}

#[test]
fn every_form_has_its_origin() {
    let none = house(&[]);
    let (tenant, client) = (("tenantId", "t"), ("clientId", "c"));
    for (credential, expected) in [
        (values(&[tenant, client, ("clientSecret", "hunter2")]), "Secret"),
        (values(&[tenant, client, ("federatedToken", "hunter2")]), "Federated"),
        (
            values(&[tenant, client, ("clientCertificate", "hunter2")]),
            "credential.clientCertificate: holds no CERTIFICATE block",
        ),
    ] {
        let shown = word(Origin::of(&credential, &none));
        assert_eq!(shown, expected);
        assert!(!shown.contains("hunter2"));
    }
}

#[test]
fn an_ambient_connection_takes_what_the_environment_holds() {
    let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
    let with = |more: &[(&str, &str)]| {
        let pairs: Vec<(&str, &str)> = application.iter().chain(more).copied().collect();
        word(Origin::of(&Credential::Ambient, &house(&pairs)))
    };
    assert_eq!(with(&[("AZURE_CLIENT_SECRET", "s"), ("AZURE_FEDERATED_TOKEN_FILE", "/f")]), "Secret");
    assert_eq!(with(&[("AZURE_FEDERATED_TOKEN_FILE", "/f")]), "Federated");
    assert!(with(&[("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere")]).contains("/nowhere"));
    assert_eq!(with(&[]), "Managed");
    let Ok(Origin::Managed { client, service, header }) = Origin::of(&Credential::Ambient, &house(&[]))
    else {
        panic!("no managed identity");
    };
    assert_eq!((client, service.as_str(), header.is_none()), (None, METADATA_SERVICE, true));
    let app_service = [("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"), ("IDENTITY_HEADER", "h")];
    let Ok(Origin::Managed { service, header, .. }) = Origin::of(&Credential::Ambient, &house(&app_service))
    else {
        panic!("no managed identity");
    };
    assert_eq!((service.port(), header.is_some()), (Some(41), true));
}

#[test]
fn a_tenant_cannot_leave_its_place_in_the_path() {
    assert_eq!(
        authority("https://login.microsoftonline.com/", None).token_url("a/../b").path(),
        "/a%2F..%2Fb/oauth2/v2.0/token"
    );
}

fn authority(login: &str, audience: Option<&str>) -> Authority {
    Authority { login: Url::parse(login).unwrap(), audience: audience.map(str::to_owned) }
}

#[test]
fn an_authority_is_asked_in_its_own_way() {
    let usual = "https://management.azure.com";
    let scope = "https://management.azure.com/.default";
    let stack = "https://management.stack.example/0a";
    for (login, audience, url, wanted) in [
        ("https://l.example/", None, "https://l.example/t/oauth2/v2.0/token", ("scope", scope.to_owned())),
        (
            "https://l.example/",
            Some(stack),
            "https://l.example/t/oauth2/v2.0/token",
            ("scope", format!("{stack}/.default")),
        ),
        (
            "https://adfs.stack.example/adfs/",
            Some(stack),
            "https://adfs.stack.example/adfs/oauth2/token",
            ("resource", stack.to_owned()),
        ),
        (
            "http://127.0.0.1:5/ADFS",
            None,
            "http://127.0.0.1:5/ADFS/oauth2/token",
            ("resource", usual.to_owned()),
        ),
    ] {
        let authority = authority(login, audience);
        assert_eq!(authority.token_url("t").as_str(), url);
        assert_eq!(authority.wanted(scope, usual), wanted);
        // What other services' tokens are for, Resource Manager does not say.
        let other = authority.wanted("6dae42f8/.default", usual).1;
        assert_eq!(other.trim_end_matches("/.default"), "6dae42f8");
    }
}
