//! `pmks key-pair`. The private half is made here, and shown once, or saved, when the pair exists; it is sent nowhere.

use std::path::Path;

use http::Method;
use pmks_api::{NewKeyPair, Operation};
use pmks_model::FailureKind;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{body, delete, forget, import, pairs, print_list, print_one, retag, within};
use crate::app::App;
use crate::arguments::{KeyPairCommand, KeyPairCreate, Mutation, Output};
use crate::client::Request;
use crate::error::{Error, Result};
use crate::mutations::{self, Begun};
use crate::output::{self, Kind};
use crate::private_file;
use crate::session::Session;

pub(super) async fn run(app: &App, command: KeyPairCommand) -> Result<()> {
    match command {
        KeyPairCommand::Create(create) => Box::pin(make(app, create)).await,
        KeyPairCommand::Import(what) => import(app, within(app, &["keyPairs"])?, &what, Kind::KeyPair).await,
        KeyPairCommand::List => print_list(app, within(app, &["keyPairs"])?, Kind::KeyPair).await,
        KeyPairCommand::Unmanaged => {
            let path = within(app, &["keyPairs"])?.query("managed", "false");
            print_list(app, path, Kind::KeyPair).await
        }
        KeyPairCommand::Get(what) => {
            print_one(app, within(app, &["keyPairs", &what.name])?, Kind::KeyPair).await
        }
        KeyPairCommand::Update(what) => {
            retag(app, &what.mutation, within(app, &["keyPairs", &what.name])?, &what.tags).await
        }
        KeyPairCommand::Delete(what) => {
            let path = within(app, &["keyPairs", &what.name])?;
            delete(app, &what.mutation, path, &format!("key pair {}", what.name)).await
        }
        KeyPairCommand::Forget(what) => {
            forget(app, what.own, within(app, &["keyPairs", &what.name])?, &format!("key pair {}", what.name))
                .await
        }
    }
}

async fn make(app: &App, create: KeyPairCreate) -> Result<()> {
    let KeyPairCreate { name, public_key, save, cloud, tags, mutation } = create;
    let new = NewKeyPair {
        name,
        unique_cloud_name: cloud.unique_cloud_name,
        tags: pairs::texts("tag", &tags)?,
        ..NewKeyPair::default()
    };
    match public_key {
        Some(path) => {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error))?;
            give(app, &mutation, with_public_key(new, text.trim())).await
        }
        None => generate(app, &mutation, new, save.as_deref()).await,
    }
}

/// Gives the cloud the public half of the user's own pair.
async fn give(app: &App, mutation: &Mutation, key_pair: NewKeyPair) -> Result<()> {
    let (session, begun) = begin(app, mutation, key_pair).await?;
    let (operation, answer) = match begun {
        Begun::Planned => return Ok(()),
        Begun::Accepted { operation, answer } => (Some(*operation), answer),
        Begun::Done(answer) => (None, answer),
    };
    if !is_structured(app) {
        return match operation {
            Some(operation) => mutations::finish(app, mutation, session, operation).await,
            None => Ok(()),
        };
    }
    output::structured(app.global.output, &answer)?;
    match operation.filter(|_| !mutation.no_wait) {
        Some(operation) => {
            let ended = mutations::see_through(app, mutation, session, operation).await?;
            crate::wait::judge(ended).map(drop)
        }
        None => Ok(()),
    }
}

/// Makes the pair here and gives the cloud its public half. The private half leaves this process only once the pair
/// exists: whoever stops waiting has none.
async fn generate(app: &App, mutation: &Mutation, new: NewKeyPair, save: Option<&Path>) -> Result<()> {
    let name = new.name.clone();
    // Before anything is asked for: there is no second private half.
    let file = save.map(private_file::reserve).transpose()?;
    let pair = pmks_core::generate_key_pair(&name)?;
    let (session, begun) = match begin(app, mutation, with_public_key(new, &pair.public_key)).await {
        // The public half of then was another one.
        Err(error) if mutation.idempotency_key.is_some() && names(&error, "Idempotency-Key") => {
            return Err(missing(&name, file.as_ref()));
        }
        begun => begun?,
    };
    let Begun::Accepted { operation, answer } = begun else { return Ok(()) };
    if mutation.no_wait {
        output::note("a private key is given out once its pair exists: waiting for that");
    }
    let ended = match mutations::see_through(app, mutation, session, *operation).await {
        Err(error @ (Error::Interrupted(_) | Error::Problem(_))) => {
            output::note(&format!(
                "nobody was given the private key of {name}: if the pair comes to be, delete it and make another"
            ));
            return Err(error);
        }
        ended => crate::wait::judge(ended?)?,
    };
    let answer = keep_private_key(answer, pair.private_key.expose_secret(), file, is_structured(app))?;
    if is_structured(app) {
        return output::structured(app.global.output, &with_operation(answer, &ended)?);
    }
    mutations::print_operation(app, &ended)
}

fn with_public_key(new: NewKeyPair, public_key: &str) -> NewKeyPair {
    NewKeyPair { public_key: Some(public_key.to_owned()), ..new }
}

async fn begin(app: &App, mutation: &Mutation, key_pair: NewKeyPair) -> Result<(Session, Begun)> {
    let request = Request::new(Method::POST, within(app, &["keyPairs"])?).json(body(&key_pair)?);
    let session = mutations::session(app, mutation).await?;
    let begun = mutations::begin(app, mutation, &session, request).await?;
    Ok((session, begun))
}

fn is_structured(app: &App) -> bool {
    matches!(app.global.output, Output::Json | Output::Yaml)
}

/// Whether an error is about that field.
fn names(error: &Error, field: &str) -> bool {
    let Error::Problem(problem) = error else { return false };
    problem.field.as_deref() == Some(field) || problem.findings.iter().any(|finding| finding.field == field)
}

/// What is said where the request came before: its private half was another one.
fn missing(name: &str, file: Option<&private_file::Reserved>) -> Error {
    let unwritten = file.map(|file| format!("; {} was not written", file.path().display()));
    let says = format!(
        "key pair {name} was asked for before: its private key was shown once then, and is in no later answer{}",
        unwritten.unwrap_or_default()
    );
    Error::new(FailureKind::AlreadyExists, says).with_fix(format!(
        "if it is lost: pmks key-pair delete {name}, and create it with another --idempotency-key"
    ))
}

/// Saves the private half, or prints it; the answer as it may be printed after that.
fn keep_private_key(
    mut answer: Value,
    private: &str,
    file: Option<private_file::Reserved>,
    structured: bool,
) -> Result<Value> {
    if let Some(file) = file {
        let path = file.path().to_owned();
        match file.write(private) {
            Ok(()) => {
                output::note(&format!("the private key is in {}", path.display()));
                return Ok(answer);
            }
            // Nobody can be asked for it again.
            Err(error) => output::note(&format!("{}; it is on standard output instead", error.text())),
        }
    }
    if !structured {
        output::data(private)?;
        output::note("this private key is shown once; pmks does not keep it");
    } else if let Value::Object(fields) = &mut answer {
        fields.insert("privateKey".to_owned(), Value::from(private));
    }
    Ok(answer)
}

/// The answer with the operation as it ended.
fn with_operation(mut answer: Value, ended: &Operation) -> Result<Value> {
    let ended = serde_json::to_value(ended)
        .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
    if let Value::Object(fields) = &mut answer {
        fields.insert("operation".to_owned(), ended);
    }
    Ok(answer)
}
