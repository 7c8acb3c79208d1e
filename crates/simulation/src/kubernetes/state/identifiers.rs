//! Uids and name suffixes of a cluster's objects: never the same twice within a cluster, different between clusters.
//! Not random: the same world made again at the same moment is the same.

use serde::{Deserialize, Serialize};

/// The letters of generated names: no vowels, so that no words appear.
///
/// Source: <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go>
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Identifiers {
    seed: u64,
    given: u64,
}

impl Identifiers {
    pub(super) fn new(cluster: &str, created: jiff::Timestamp) -> Self {
        Self { seed: hash(&format!("{cluster} {}", created.as_nanosecond())), given: 0 }
    }

    pub(super) fn uid(&mut self) -> String {
        let bytes = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid().to_string()
    }

    pub(super) fn suffix(&mut self, length: usize) -> String {
        letters(self.next(), length)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn next(&mut self) -> u64 {
        self.given += 1;
        mix(self.seed.wrapping_add(self.given.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

/// The suffix that a template always has: the same text gives the same one.
pub(super) fn template_hash(text: &str) -> String {
    letters(hash(text), 10)
}

fn letters(mut number: u64, length: usize) -> String {
    let count = LETTERS.len() as u64;
    (0..length)
        .filter_map(|_| {
            let letter = usize::try_from(number % count).ok().and_then(|index| LETTERS.get(index));
            number /= count;
            letter.map(|letter| char::from(*letter))
        })
        .collect()
}

/// FNV-1a, spread: the standard library's hash may change with the compiler, and stored worlds outlive it.
fn hash(text: &str) -> u64 {
    let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The last steps of `SplitMix64`: every bit of the answer depends on every bit of the number.
fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_identifier_twice_and_the_same_after_a_restart() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut ours = Identifiers::new("seoul", now);
        let uids: BTreeSet<String> = (0..1000).map(|_| ours.uid()).collect();
        assert_eq!(uids.len(), 1000);
        let stored = serde_json::to_string(&ours).unwrap();
        let mut again: Identifiers = serde_json::from_str(&stored).unwrap();
        assert_eq!(again.uid(), ours.uid());
        assert!(!uids.contains(&Identifiers::new("busan", now).uid()));
        assert_eq!(template_hash("image:1").len(), 10);
        assert_ne!(template_hash("image:1"), template_hash("image:2"));
    }
}
