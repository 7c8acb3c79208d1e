//! The resource group that AKS makes for a cluster's nodes: by AKS' own name, or by the user's. Chosen before anything is
//! asked, because AKS refuses a name that is too long, and takes none that stands.
//!
//! Source: <https://learn.microsoft.com/azure/aks/faq> («Can I provide my own name for the AKS node resource group?»)

use pmks_driver::Result;
use pmks_model::{ClusterRequest, Findings};
use serde_json::Value;

use crate::AzureDriver;

/// The option that names it.
const OPTION: &str = "nodeResourceGroup";
/// The most characters of its name.
///
/// Source: <https://aka.ms/aks-naming-rules>
const LONGEST: usize = 80;

/// What the user calls it, if they do.
pub(super) fn named(request: &ClusterRequest) -> Option<&str> {
    request.options.get(OPTION).and_then(Value::as_str)
}

/// What it will be called, with what is wrong with that. One call where the user names it.
pub(super) async fn choose(
    driver: &AzureDriver,
    request: &ClusterRequest,
    findings: &mut Findings,
) -> Result<String> {
    let Some(named) = named(request) else {
        return Ok(derived(driver.group(), request, driver.region(), findings));
    };
    let field = format!("options.{OPTION}");
    if let Some(says) = refusal(named, driver.group()) {
        findings.add(field, says);
    } else {
        match driver.api.resource_group(named).await {
            Ok(_) => findings.add(field, format!("{named:?} stands already, and AKS makes one of its own")),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(named.to_owned())
}

/// What AKS calls it where nobody does.
fn derived(group: &str, request: &ClusterRequest, region: &str, findings: &mut Findings) -> String {
    let name = format!("MC_{group}_{}_{region}", request.name);
    let length = name.chars().count();
    if length > LONGEST {
        let terms = ["MC", group, &request.name, region].map(|term| term.chars().count().to_string());
        findings.add(
            "name",
            format!(
                "is too long by {}: the resource group of the nodes would be {name}, {} and 3 underscores = {length} \
                 characters, and AKS takes {LONGEST}: choose a shorter name, or name that group by the option {OPTION}",
                length - LONGEST,
                terms.join(" + ")
            ),
        );
    }
    name
}

fn refusal(named: &str, own: &str) -> Option<String> {
    let fits = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    let length = named.chars().count();
    if !(1..=LONGEST).contains(&length) || !named.chars().all(fits) || named.ends_with('.') {
        return Some(format!("must be 1 to {LONGEST} letters, digits and -_.(), not ending with a dot"));
    }
    let says = "is the connection's own resource group: AKS makes another one for the nodes";
    named.eq_ignore_ascii_case(own).then(|| says.to_owned())
}

#[cfg(test)]
mod tests {
    use pmks_model::{Iid, Tags, VersionRequest};

    use super::*;

    fn request(name: &str) -> ClusterRequest {
        ClusterRequest {
            name: name.to_owned(),
            version: VersionRequest::Default,
            network: Iid::default(),
            subnets: Vec::new(),
            security_groups: Vec::new(),
            node_groups: Vec::new(),
            tags: Tags::new(),
            options: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_derived_name_that_is_too_long_is_found_with_its_arithmetic() {
        let seen = |group: &str, name: &str| {
            let mut findings = Findings::default();
            let derived = derived(group, &request(name), "koreacentral", &mut findings);
            (
                derived,
                findings.iter().map(|one| (one.field.clone(), one.says.to_string())).collect::<Vec<_>>(),
            )
        };
        assert_eq!(seen("prod", "web"), ("MC_prod_web_koreacentral".to_owned(), vec![]));
        // 3 + 4 + 1 + 59 + 1 + 12 = 80.
        assert_eq!(seen("prod", &"a".repeat(59)).1, []);
        let (_, findings) = seen("prod", &"a".repeat(60));
        let [(field, says)] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(field, "name");
        assert!(
            says.contains("2 + 4 + 60 + 12 and 3 underscores = 81 characters") && says.contains(OPTION),
            "{says}"
        );
    }

    #[test]
    fn a_name_of_the_users_is_one_that_azure_takes() {
        for (named, fine) in [
            ("nodes-of-web", true),
            ("n", true),
            ("", false),
            ("a/b", false),
            ("a.", false),
            ("PROD", false),
            (&"a".repeat(80), true),
            (&"a".repeat(81), false),
        ] {
            assert_eq!(refusal(named, "prod").is_none(), fine, "{named:?}");
        }
    }
}
