//! The plan of a key pair: Azure is given the public half. The private half never comes here.
//!
//! Source: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/create>

use async_trait::async_trait;
use pmks_driver::{Asked, CreateKeyPair, Effect, Look, Marks, Prepared, Result, StageContext};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim, tags};
use crate::arm_id::{ArmId, COMPUTE};
use crate::capabilities::CAPABILITIES;
use crate::{AzureDriver, incarnations, networks, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeKeyPair>()];

/// Checks the name, and answers the plan: one stage. Three calls.
///
/// # Errors
/// `PrerequisiteMissing` without the resource group; `AlreadyExists` for a stranger's key of that name.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &CreateKeyPair) -> Result<Prepared> {
    prerequisites::require(driver, &[COMPUTE]).await?;
    let request = &asked.request;
    tags::refuse_same(&request.tags)?;
    let body = json!({
        "location": driver.region(),
        "tags": asked.marks.onto(&request.tags),
        "properties": {"publicKey": request.public_key.trim()},
    });
    let id = driver.own_id(COMPUTE, "sshPublicKeys", &request.name);
    let standing = driver.api.ssh_public_key(&id).await.map(|found| found.tags);
    aim::refuse_strangers(standing, &asked.marks, "key pair", id.name())?;
    let stage = MakeKeyPair { id, body, marks: asked.marks.clone() };
    let stage = stage
        .specification("key pair")
        .effect(Effect::Creates)
        .visible_after(CAPABILITIES.visible_after)
        .subject(ResourceKind::KeyPair, request.name.as_str());
    Ok(Prepared::of([stage]))
}

/// Gives the public half to Azure, by a call that knows no condition and replaces what stands. That nothing of that name
/// stands is what the read says that comes right before the request; what somebody puts there between the two is replaced.
/// Whose it is the marks tell, which go with the key in this one request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeKeyPair {
    id: ArmId,
    body: Value,
    marks: Marks,
}

#[async_trait]
impl Stage<AzureDriver> for MakeKeyPair {
    const KIND: &'static str = "azure.keyPair";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let id = self.id.to_string();
        match driver.api.ssh_public_key(&self.id).await {
            Ok(found) if networks::is_ours(&found.tags, &self.marks) => {
                Ok(aim::made(&self.id, &incarnations::key_pair(&found), "", "key pair"))
            }
            Ok(_) => Ok(Look::failed(id.as_str(), &id, aim::taken("key pair", self.id.name()))),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        // A step is written down between the look and this: what a stranger has put there since stays.
        match driver.api.ssh_public_key(&self.id).await {
            Ok(found) if !networks::is_ours(&found.tags, &self.marks) => {
                return Err(aim::taken("key pair", self.id.name()));
            }
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        let accepted = driver.api.create_ssh_public_key(&self.id, &self.body).await?;
        Ok(aim::asked(accepted, &self.id).with_incarnation(self.id.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};

    use pmks_driver::ErrorKind;
    use pmks_model::Tags;

    use super::*;
    use crate::connection::tests::connected;
    use crate::operations::tests::context;

    /// An Azure at which a key with these tags stands, or none. It tells the methods of what it is asked beside tokens.
    fn azure(standing: Option<Tags>) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let key = json!({"name": "k", "tags": standing, "properties": {"publicKey": "ssh-rsa AAAA"}});
            let token = json!({"access_token": "t0k", "expires_in": 3599, "token_type": "Bearer"});
            let none = json!({"error": {"code": "ResourceNotFound", "message": "It was not found."}});
            for stream in listener.incoming() {
                let (mut stream, mut buffer) = (stream.unwrap(), vec![0; 16_384]);
                let read = stream.read(&mut buffer).unwrap();
                let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
                let method = head.split(' ').next().unwrap_or_default().to_owned();
                let (status, body) = match method.as_str() {
                    "POST" => (200, &token),
                    "GET" if standing.is_none() => (404, &none),
                    _ => (200, &key),
                };
                if method != "POST" && tell.send(method).is_err() {
                    return;
                }
                let answer = body.to_string();
                let length = answer.len();
                let head = "content-type: application/json\r\nconnection: close";
                write!(stream, "HTTP/1.1 {status} X\r\n{head}\r\ncontent-length: {length}\r\n\r\n{answer}")
                    .unwrap();
            }
        });
        (url, told)
    }

    #[tokio::test]
    async fn what_a_stranger_put_there_since_the_look_is_not_replaced() {
        let mark = |uid: &str| Marks { installation: "i".into(), operation: "o".into(), uid: uid.into() };
        let (ours, theirs) = (mark("ours"), mark("theirs"));
        for (standing, sent) in [
            (None, &["GET", "PUT"][..]),
            (Some(ours.onto(&Tags::new())), &["GET", "PUT"]),
            (Some(theirs.onto(&Tags::new())), &["GET"]),
            (Some(Tags::new()), &["GET"]),
        ] {
            let (url, told) = azure(standing.clone());
            let driver = connected(&json!({"endpoints": {"all": url}}), &[]).unwrap();
            let id = driver.own_id(COMPUTE, "sshPublicKeys", "k");
            let stage = MakeKeyPair { id, body: json!({}), marks: ours.clone() };
            let asked = stage.ask(&driver, &context()).await;
            assert_eq!(told.try_iter().collect::<Vec<_>>(), sent, "{standing:?}: {asked:?}");
            let refused = asked.err().map(|error| matches!(error.kind(), ErrorKind::AlreadyExists));
            assert_eq!(refused, (sent.len() == 1).then_some(true), "{standing:?}");
        }
    }
}
