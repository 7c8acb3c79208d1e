//! Where Azure Resource Manager and Microsoft Entra are reached, in which of Azure's clouds. Knows no credential.

use std::collections::BTreeMap;

use pmks_driver::{DriverError, Result};
use pmks_model::Findings;
use pmks_transport::{AllowedHost, Url};

use crate::PROVIDER;

/// The services that a connection may give endpoints of its own.
pub(crate) const SERVICES: [&str; 2] = ["resourceManager", "login"];

/// One of Azure's clouds, with accounts of its own.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/control-plane-and-data-plane>,
/// <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// As `az cloud list` names it.
    pub(crate) name: &'static str,
    /// Azure Resource Manager; tokens are asked for this audience too.
    resource_manager: &'static str,
    login: &'static str,
}

/// The names of the clouds, as a setting takes them.
pub(crate) const CLOUD_NAMES: &[&str] = &["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"];

const PUBLIC: Cloud = Cloud {
    name: "AzureCloud",
    resource_manager: "https://management.azure.com/",
    login: "https://login.microsoftonline.com/",
};

const CLOUDS: [Cloud; 3] = [
    PUBLIC,
    Cloud {
        name: "AzureChinaCloud",
        resource_manager: "https://management.chinacloudapi.cn/",
        login: "https://login.chinacloudapi.cn/",
    },
    Cloud {
        name: "AzureUSGovernment",
        resource_manager: "https://management.usgovcloudapi.net/",
        login: "https://login.microsoftonline.us/",
    },
];

impl Cloud {
    /// The cloud of that name; the public one if none is named.
    pub(crate) fn of(name: Option<&str>) -> Self {
        CLOUDS.into_iter().find(|cloud| Some(cloud.name) == name).unwrap_or(PUBLIC)
    }
}

/// The endpoints of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    cloud: Cloud,
    region: String,
    resource_manager: Url,
    /// `None`: the metadata document of the resource manager says where.
    login: Option<Url>,
}

impl Endpoints {
    /// The real cloud's, but for those that the connection replaces (`all`, or by service).
    ///
    /// # Errors
    /// `InvalidRequest` naming regions and endpoints that cannot be right.
    pub(crate) fn new(region: &str, cloud: Cloud, replaced: &BTreeMap<String, Url>) -> Result<Self> {
        let mut findings = Findings::default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if region.is_empty() || region.len() > 40 || !region.chars().all(plain) {
            findings.add(
                "region",
                "must be a region's name as `az account list-locations` has it, such as koreacentral",
            );
        }
        for (service, url) in replaced {
            check_endpoint(service, url, &mut findings);
        }
        findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
        let given = |service: &str| replaced.get(service).or_else(|| replaced.get("all")).cloned();
        let own = given("resourceManager");
        let is_replaced = own.is_some();
        // A resource manager of another place has a login of its own, which its metadata names.
        let login = match (given("login"), is_replaced) {
            (Some(url), _) => Some(url),
            (None, true) => None,
            (None, false) => Some(built_in(cloud.login)?),
        };
        let resource_manager = own.map_or_else(|| built_in(cloud.resource_manager), Ok)?;
        Ok(Self { cloud, region: region.to_owned(), resource_manager, login })
    }

    /// The connection's region.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Azure Resource Manager.
    pub(crate) fn resource_manager(&self) -> &Url {
        &self.resource_manager
    }

    /// Microsoft Entra; `None`: only the metadata document says.
    pub(crate) fn login(&self) -> Option<&Url> {
        self.login.as_ref()
    }

    /// What Resource Manager's tokens are for.
    pub(crate) fn audience(&self) -> &'static str {
        self.cloud.resource_manager.trim_end_matches('/')
    }

    /// Where the connection's credential may go.
    pub(crate) fn hosts(&self) -> Vec<AllowedHost> {
        [Some(&self.resource_manager), self.login.as_ref()]
            .into_iter()
            .flatten()
            .map(AllowedHost::origin_of)
            .collect()
    }
}

fn check_endpoint(service: &str, url: &Url, findings: &mut Findings) {
    let field = format!("endpoints.{service}");
    if service != "all" && !SERVICES.contains(&service) {
        findings.add(field, format!("is not known here; known are all, {}", SERVICES.join(", ")));
    } else if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() || url.query().is_some() {
        findings.add(field, "must be an http or https URL without a query");
    } else if !url.username().is_empty() || url.password().is_some() {
        findings.add(field, "must not hold a user name or password");
    }
}

fn built_in(text: &str) -> Result<Url> {
    Url::parse(text).map_err(|error| {
        let message = format!("{text} is no URL");
        DriverError::new(pmks_driver::ErrorKind::Unexpected, PROVIDER, message).caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(cloud: &str, replaced: &[(&str, &str)]) -> Endpoints {
        let replaced =
            replaced.iter().map(|(name, url)| ((*name).to_owned(), Url::parse(url).unwrap())).collect();
        Endpoints::new("koreacentral", Cloud::of(Some(cloud)), &replaced).unwrap()
    }

    #[test]
    fn every_cloud_has_its_hosts() {
        for (cloud, manager, login) in [
            ("AzureCloud", "https://management.azure.com/", "https://login.microsoftonline.com/"),
            ("AzureChinaCloud", "https://management.chinacloudapi.cn/", "https://login.chinacloudapi.cn/"),
            (
                "AzureUSGovernment",
                "https://management.usgovcloudapi.net/",
                "https://login.microsoftonline.us/",
            ),
            ("unknown", "https://management.azure.com/", "https://login.microsoftonline.com/"),
        ] {
            let endpoints = endpoints(cloud, &[]);
            assert_eq!(endpoints.resource_manager().as_str(), manager);
            assert_eq!(endpoints.login().unwrap().as_str(), login);
            assert_eq!(endpoints.audience(), manager.trim_end_matches('/'));
        }
        assert!(CLOUD_NAMES.iter().all(|name| Cloud::of(Some(name)).name == *name));
    }

    #[test]
    fn a_connection_replaces_them() {
        let both = endpoints("AzureCloud", &[("all", "http://127.0.0.1:5000/")]);
        assert_eq!(both.login().unwrap().as_str(), "http://127.0.0.1:5000/");
        assert_eq!(both.audience(), "https://management.azure.com");
        let manager = endpoints("AzureCloud", &[("resourceManager", "https://management.local.example/")]);
        assert_eq!(manager.login(), None);
        let login = endpoints("AzureCloud", &[("login", "http://127.0.0.1:1/")]);
        assert_eq!(login.login().unwrap().port(), Some(1));
        assert_eq!(login.resource_manager().as_str(), "https://management.azure.com/");
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let bad = BTreeMap::from([
            ("arm".to_owned(), Url::parse("http://127.0.0.1/").unwrap()),
            ("login".to_owned(), Url::parse("ftp://127.0.0.1/").unwrap()),
            ("resourceManager".to_owned(), Url::parse("http://u:p@127.0.0.1/").unwrap()),
        ]);
        let error = Endpoints::new("Korea Central", PUBLIC, &bad).unwrap_err().to_string();
        for field in ["region", "endpoints.arm", "endpoints.login", "endpoints.resourceManager"] {
            assert!(error.contains(field), "{error}");
        }
        assert!(!error.contains("u:p"));
    }
}
