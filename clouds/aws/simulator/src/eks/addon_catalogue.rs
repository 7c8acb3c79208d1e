//! The add-ons that the simulated EKS offers, with one version for each Kubernetes version. Pure data.
//!
//! Source of names, publishers and kinds: <https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html>.

use serde_json::{Value, json};

use super::versions::{self, Support, Version};

/// One add-on.
#[derive(Debug)]
pub(crate) struct CatalogueAddon {
    /// Its name in every call.
    pub(crate) name: &'static str,
    kind: &'static str,
    namespace: &'static str,
    /// Needs permissions of its own in IAM.
    pub(crate) needs_permissions: bool,
    release: Release,
}

/// How an add-on numbers its versions.
#[derive(Debug)]
enum Release {
    /// One number for all Kubernetes versions.
    Fixed(&'static str),
    /// The number of the Kubernetes version itself.
    Kubernetes,
}

/// Every add-on of the catalogue, by name.
pub(crate) const ALL: [CatalogueAddon; 5] = [
    CatalogueAddon {
        name: "aws-ebs-csi-driver",
        kind: "storage",
        namespace: "kube-system",
        needs_permissions: true,
        release: Release::Fixed("v1.62.0-eksbuild.1"),
    },
    CatalogueAddon {
        name: "coredns",
        kind: "networking",
        namespace: "kube-system",
        needs_permissions: false,
        release: Release::Fixed("v1.13.2-eksbuild.4"),
    },
    CatalogueAddon {
        name: "eks-pod-identity-agent",
        kind: "security",
        namespace: "kube-system",
        needs_permissions: false,
        release: Release::Fixed("v1.3.12-eksbuild.1"),
    },
    CatalogueAddon {
        name: "kube-proxy",
        kind: "networking",
        namespace: "kube-system",
        needs_permissions: false,
        release: Release::Kubernetes,
    },
    CatalogueAddon {
        name: "vpc-cni",
        kind: "networking",
        namespace: "kube-system",
        needs_permissions: true,
        release: Release::Fixed("v1.21.3-eksbuild.1"),
    },
];

impl CatalogueAddon {
    /// Its version for clusters of this Kubernetes version.
    pub(crate) fn version_for(&self, version: &Version) -> String {
        match self.release {
            Release::Fixed(number) => number.to_owned(),
            Release::Kubernetes => format!("v{}-eksbuild.2", version.patched()),
        }
    }

    /// The add-on as `DescribeAddonVersions` shows it, for one Kubernetes version or all that are supported.
    pub(crate) fn view(&self, only: Option<&str>) -> Value {
        let supported = versions::ALL.iter().filter(|version| version.support != Support::Unsupported);
        let wanted = supported.filter(|version| only.is_none_or(|name| version.name() == name));
        let mut entries: Vec<(String, Vec<Value>)> = Vec::new();
        for version in wanted {
            let number = self.version_for(version);
            let compatible = json!({
                "clusterVersion": version.name(), "platformVersions": ["*"], "defaultVersion": true
            });
            match entries.iter_mut().find(|(known, _)| *known == number) {
                Some((_, compatibilities)) => compatibilities.push(compatible),
                None => entries.push((number, vec![compatible])),
            }
        }
        let versions: Vec<Value> = entries
            .into_iter()
            .map(|(number, compatibilities)| {
                json!({
                    "addonVersion": number,
                    "architecture": ["amd64", "arm64"],
                    "computeTypes": ["ec2", "auto"],
                    "compatibilities": compatibilities,
                    "requiresConfiguration": false,
                    "requiresIamPermissions": self.needs_permissions,
                })
            })
            .collect();
        json!({
            "addonName": self.name,
            "type": self.kind,
            "addonVersions": versions,
            "publisher": "eks",
            "owner": "aws",
            "defaultNamespace": self.namespace,
        })
    }
}

/// The add-on of this name.
pub(crate) fn find(name: &str) -> Option<&'static CatalogueAddon> {
    ALL.iter().find(|addon| addon.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kube_proxy_follows_kubernetes_and_the_others_do_not() {
        let proxy = find("kube-proxy").unwrap().view(None);
        assert_eq!(proxy["addonVersions"].as_array().map(Vec::len), Some(6));
        assert_eq!(proxy["addonVersions"][0]["addonVersion"], "v1.36.1-eksbuild.2");
        let dns = find("coredns").unwrap().view(Some("1.34"));
        assert_eq!(dns["addonVersions"][0]["compatibilities"].as_array().map(Vec::len), Some(1));
        assert_eq!(find("coredns").unwrap().view(Some("1.30"))["addonVersions"], json!([]));
    }
}
