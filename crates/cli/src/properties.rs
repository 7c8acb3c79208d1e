//! How properties are tried: the same cases in each run, and no file of those that failed.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// So many cases.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PMKS_LONG").is_some() { cases * 50 } else { cases };
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(3),
        ..ProptestConfig::default()
    }
}
