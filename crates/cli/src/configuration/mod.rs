//! Settings: flag, else variable, else `pmks.toml`, else default.
//!
//! A setting is an argument that says how pmks works; it is declared once, in `arguments/`, by having a variable. Its
//! key in the file is its flag without the dashes. What one request consists of (names, ranges, versions) is no
//! setting: a forgotten variable must not change what a command makes.

mod file;
mod show;

pub(crate) use show::show;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};
use pmks_driver::Environment;

use crate::arguments::Cli;
use crate::error::Result;
use crate::paths;

/// The grammar with the file's values as defaults, and the file they came from.
pub(crate) struct Configuration {
    /// The grammar.
    pub(crate) grammar: Command,
    /// The file's values.
    pub(crate) file: file::Values,
}

/// Reads the file that the arguments or the environment name.
///
/// # Errors
/// For a file that cannot be read, an unknown key, a value that its flag would not take.
pub(crate) fn read(arguments: &[OsString], environment: &Environment) -> Result<Configuration> {
    let grammar = Cli::command();
    let named = named_file(arguments).or_else(|| environment.get("PMKS_CONFIG").map(PathBuf::from));
    let usual = paths::configuration_folder(environment).join("pmks.toml");
    let file = match named {
        Some(path) => file::Values::read(&path, &grammar)?,
        None => file::Values::read_if_any(&usual, &grammar)?,
    };
    let grammar = with_defaults(grammar, &file);
    Ok(Configuration { grammar, file })
}

/// `--config FILE` or `--config=FILE`, before the grammar is complete enough to parse it.
fn named_file(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

fn with_defaults(grammar: Command, file: &file::Values) -> Command {
    let set = |argument: Arg| match key(&argument).and_then(|key| file.get(key)) {
        Some(values) if is_setting(&argument) => {
            // What the file says need not be said again.
            argument.required(false).default_values(values.iter().map(OsString::from).collect::<Vec<_>>())
        }
        _ => argument,
    };
    grammar.mut_args(set).mut_subcommands(|command| with_defaults(command, file))
}

/// Whether an argument is a setting, which is to say whether it has a variable.
fn is_setting(argument: &Arg) -> bool {
    argument.get_env().is_some() && argument.get_long().is_some_and(|long| long != "config")
}

/// The key of a setting in the file.
fn key(argument: &Arg) -> Option<&str> {
    argument.get_long()
}

/// Every setting of the grammar, each key once.
fn settings(grammar: &Command) -> Vec<&Arg> {
    let mut found: Vec<&Arg> = Vec::new();
    collect(grammar, &mut found);
    found
}

fn collect<'a>(command: &'a Command, found: &mut Vec<&'a Arg>) {
    for argument in command.get_arguments().filter(|argument| is_setting(argument)) {
        if found.iter().all(|known| known.get_long() != argument.get_long()) {
            found.push(argument);
        }
    }
    // The server's first: of a key that several commands have, its default is the one that is meant.
    let mut subcommands: Vec<&Command> = command.get_subcommands().collect();
    subcommands.sort_by_key(|subcommand| subcommand.get_name() != "serve");
    for subcommand in subcommands {
        collect(subcommand, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_in_both_spellings() {
        let found = |words: &[&str]| named_file(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(found(&["pmks", "--config", "a", "serve"]), Some(PathBuf::from("a")));
        assert_eq!(found(&["pmks", "serve", "--config=b"]), Some(PathBuf::from("b")));
        assert_eq!(found(&["pmks", "serve", "--", "--config=b"]), None);
    }

    #[test]
    fn every_variable_is_the_flag_in_capitals() {
        let grammar = Cli::command();
        for argument in settings(&grammar) {
            let flag = argument.get_long().unwrap().to_uppercase().replace('-', "_");
            assert_eq!(argument.get_env().unwrap().to_str().unwrap(), format!("PMKS_{flag}"));
        }
    }
}
