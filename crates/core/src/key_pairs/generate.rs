//! Makes an SSH key pair. The private half is given back once and kept nowhere.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use pem::{EncodeConfig, LineEnding, Pem};
use secrecy::SecretString;
use ssh_key::public::{KeyData, RsaPublicKey};
use ssh_key::{Mpint, PublicKey};
use tokio::sync::Semaphore;
use yasna::{ASN1Result, parse_der};
use zeroize::Zeroizing;

use crate::Result;
use crate::failure::unexpected;

/// A key pair.
#[derive(Debug)]
pub struct GeneratedKeyPair {
    /// One line in OpenSSH's form: `ssh-rsa AAAA… name`.
    pub public_key: String,
    /// The file that `ssh -i` reads: PKCS #1 as PEM.
    pub private_key: SecretString,
}

/// A new RSA pair of 2048 bits with `name` as its comment. It takes some tenths of a second of a processor.
///
/// RSA is the one kind that the nodes of every cloud take: AKS refuses Ed25519, though Azure's machines know it
/// (<https://github.com/Azure/AKS/issues/4431>). Of this length EC2 makes pairs by itself, and it takes no other below 4096
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>).
///
/// # Errors
/// `Unexpected` where there are no random numbers.
pub fn generate_key_pair(name: &str) -> Result<GeneratedKeyPair> {
    let failed = |what: &str| unexpected(format!("a key pair could not be made: {what}"));
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| failed("no random numbers"))?;
    let key = public_half(pair.public_key().as_ref()).map_err(|error| failed(&error.to_string()))?;
    let key = PublicKey::new(KeyData::Rsa(key), name);
    let public_key = key.to_openssh().map_err(|error| failed(&error.to_string()))?;
    let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed("it cannot be written"))?;
    let private = private_half(document.as_ref()).map_err(|error| failed(&error.to_string()))?;
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let private = Pem::new("RSA PRIVATE KEY", private);
    let private_key = Zeroizing::new(pem::encode_config(&private, lines));
    drop(Zeroizing::new(private.into_contents()));
    Ok(GeneratedKeyPair { public_key, private_key: SecretString::from(private_key.as_str()) })
}

/// Whose turn it is to make a key pair: many at once would leave the processors to nothing else.
static MAKING: Semaphore = Semaphore::const_new(1);

/// The same, once it is its turn, while others go on.
pub(crate) async fn generate_in_turn(name: String) -> Result<GeneratedKeyPair> {
    let _turn = MAKING.acquire().await.map_err(|error| unexpected(error.to_string()))?;
    let made = tokio::task::spawn_blocking(move || generate_key_pair(&name)).await;
    made.map_err(|error| unexpected(error.to_string()))?
}

/// What stands in for a public key where none is made yet, for checks and plans: one of the same form, that is nobody's.
pub(crate) fn stand_in_public_key() -> Result<String> {
    let failed = |error: ssh_key::Error| unexpected(format!("a key pair could not be made: {error}"));
    let n = Mpint::from_positive_bytes(&[0xff; 256]).map_err(failed)?;
    let e = Mpint::from_positive_bytes(&[1, 0, 1]).map_err(failed)?;
    PublicKey::new(KeyData::Rsa(RsaPublicKey { n, e }), "stand-in").to_openssh().map_err(failed)
}

/// What an `RSAPublicKey` of PKCS #1 says.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1>
fn public_half(der: &[u8]) -> ASN1Result<RsaPublicKey> {
    let (n, e) = parse_der(der, |reader| {
        reader.read_sequence(|reader| {
            Ok((reader.next().read_bigint_bytes()?.0, reader.next().read_bigint_bytes()?.0))
        })
    })?;
    let whole = |bytes: &[u8]| {
        Mpint::from_positive_bytes(bytes).map_err(|_| yasna::ASN1Error::new(yasna::ASN1ErrorKind::Invalid))
    };
    Ok(RsaPublicKey { n: whole(&n)?, e: whole(&e)? })
}

/// The `RSAPrivateKey` of PKCS #1 that a document of PKCS #8 holds.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5208#section-5>
fn private_half(der: &[u8]) -> ASN1Result<Vec<u8>> {
    parse_der(der, |reader| {
        reader.read_sequence(|reader| {
            reader.next().read_u8()?;
            reader.next().read_der()?;
            reader.next().read_bytes()
        })
    })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents};
    use pmks_model::{Findings, KeyPairRequest};
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn both_halves_belong_together_and_no_two_pairs_are_alike() {
        let pair = generate_key_pair("mine").unwrap();
        let text = pair.private_key.expose_secret();
        assert!(text.starts_with("-----BEGIN RSA PRIVATE KEY-----\n") && !text.contains('\r'));
        let private = RsaKeyPair::from_der(pem::parse(text).unwrap().contents()).unwrap();
        let mut signature = vec![0; private.public_modulus_len()];
        private.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"mine", &mut signature).unwrap();
        let public = PublicKey::from_openssh(&pair.public_key).unwrap();
        assert_eq!(public.comment(), "mine");
        let public = public.key_data().rsa().unwrap();
        let (n, e) = (public.n.as_positive_bytes().unwrap(), public.e.as_positive_bytes().unwrap());
        let public = RsaPublicKeyComponents { n, e };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, b"mine", &signature).unwrap();
        let mut findings = Findings::default();
        KeyPairRequest {
            name: "mine".into(),
            public_key: pair.public_key.clone(),
            tags: pmks_model::Tags::new(),
        }
        .validate(&mut findings);
        assert!(findings.is_empty(), "{findings}");
        assert_ne!(generate_key_pair("mine").unwrap().public_key, pair.public_key);
    }
}
