//! Identifiers from a seed: the same seed and the same requests give the same world.
//!
//! Never for secrets that guard anything real: whoever knows the seed knows them all.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A small generator (`SplitMix64`), kept with the world so that a restored one goes on where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    state: u64,
    #[serde(default)]
    seed: u64,
}

impl Random {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, seed }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mixed(self.state)
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// A number from 0 up to, but not including, 1.
    pub fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next_u64() >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }

    /// How long work takes that usually takes so long: a tenth less to a fifth more, by the seed and what it is about.
    /// What else happens in the world meanwhile does not change it.
    pub fn duration(&self, about: &str, usual: Duration) -> Duration {
        let usual_bits = u64::try_from(usual.as_millis()).unwrap_or(u64::MAX);
        let bits = about.bytes().fold(mixed(self.seed ^ usual_bits), |bits, byte| {
            mixed(bits.wrapping_add(STEP) ^ u64::from(byte))
        });
        usual.mul_f64(0.9 + 0.3 * Self { state: bits, seed: self.seed }.fraction())
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

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_follows_from_the_seed_and_what_it_is_about() {
        let (mut one, two) = (Random::new(7), Random::new(7));
        one.hex(17);
        let usual = Duration::from_mins(10);
        assert_eq!(one.duration("web", usual), two.duration("web", usual));
        let all: Vec<Duration> = (0..1000).map(|at| one.duration(&format!("c{at}"), usual)).collect();
        let (least, most) = (all.iter().min().unwrap().as_secs(), all.iter().max().unwrap().as_secs());
        assert!((540..550).contains(&least) && (710..720).contains(&most), "{least} {most}");
        assert_ne!(one.duration("c1", usual), Random::new(8).duration("c1", usual));
    }

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
