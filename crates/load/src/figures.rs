//! How figures are printed: one table, a row a measurement, and the targets.

use std::time::Duration;

use crate::load::Round;

/// The rounds of one measurement, each beside the round of the empty handler that ran just before it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) what: String,
    rounds: Vec<(Round, Round)>,
}

impl Measured {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), rounds: Vec::new() }
    }

    /// One more round, and that of the empty handler.
    pub(crate) fn add(&mut self, round: Round, empty: Round) {
        self.rounds.push((round, empty));
    }

    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        median(self.rounds.iter().map(|(round, _)| round.rate()).collect())
    }

    /// The same, as a share of the empty handler's.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.rounds.iter().map(|(round, empty)| round.rate() / empty.rate()).collect())
    }

    fn at(&self, hundredth: usize) -> f64 {
        median(self.rounds.iter().map(|(round, _)| milliseconds(round.at(hundredth))).collect())
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    fn kilobytes(&self) -> f64 {
        let of = |round: &Round| round.bytes as f64 / 1e3 / round.took.len().max(1) as f64;
        median(self.rounds.iter().map(|(round, _)| of(round)).collect())
    }

    /// The processors' time of the server for a request, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    fn used(&self) -> f64 {
        let of = |round: &Round| round.used.as_secs_f64() * 1e6 / round.took.len().max(1) as f64;
        median(self.rounds.iter().map(|(round, _)| of(round)).collect())
    }

    /// Its row of the table that [`head`] begins.
    pub(crate) fn print(&self) {
        println!(
            "| {} | {:.0} | {:.1} % | {:.0} | {:.2} | {:.2} | {:.1} |",
            self.what,
            self.rate(),
            self.ratio() * 100.0,
            self.used(),
            self.at(50),
            self.at(99),
            self.kilobytes()
        );
    }
}

/// Begins a table.
pub(crate) fn head(of: &str) {
    println!(
        "\n| {of} | a second | of the empty handler's | µs of a processor | median ms | p99 ms | kB an answer |"
    );
    println!("|---|---|---|---|---|---|---|");
}

/// A target, and whether it is met.
pub(crate) fn target(says: &str, is: f64, unit: &str, met: bool) {
    println!("target {}: {says}: {is:.1}{unit}", if met { "met" } else { "MISSED" });
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
