//! `pmks cluster kubeconfig`: merges one cluster into the user's kubeconfig, keeping all that is there.
//!
//! Takes the lock that kubectl takes, and writes in one step. Source:
//! <https://github.com/kubernetes/client-go/blob/master/tools/clientcmd/loader.go>

use std::path::{Path, PathBuf};
use std::time::Duration;

use pmks_driver::Environment;
use pmks_model::FailureKind;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::arguments::{ClusterKubeconfig, KubeconfigFormat, Output};
use crate::client;
use crate::error::{Error, Result};
use crate::{output, paths, private_file};

const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Fetches a cluster's kubeconfig and merges it into a file, or prints it; says where it went.
pub(crate) async fn run(app: &App, wanted: &ClusterKubeconfig) -> Result<()> {
    if let Some((file, context)) = write(app, wanted).await? {
        output::note(&format!("{} now has the context {context}", file.display()));
    }
    Ok(())
}

/// Fetches a cluster's kubeconfig and merges it into a file, or prints it. Answers the file and its new context.
pub(crate) async fn write(app: &App, wanted: &ClusterKubeconfig) -> Result<Option<(PathBuf, String)>> {
    let connection = app.connection()?;
    let path = client::Path::v1(["connections", connection, "clusters", &wanted.name, "kubeconfig"])
        .query("format", wanted.format.as_str());
    let answer = app.session().await?.client.get(path).await?;
    let mut fetched = parse(answer.as_str().unwrap_or_default())?;
    if wanted.format == KubeconfigFormat::Exec {
        run_this_program(app, &mut fetched)?;
    }
    if wanted.print {
        let output = if app.global.output == Output::Json { Output::Json } else { Output::Yaml };
        return output::structured(output, &fetched).map(|()| None);
    }
    let file = match &wanted.file {
        Some(path) => path.clone(),
        None => usual_file(&app.environment),
    };
    merge_into(app, &file, &fetched).await?;
    let context = fetched.get("current-context").and_then(Value::as_str).unwrap_or_default();
    Ok(Some((file, context.to_owned())))
}

/// The plugin is this program at its place on this machine, whatever the server knows of that; and where it finds the
/// server and its token is said by flags and variables that hold no secret.
fn run_this_program(app: &App, config: &mut Value) -> Result<()> {
    let program = std::env::current_exe().map_err(|error| {
        Error::new(FailureKind::Unexpected, format!("where pmks lies is not known: {error}"))
    })?;
    let Some(Value::Object(exec)) = config.pointer_mut("/users/0/user/exec") else { return Ok(()) };
    exec.insert("command".to_owned(), json!(program.to_string_lossy()));
    if let Some(Value::Array(args)) = exec.get_mut("args") {
        take_server_off(args);
        match &app.global.server {
            Some(server) => args.extend([json!("--server"), json!(server.as_str())]),
            // Found through the data directory each time: its server may listen elsewhere tomorrow.
            None => args.extend([json!("--data-dir"), json!(app.data.path().to_string_lossy())]),
        }
        let files = [("--config", &app.global.config), ("--server-ca", &app.global.server_ca)];
        for (flag, path) in files {
            if let Some(path) = path {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                args.extend([json!(flag), json!(path.to_string_lossy())]);
            }
        }
    }
    Ok(())
}

fn take_server_off(args: &mut Vec<Value>) {
    if let Some(place) = args.iter().position(|arg| arg == "--server") {
        args.drain(place..(place + 2).min(args.len()));
    }
}

/// The first file of `$KUBECONFIG`, else `~/.kube/config`, as kubectl writes.
fn usual_file(environment: &Environment) -> PathBuf {
    let named = environment
        .get("KUBECONFIG")
        .and_then(|list| std::env::split_paths(list).find(|path| !path.as_os_str().is_empty()));
    named.unwrap_or_else(|| paths::home(environment).join(".kube").join("config"))
}

async fn merge_into(app: &App, file: &Path, fetched: &Value) -> Result<()> {
    // A link stays a link: what it points to is replaced.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_file::folder(folder)?;
    }
    let _lock = FileLock::take(app, &file).await?;
    let known = match private_file::read_if_any(&file)? {
        Some(text) if !text.trim().is_empty() => parse(&text)
            .map_err(|_| Error::usage(format!("{} is no kubeconfig; it was left alone", file.display())))?,
        _ => json!({"apiVersion": "v1", "kind": "Config"}),
    };
    let merged = merge(known, fetched)
        .ok_or_else(|| Error::usage(format!("{} is no kubeconfig; it was left alone", file.display())))?;
    // One line a value: not every reader of kubeconfigs takes folded base64.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(&merged, options).map_err(|error| {
        Error::new(FailureKind::Unexpected, format!("no kubeconfig can be written: {error}"))
    })?;
    private_file::replace(&file, &text)
}

fn parse(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text)
        .map_err(|_| Error::new(FailureKind::Unexpected, "the kubeconfig cannot be read"))
}

/// The fetched cluster, user and context in the place of those of the same name; everything else as it is.
fn merge(known: Value, fetched: &Value) -> Option<Value> {
    let Value::Object(mut known) = known else { return None };
    for list in ["clusters", "users", "contexts"] {
        let more = fetched.get(list).and_then(Value::as_array)?;
        let entry = known.entry(list).or_insert_with(|| json!([]));
        if entry.is_null() {
            *entry = json!([]);
        }
        let Value::Array(entries) = entry else { return None };
        for new in more {
            match entries.iter_mut().find(|old| old.get("name") == new.get("name")) {
                Some(old) => replace(old, new),
                None => entries.push(new.clone()),
            }
        }
    }
    known.insert("current-context".to_owned(), fetched.get("current-context")?.clone());
    Some(Value::Object(known))
}

