//! Where each service is reached, and for which region its requests are signed. Knows no credential.

use std::collections::BTreeMap;

use pmks_driver::{DriverError, Result};
use pmks_model::Findings;
use pmks_transport::{AllowedHost, Url};

use crate::PROVIDER;

/// The services that a connection may give endpoints of its own.
pub(crate) const SERVICES: [&str; 7] =
    ["eks", "ec2", "iam", "autoscaling", "sts", "elasticloadbalancing", "monitoring"];

/// A part of AWS with accounts of its own.
///
/// Source: <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// As in ARNs: `aws`, `aws-cn`, …
    pub(crate) name: &'static str,
    /// What hosts end in.
    pub(crate) suffix: &'static str,
    /// The region that IAM's requests are signed for; empty: the connection's own.
    iam_region: &'static str,
    /// IAM's host; empty: by region.
    iam_host: &'static str,
}

impl Partition {
    /// The partition of a region, told by how the region's name begins.
    pub(crate) fn of(region: &str) -> Self {
        let partition = |name, suffix, iam_region, iam_host| Self { name, suffix, iam_region, iam_host };
        let starts = |start: &str| region.starts_with(start);
        if starts("cn-") {
            partition("aws-cn", "amazonaws.com.cn", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn")
        } else if starts("us-gov-") {
            partition("aws-us-gov", "amazonaws.com", "us-gov-west-1", "iam.us-gov.amazonaws.com")
        } else if starts("eusc-") {
            partition("aws-eusc", "amazonaws.eu", "eusc-de-east-1", "iam.eusc-de-east-1.amazonaws.eu")
        } else if starts("us-iso-") {
            partition("aws-iso", "c2s.ic.gov", "us-iso-east-1", "iam.us-iso-east-1.c2s.ic.gov")
        } else if starts("us-isob-") {
            partition("aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1", "iam.us-isob-east-1.sc2s.sgov.gov")
        } else if starts("eu-isoe-") {
            partition("aws-iso-e", "cloud.adc-e.uk", "eu-isoe-west-1", "iam.eu-isoe-west-1.cloud.adc-e.uk")
        } else if starts("us-isof-") {
            partition("aws-iso-f", "csp.hci.ic.gov", "us-isof-south-1", "iam.us-isof-south-1.csp.hci.ic.gov")
        } else {
            partition("aws", "amazonaws.com", "us-east-1", "iam.amazonaws.com")
        }
    }
}

/// The endpoints of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    region: String,
    partition: Partition,
    of_service: BTreeMap<&'static str, Url>,
    replaced: Vec<&'static str>,
}

impl Endpoints {
    /// The real cloud's, but for those that the connection replaces (`all`, or by service).
    ///
    /// # Errors
    /// `InvalidRequest` naming regions and endpoints that cannot be right.
    pub(crate) fn new(region: &str, replaced: &BTreeMap<String, Url>) -> Result<Self> {
        let mut findings = Findings::default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.is_empty() || region.len() > 32 || !region.chars().all(plain) {
            findings.add("region", "must be a region's name, such as ap-northeast-2");
        }
        for (service, url) in replaced {
            let field = format!("endpoints.{service}");
            if service != "all" && !SERVICES.contains(&service.as_str()) {
                findings.add(field, format!("is not known here; known are all, {}", SERVICES.join(", ")));
            } else if !matches!(url.scheme(), "http" | "https")
                || url.cannot_be_a_base()
                || url.query().is_some()
            {
                findings.add(field, "must be an http or https URL without a query");
            } else if !url.username().is_empty() || url.password().is_some() {
                findings.add(field, "must not hold a user name or password");
            }
        }
        findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
        let partition = Partition::of(region);
        let mut of_service = BTreeMap::new();
        let mut own = Vec::new();
        for service in SERVICES {
            let url = match replaced.get(service).or_else(|| replaced.get("all")) {
                Some(url) => {
                    own.push(service);
                    url.clone()
                }
                None => default_of(service, region, partition)?,
            };
            of_service.insert(service, url);
        }
        Ok(Self { region: region.to_owned(), partition, of_service, replaced: own })
    }

