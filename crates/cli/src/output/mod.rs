//! Standard output for data, standard error for everything else: the one room that writes to either.
//!
//! A reader that went away (a closed pipe) is no failure, and never a panic.

mod columns;
mod form;
mod kinds;
mod table;
mod terminal;

pub(crate) use columns::{scalar, seconds};

use columns::Column;
pub(crate) use form::{Form, escaped, item, items, structured};
pub(crate) use kinds::Kind;
use kinds::columns_of;
pub(crate) use table::{clean, steers};

use table::table;
pub(crate) use terminal::{Style, stderr_style, stdout_style};

use std::io::{ErrorKind, Write};

use crate::error::{Error, Result};

/// Writes data, with a line end if it has none.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes()));
    written.and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Error::BrokenPipe,
        _ => Error::file("write", std::path::Path::new("standard output"), &error),
    })
}

/// A table as text, without colour.
pub(crate) fn text(kind: Kind, rows: &[serde_json::Value]) -> String {
    table(columns_of(kind), rows, false, true)
}

/// Writes a line for people, or several. That nobody reads it is no failure. What others wrote into it does not reach
/// the terminal as anything but text.
pub(crate) fn note(text: &str) {
    note_styled(&text.split('\n').map(clean).collect::<Vec<_>>().join("\n"));
}

/// The same of a line with colours of ours, in which what others wrote is clean already.
pub(crate) fn note_styled(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
