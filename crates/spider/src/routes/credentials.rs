//! Credentials. Values go in and never come out.

use pmks_core::{Holds, Piece, PieceKind};
use pmks_driver::Credential;
use serde_json::{Value, json};

use super::{pieces, spellings};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::fields::Fields;

/// What stands in the place of every value.
const HIDDEN: &str = "Hidden for security.";

pub(super) async fn put(call: Call) -> Answer {
    pieces::put(&call, read, show).await
}

pub(super) async fn plan(call: Call) -> Answer {
    pieces::plan(&call, read, show).await
}

/// What a body says.
pub(super) fn read(call: &Call, body: &Fields) -> pieces::Asked {
    let (name, provider) = pieces::named(body, "CredentialName")?;
    let given = body.pairs("KeyValueInfoList")?;
    let given = given.ok_or_else(|| Refusal::invalid("KeyValue List is nil!"))?;
    let values = translated(call, &provider, given)?;
    let fields = values.iter().map(|(field, _)| field.clone()).collect();
    let piece = Piece { name, provider, holds: Holds::Credential { fields } };
    Ok((piece, Some(Credential::from_values(values))))
}

pub(super) async fn list(call: Call) -> Answer {
    pieces::list(&call, PieceKind::Credential, "credential", show).await
}

pub(super) async fn get(call: Call) -> Answer {
    pieces::get(&call, PieceKind::Credential, show).await
}

pub(super) async fn delete(call: Call) -> Answer {
    pieces::delete(&call, PieceKind::Credential).await
}

/// The values by core's names of their fields. Of a provider without a driver here they are kept by CB-Spider's keys, and
/// of one that CB-Spider does not know either as they came.
fn translated(
    call: &Call,
    provider: &str,
    given: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, Refusal> {
    let spelling = spellings::of(&spellings::to_spider(provider));
    let capabilities = call.pmks().provider(provider).ok();
    if spelling.is_none() && capabilities.is_none() {
        return Ok(given);
    }
    let have: Vec<String> = given.iter().map(|(key, _)| key.clone()).collect();
    let want: Vec<&str> =
        spelling.map(|known| known.credential.iter().map(|(key, _)| *key).collect()).unwrap_or_default();
    let field = |key: &str| match capabilities {
        Some(capabilities) => spellings::field(spelling, capabilities, key),
        None => spelling?.credential_key(key),
    };
    let (mut values, mut empty): (Vec<(String, String)>, Vec<String>) = (Vec::new(), Vec::new());
    for (key, value) in given {
        // Clients send what other services of the cloud want beside, as CB-Tumblebug does.
        let Some(field) = field(key.trim()) else { continue };
        let value = lines(value);
        if value.trim().is_empty() {
            empty.push(format!("{:?}", key.trim()));
        }
        match values.iter().find(|(known, _)| known == field) {
            Some((_, before)) if *before != value => {
                let says = format!("KeyValueInfoList: the key {:?} is given twice", key.trim());
                return Err(Refusal::invalid(says));
            }
            Some(_) => {}
            None => values.push((field.to_owned(), value)),
        }
    }
    let whole = match capabilities {
        Some(capabilities) => {
            let credential = Credential::from_values(values.iter().cloned());
            credential.form(capabilities.credential_forms).is_ok()
        }
        None => want.iter().all(|key| {
            values.iter().any(|(known, value)| known.as_str() == *key && !value.trim().is_empty())
        }),
    };
    if whole {
        return Ok(values);
    }
    let says = format!("Invalid Key in input arguments. have: {have:?}, want: {want:?}");
    Err(Refusal::invalid(match empty.join(", ") {
        none if none.is_empty() => says,
        empty => format!("{says}; the value of {empty} is empty"),
    }))
}

/// A PEM text whose line ends were written as two letters, as clients do that read it from a file of their own.
fn lines(value: String) -> String {
    if value.starts_with("-----BEGIN ") && !value.contains('\n') { value.replace("\\n", "\n") } else { value }
}

fn show(call: &Call, piece: &Piece) -> Value {
    let Holds::Credential { fields } = &piece.holds else { return Value::Null };
    let capabilities = call.pmks().provider(&piece.provider).ok();
    let pair = |field: &String| json!({"Key": spellings::key(capabilities, field), "Value": HIDDEN});
    json!({
        "CredentialName": piece.name,
        "ProviderName": spellings::to_spider(&piece.provider),
        "KeyValueInfoList": fields.iter().map(pair).collect::<Vec<_>>(),
    })
}
