//! Colours: only on a terminal, never with `NO_COLOR`.

use std::io::IsTerminal;

/// Whether words are coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    coloured: bool,
}

/// The style of standard error.
pub(crate) fn stderr_style(no_color: bool) -> Style {
    Style { coloured: std::io::stderr().is_terminal() && !no_color }
}

/// The style of standard output.
pub(crate) fn stdout_style(no_color: bool) -> Style {
    Style { coloured: std::io::stdout().is_terminal() && !no_color }
}

impl Style {
    /// What went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What needs a look.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// A heading.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What matters less.
    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
