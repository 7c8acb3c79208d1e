//! `pmks key-pair`. The private half is shown once, or saved; it is kept nowhere else.

use http::Method;
use pmks_api::NewKeyPair;
use pmks_model::FailureKind;
use serde_json::Value;

use super::{body, delete, forget, import, print_list, print_one, within};
use crate::app::App;
use crate::arguments::{KeyPairCommand, KeyPairCreate, Output};
use crate::client::Request;
use crate::error::{Error, Result};
use crate::mutations::{self, Begun};
use crate::output::{self, Kind};
use crate::private_file;

pub(super) async fn run(app: &App, command: KeyPairCommand) -> Result<()> {
    match command {
        KeyPairCommand::Create(create) => Box::pin(make(app, create)).await,
        KeyPairCommand::Import(what) => import(app, within(app, &["keyPairs"])?, &what, Kind::KeyPair).await,
        KeyPairCommand::List => print_list(app, within(app, &["keyPairs"])?, Kind::KeyPair).await,
        KeyPairCommand::Get(what) => {
            print_one(app, within(app, &["keyPairs", &what.name])?, Kind::KeyPair).await
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
    let KeyPairCreate { name, public_key, save, mutation } = create;
    // Before anything is asked for: the private half is answered only once.
    let file = save.as_deref().map(private_file::reserve).transpose()?;
    let public_key = match public_key {
        Some(path) => {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error))?;
            Some(text.trim().to_owned())
        }
        None => None,
    };
    let key_pair = NewKeyPair { name, system_id: None, public_key };
    let request = Request::new(Method::POST, within(app, &["keyPairs"])?).json(body(&key_pair)?);
    let session = mutations::session(app, &mutation).await?;
    let (operation, answer) = match mutations::begin(app, &mutation, &session, request).await? {
        Begun::Planned => return Ok(()),
        Begun::Accepted { operation, answer } => (Some(*operation), answer),
        Begun::Done(answer) => (None, answer),
    };
    let missed = key_pair.public_key.is_none() && answer.get("privateKey").is_none_or(Value::is_null);
    let missed = missed.then(|| missing(&key_pair.name, file.as_ref()));
    let structured = matches!(app.global.output, Output::Json | Output::Yaml);
    let answer = keep_private_key(answer, file, structured)?;
    if structured {
        output::structured(app.global.output, &answer)?;
    }
    let ended = match operation {
        None => Ok(()),
        Some(_) if structured && mutation.no_wait => Ok(()),
        Some(operation) if structured => {
            let ended = mutations::see_through(app, &mutation, session, operation).await?;
            crate::wait::judge(ended).map(drop)
        }
        Some(operation) => mutations::finish(app, &mutation, session, operation).await,
    };
    ended.and(missed.map_or(Ok(()), Err))
}

/// What is said where the answer holds no private half although pmks makes the pair: the request came before.
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
    file: Option<private_file::Reserved>,
    structured: bool,
) -> Result<Value> {
    let Some(private) = answer.get("privateKey").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(answer);
    };
    if let Some(file) = file {
        let path = file.path().to_owned();
        match file.write(&private) {
            Ok(()) => {
                output::note(&format!("the private key is in {}", path.display()));
                if let Value::Object(fields) = &mut answer {
                    fields.remove("privateKey");
                }
                return Ok(answer);
            }
            // Nobody can be asked for it again.
            Err(error) => output::note(&format!("{}; it is on standard output instead", error.text())),
        }
    }
    if !structured {
        output::data(&private)?;
        output::note("this private key is shown once; pmks does not keep it");
    }
    Ok(answer)
}
