//! Everything of a connection but its secrets, as it is stored: versioned JSON.

use std::collections::BTreeMap;

use pmks_driver::{Capabilities, Credential, Form, validate_settings};
use pmks_model::{Findings, refusal_of_connection};
use pmks_transport::{Url, not_a_certificate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::NewConnection;
use crate::resolve::add_unsaid;

/// Faster than this no simulated cloud works.
const LARGEST_PACE: u32 = 1_000_000;

/// Everything of a connection but its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Specification {
    /// The version of this JSON.
    pub(crate) version: u32,
    pub(crate) region: String,
    pub(crate) zone: Option<String>,
    pub(crate) pace: u32,
    /// Whether the cloud's own credential chain acts.
    pub(crate) ambient: bool,
    /// The credential's fields that are no secret.
    pub(crate) shown: BTreeMap<String, String>,
    /// The names of those that are.
    pub(crate) secrets: Vec<String>,
    pub(crate) endpoints: BTreeMap<String, String>,
    pub(crate) ca_certificate: Option<String>,
    pub(crate) settings: BTreeMap<String, Value>,
}

impl Specification {
    /// What a pace is.
    pub(crate) const PACE: &str = "must be a whole number from 1 to 1000000";

    /// What is stored of what was asked for; everything wrong with it that needs no cloud goes to `findings`.
    pub(crate) fn of(asked: &NewConnection, capabilities: &Capabilities, findings: &mut Findings) -> Self {
        Self::check(asked, findings);
        for (service, url) in &asked.endpoints {
            endpoint(service, url, capabilities, findings);
        }
        add_unsaid(findings, &validate_settings(&asked.settings, capabilities));
        let form = if asked.has_its_credential() {
            asked.credential.form(capabilities.credential_forms).unwrap_or_else(|wrong| {
                findings.extend(wrong);
                None
            })
        } else {
            None
        };
        let (shown, secrets) = sort_fields(&asked.credential, form);
        Self {
            version: 1,
            region: asked.region.clone(),
            zone: asked.zone.clone().filter(|zone| !zone.is_empty()),
            pace: asked.pace.unwrap_or(1),
            ambient: matches!(asked.credential, Credential::Ambient),
            shown,
            secrets,
            endpoints: asked.endpoints.clone(),
            ca_certificate: asked.ca_certificate.clone().filter(|text| !text.is_empty()),
            settings: asked.settings.clone(),
        }
    }

    /// Everything wrong with it at any provider.
    pub(crate) fn check(asked: &NewConnection, findings: &mut Findings) {
        findings.add_some("name", refusal_of_connection(&asked.name));
        if asked.region.trim().is_empty() {
            findings.add("region", "is required");
        }
        if asked.pace.is_some_and(|pace| pace == 0 || pace > LARGEST_PACE) {
            findings.add("pace", Self::PACE);
        }
        findings.extend(asked.unreadable.clone());
        let certificate = asked.ca_certificate.as_deref().filter(|text| !text.is_empty());
        findings.add_some("caCertificate", certificate.and_then(not_a_certificate).map(str::to_owned));
    }

    /// The endpoints as URLs; they were checked when they were stored.
    pub(crate) fn urls(&self) -> BTreeMap<String, Url> {
        let parsed = |(service, url): (&String, &String)| Some((service.clone(), Url::parse(url).ok()?));
        self.endpoints.iter().filter_map(parsed).collect()
    }
}

/// The values that may be shown, and the names of those that may not. What no form knows is taken for a secret.
fn sort_fields(credential: &Credential, form: Option<&Form>) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut shown, mut secrets) = (BTreeMap::new(), Vec::new());
    for name in credential.fields() {
        let field = form.and_then(|form| form.fields.iter().find(|field| field.name == name));
        match (field, credential.get(name)) {
            (Some(field), Some(value)) if !field.secret => {
                shown.insert(name.to_owned(), value.to_owned());
            }
            _ => secrets.push(name.to_owned()),
        }
    }
    (shown, secrets)
}

fn endpoint(service: &str, text: &str, capabilities: &Capabilities, findings: &mut Findings) {
    let field = format!("endpoints.{service}");
    if service != "all" && !capabilities.services.contains(&service) {
        let known = capabilities.services.join(", ");
        findings.add(&field, format!("is no service of {}; known are all, {known}", capabilities.title));
    }
    let refusal = match Url::parse(text) {
        Err(_) => Some("is no URL such as https://eks.example.com"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Some("must begin with https:// or http://"),
        Ok(url) if url.host().is_none() => Some("names no host"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => Some("must hold no credential"),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => Some("must end with its path"),
        Ok(url) if pmks_transport::is_link_local(&url) => Some("is link-local, where no cloud answers"),
        Ok(_) => None,
    };
    findings.add_some(field, refusal.map(str::to_owned));
}
