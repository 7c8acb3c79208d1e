//! Secrets from where no other process sees them: a file, a variable, standard input, a prompt. Never an argument.

use std::io::{IsTerminal, Read};

use secrecy::SecretString;

use crate::app::App;
use crate::error::{Error, Result};

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A secret from `@FILE`, `env:NAME` or `-`.
///
/// # Errors
/// For any other text, which is not repeated: it may be the secret itself.
pub(crate) fn from_source(app: &App, name: &str, source: &str) -> Result<SecretString> {
    if let Some(path) = source.strip_prefix('@') {
        let path = std::path::Path::new(path);
        let text = std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))?;
        return not_empty(name, &text);
    }
    if let Some(variable) = source.strip_prefix("env:") {
        return match app.environment.get(variable) {
            Some(text) => not_empty(name, text),
            None => Err(Error::usage(format!("{name}: the variable {variable} is not set"))),
        };
    }
    if source == "-" {
        return from_standard_input(name);
    }
    Err(plain(name))
}

/// The refusal of a secret that stands on the command line, where every process of the machine can read it.
pub(crate) fn plain(name: &str) -> Error {
    Error::usage(format!("{name} is a secret and cannot be a plain argument"))
        .with_fix(format!("write {name}=@FILE, {name}=env:VARIABLE or {name}=- (standard input)"))
}

/// Asks for a secret on the terminal, showing nothing.
///
/// # Errors
/// Where there is no terminal.
pub(crate) fn prompt(name: &str) -> Result<SecretString> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::usage(format!("{name} is missing, and there is no terminal to ask for it"))
            .with_fix(format!("write {name}=@FILE, {name}=env:VARIABLE or {name}=- (standard input)")));
    }
    let terminal = console::Term::stderr();
    let text = terminal.write_str(&format!("{name}: ")).and_then(|()| terminal.read_secure_line());
    match text {
        Ok(text) => not_empty(name, &text),
        Err(error) => Err(Error::usage(format!("{name} could not be read: {error}"))),
    }
}

fn from_standard_input(name: &str) -> Result<SecretString> {
    if std::io::stdin().is_terminal() {
        return prompt(name);
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Error::usage(format!("{name} could not be read from standard input: {error}")))?;
    not_empty(name, &text)
}

/// A last line end belongs to the file, not to the secret.
fn not_empty(name: &str, text: &str) -> Result<SecretString> {
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(Error::usage(format!("{name} is empty"))),
        text => Ok(SecretString::from(text)),
    }
}