    /// Where a service is reached.
    pub(crate) fn of(&self, service: &str) -> Option<&Url> {
        self.of_service.get(service)
    }

    /// Where a service is reached, if the connection says so itself.
    pub(crate) fn replaced(&self, service: &str) -> Option<&Url> {
        self.replaced.contains(&service).then(|| self.of(service)).flatten()
    }

    /// The region that a service's requests are signed for.
    pub(crate) fn signing_region(&self, service: &str) -> &str {
        match (service, self.partition.iam_region) {
            ("iam", region) if !region.is_empty() => region,
            _ => &self.region,
        }
    }

    /// The connection's region.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The partition.
    pub(crate) fn partition(&self) -> Partition {
        self.partition
    }

    /// Where the connection's credential may go.
    pub(crate) fn hosts(&self) -> Vec<AllowedHost> {
        self.of_service.values().map(AllowedHost::origin_of).collect()
    }
}

fn default_of(service: &str, region: &str, partition: Partition) -> Result<Url> {
    let host = match service {
        "iam" if !partition.iam_host.is_empty() => partition.iam_host.to_owned(),
        _ => format!("{service}.{region}.{}", partition.suffix),
    };
    Url::parse(&format!("https://{host}/")).map_err(|error| {
        let mut findings = Findings::default();
        findings.add("region", "makes no host's name");
        DriverError::invalid(PROVIDER, findings).caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(region: &str, service: &str) -> (String, String) {
        let endpoints = Endpoints::new(region, &BTreeMap::new()).unwrap();
        (endpoints.of(service).unwrap().to_string(), endpoints.signing_region(service).to_owned())
    }

    #[test]
    fn every_partition_has_its_hosts() {
        for (region, service, url, signing) in [
            ("ap-northeast-2", "eks", "https://eks.ap-northeast-2.amazonaws.com/", "ap-northeast-2"),
            ("ap-northeast-2", "iam", "https://iam.amazonaws.com/", "us-east-1"),
            ("cn-north-1", "eks", "https://eks.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
            ("cn-northwest-1", "iam", "https://iam.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
            ("us-gov-east-1", "iam", "https://iam.us-gov.amazonaws.com/", "us-gov-west-1"),
            ("us-gov-east-1", "sts", "https://sts.us-gov-east-1.amazonaws.com/", "us-gov-east-1"),
        ] {
            assert_eq!(of(region, service), (url.to_owned(), signing.to_owned()), "{region} {service}");
        }
    }

    #[test]
    fn a_connection_replaces_them_paths_included() {
        let replaced = BTreeMap::from([
            ("all".to_owned(), Url::parse("http://127.0.0.1:5000/aws/").unwrap()),
            ("sts".to_owned(), Url::parse("http://127.0.0.1:5001").unwrap()),
        ]);
        let endpoints = Endpoints::new("us-east-1", &replaced).unwrap();
        assert_eq!(endpoints.of("eks").unwrap().as_str(), "http://127.0.0.1:5000/aws/");
        assert_eq!(endpoints.of("sts").unwrap().as_str(), "http://127.0.0.1:5001/");
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let bad = BTreeMap::from([
            ("s3".to_owned(), Url::parse("http://127.0.0.1/").unwrap()),
            ("eks".to_owned(), Url::parse("ftp://127.0.0.1/").unwrap()),
            ("ec2".to_owned(), Url::parse("http://u:p@127.0.0.1/").unwrap()),
        ]);
        let error = Endpoints::new("Seoul!", &bad).unwrap_err().to_string();
        for field in ["region", "endpoints.s3", "endpoints.eks", "endpoints.ec2"] {
            assert!(error.contains(field), "{error}");
        }
        assert!(!error.contains("u:p"));
    }
}
