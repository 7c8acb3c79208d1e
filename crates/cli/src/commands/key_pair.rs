//! `pmks key-pair`. The private half is shown once, or saved; it is kept nowhere else.

use http::Method;
use pmks_api::NewKeyPair;
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
            forget(app, within(app, &["keyPairs", &what.name])?, &format!("key pair {}", what.name)).await
        }
    }
}

async fn make(app: &App, create: KeyPairCreate) -> Result<()> {
    let KeyPairCreate { name, public_key, save, mutation } = create;
    if let Some(path) = save.as_deref().filter(|path| path.exists()) {
        // Found out now: the private half is answered only once.
        return Err(Error::usage(format!("{} is there already", path.display())));
    }
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
    let structured = matches!(app.global.output, Output::Json | Output::Yaml);
    let answer = keep_private_key(answer, save.as_deref(), structured)?;
    if structured {
        output::structured(app.global.output, &answer)?;
    }
    match operation {
        None => Ok(()),
        Some(_) if structured && mutation.no_wait => Ok(()),
        Some(operation) if structured => {
            let ended = mutations::see_through(app, &mutation, session, operation).await?;
            crate::wait::judge(ended).map(drop)
        }
        Some(operation) => mutations::finish(app, &mutation, session, operation).await,
    }
}

/// Saves the private half, or prints it; the answer as it may be printed after that.
fn keep_private_key(mut answer: Value, save: Option<&std::path::Path>, structured: bool) -> Result<Value> {
    let Some(private) = answer.get("privateKey").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(answer);
    };
    match save {
        Some(path) => {
            private_file::create(path, &private)?;
            output::note(&format!("the private key is in {}", path.display()));
            if let Value::Object(fields) = &mut answer {
                fields.remove("privateKey");
            }
        }
        None if structured => {}
        None => {
            output::data(&private)?;
            output::note("this private key is shown once; pmks does not keep it");
        }
    }
    Ok(answer)
}
