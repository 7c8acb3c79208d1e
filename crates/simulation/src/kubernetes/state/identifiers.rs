//! Uids and name suffixes of a cluster's objects: never the same twice within a cluster, different between clusters.
//! Not random: the same world made again at the same moment is the same.

use std::hash::{DefaultHasher, Hash, Hasher};

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
        Self { seed: hash(&(cluster, created.as_nanosecond())), given: 0 }
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
        hash(&(self.seed, self.given))
    }
}

/// The suffix that a template always has: the same text gives the same one.
pub(super) fn template_hash(text: &str) -> String {
    letters(hash(&text), 10)
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

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
