//! The plan that makes the subscription's prerequisites good: resource providers registered, the resource group made.
//! Makes only what is missing.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{Asked, FixPrerequisites, Look, Marks, Prepared, Result, StageContext};
use pmks_model::Tags;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage};
use crate::AzureDriver;
use crate::prerequisites::{self, PROVIDERS, Standing};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Register>(), Maker::of::<MakeGroup>()];

/// How long a registration usually takes.
const REGISTRATION: Duration = Duration::from_mins(2);

/// Looks at everything, and answers a plan that makes good what is missing. Four calls.
///
/// # Errors
/// Whatever keeps Azure from answering.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &FixPrerequisites) -> Result<Prepared> {
    let mut stages = Vec::new();
    for name in PROVIDERS {
        if is_missing(prerequisites::provider(driver, name).await)? {
            let stage = Register { name: name.to_owned() };
            stages.push(stage.specification(format!("resource provider {name}")).expected(REGISTRATION));
        }
    }
    if is_missing(prerequisites::group(driver).await)? {
        let (name, region) = (driver.group().to_owned(), driver.region().to_owned());
        let stage = MakeGroup { name: name.clone(), region, marks: asked.marks.clone() };
        stages.push(stage.specification(format!("resource group {name}")));
    }
    let nothing = stages.is_empty();
    let prepared = Prepared::of(stages);
    Ok(if nothing { prepared.notice("nothing is missing") } else { prepared })
}

fn is_missing(standing: Standing) -> Result<bool> {
    match standing {
        Standing::There => Ok(false),
        Standing::Missing(_) => Ok(true),
        Standing::Unknown(error) => Err(error),
    }
}

/// Registers a resource provider. Twice it is registered once.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types>
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Register {
    name: String,
}

#[async_trait]
impl Stage<AzureDriver> for Register {
    const KIND: &'static str = "azure.resourceProvider";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        Ok(look_at(&self.name, &driver.api.provider(&self.name).await?.registration_state))
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        driver.api.register_provider(&self.name).await?;
        Ok(Asked::accepted())
    }
}

fn look_at(name: &str, word: &str) -> Look {
    match word {
        "Registered" => Look::ready(name, "", Value::Null),
        "Registering" => Look::pending(name, "", word),
        "Unregistering" => Look::Unsure(format!("{name} is being unregistered")),
        _ => Look::Absent,
    }
}

/// Makes the resource group. Its name is unique in the subscription, and a second ask changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeGroup {
    name: String,
    region: String,
    marks: Marks,
}

#[async_trait]
impl Stage<AzureDriver> for MakeGroup {
    const KIND: &'static str = "azure.resourceGroup";

    /// Whoever made it: it is the group that was wanted.
    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.resource_group(&self.name).await {
            Ok(found) if found.properties.provisioning_state == "Deleting" => {
                Ok(Look::Unsure(format!("the resource group {} is being deleted", self.name)))
            }
            Ok(found) => Ok(Look::ready(found.id, "", Value::Null)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let body = json!({"location": self.region, "tags": self.marks.onto(&Tags::new())});
        driver.api.create_resource_group(&self.name, &body).await?;
        Ok(Asked::done(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_are_waited_for() {
        for (word, expected) in [
            ("Registered", "Present(Found { system_id: \"N\", incarnation: \"\", state: Ready(Null) })"),
            ("NotRegistered", "Absent"),
            ("Unregistered", "Absent"),
        ] {
            assert_eq!(format!("{:?}", look_at("N", word)), expected);
        }
        assert!(format!("{:?}", look_at("N", "Registering")).contains("Pending"));
        assert!(matches!(look_at("N", "Unregistering"), Look::Unsure(_)));
    }
}
