//! Public halves of key pairs. The simulation makes no private keys: `CreateKeyPair` does not exist here.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>. One deviation: the
//! fingerprint of an RSA key is SHA-256 over the blob as of ED25519, not MD5 over DER.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::describe::{Filters, paged};
use super::state::KeyPair;
use super::tags;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

/// The default quota in a region.
const MOST_PAIRS: usize = 5000;

fn not_found(name: &str) -> Error {
    Error::bad("InvalidKeyPair.NotFound", format!("The key pair '{name}' does not exist"))
}

/// `ImportKeyPair`
pub(super) fn import(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("KeyName")?;
    if name.len() > 255 || !name.is_ascii() {
        return Err(Error::invalid("keyName", name));
    }
    let tags = tags::at_creation(query, "key-pair")?;
    let (kind, public_key, fingerprint) = public_half(query.required("PublicKeyMaterial")?)?;
    let pairs = &context.region().ec2.key_pairs;
    if pairs.values().any(|pair| pair.name == name) {
        return Err(Error::bad("InvalidKeyPair.Duplicate", format!("The keypair '{name}' already exists.")));
    }
    if context.effects.quota() || pairs.len() >= MOST_PAIRS {
        return Err(Error::bad("KeyPairLimitExceeded", "The maximum number of key pairs has been reached."));
    }
    let id = context.world.new_id("key");
    let name = name.to_owned();
    let pair = KeyPair { id, name, kind, fingerprint, public_key, tags, created: context.now.wall };
    let answer = Xml::new()
        .text("keyName", &pair.name)
        .text("keyFingerprint", &pair.fingerprint)
        .text("keyPairId", &pair.id)
        .and(&tags::written(&pair.tags));
    context.region_mut().ec2.key_pairs.insert(pair.id.clone(), pair);
    Ok(answer)
}

/// Kind, text and fingerprint of a public key in OpenSSH's form.
fn public_half(material: &str) -> Result<(String, String, String)> {
    let wrong = || Error::bad("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
    let text = String::from_utf8(STANDARD.decode(material).map_err(|_| wrong())?).map_err(|_| wrong())?;
    let mut words = text.split_whitespace();
    let (algorithm, blob) = words.next().zip(words.next()).ok_or_else(wrong)?;
    let kind = match algorithm {
        "ssh-ed25519" => "ed25519",
        "ssh-rsa" => "rsa",
        _ => return Err(wrong()),
    };
    let blob = STANDARD.decode(blob).map_err(|_| wrong())?;
    // The blob begins with the algorithm's name, after its length in four bytes.
    let named = blob.get(4..4 + algorithm.len()).ok_or_else(wrong)?;
    if named != algorithm.as_bytes() {
        return Err(wrong());
    }
    let fingerprint = STANDARD.encode(Sha256::digest(&blob));
    Ok((kind.to_owned(), text.trim().to_owned(), fingerprint))
}

/// `DescribeKeyPairs`
pub(super) fn describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let (names, ids) = (query.list("KeyName"), query.list("KeyPairId"));
    let pairs: Vec<&KeyPair> = context.region().ec2.key_pairs.values().collect();
    if let Some(absent) = names.iter().find(|name| !pairs.iter().any(|pair| pair.name == **name)) {
        return Err(not_found(absent));
    }
    if let Some(absent) = ids.iter().find(|id| !pairs.iter().any(|pair| pair.id == **id)) {
        return Err(not_found(absent));
    }
    let filters = Filters::read(query, &["key-name", "key-pair-id", "fingerprint"])?;
    let with_key = query.flag("IncludePublicKey")?.unwrap_or(false);
    let wanted = pairs.into_iter().filter(|pair| {
        (names.is_empty() || names.contains(&pair.name))
            && (ids.is_empty() || ids.contains(&pair.id))
            && filters.keep(&pair.tags, |filter| {
                vec![match filter {
                    "key-name" => pair.name.clone(),
                    "key-pair-id" => pair.id.clone(),
                    _ => pair.fingerprint.clone(),
                }]
            })
    });
    let written = wanted.map(|pair| {
        let xml = Xml::new()
            .text("keyPairId", &pair.id)
            .text("keyName", &pair.name)
            .text("keyFingerprint", &pair.fingerprint)
            .text("keyType", &pair.kind)
            .maybe("publicKey", with_key.then_some(&pair.public_key))
            .text("createTime", pair.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
            .and(&tags::written(&pair.tags));
        (pair.id.clone(), xml)
    });
    paged(query, "keySet", false, written.collect())
}

/// `DeleteKeyPair`: by name or id; one that does not exist is no error.
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let (name, id) = (query.get("KeyName"), query.get("KeyPairId"));
    if name.is_none() && id.is_none() {
        return Err(Error::missing("keyName"));
    }
    let pairs = &mut context.region_mut().ec2.key_pairs;
    let found = pairs.values().find(|pair| Some(pair.name.as_str()) == name || Some(pair.id.as_str()) == id);
    let found = found.map(|pair| pair.id.clone());
    if let Some(id) = &found {
        pairs.remove(id);
    }
    Ok(Xml::new().text("return", true).maybe("keyPairId", found))
}
