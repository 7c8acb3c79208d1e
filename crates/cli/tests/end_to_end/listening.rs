//! Where a server may listen, and with which certificate.

use std::path::PathBuf;

use crate::sandbox::{Ended, Sandbox, ended, https_get};

/// A certificate for this machine's own names, and its key.
fn certificate(user: &Sandbox, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let certificate = user.write(&format!("{name}.pem"), &made.cert.pem());
    (certificate, user.write(&format!("{name}.key"), &made.signing_key.serialize_pem()))
}

#[test]
fn a_server_speaks_tls_with_the_certificate_that_it_is_given() {
    let user = Sandbox::new();
    let (certificate, key) = certificate(&user, "own");
    let pair = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = user.serve(&pair);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let pem = std::fs::read(&certificate).unwrap();
    assert_eq!(https_get(&format!("{}/healthz", server.url), &pem, None).0, 200);
    assert_eq!(https_get(&format!("{}/v1/providers", server.url), &pem, None).0, 401);
    // The token goes to nobody whose certificate is not trusted.
    let stranger = user.run(&["provider", "list"]);
    assert_eq!(stranger.code, Some(7), "{stranger:?}");
    let trusted = ["--server-ca", certificate.to_str().unwrap(), "provider", "list", "-o", "name"];
    assert!(user.good(&trusted).out.lines().any(|name| name == "aws"));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn commands_find_a_server_that_others_reach_through_a_proxy() {
    let user = Sandbox::new();
    let server = user.serve(&["--external-url", "https://pmks.example.com"]);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    user.good(&["connection", "list"]);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_certificate_of_an_authority_is_named_where_no_client_takes_it() {
    let user = Sandbox::new();
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = user.write("own.pem", &parameters.self_signed(&key).unwrap().pem());
    let key = user.write("own.key", &key.serialize_pem());
    let certificate = certificate.to_str().unwrap();
    let server = user.serve(&["--tls-cert", certificate, "--tls-key", key.to_str().unwrap()]);
    let refused = user.run(&["--server-ca", certificate, "provider", "list"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert!(refused.err.contains("CA:FALSE") && !refused.err.contains("ERROR"), "{refused:?}");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let user = Sandbox::new();
    let ((one, key), (_, other)) = (certificate(&user, "one"), certificate(&user, "other"));
    let (text, nowhere) = (user.write("text", "hello"), user.path("nowhere"));
    let serve = |more: &[&str]| user.run(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
    for (certificate, key, says) in [
        (&one, &other, "the key is not this certificate's"),
        (&text, &key, "the file holds no PEM certificate"),
        (&one, &text, "the key is no PEM private key"),
        (&one, &one, "the key is no PEM private key"),
        (&nowhere, &key, "cannot read"),
        (&one, &nowhere, "cannot read"),
    ] {
        let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        let refused = serve(&["--tls-cert", certificate, "--tls-key", key]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(says) && !refused.err.contains("PRIVATE KEY"), "{says}: {refused:?}");
    }
    assert_eq!(serve(&["--tls-cert", one.to_str().unwrap()]).code, Some(2), "a certificate without its key");
    assert!(!user.path(".local/share/pmks/server.json").exists());
}

#[test]
fn nobody_else_reaches_a_server_that_nobody_can_log_in_to() {
    let user = Sandbox::new();
    // An address that is no machine's: who may listen there fails to, which is another error.
    let serve = |address: &str, login: &[(&str, &str)]| -> Ended {
        let mut command = user.command(&["serve", "--listen", address]);
        command.envs(login.iter().copied());
        ended(command)
    };
    for address in ["0.0.0.0:0", "192.0.2.1:1024", "[::]:0"] {
        let refused = serve(address, &[]);
        assert_eq!(refused.code, Some(2), "{address}: {refused:?}");
        assert!(refused.err.contains("no login is configured"), "{refused:?}");
        assert!(refused.err.contains("PMKS_USERNAME"), "{refused:?}");
    }
    let half = serve("192.0.2.1:1024", &[("PMKS_USERNAME", "admin")]);
    assert_eq!(half.code, Some(2), "{half:?}");
    let administrator = [("PMKS_USERNAME", "admin"), ("PMKS_PASSWORD", "hunter2")];
    let allowed = serve("192.0.2.1:1024", &administrator);
    assert_eq!(allowed.code, Some(7), "{allowed:?}");
    assert!(allowed.err.contains("cannot listen on 192.0.2.1:1024"), "{allowed:?}");
    user.good(&["api-token", "create", "ops", "--role", "admin"]);
    assert_eq!(serve("192.0.2.1:1024", &[]).code, Some(7), "a token is a login");
    user.good(&["api-token", "revoke", "ops"]);
    assert_eq!(serve("192.0.2.1:1024", &[]).code, Some(2), "a token that was taken back is none");
}
