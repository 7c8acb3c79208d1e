//! What a node of the user's own image does first: it learns which cluster it joins. EKS writes this for its own
//! images and leaves it to others for all the rest. Pure functions.
//!
//! Amazon Linux 2023 reads the part for `nodeadm`; Amazon Linux 2 runs the script, which does nothing where `nodeadm`
//! is. So one text serves both, and nobody guesses a family from an image's name.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>,
//! <https://awslabs.github.io/amazon-eks-ami/nodeadm/>,
//! <https://github.com/awslabs/amazon-eks-ami/blob/main/templates/al2/runtime/bootstrap.sh>

use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pmks_driver::{DriverError, ErrorKind, Result};
use serde_json::json;

use crate::PROVIDER;
use crate::wire::eks;

/// The user data of a cluster's nodes, in base64 as launch templates take it.
///
/// # Errors
/// `Precondition` where the cluster does not say yet how it is reached, or its Services have no IPv4 addresses.
pub(super) fn user_data(cluster: &eks::Cluster) -> Result<String> {
    let endpoint = cluster.endpoint.as_deref().filter(|text| !text.is_empty());
    let authority = cluster.certificate_authority.as_ref().and_then(|authority| authority.data.as_deref());
    let services = cluster.kubernetes_network_config.as_ref();
    let services = services.and_then(|services| services.service_ipv4_cidr.as_deref());
    let dns = services.and_then(dns_address);
    let (Some(endpoint), Some(authority), Some(services), Some(dns)) = (endpoint, authority, services, dns)
    else {
        let what = format!(
            "cluster {} names no endpoint, no certificate authority or no IPv4 addresses of Services",
            cluster.name
        );
        let fix =
            "wait until it is active; give nodes of an IPv6 cluster a launch template of your own".to_owned();
        return Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what));
    };
    let name = cluster.name.as_str();
    // JSON is YAML, and has one way to write a text.
    let config = json!({
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {"cluster": {
            "name": name, "apiServerEndpoint": endpoint, "certificateAuthority": authority, "cidr": services,
        }},
    });
    let bootstrap = [
        name,
        "--b64-cluster-ca",
        authority,
        "--apiserver-endpoint",
        endpoint,
        "--dns-cluster-ip",
        &dns.to_string(),
    ]
    .map(quoted)
    .join(" ");
    let text = format!(
        "MIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"==PMKS==\"\n\n\
         --==PMKS==\n\
         Content-Type: application/node.eks.aws\n\n\
         {config:#}\n\n\
         --==PMKS==\n\
         Content-Type: text/x-shellscript; charset=\"us-ascii\"\n\n\
         #!/bin/bash\n\
         set -e\n\
         if command -v nodeadm > /dev/null; then exit 0; fi\n\
         /etc/eks/bootstrap.sh {bootstrap}\n\n\
         --==PMKS==--\n"
    );
    Ok(BASE64_STANDARD.encode(text))
}

/// The address of a cluster's DNS: the tenth of its Services.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>, `--dns-cluster-ip`
fn dns_address(services: &str) -> Option<Ipv4Addr> {
    let base: Ipv4Addr = services.split('/').next()?.parse().ok()?;
    base.to_bits().checked_add(10).map(Ipv4Addr::from_bits)
}

/// One word of a shell's line, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(change: &serde_json::Value) -> eks::Cluster {
        let mut whole = json!({
            "name": "prod", "endpoint": "https://e.example", "certificateAuthority": {"data": "Q0E="},
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
        });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn nodes_learn_their_cluster_in_both_ways() {
        let text =
            String::from_utf8(BASE64_STANDARD.decode(user_data(&cluster(&json!({}))).unwrap()).unwrap())
                .unwrap();
        let parts: Vec<&str> = text.split("--==PMKS==").collect();
        assert_eq!(parts.len(), 4, "{text}");
        let config = parts[1].split_once("Content-Type: application/node.eks.aws\n\n").unwrap().1;
        let config: serde_json::Value = serde_json::from_str(config).unwrap();
        assert_eq!(
            config,
            json!({"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {"cluster": {
                "name": "prod", "apiServerEndpoint": "https://e.example", "certificateAuthority": "Q0E=",
                "cidr": "172.20.0.0/16"}}})
        );
        let script = parts[2].split_once("us-ascii\"\n\n").unwrap().1;
        assert!(script.starts_with("#!/bin/bash\n"));
        let line = "/etc/eks/bootstrap.sh 'prod' '--b64-cluster-ca' 'Q0E=' '--apiserver-endpoint' \
                    'https://e.example' '--dns-cluster-ip' '172.20.0.10'\n";
        assert!(script.contains(line), "{script}");
        assert!(parts[3].starts_with("--"));
    }

    #[test]
    fn nothing_that_a_cluster_says_leaves_its_word() {
        assert_eq!(quoted("a'; rm -rf / #"), r"'a'\''; rm -rf / #'");
        let odd = user_data(&cluster(&json!({"endpoint": "https://e\"\n--==PMKS==--"}))).unwrap();
        let text = String::from_utf8(BASE64_STANDARD.decode(odd).unwrap()).unwrap();
        assert!(text.contains(r#""https://e\"\n--==PMKS==--""#), "{text}");
    }

    #[test]
    fn what_a_cluster_does_not_say_yet_is_not_made_up() {
        for change in [
            json!({"endpoint": null}),
            json!({"certificateAuthority": null}),
            json!({"kubernetesNetworkConfig": null}),
            json!({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "fd00::/108"}}),
        ] {
            let error = user_data(&cluster(&change)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Precondition { .. }), "{change}: {error}");
        }
    }
}
