//! Networks, subnets, security groups and key pairs, as clouds have them.

use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Iid, KeyValueList, Rule, Tags};

/// A block of IPv4 addresses with its host bits clear, such as `10.0.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    first: u32,
    prefix: u8,
}

impl Cidr {
    /// All addresses: `0.0.0.0/0`.
    pub const ALL: Cidr = Cidr { first: 0, prefix: 0 };

    /// The number of leading bits, 0 to 32.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The last address as a number.
    fn last(self) -> u32 {
        self.first | u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0)
    }

    /// Whether all of `inner` lies within.
    pub fn contains(self, inner: Cidr) -> bool {
        self.first <= inner.first && inner.last() <= self.last()
    }

    /// Whether all of it lies within these together.
    pub(crate) fn is_within(self, blocks: &[Cidr]) -> bool {
        if blocks.iter().any(|block| block.contains(self)) {
            return true;
        }
        // What lies within a block is smaller, so that a block which has one has halves.
        blocks.iter().any(|block| self.contains(*block))
            && self.halves().into_iter().all(|half| half.is_within(blocks))
    }

    fn halves(self) -> [Cidr; 2] {
        let prefix = self.prefix + 1;
        let second = self.first | 1_u32.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
        [Cidr { first: self.first, prefix }, Cidr { first: second, prefix }]
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Cidr) -> bool {
        self.first <= other.last() && other.first <= self.last()
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "{:?} is not an IPv4 block such as 10.0.0.0/16",
                text.chars().take(64).collect::<String>()
            )
        };
        let (address, bits) = text.split_once('/').ok_or_else(refused)?;
        let address: Ipv4Addr = address.parse().map_err(|_| refused())?;
        let plain = !bits.is_empty() && bits.len() <= 2 && bits.bytes().all(|b| b.is_ascii_digit());
        let prefix: u8 = bits.parse().ok().filter(|prefix| plain && *prefix <= 32).ok_or_else(refused)?;
        let first = u32::from(address);
        let hosts = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
        if first & hosts != 0 {
            let block = Self { first: first & !hosts, prefix };
            return Err(format!("{text:?} has host bits set; the block is {block}"));
        }
        Ok(Self { first, prefix })
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A private network (CB-Spider: VPC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Its names.
    pub iid: Iid,
    /// What tells it from another of the same identifier made later; empty where the cloud has nothing of the kind, or never
    /// gives an identifier again.
    #[serde(default)]
    pub incarnation: String,
    /// The region it lies in, as connections name it; empty where networks span regions, or an identifier can name none
    /// of another one.
    #[serde(default)]
    pub region: String,
    /// Its addresses; the first block where the cloud has several, empty where only its subnets have addresses.
    pub cidr: String,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Its state in the cloud's words.
    pub state: String,
    /// Its tags at the cloud.
    pub tags: Tags,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// A part of a network, in one zone where the cloud has zonal subnets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// Its names.
    pub iid: Iid,
    /// What tells it from another of the same identifier made later; empty where the cloud has nothing of the kind, or never
    /// gives an identifier again.
    #[serde(default)]
    pub incarnation: String,
    /// The network's identifier at the cloud.
    pub network: String,
    /// Its addresses.
    pub cidr: String,
    /// Its zone; empty where subnets span zones.
    pub zone: String,
    /// Its tags at the cloud.
    pub tags: Tags,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// A set of firewall rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// Its names.
    pub iid: Iid,
    /// What tells it from another of the same identifier made later; empty where the cloud has nothing of the kind, or never
    /// gives an identifier again.
    #[serde(default)]
    pub incarnation: String,
    /// The network's identifier at the cloud; empty where the cloud's groups belong to none.
    pub network: String,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Its tags at the cloud.
    pub tags: Tags,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// The public half of a key pair, as the cloud keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPair {
    /// Its names.
    pub iid: Iid,
    /// What tells it from another of the same name made later; empty where the cloud has nothing of the kind.
    #[serde(default)]
    pub incarnation: String,
    /// The cloud's fingerprint of it.
    pub fingerprint: String,
    /// Its tags at the cloud.
    pub tags: Tags,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn reads_blocks_and_refuses_everything_else() {
        for text in ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "255.255.255.255/32"] {
            assert_eq!(cidr(text).to_string(), text);
        }
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::/0",
            "10.0.0.0/008",
            "a/b",
            "10.0.0.0/",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text:?}");
        }
        assert_eq!(
            "10.0.0.1/16".parse::<Cidr>().unwrap_err(),
            "\"10.0.0.1/16\" has host bits set; the block is 10.0.0.0/16"
        );
    }

    #[test]
    fn knows_what_lies_within_and_what_overlaps() {
        assert!(cidr("10.0.0.0/16").contains(cidr("10.0.255.0/24")));
        assert!(!cidr("10.0.0.0/16").contains(cidr("10.1.0.0/24")));
        assert!(Cidr::ALL.contains(cidr("255.255.255.255/32")));
        assert!(cidr("10.0.0.0/24").overlaps(cidr("10.0.0.128/25")));
        assert!(!cidr("10.0.0.0/24").overlaps(cidr("10.0.1.0/24")));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
        })]
        #[test]
        fn a_block_is_read_as_it_is_written(first in any::<u32>(), prefix in 0..=32_u8) {
            let first = first & !u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            let block = Cidr { first, prefix };
            prop_assert_eq!(block.to_string().parse::<Cidr>(), Ok(block));
            prop_assert!(Cidr::ALL.contains(block) && block.contains(block) && block.overlaps(block));
        }

        #[test]
        fn what_lies_within_overlaps(first in any::<u32>(), prefixes in (0..=32_u8, 0..=32_u8), other in any::<u32>()) {
            let cut = |first: u32, prefix: u8| {
                Cidr { first: first & !u32::MAX.checked_shr(prefix.into()).unwrap_or(0), prefix }
            };
            let (one, two) = (cut(first, prefixes.0), cut(other, prefixes.1));
            let inner = cut(first, prefixes.0.max(prefixes.1));
            prop_assert!(one.contains(inner));
            prop_assert_eq!(one.overlaps(two), two.overlaps(one));
            // Blocks lie within each other or apart.
            prop_assert_eq!(one.overlaps(two), one.contains(two) || two.contains(one));
        }

        #[test]
        fn what_is_no_block_is_refused(text in "([0-9.]{0,16}/[0-9+ -]{0,4}|[0-9a-f:./]{0,24}|\\PC{0,24})") {
            if let Ok(block) = text.parse::<Cidr>() {
                let (address, bits) = text.split_once('/').unwrap();
                prop_assert!(address.parse::<Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok(), "{}", block);
            }
        }
    }
}
