//! Flag before variable before file before default, and what `config show` says of it.

use serde_json::Value;

use crate::sandbox::{Ended, Sandbox, ended};

fn show(user: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = user.command(&[args, &["config", "show", "-o", "json"]].concat());
    command.envs(variables.iter().copied());
    ended(command)
}

fn setting(ended: &Ended, name: &str) -> (String, String) {
    let all: Value = serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let row = all["items"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned();
    let row = row.unwrap_or_else(|| panic!("no {name}: {ended:?}"));
    (row["value"].as_str().unwrap().to_owned(), row["source"].as_str().unwrap().to_owned())
}

#[test]
fn each_source_wins_over_the_next() {
    let user = Sandbox::new();
    let default = show(&user, &[], &[]);
    assert_eq!(setting(&default, "listen"), ("127.0.0.1:1024".to_owned(), "default".to_owned()));

    let file = user.write(".config/pmks/pmks.toml", "connection = 'of-file'\nlisten = '127.0.0.1:7'\n");
    let of_file = show(&user, &[], &[]);
    assert_eq!(setting(&of_file, "connection"), ("of-file".to_owned(), format!("file {}", file.display())));
    assert_eq!(setting(&of_file, "listen").0, "127.0.0.1:7");

    let of_variable = show(&user, &[], &[("PMKS_CONNECTION", "of-variable")]);
    let wanted = ("of-variable".to_owned(), "variable PMKS_CONNECTION".to_owned());
    assert_eq!(setting(&of_variable, "connection"), wanted);

    let of_flag = show(&user, &["-c", "of-flag"], &[("PMKS_CONNECTION", "of-variable")]);
    assert_eq!(setting(&of_flag, "connection"), ("of-flag".to_owned(), "flag".to_owned()));
}

#[test]
fn the_file_takes_part_in_commands() {
    let user = Sandbox::new();
    let other = user.write("other.toml", "output = 'json'\n");
    let ended = user.good(&["--config", other.to_str().unwrap(), "provider", "list"]);
    let providers: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(providers["items"][0]["name"], "aws");
}

#[test]
fn flags_that_say_how_pmks_works_are_settings() {
    let user = Sandbox::new();
    for (name, value) in
        [("format", "native"), ("pace", "7"), ("plan", "true"), ("cluster", "c"), ("once", "true")]
    {
        let variable = format!("PMKS_{}", name.to_uppercase());
        let of_variable = show(&user, &[], &[(&variable, value)]);
        assert_eq!(setting(&of_variable, name), (value.to_owned(), format!("variable {variable}")));
    }
    let file = user.write("plans.toml", "plan = true\ncluster = 'c'\nformat = 'native'\n");
    let with = ["--config", file.to_str().unwrap(), "-c", "nobody"];
    let of_file = show(&user, &with[..2], &[]);
    assert_eq!(setting(&of_file, "format"), ("native".to_owned(), format!("file {}", file.display())));
    // What the file says is not asked for, and is found missing by the server instead of by the parser.
    assert_eq!(user.run(&["-c", "nobody", "node", "list"]).code, Some(2));
    assert_eq!(user.run(&[&with[..], &["node", "list"]].concat()).code, Some(3));
    let mut wrong = user.command(&["-c", "nobody", "cluster", "kubeconfig", "c"]);
    wrong.env("PMKS_FORMAT", "xml");
    assert_eq!(ended(wrong).code, Some(2));
}

#[test]
fn a_wrong_file_is_refused_before_anything_happens() {
    let user = Sandbox::new();
    for (text, says) in [
        ("conection = 'a'", "unknown key \"conection\""),
        ("output = 'xml'", "output: invalid value 'xml'"),
        ("log-json = 3", "log-json has a value of the wrong type"),
        ("a = [", "is not TOML"),
    ] {
        let file = user.write("wrong.toml", text);
        let ended = user.run(&["--config", file.to_str().unwrap(), "provider", "list"]);
        assert_eq!(ended.code, Some(2), "{text}: {ended:?}");
        assert!(ended.err.contains(says), "{text}: {ended:?}");
    }
    assert_eq!(user.run(&["--config", "nowhere.toml", "provider", "list"]).code, Some(2));
    assert!(!user.path(".local").exists());
}

#[test]
fn secrets_are_masked() {
    let user = Sandbox::new();
    let variables = [
        ("PMKS_TOKEN", "hunter2-token"),
        ("PMKS_PASSWORD", "hunter2-password"),
        ("PMKS_DATABASE", "postgres://pmks:hunter2-database@host/pmks"),
    ];
    let ended = show(&user, &[], &variables);
    assert!(!ended.out.contains("hunter2") && !ended.err.contains("hunter2"), "{ended:?}");
    assert_eq!(setting(&ended, "token").0, "***");
    assert_eq!(setting(&ended, "database").0, "postgres://pmks:***@host/pmks");
}
