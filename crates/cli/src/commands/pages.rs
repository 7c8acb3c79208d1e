//! `pmks explain`, `completion` and `man`: pages that are in the program.

use clap::Command;
use pmks_model::FailureKind;

use crate::error::{Error, Result};
use crate::output;

/// Prints the page of a class of error, or the list of them.
pub(crate) fn explain(kind: Option<&str>) -> Result<()> {
    let Some(kind) = kind else {
        let heading =
            |page: &str| page.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        return output::data(
            &pmks_api::PAGES.iter().map(|(_, page)| heading(page)).collect::<Vec<_>>().join("\n"),
        );
    };
    match pmks_api::error_page(kind) {
        Some(page) => output::data(page),
        None => Err(Error::new(FailureKind::NotFound, format!("there is no class of error {kind:?}"))
            .with_fix("`pmks explain` lists them")),
    }
}

/// Prints completions for a shell.
pub(crate) fn completion(mut grammar: Command, shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut grammar, "pmks", &mut script);
    output::data(&String::from_utf8_lossy(&script))
}

/// Prints the manual: the program's page, then one for each command.
pub(crate) fn manual(mut grammar: Command) -> Result<()> {
    grammar.build();
    let mut pages = Vec::new();
    page(&grammar, &mut pages).map_err(|error| {
        Error::new(FailureKind::Unexpected, format!("the manual cannot be written: {error}"))
    })?;
    output::data(&String::from_utf8_lossy(&pages))
}

fn page(command: &Command, pages: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(pages)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        page(subcommand, pages)?;
    }
    Ok(())
}
