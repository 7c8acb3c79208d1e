//! Identifiers from a seed: the same seed and the same requests give the same world.
//!
//! Never for secrets that guard anything real: whoever knows the seed knows them all.

use serde::{Deserialize, Serialize};

/// A small generator (`SplitMix64`), kept with the world so that a restored one goes on where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// A number from 0 up to, but not including, 1.
    pub fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next_u64() >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }

    /// `length` characters out of `alphabet`.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let characters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .filter_map(|_| {
                let at = self.below(characters.len() as u64);
                usize::try_from(at).ok().and_then(|at| characters.get(at)).copied()
            })
            .collect()
    }

    /// `length` lower-case hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        self.text("0123456789abcdef", length)
    }

    /// `length` decimal digits.
    pub fn digits(&mut self, length: usize) -> String {
        self.text("0123456789", length)
    }

    /// A version 4 UUID in its usual writing.
    pub fn uuid(&mut self) -> String {
        let high = u128::from(self.next_u64());
        let low = u128::from(self.next_u64());
        uuid::Builder::from_random_bytes(((high << 64) | low).to_be_bytes()).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_every_identifier() {
        let mut one = Random::new(7);
        let mut two = Random::new(7);
        assert_eq!(one.hex(17), two.hex(17));
        assert_eq!(one.uuid(), two.uuid());
        assert_ne!(one.hex(17), Random::new(8).hex(17));
    }

    #[test]
    fn bounds_hold() {
        let mut random = Random::new(1);
        assert_eq!(random.below(0), 0);
        assert!((0..1000).all(|_| random.below(3) < 3 && random.fraction() < 1.0));
        assert_eq!(random.digits(12).len(), 12);
    }
}