/// A cluster and a context keep fields of theirs that we do not write (a proxy, a namespace); a user is whole, lest an
/// old credential wins over the new one.
fn replace(old: &mut Value, new: &Value) {
    if new.get("user").is_some_and(Value::is_object) {
        *old = new.clone();
        return;
    }
    let empty = Map::new();
    let (Value::Object(old), new) = (old, new.as_object().unwrap_or(&empty)) else { return };
    for (field, value) in new {
        match (old.get_mut(field), value) {
            (Some(Value::Object(old)), Value::Object(value)) => {
                old.extend(value.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => {
                old.insert(field.clone(), value.clone());
            }
        }
    }
}

/// kubectl's lock: a file beside the kubeconfig that exists while somebody writes.
struct FileLock(PathBuf);

impl FileLock {
    async fn take(app: &App, file: &Path) -> Result<Self> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        for _ in 0..LOCK_TRIES {
            match std::fs::File::options().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    app.clock.sleep(LOCK_PAUSE).await;
                }
                Err(error) => return Err(Error::file("make", &path, &error)),
            }
        }
        Err(Error::new(FailureKind::Conflict, format!("somebody else writes {}", file.display()))
            .with_fix(format!("if nobody does, remove {}", path.display())))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // What cannot be removed is named by the next one who waits for it.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fetched() -> Value {
        json!({
            "clusters": [{"name": "a", "cluster": {"server": "https://new"}}],
            "users": [{"name": "a", "user": {"exec": {"command": "pmks"}}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "current-context": "a",
        })
    }

    #[test]
    fn what_is_there_stays() {
        let known = json!({
            "preferences": {"colors": true}, "unknown": 7, "current-context": "b", "users": null,
            "clusters": [
                {"name": "b", "cluster": {"server": "https://b"}},
                {"name": "a", "cluster": {"server": "https://old", "proxy-url": "http://p"}},
            ],
            "contexts": [{"name": "a", "context": {"namespace": "mine", "user": "x"}}],
        });
        let merged = merge(known, &fetched()).unwrap();
        assert_eq!(
            merged,
            json!({
                "preferences": {"colors": true}, "unknown": 7, "current-context": "a",
                "clusters": [
                    {"name": "b", "cluster": {"server": "https://b"}},
                    {"name": "a", "cluster": {"server": "https://new", "proxy-url": "http://p"}},
                ],
                "users": [{"name": "a", "user": {"exec": {"command": "pmks"}}}],
                "contexts": [{"name": "a", "context": {"namespace": "mine", "user": "a", "cluster": "a"}}],
            })
        );
        assert_eq!(merge(merged.clone(), &fetched()).unwrap(), merged, "twice is once");
    }

    #[test]
    fn an_old_credential_does_not_survive() {
        let known = json!({"users": [{"name": "a", "user": {"token": "old"}}]});
        let merged = merge(known, &fetched()).unwrap();
        assert_eq!(merged["users"][0]["user"], json!({"exec": {"command": "pmks"}}));
    }

    #[test]
    fn what_is_no_kubeconfig_is_refused() {
        assert!(merge(json!([1]), &fetched()).is_none());
        assert!(merge(json!({"clusters": "x"}), &fetched()).is_none());
    }

    #[test]
    fn the_first_file_that_is_named_is_written() {
        let file = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            usual_file(&Environment::new(pairs))
        };
        assert_eq!(file(&[("HOME", "/h"), ("KUBECONFIG", ":/a:/b")]), PathBuf::from("/a"));
        assert_eq!(file(&[("HOME", "/h")]), PathBuf::from("/h/.kube/config"));
    }

    proptest! {
        #![proptest_config(crate::properties::cases(300))]
        #[test]
        fn whatever_a_file_holds_it_is_merged_or_left_alone(
            text in prop_oneof![
                "\\PC{0,60}",
                "((clusters|users|contexts|current-context|\\PC{0,4}): ?(\\[\\]|null|~|yes|\\{\\}|&a \\[\\*a\\]|\\n- name: (a|b|\\PC{0,4})\\n  (cluster|user): (\\{x: 1\\}|7))\\n){0,4}",
            ],
        ) {
            let Ok(known) = parse(&text) else { return Ok(()) };
            let Some(merged) = merge(known.clone(), &fetched()) else { return Ok(()) };
            prop_assert_eq!(merge(merged.clone(), &fetched()).unwrap(), merged.clone());
            prop_assert_eq!(&merged["current-context"], "a");
            let empty = Map::new();
            for (field, value) in known.as_object().unwrap_or(&empty) {
                if !["clusters", "users", "contexts", "current-context"].contains(&field.as_str()) {
                    prop_assert_eq!(&merged[field], value);
                }
            }
            // As it is written it is read again.
            let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
            let written = serde_saphyr::to_string_with_options(&merged, options).unwrap();
            prop_assert_eq!(parse(&written).unwrap(), merged, "{}", written);
        }
    }

    #[test]
    fn a_file_that_grows_without_bounds_is_refused() {
        let laughs = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
            let below = level - 1;
            format!("{text}a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n")
        });
        for text in [laughs, "[".repeat(100_000), "- ".repeat(20_000), "{a: ".repeat(100_000)] {
            assert!(parse(&text).is_err(), "{}", &text[..40]);
        }
    }
}
