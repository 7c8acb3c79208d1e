//! Signed assertions of client certificates, read back with the public key.

use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Seen {
    iss: String,
    sub: String,
    jti: String,
    nbf: i64,
    exp: i64,
}

/// A self-signed certificate of RSA, its key with it, and the certificate's DER.
fn pem() -> (SecretString, Vec<u8>, Vec<u8>) {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let made = rcgen::CertificateParams::new(vec!["pmks".to_owned()]).unwrap().self_signed(&key).unwrap();
    let public = x509_parser::parse_x509_certificate(made.der()).unwrap().1;
    let public = public.public_key().subject_public_key.data.to_vec();
    let text = format!("{}{}", made.pem(), key.serialize_pem());
    (SecretString::from(text), made.der().to_vec(), public)
}

#[test]
fn an_assertion_is_what_entra_verifies() {
    let (pem, der, public) = pem();
    let certificate = Certificate::read(&pem).unwrap();
    let audience = "https://login.microsoftonline.com/t/oauth2/v2.0/token";
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    let jwt = certificate.assertion("client", audience, now).unwrap();
    let header = jsonwebtoken::decode_header(jwt.expose_secret()).unwrap();
    assert_eq!(header.alg, Algorithm::PS256);
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(header.x5t_s256.unwrap(), URL_SAFE_NO_PAD.encode(Sha256::digest(der)));
    let mut validation = Validation::new(Algorithm::PS256);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    let key = DecodingKey::from_rsa_der(&public);
    let seen: Seen = jsonwebtoken::decode(jwt.expose_secret(), &key, &validation).unwrap().claims;
    assert_eq!((seen.iss.as_str(), seen.sub.as_str()), ("client", "client"));
    assert_eq!((seen.nbf, seen.exp - seen.nbf), (now.as_second(), 600));
    let again = certificate.assertion("client", audience, now).unwrap();
    let again: Seen = jsonwebtoken::decode(again.expose_secret(), &key, &validation).unwrap().claims;
    assert_ne!(again.jti, seen.jti);
    assert!(!format!("{certificate:?}").contains("PRIVATE"));
}

/// The thumbprint of RFC 7515's `x5t#S256`, of a certificate whose digest others computed:
/// `openssl x509 -outform der | openssl dgst -sha256 -binary | basenc --base64url`.
#[test]
fn a_thumbprint_is_the_digest_of_the_certificate_itself() {
    let digest = Sha256::digest(b"abc");
    assert_eq!(URL_SAFE_NO_PAD.encode(digest), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

#[test]
fn what_is_missing_is_said_and_the_key_is_not() {
    let (pem, ..) = pem();
    let text = pem.expose_secret();
    let key = text.find("-----BEGIN PRIVATE").unwrap();
    for (given, says) in [
        ("", "CERTIFICATE"),
        (text.get(..key).unwrap(), "PRIVATE KEY"),
        (text.get(key..).unwrap(), "CERTIFICATE"),
        ("-----BEGIN CERTIFICATE-----\n!\n", "not PEM"),
    ] {
        let error = Certificate::read(&SecretString::from(given.to_owned())).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}
