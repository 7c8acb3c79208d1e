//! `ResourceType`: which kind a client means.

use pmks_model::ResourceKind;

use super::all::Outcome;
use crate::Refusal;

/// CB-Spider's words, in any case. Of what lies outside managed Kubernetes it is said that it does.
const TYPES: &[(&str, Option<ResourceKind>)] = &[
    ("vpc", Some(ResourceKind::Network)),
    ("subnet", Some(ResourceKind::Subnet)),
    ("sg", Some(ResourceKind::SecurityGroup)),
    ("keypair", Some(ResourceKind::KeyPair)),
    ("cluster", Some(ResourceKind::Cluster)),
    ("nodegroup", Some(ResourceKind::NodeGroup)),
    ("vm", None),
    ("nlb", None),
    ("disk", None),
    ("myimage", None),
    ("filesystem", None),
    ("rdbms", None),
    ("publicip", None),
    ("nic", None),
];

/// The words of what pmks serves.
pub(super) fn words() -> impl Iterator<Item = (&'static str, ResourceKind)> {
    TYPES.iter().filter_map(|(word, kind)| Some((*word, (*kind)?)))
}

/// The kind that a word means.
pub(super) fn read(word: &str) -> Outcome<ResourceKind> {
    match TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
        Some((_, Some(kind))) => Ok(*kind),
        Some((known, None)) => Err(Refusal::unsupported(format!(
            "ResourceType {known} is not supported here: pmks serves what concerns managed Kubernetes"
        ))),
        None => {
            let known: Vec<&str> = TYPES.iter().map(|(known, _)| *known).collect();
            Err(Refusal::invalid(format!("ResourceType: {word:?} is none of {}", known.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_what_lies_outside_is_told_from_what_is_none() {
        assert_eq!(read("CLUSTER").unwrap(), ResourceKind::Cluster);
        assert_eq!(read("sg").unwrap(), ResourceKind::SecurityGroup);
        assert_eq!(read("disk").unwrap_err().status.as_u16(), 501);
        assert_eq!(read("disks").unwrap_err().status.as_u16(), 400);
    }
}
