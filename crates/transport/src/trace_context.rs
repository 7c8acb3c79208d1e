//! Which trace something belongs to, as it travels between processes. Decides nothing, sends nothing.
//!
//! Source: <https://www.w3.org/TR/trace-context/#traceparent-header>

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place in a trace: the trace, and the span that what comes next is a child of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: u128,
    /// The span in it; never 0.
    pub span: u64,
    /// Whether whoever began the trace wants it to be kept.
    pub sampled: bool,
}

impl TraceContext {
    /// A `traceparent` header; nothing for one that says nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = hexadecimal(parts.next()?, 2)?;
        let trace = hexadecimal(parts.next()?, 32)?;
        let span = u64::try_from(hexadecimal(parts.next()?, 16)?).ok()?;
        let flags = hexadecimal(parts.next()?, 2)?;
        // Later versions may say more behind these; this one does not.
        let readable = version != 0xff && (version != 0 || parts.next().is_none());
        (readable && trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    /// The beginning of a trace.
    pub fn begin(sampling: Sampling) -> Self {
        let trace = u128::from(random()) << 64 | u128::from(random());
        Self { trace, span: random(), sampled: sampling.keeps(trace) }
    }

    /// A child, with a new identifier.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: random(), ..self }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// Which traces that begin here are kept: a share of them, decided by the trace's own identifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling(f64);

impl Sampling {
    /// All of them.
    pub const ALL: Self = Self(1.0);

    /// That share of them, from 0 to 1.
    pub fn of(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    #[expect(clippy::cast_precision_loss, reason = "52 bits of a share are enough")]
    fn keeps(self, trace: u128) -> bool {
        // The bits that are random by the standard: the last seven bytes.
        let random = (trace & ((1 << 56) - 1)) as f64;
        random < self.0 * (1_u64 << 56) as f64
    }
}

/// Lower-case digits, so many of them.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let allowed = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let right = text.len() == digits && text.bytes().all(allowed);
    right.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// No two alike, and none known before: hashes of a count, by keys that each process draws anew. Never 0.
fn random() -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    KEYS.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_what_it_writes_and_the_examples_of_the_standard() {
        let read = TraceContext::parse(EXAMPLE).unwrap();
        assert_eq!(
            (read.span, read.sampled, read.to_string().as_str()),
            (0x00f0_67aa_0ba9_02b7, true, EXAMPLE)
        );
        let unsampled = EXAMPLE.replace("-01", "-00");
        assert!(!TraceContext::parse(&unsampled).unwrap().sampled);
        let later = EXAMPLE.replacen("00", "01", 1) + "-what-the-future-will-be-like";
        assert_eq!(TraceContext::parse(&later), Some(read));
        let child = read.child();
        assert!(child.trace == read.trace && child.span != read.span && child.sampled);
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        let text = |from: &str, to: &str| EXAMPLE.replacen(from, to, 1);
        for wrong in [
            String::new(),
            "00".to_owned(),
            format!("{EXAMPLE}-more"),
            text("00-4", "ff-4"),
            text("4bf92f", "4BF92F"),
            text("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            text("00f067aa0ba902b7", &"0".repeat(16)),
            text("00f067aa0ba902b7", "f067aa0ba902b7"),
            text("-01", "-0x"),
            text("-01", "-+1"),
            text("4bf9", "é9"),
        ] {
            assert_eq!(TraceContext::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_share_is_kept() {
        let kept = |sampling| (0..2_000).filter(|_| TraceContext::begin(sampling).sampled).count();
        assert_eq!((kept(Sampling::ALL), kept(Sampling::of(0.0).unwrap())), (2_000, 0));
        let half = kept(Sampling::of(0.5).unwrap());
        assert!((800..1_200).contains(&half), "{half}");
        assert_eq!(Sampling::of(1.5), None);
        assert_eq!(Sampling::of(f64::NAN), None);
    }
}
