//! `pmks spctl`: CB-Spider's command line, whose scripts go on unchanged, as a client of a server's `/spider`. Unlike
//! `spctl` it ends with a code that tells whether it was done.

mod grammar;
mod outside;

use std::ffi::OsString;

use clap::ArgMatches;
use futures::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pmks_model::FailureKind;
use pmks_spider::{Operation, operations};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::Url;

use crate::app::App;
use crate::arguments::Output;
use crate::client::{Authorization, Door as _, HttpDoor, Sent};
use crate::error::{Error, Result};
use crate::output;
use grammar::{CONNECTION, DATA};

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Keeps the flags of `spctl` from being read as those of `pmks`: they have other meanings there.
pub(crate) fn untouched(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|word| word == "spctl") {
        arguments.insert(2, OsString::from("--"));
    }
    arguments
}

/// Runs one command.
///
/// # Errors
/// What is wrong with it, or why the server refused it.
pub(crate) async fn run(app: &App, arguments: &[OsString]) -> Result<()> {
    let whole = std::iter::once(OsString::from("spctl")).chain(arguments.iter().cloned());
    let matches = match grammar::grammar().try_get_matches_from(whole) {
        Ok(matches) => matches,
        Err(shown) if is_help(&shown) => return output::data(&shown.render().to_string()),
        Err(refused) => return Err(Error::usage(refused.render().to_string().trim_start_matches("error: "))),
    };
    let (resource, verb, given) = said(&matches).ok_or_else(|| Error::usage("name a resource and a verb"))?;
    let is_it = |operation: &&Operation| {
        grammar::words(operation).is_some_and(|(known, of, _)| (known, of) == (resource, verb))
    };
    let Some(operation) = operations().find(is_it) else {
        let says = format!("spctl {resource} {verb} is not supported here");
        let fix = "pmks serves what concerns managed Kubernetes: `pmks spctl --help` lists it";
        return Err(Error::new(FailureKind::Unsupported, says).with_fix(fix));
    };
    let request = request(operation, given, app.global.connection.as_deref())?;
    let usual = app.global.server.as_ref().map_or("localhost:1024", Url::as_str);
    let server = text(given, "server").unwrap_or(usual);
    let url = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    let url: Url = url.parse().map_err(|error| Error::usage(format!("--server {server}: {error}")))?;
    let door =
        HttpDoor::that_waits(&url, authorization(app, given).as_ref(), app.global.server_ca.as_deref())?;
    let received = door.send(request).await?;
    let status = received.status;
    let mut body = received.body;
    let mut bytes = Vec::new();
    while let Some(part) = body.try_next().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > LARGEST_ANSWER {
            return Err(Error::new(FailureKind::Unexpected, "the answer is too large"));
        }
    }
    // A table that was asked for.
    if status.is_success() && is_text(&received.headers) {
        let text = String::from_utf8_lossy(&bytes);
        return output::data(&text.replace(|c| output::steers(c) && !"\n\t".contains(c), ""));
    }
    let answer: Value = serde_json::from_slice(&bytes).map_err(|_| {
        Error::new(FailureKind::Unexpected, format!("{status}, and no JSON: is it /spider's server?"))
    })?;
    let yaml = text(given, "output").map_or(app.global.output == Output::Yaml, |form| form == "yaml");
    output::structured(if yaml { Output::Yaml } else { Output::Json }, &answer)?;
    if status.is_success() { Ok(()) } else { Err(refused(status, &answer)) }
}

/// What was asked for, or stands in for a word that was left out: `spctl` shows that too, and has done its work.
fn is_help(shown: &clap::Error) -> bool {
    let nothing_more = clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    !shown.use_stderr() || shown.kind() == nothing_more
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/plain"))
}

/// The resource and the verb that were named, and what was said with them.
fn said(matches: &ArgMatches) -> Option<(&str, &str, &ArgMatches)> {
    let (resource, within) = matches.subcommand()?;
    let (verb, given) = within.subcommand()?;
    Some((resource, verb, given))
}

fn text<'a>(given: &'a ArgMatches, name: &str) -> Option<&'a str> {
    given.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

fn authorization(app: &App, given: &ArgMatches) -> Option<Authorization> {
    let of = |flag: &str, variable: &str| {
        let said = text(given, flag).or_else(|| app.environment.get(variable));
        said.filter(|said| !said.is_empty()).map(str::to_owned)
    };
    let (username, password) = (of("username", "SPIDER_USERNAME")?, of("password", "SPIDER_PASSWORD")?);
    Some(Authorization::Basic { username, password: SecretString::from(password) })
}

