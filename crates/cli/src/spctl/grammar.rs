//! The grammar of CB-Spider's `spctl`, made of what `/spider` says of itself: resource, verb, a flag for each name in the
//! path and the query, `--data` for the body.

use std::collections::BTreeMap;

use clap::{Arg, Command};
use pmks_spider::{Body, Operation, operations};

use super::outside;

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
        let known = resources
            .remove(resource)
            .unwrap_or_else(|| alias.into_iter().fold(of_verbs(resource), Command::alias));
        let says = match known.get_subcommands().next() {
            None => operation.says.trim_end_matches('.').to_owned(),
            Some(_) => verbs(&known, verb),
        };
        resources.insert(resource, known.about(says).subcommand(command(operation, verb)));
    }
    for (resource, verbs) in outside::commands() {
        let known = resources.remove(resource).unwrap_or_else(|| of_verbs(resource).hide(true));
        resources.insert(resource, known.subcommands(verbs));
    }
    let option = |name: &'static str, short: char| Arg::new(name).long(name).short(short).global(true);
    let server = option("server", 's').help("HOST:PORT or URL of the server; localhost:1024 if left out");
    let username = option("username", 'u').help("The user; else the variable SPIDER_USERNAME");
    let password = option("password", 'p').help("The password; else the variable SPIDER_PASSWORD");
    let output = option("output", 'o').help("The form of what is printed").value_parser(["json", "yaml"]);
    Command::new("spctl")
        .bin_name("pmks spctl")
        .about("CB-Spider's command line, at a server's /spider")
        .after_help(
            "What CB-Spider has beside managed Kubernetes (disks, balancers, databases, machines that are no nodes) is \
             not supported here.",
        )
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

fn of_verbs(resource: &'static str) -> Command {
    Command::new(resource).subcommand_required(true).arg_required_else_help(true)
}

/// What can be done with a resource, in a line: its verbs.
fn verbs(resource: &Command, more: &str) -> String {
    let known = resource.get_subcommands().map(Command::get_name);
    known.chain([more]).collect::<Vec<_>>().join(", ")
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

    #[test]
    fn every_resource_says_in_a_line_what_it_is_for() {
        for resource in grammar().get_subcommands().filter(|resource| !resource.is_hide_set()) {
            let says = resource.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!says.is_empty() && !says.contains('\n'), "{}", resource.get_name());
        }
        let help = grammar().render_help().to_string();
        assert!(
            help.lines().any(|line| line.contains("nodegroup-scaling") && line.contains("Changes")),
            "{help}"
        );
        assert!(
            help.lines().any(|line| line.trim_start().starts_with("cluster ") && line.contains("upgrade")),
            "{help}"
        );
        assert!(!help.contains("rdbms"), "what is not here is not offered: {help}");
    }

    #[test]
    fn nothing_is_both_served_and_outside() {
        let served: Vec<_> =
            operations().filter_map(words).map(|(resource, verb, _)| (resource, verb)).collect();
        for (resource, verbs) in outside::commands() {
            for verb in &verbs {
                assert!(!served.contains(&(resource, verb.get_name())), "{resource} {}", verb.get_name());
            }
        }
    }
}
