//! What tells a network, security group or key pair from a later one of its name, where Azure tells anything. Asks nothing.

use crate::arm_id::is_uuid;
use crate::wire::{compute, network as wire};

/// What tells a network from others of its name; Azure alone writes it. Empty where it is none: one that cannot be read is
/// no sign that another one stands there.
///
/// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/get>, `resourceGuid`
pub(crate) fn network(found: &wire::VirtualNetwork) -> &str {
    guid(found.properties.resource_guid.as_deref())
}

/// The same of a network security group.
///
/// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/get>, `resourceGuid`
pub(crate) fn security_group(found: &wire::SecurityGroup) -> &str {
    guid(found.properties.resource_guid.as_deref())
}

/// The same of a key pair. Azure gives it nothing of the kind: another key is another one.
///
/// Source: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/get>
pub(crate) fn key_pair(found: &compute::SshPublicKey) -> String {
    pmks_driver::fingerprint(&found.properties.public_key)
}

/// The same of a resource as it came.
pub(crate) fn of_raw(raw: &serde_json::Value) -> &str {
    guid(raw.pointer("/properties/resourceGuid").and_then(serde_json::Value::as_str))
}

fn guid(text: Option<&str>) -> &str {
    text.filter(|text| is_uuid(text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GUID: &str = "1b3d0b6c-5d0a-4d3a-8a5e-0d7a2f6f9c11";

    #[test]
    fn what_is_no_guid_tells_nothing() {
        for (text, told) in [(json!(GUID), GUID), (json!("xxxx"), ""), (json!(""), ""), (json!(null), "")] {
            let raw = json!({"name": "n", "properties": {"resourceGuid": text}});
            assert_eq!(of_raw(&raw), told);
            assert_eq!(network(&serde_json::from_value(raw.clone()).unwrap()), told);
            assert_eq!(security_group(&serde_json::from_value(raw).unwrap()), told);
        }
        assert_eq!(of_raw(&json!({})), "");
    }

    #[test]
    fn another_key_is_another_pair() {
        let of = |key: &str| {
            let raw = json!({"properties": {"publicKey": key}});
            key_pair(&serde_json::from_value(raw).unwrap())
        };
        assert_eq!(
            of("ssh-ed25519 AAAAC3Nz one"),
            of("ssh-ed25519 AAAAC3Nz two"),
            "a comment is no part of it"
        );
        assert_ne!(of("ssh-ed25519 AAAAC3Nz one"), of("ssh-ed25519 AAAAC3Ny one"));
        assert_eq!(of("no key"), "");
    }
}