/// The request of a command. The connection stands in the query of what reads, and in the body of what changes.
fn request(operation: &Operation, given: &ArgMatches, usual: Option<&str>) -> Result<Sent> {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let connection = text(given, CONNECTION).or(usual).filter(|_| operation.needs_connection());
    let data = text(given, DATA).map(|data| {
        let read: std::result::Result<Map<String, Value>, _> = serde_json::from_str(data);
        read.map_err(|error| Error::usage(format!("--data is no JSON object: {error}")))
    });
    let data = data.transpose()?;
    let mut missing: Vec<&str> = Vec::new();
    let mut target = "/spider".to_owned();
    for part in operation.path.split('/').skip(1) {
        target.push('/');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => target.push_str(part),
            Some(name) => match text(given, name) {
                Some(value) if !value.is_empty() => target.push_str(&escaped(value)),
                _ => missing.push(name),
            },
        }
    }
    let mut query: Vec<String> = operation
        .sends
        .query
        .iter()
        .filter_map(|name| Some(format!("{name}={}", escaped(text(given, name)?))))
        .collect();
    let mut body = data.clone().unwrap_or_default();
    let says = |body: &Map<String, Value>| body.keys().any(|key| key.eq_ignore_ascii_case(CONNECTION));
    // `spctl` sends a body as it is, and takes no `-c` beside one: of two names neither goes before the other.
    let own = body.iter().find(|(key, _)| key.eq_ignore_ascii_case(CONNECTION)).map(|(_, own)| own);
    if let (Some(flag), Some(own)) = (text(given, CONNECTION), own)
        && operation.needs_connection()
        && own.as_str().is_none_or(|own| own.trim() != flag.trim())
    {
        let says = format!("-c names the connection {flag}, and --data {own}");
        return Err(Error::usage(says).with_fix("name it once"));
    }
    match connection {
        Some(name) if !grammar::has_body(operation) => query.push(format!("{CONNECTION}={}", escaped(name))),
        Some(name) if !says(&body) => drop(body.insert(CONNECTION.to_owned(), json!(name))),
        None if operation.needs_connection() && !says(&body) => missing.push("-c CONNECTION"),
        _ => {}
    }
    let asks = operation
        .example(false)
        .is_some_and(|least| least.as_object().is_some_and(|all| all.keys().any(|key| key != CONNECTION)));
    if asks && data.is_none() {
        missing.push("--data");
    }
    if !missing.is_empty() {
        return Err(lacking(operation, &missing));
    }
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let mut headers = HeaderMap::new();
    let sent = if grammar::has_body(operation) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Value::Object(body).to_string()
    } else {
        String::new()
    };
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap_or_default();
    let repeatable = method == Method::GET;
    Ok(Sent { method, target, headers, body: sent.into(), repeatable })
}

/// What a command lacks, and bodies that it would take.
fn lacking(operation: &Operation, missing: &[&str]) -> Error {
    let names: Vec<String> = missing
        .iter()
        .map(|name| if name.starts_with('-') { (*name).to_owned() } else { format!("--{name}") })
        .collect();
    let refused = Error::usage(format!("{} needs {}", operation.id, names.join(", ")));
    let example = |all| operation.example(all).map(|body| body.to_string());
    match (example(false), example(true)) {
        (Some(least), Some(all)) if least != all => {
            refused.with_fix(format!("--data '{least}', with all that can be said: '{all}'"))
        }
        (Some(least), _) => refused.with_fix(format!("--data '{least}'")),
        _ => refused,
    }
}

/// The class of error of a status, for the exit code.
fn refused(status: StatusCode, answer: &Value) -> Error {
    let kind = match status.as_u16() {
        401 => FailureKind::NotAuthenticated,
        403 => FailureKind::NotAllowed,
        404 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        422 => FailureKind::Precondition,
        429 => FailureKind::Throttled,
        501 => FailureKind::Unsupported,
        503 => FailureKind::Unavailable,
        408 | 504 => FailureKind::Timeout,
        400..=499 => FailureKind::InvalidRequest,
        _ => FailureKind::Unexpected,
    };
    let says = answer.get("message").and_then(Value::as_str).unwrap_or_default();
    Error::new(kind, says)
}
