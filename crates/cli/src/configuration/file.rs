//! `pmks.toml`: flat keys, one a setting. An unknown key or a value that its flag would not take is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};

use crate::error::{Error, Result};
use crate::private_file;

/// The values of the file, as texts that their flags take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    path: Option<PathBuf>,
    values: BTreeMap<String, Vec<String>>,
}

impl Values {
    /// Reads a file that must be there.
    pub(crate) fn read(path: &Path, grammar: &Command) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))?;
        Self::parse(path, &text, grammar)
    }

    /// Reads a file if there is one.
    pub(crate) fn read_if_any(path: &Path, grammar: &Command) -> Result<Self> {
        match private_file::read_if_any(path)? {
            Some(text) => Self::parse(path, &text, grammar),
            None => Ok(Self::default()),
        }
    }

    /// The values of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&[String]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// The file.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn parse(path: &Path, text: &str, grammar: &Command) -> Result<Self> {
        let wrong = |says: String| Error::usage(format!("{}: {says}", path.display()));
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            // The error's own display repeats the line, which may hold a password.
            wrong(format!("is not TOML: {}", error.message()))
        })?;
        let settings = super::settings(grammar);
        let mut values = BTreeMap::new();
        for (key, value) in &table {
            let Some(setting) = settings.iter().find(|setting| setting.get_long() == Some(key.as_str()))
            else {
                let mut known: Vec<&str> = settings.iter().filter_map(|setting| setting.get_long()).collect();
                known.sort_unstable();
                return Err(wrong(format!("unknown key {key:?}; known are {}", known.join(", "))));
            };
            let texts =
                texts(setting, value).ok_or_else(|| wrong(format!("{key} has a value of the wrong type")))?;
            check(setting, key, &texts).map_err(|says| wrong(format!("{key}: {says}")))?;
            values.insert(key.clone(), texts);
        }
        Ok(Self { path: Some(path.to_owned()), values })
    }
}

/// The texts that a flag would be given; `None` for a value of the wrong type.
fn texts(setting: &Arg, value: &toml::Value) -> Option<Vec<String>> {
    let many = matches!(setting.get_action(), ArgAction::Append);
    match value {
        toml::Value::Array(values) if many => values.iter().map(text).collect(),
        toml::Value::Boolean(_) => Some(vec![text(value)?]),
        _ if matches!(setting.get_action(), ArgAction::SetTrue) => None,
        value => Some(vec![text(value)?]),
    }
}

fn text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(set) => Some(set.to_string()),
        _ => None,
    }
}

/// Lets the flag itself judge: a grammar of that one flag is given the value.
fn check(setting: &Arg, key: &str, values: &[String]) -> std::result::Result<(), String> {
    if matches!(setting.get_action(), ArgAction::SetTrue) {
        return Ok(());
    }
    // Without what it requires or excludes: that is between flags.
    let mut alone = Arg::new("value").long(key.to_owned()).action(setting.get_action().clone());
    alone = alone.value_parser(setting.get_value_parser().clone()).allow_hyphen_values(true);
    let words = values.iter().map(|value| format!("--{key}={value}"));
    let parsed = Command::new("pmks.toml").no_binary_name(true).arg(alone).try_get_matches_from(words);
    parsed.map(|_| ()).map_err(|error| {
        let says = error.to_string();
        let line = says.lines().next().unwrap_or_default();
        line.strip_prefix("error: ").unwrap_or(line).to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use proptest::prelude::*;

    use super::*;
    use crate::arguments::Cli;

    fn parse(text: &str) -> std::result::Result<Values, String> {
        Values::parse(Path::new("pmks.toml"), text, &Cli::command()).map_err(|error| error.text())
    }

    #[test]
    fn values_are_texts_of_their_flags() {
        let values =
            parse("listen = '127.0.0.1:9'\nsimulated = ['aws', 'gcp']\nlog-json = true\nspeed = 5").unwrap();
        assert_eq!(values.get("listen").unwrap(), ["127.0.0.1:9"]);
        assert_eq!(values.get("simulated").unwrap(), ["aws", "gcp"]);
        assert_eq!(values.get("log-json").unwrap(), ["true"]);
        assert_eq!(values.get("speed").unwrap(), ["5"]);
    }

    #[test]
    fn refuses_what_no_flag_would_take() {
        for (text, says) in [
            ("lisen = 'x'", "unknown key \"lisen\"; known are"),
            ("listen = 'nowhere'", "listen: invalid value 'nowhere'"),
            ("log-json = 'yes'", "log-json has a value of the wrong type"),
            ("listen = ", "is not TOML"),
            ("[serve]\nlisten = '127.0.0.1:9'", "unknown key \"serve\""),
            ("config = 'x'", "unknown key \"config\""),
            ("cidr = '10.0.0.0/8'", "unknown key \"cidr\""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(60))]
        #[test]
        fn whatever_the_file_holds_it_is_read_or_refused_in_a_line(
            text in prop_oneof![
                "((listen|speed|log-json|simulated|record|\\PC{0,6}) ?= ?(true|-?[0-9.e]{1,24}|'\\PC{0,8}'|\\[('a',?){0,3}\\]|\\{a=1\\})\n){0,3}",
                "\\PC{0,40}",
            ],
        ) {
            if let Err(says) = parse(&text) {
                prop_assert!(says.starts_with("error: invalid-request: pmks.toml: "), "{}", says);
                prop_assert_eq!(says.lines().count(), 1, "{}", says);
            }
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        for text in
            [format!("speed = {}", "[".repeat(50_000)), format!("{} = 1", vec!["a"; 50_000].join("."))]
        {
            assert!(parse(&text).is_err());
        }
    }
}
