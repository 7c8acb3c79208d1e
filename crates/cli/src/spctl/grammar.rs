//! The grammar of CB-Spider's `spctl`, made of what `/spider` says of itself: resource, verb, a flag for each name in the
//! path and the query, `--data` for the body.

use std::collections::BTreeMap;

use clap::{Arg, Command};
use pmks_spider::{Body, Operation, operations};

pub(super) const CONNECTION: &str = "ConnectionName";
pub(super) const DATA: &str = "data";

/// Resource and verb of an operation, as `spctl` shows them, and the resource's other name.
pub(super) fn words(operation: &Operation) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    let (verb, resource) = operation.id.split_once('-')?;
    Some(match resource {
        "connection-config" => ("connection", verb, Some(resource)),
        "vm-spec" => ("vmspec", verb, Some(resource)),
        _ => (resource, verb, None),
    })
}

/// Whether there is anything to say by `--data`.
pub(super) fn has_body(operation: &Operation) -> bool {
    match operation.sends.body {
        Body::Nothing => false,
        Body::Connection => operation.method != "GET",
        Body::Asked(_) | Body::Made(_) | Body::Whole(_) => true,
    }
}

pub(super) fn grammar() -> Command {
    let mut resources: BTreeMap<&str, Command> = BTreeMap::new();
    for operation in operations() {
        let Some((resource, verb, alias)) = words(operation) else { continue };
        let known = resources.remove(resource).unwrap_or_else(|| {
            let first = Command::new(resource).subcommand_required(true).arg_required_else_help(true);
            alias.into_iter().fold(first, Command::alias)
        });
        resources.insert(resource, known.subcommand(command(operation, verb)));
    }
    let option = |name: &'static str, short: char| Arg::new(name).long(name).short(short).global(true);
    let server = option("server", 's').help("HOST:PORT or URL of the server; localhost:1024 if left out");
    let username = option("username", 'u').help("The user; else the variable SPIDER_USERNAME");
    let password = option("password", 'p').help("The password; else the variable SPIDER_PASSWORD");
    let output = option("output", 'o').help("The form of what is printed").value_parser(["json", "yaml"]);
    Command::new("spctl")
        .bin_name("pmks spctl")
        .about("CB-Spider's command line, at a server's /spider")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .arg(
            Arg::new("version")
                .long("version")
                .short('v')
                .action(clap::ArgAction::Version)
                .help("Print the version"),
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args([server, username, password, output])
        .subcommands(resources.into_values())
}

fn command(operation: &Operation, verb: &'static str) -> Command {
    let mut command = Command::new(verb).about(operation.says);
    let is_named = operation.names().any(|name| name == CONNECTION);
    for name in operation.names().chain(operation.sends.query.iter().copied()) {
        let argument = Arg::new(name).long(name);
        command = command.arg(match name {
            CONNECTION => argument.short('c'),
            "Name" => argument.short('n'),
            _ => argument,
        });
    }
    if !is_named {
        // Scripts give it to every command.
        let needed = operation.needs_connection();
        command = command.arg(Arg::new(CONNECTION).long(CONNECTION).short('c').hide(!needed));
    }
    if has_body(operation) {
        command = command.arg(Arg::new(DATA).long(DATA).short('d').help("The body, as JSON"));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound_and_has_spctls_words() {
        grammar().debug_assert();
        for line in [
            "cluster list -c C --KubeconfigType native",
            "cluster delete -n N --force true -d {}",
            "nodegroup remove -n N --NodeGroupName G -c C",
            "nodegroup-scaling change -n N --NodeGroupName G -d {}",
            "cluster-token get -n N -c C",
            "cluster-by-connection count -c C",
            "csp-cluster delete --Id ID -d {}",
            "driver list --provider AWS",
            "connection get --ConfigName X",
            "connection-config get --ConfigName X",
            "vmspec list -c C -s host:1 -u a -p b",
            "vpc delete -c CONN -n NAME",
            "check-health health",
            "info version",
            "all-resource destroy -c C",
            "org-region list -c C",
        ] {
            let parsed = grammar().try_get_matches_from(["spctl"].into_iter().chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }
}
