//! What happens to identities by itself: accounts are made, users log in, foreign issuers are trusted, tokens expire.

use jiff::SignedDuration;
use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use super::ServiceKey;
use super::state::{Provider, ServiceAccount, User};
use crate::world::World;

/// The events, each of the first project unless it names one:
/// `serviceAccountIsMade {name, tokenCreators?: [member]}` answers the account's key file; `userLogsIn {email}` the
/// user's application default credentials; `workloadIdentityProviderIsMade {pool, provider, issuer, keys: [JWK],
/// audiences?}` the provider's audience; `tokensExpire` ends all tokens but the offered one;
/// `tokenCreatorIsAdded {serviceAccount, member}`.
///
/// # Errors
/// When a field is missing, or what is named does not exist.
pub(crate) fn from_event(
    world: &mut World,
    kind: &str,
    event: &Value,
    now: Now,
) -> Result<Value, StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let needed = |key: &str| text(key).ok_or_else(|| StateError(format!("the event needs `{key}`")));
    let texts = |key: &str| -> Vec<String> {
        let list = event.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let project = world.project_named(text("project"))?;
    match kind {
        "serviceAccountIsMade" => {
            let key = new_key()?;
            let mut account =
                ServiceAccount::new(needed("name")?, &project, key, &mut world.random, now.wall);
            account.token_creators = texts("tokenCreators").into_iter().collect();
            let file = account.key_file();
            world.auth.accounts.insert(account.email.clone(), account);
            Ok(file)
        }
        "tokenCreatorIsAdded" => {
            let email = needed("serviceAccount")?;
            let account = world.auth.accounts.get_mut(email);
            let account =
                account.ok_or_else(|| StateError(format!("there is no service account `{email}`")))?;
            account.token_creators.insert(needed("member")?.to_owned());
            Ok(Value::Null)
        }
        "userLogsIn" => Ok(log_in(world, needed("email")?)),
        "workloadIdentityProviderIsMade" => {
            let number =
                world.projects.get(&project).map(|project| project.number.clone()).unwrap_or_default();
            let audience = format!(
                "//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{}/providers/{}",
                needed("pool")?,
                needed("provider")?
            );
            let keys = event.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
            let (issuer, audiences) = (needed("issuer")?.to_owned(), texts("audiences"));
            world.auth.providers.insert(audience.clone(), Provider { project, issuer, audiences, keys });
            Ok(json!({"audience": audience}))
        }
        "tokensExpire" => {
            for token in world.auth.tokens.values_mut() {
                token.expires = token.expires.map(|_| now.wall - SignedDuration::from_secs(1));
            }
            Ok(Value::Null)
        }
        other => Err(StateError(format!("no event of type `{other}` happens in gcp"))),
    }
}

/// The event `projectIsMade {id}`: one more project, with a service account; answers that account's key file.
///
/// # Errors
/// When there is no id, or the project exists.
pub(crate) fn project_is_made(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let id = event
        .get("id")
        .and_then(Value::as_str)
        .ok_or_else(|| StateError("the event needs `id`".to_owned()))?;
    if world.projects.contains_key(id) {
        return Err(StateError(format!("the project `{id}` exists")));
    }
    let key = new_key()?;
    world.add_project(id, key, now.wall);
    let account = world.auth.accounts.values().find(|account| account.project == id);
    Ok(account.map(ServiceAccount::key_file).unwrap_or_default())
}

/// The event `credentialsMove`: the first project has another number from now on, or its own again. Google never does
/// that; it is for tests of whether a client asks who it is or remembers it.
pub(crate) fn credentials_move(world: &mut World) -> Value {
    let other = World::project_number(&mut world.random);
    let first = world.first.clone();
    let project = world.project_mut(&first);
    let other = project.other_number.take().unwrap_or(other);
    project.other_number = Some(std::mem::replace(&mut project.number, other));
    json!({"project": project.number})
}

fn new_key() -> Result<ServiceKey, StateError> {
    ServiceKey::generate().map_err(|_| StateError("no key could be made".to_owned()))
}

/// The file that `gcloud auth application-default login` leaves.
fn log_in(world: &mut World, email: &str) -> Value {
    let random = &mut world.random;
    let user = User {
        email: email.to_owned(),
        unique_id: format!("1{}", random.digits(20)),
        client_id: format!("{}-{}.apps.googleusercontent.com", random.digits(12), random.hex(32)),
        client_secret: format!("GOCSPX-{}", random.hex(28)),
    };
    let refresh_token = format!("1//0{}", random.hex(60));
    let file = json!({
        "type": "authorized_user", "account": "", "universe_domain": "googleapis.com",
        "client_id": user.client_id, "client_secret": user.client_secret, "refresh_token": refresh_token,
    });
    world.auth.users.insert(refresh_token, user);
    file
}
