//! What the simulated IAM holds for one account.
//!
//! Secrets are here because signatures are verified with them; no `Debug` shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::{Now, Random};
use serde::{Deserialize, Serialize};

use crate::context::{Caller, Context};
use crate::iam::web_identity::Provider;
use crate::world::{Tags, World};
use crate::xml::Xml;

/// How long a new or changed role takes, in work time, until other services know it.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>.
pub(crate) const CONSISTENT_AFTER: Duration = Duration::from_secs(8);

/// Users, keys, roles and sessions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    users: BTreeMap<String, User>,
    keys: BTreeMap<String, AccessKey>,
    sessions: BTreeMap<String, Session>,
    /// Roles by name.
    pub(crate) roles: BTreeMap<String, Role>,
    /// Providers of web identities, by issuer.
    pub(crate) providers: BTreeMap<String, Provider>,
}

/// Users and keys on their way from one account to another.
#[derive(Debug)]
pub(crate) struct Users {
    users: BTreeMap<String, User>,
    keys: BTreeMap<String, AccessKey>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    id: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct AccessKey {
    user: String,
    secret: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AccessKey").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Temporary keys that STS gave out.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The secret key.
    pub(crate) secret: String,
    /// The session token.
    pub(crate) token: String,
    /// `arn:aws:sts::…:assumed-role/…/…`.
    pub(crate) arn: String,
    /// `AROA…:session`.
    pub(crate) user_id: String,
    /// When it ends, by the wall clock.
    pub(crate) expires: Timestamp,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// One role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    /// Its name, unique whatever the case.
    pub(crate) name: String,
    /// `AROA…`.
    pub(crate) id: String,
    /// `arn:aws:iam::…:role/…`.
    pub(crate) arn: String,
    /// `/` or `/a/b/`.
    pub(crate) path: String,
    /// Who may assume it: a JSON document, as it was given.
    pub(crate) trust: String,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// The longest session, in seconds.
    pub(crate) max_session_seconds: i64,
    /// ARNs of the managed policies.
    pub(crate) attached: BTreeSet<String>,
    /// Inline policies: JSON by name.
    pub(crate) inline: BTreeMap<String, String>,
    /// Tags.
    pub(crate) tags: Tags,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// Work time from which on other services know it as it now is.
    pub(crate) known_from: Duration,
}

/// A key that was found, with whom it proves.
pub(crate) struct ProvenKey {
    /// The secret key.
    pub(crate) secret: String,
    /// The token that must come with it.
    pub(crate) session_token: Option<String>,
    /// When it ends.
    pub(crate) expires: Option<Timestamp>,
    /// Whom it proves.
    pub(crate) caller: Caller,
}

impl State {
    /// Takes users and keys away, to be given to another account.
    pub(crate) fn take_users(&mut self) -> Users {
        Users { users: std::mem::take(&mut self.users), keys: std::mem::take(&mut self.keys) }
    }

    /// Gives users and keys of another account to this one.
    pub(crate) fn give_users(&mut self, given: Users) {
        self.users.extend(given.users);
        self.keys.extend(given.keys);
    }

    /// With one user who has one key.
    pub(crate) fn with_user(name: &str, random: &mut Random) -> Self {
        let mut state = Self::default();
        state.users.insert(name.to_owned(), User { id: new_unique_id("AIDA", random) });
        let key = AccessKey { user: name.to_owned(), secret: new_secret(random) };
        state.keys.insert(new_unique_id("AKIA", random), key);
        state
    }

    /// Whether there is a user of this name.
    pub(crate) fn has_user(&self, name: &str) -> bool {
        self.users.contains_key(name)
    }

    /// The id and secret of the first user's key.
    pub(crate) fn first_key(&self) -> Option<(&str, &str)> {
        self.keys.first_key_value().map(|(id, key)| (id.as_str(), key.secret.as_str()))
    }

    /// Keeps a session's keys and answers their id.
    pub(crate) fn add_session(&mut self, session: Session, random: &mut Random) -> String {
        let id = new_unique_id("ASIA", random);
        self.sessions.insert(id.clone(), session);
        id
    }

    /// No session lasts longer than that.
    pub(crate) fn end_sessions(&mut self, at: Timestamp) {
        for session in self.sessions.values_mut() {
            session.expires = session.expires.min(at);
        }
    }

    /// A role by its name; IAM's names differ in more than their case.
    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.name.eq_ignore_ascii_case(name))
    }

    /// A role by its ARN.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn == arn)
    }

    fn proven(&self, account: &str, id: &str) -> Option<ProvenKey> {
        if let Some(key) = self.keys.get(id) {
            let user = self.users.get(&key.user)?;
            return Some(ProvenKey {
                secret: key.secret.clone(),
                session_token: None,
                expires: None,
                caller: Caller {
                    account: account.to_owned(),
                    arn: format!("arn:aws:iam::{account}:user/{}", key.user),
                    user_id: user.id.clone(),
                    access_key: id.to_owned(),
                },
            });
        }
        let session = self.sessions.get(id)?;
        Some(ProvenKey {
            secret: session.secret.clone(),
            session_token: Some(session.token.clone()),
            expires: Some(session.expires),
            caller: Caller {
                account: account.to_owned(),
                arn: session.arn.clone(),
                user_id: session.user_id.clone(),
                access_key: id.to_owned(),
            },
        })
    }
}

impl Role {
    /// Whether other services know the role as it now is.
    pub(crate) fn is_known(&self, now: Now) -> bool {
        self.known_from <= now.work
    }
}

impl World {
    /// The access key of this id, in whichever account.
    pub(crate) fn access_key(&self, id: &str) -> Option<ProvenKey> {
        self.accounts.iter().find_map(|(account, held)| held.iam.proven(account, id))
    }
}

/// A prefix and 16 characters, as IAM numbers things.
pub(crate) fn new_unique_id(prefix: &str, random: &mut Random) -> String {
    format!("{prefix}{}", random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
}

/// 40 characters.
pub(crate) fn new_secret(random: &mut Random) -> String {
    random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+", 40)
}

/// `GetUser` of the caller.
pub(crate) fn get_user(context: &Context<'_>) -> Xml {
    let name = context.caller.arn.rsplit('/').next().unwrap_or_default();
    let user = Xml::new()
        .text("Path", "/")
        .text("UserName", name)
        .text("UserId", &context.caller.user_id)
        .text("Arn", &context.caller.arn)
        .text("CreateDate", "2026-01-01T00:00:00Z");
    Xml::new().child("User", &user)
}

impl World {
    /// A new secret key.
    pub(crate) fn new_secret(&mut self) -> String {
        new_secret(&mut self.random)
    }
}

#[cfg(test)]
impl State {
    /// A key of the first user that a published signature was made with.
    pub(crate) fn add_key_for_tests(&mut self, id: &str, secret: &str) {
        let user = self.users.keys().next().cloned().unwrap_or_default();
        self.keys.insert(id.to_owned(), AccessKey { user, secret: secret.to_owned() });
    }
}
