//! Blocks of IPv4 addresses: read, compared, counted through. Pure arithmetic.

use std::fmt::{Display, Formatter};
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A block, its host bits zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    first: u32,
    /// The number of leading bits that its addresses share.
    pub bits: u8,
}

impl Cidr {
    /// How many addresses it has.
    pub fn size(self) -> u64 {
        1_u64 << (32 - u32::from(self.bits))
    }

    fn last(self) -> u64 {
        u64::from(self.first) + self.size() - 1
    }

    /// Whether all of `other` lies in it.
    pub fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.last() <= self.last()
    }

    /// Whether they share an address.
    pub fn overlaps(self, other: Self) -> bool {
        u64::from(self.first) <= other.last() && u64::from(other.first) <= self.last()
    }

    /// Its addresses in order, without the first `begin` and the last `end`, which clouds keep for themselves.
    pub fn usable(self, begin: u64, end: u64) -> impl Iterator<Item = Ipv4Addr> {
        let last = (self.last() + 1).saturating_sub(end);
        (u64::from(self.first) + begin..last)
            .filter_map(|address| u32::try_from(address).ok())
            .map(Ipv4Addr::from_bits)
    }

    /// The blocks of `bits` leading bits in it, in order.
    pub fn blocks(self, bits: u8) -> impl Iterator<Item = Self> {
        let step = 1_u64 << (32 - u32::from(bits.min(32)));
        (0..self.size() / step)
            .filter_map(move |number| u32::try_from(u64::from(self.first) + number * step).ok())
            .map(move |first| Self { first, bits })
    }
}

impl FromStr for Cidr {
    type Err = String;

    /// Host bits are cut off, as clouds do.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is not a valid CIDR block");
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let address: Ipv4Addr = address.parse().map_err(|_| wrong())?;
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 32).ok_or_else(wrong)?;
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        Ok(Self { first: address.to_bits() & mask, bits })
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl Display for Cidr {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", Ipv4Addr::from_bits(self.first), self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn host_bits_are_cut_off() {
        assert_eq!(cidr("10.0.5.7/16").to_string(), "10.0.0.0/16");
        assert_eq!(cidr("1.2.3.4/0").to_string(), "0.0.0.0/0");
        assert_eq!(cidr("255.255.255.255/32").size(), 1);
    }

    #[test]
    fn blocks_contain_and_overlap() {
        assert!(cidr("10.0.0.0/16").contains(cidr("10.0.255.0/24")));
        assert!(!cidr("10.0.0.0/24").contains(cidr("10.0.0.0/16")));
        assert!(cidr("0.0.0.0/0").overlaps(cidr("255.255.255.0/24")));
        assert!(!cidr("10.0.0.0/24").overlaps(cidr("10.0.1.0/24")));
    }

    #[test]
    fn the_addresses_that_a_cloud_keeps_are_not_usable() {
        let usable: Vec<_> = cidr("10.0.0.0/28").usable(4, 1).map(|address| address.to_string()).collect();
        assert_eq!((usable.len(), usable[0].as_str(), usable[10].as_str()), (11, "10.0.0.4", "10.0.0.14"));
    }

    #[test]
    fn blocks_of_a_block_follow_each_other() {
        let blocks: Vec<_> = cidr("10.0.0.0/22").blocks(24).map(String::from).collect();
        assert_eq!(blocks, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]);
        assert_eq!(cidr("10.0.0.0/24").blocks(22).count(), 0);
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/0", "10.0.0.0/-1"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }
}
