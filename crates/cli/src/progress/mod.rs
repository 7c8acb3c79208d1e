//! How far an operation is, for people, on standard error: bars on a terminal, a line a change elsewhere.

mod bars;
mod lines;

use std::io::IsTerminal;
use std::sync::Arc;

use pmks_api::Operation;
use pmks_transport::Clock;

use bars::Bars;
pub(crate) use bars::beside;
use lines::Lines;

/// How progress looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether colours are refused.
    pub(crate) no_color: bool,
    /// Whether what is over leaves no line behind.
    pub(crate) brief: bool,
}

/// Shows one operation.
pub(crate) enum Progress {
    /// On a terminal.
    Bars(Bars),
    /// Elsewhere.
    Lines(Lines),
}

impl Progress {
    /// As the terminal allows.
    pub(crate) fn new(clock: Arc<dyn Clock>, look: Look) -> Self {
        if std::io::stderr().is_terminal() {
            Self::Bars(Bars::new(look))
        } else {
            Self::Lines(Lines::new(clock, look))
        }
    }

    /// Shows what is new.
    pub(crate) fn show(&mut self, operation: &Operation) {
        match self {
            Self::Bars(bars) => bars.show(operation),
            Self::Lines(lines) => lines.show(operation),
        }
    }

    /// Leaves the last word on the screen.
    pub(crate) fn close(self, operation: Option<&Operation>) {
        match self {
            Self::Bars(bars) => bars.close(operation),
            Self::Lines(lines) => lines.close(operation),
        }
    }
}

/// What an operation is called.
fn title(operation: &Operation) -> String {
    let kind = crate::output::clean(&operation.kind);
    let (noun, verb) = kind.split_once('.').unwrap_or(("", &kind));
    let name = crate::output::clean(&operation.resource.name);
    match noun {
        // The operation is about the connection.
        "prerequisite" => format!("prerequisites of {name}: {verb}"),
        noun => format!("{} {name}: {verb}", words(noun)),
    }
}

/// `nodeGroup` as people write it.
fn words(camel: &str) -> String {
    let mut words = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// What the cloud says, cut to a line.
fn says(detail: &str) -> String {
    const LONGEST: usize = 100;
    let clean = crate::output::clean(detail);
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    clean.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kinds_are_words() {
        assert_eq!(words("nodeGroup"), "node group");
        assert_eq!(words("cluster"), "cluster");
    }

    #[test]
    fn what_the_cloud_says_stays_on_its_line() {
        assert_eq!(says("a\nb"), "a b");
        assert_eq!(says(&"x".repeat(200)).chars().count(), 100);
    }
}
