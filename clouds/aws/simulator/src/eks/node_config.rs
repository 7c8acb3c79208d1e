//! Whether machines with an image that EKS did not choose join a cluster: what their user data says, read as Amazon
//! Linux 2023's `nodeadm` does. Runs nothing.
//!
//! Source: <https://awslabs.github.io/amazon-eks-ami/nodeadm/>: name, endpoint, authority and addresses of Services are
//! all required.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::state::Cluster;

/// Whether the user data (in base64) names this cluster, its endpoint, its authority and its Services' addresses.
pub(crate) fn joins(user_data: &str, cluster: &Cluster) -> bool {
    let Some(config) = STANDARD.decode(user_data).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    let Some(endpoint) = &cluster.endpoint else { return false };
    let Some(config) = node_config(&config) else { return false };
    let says = |key: &str, value: &str| config.lines().any(|line| setting(line) == Some((key, value)));
    says("apiVersion", "node.eks.aws/v1alpha1")
        && says("kind", "NodeConfig")
        && says("name", &cluster.name)
        && says("apiServerEndpoint", &endpoint.url)
        && says("certificateAuthority", &endpoint.certificate_authority)
        && says("cidr", &cluster.network.service_cidr)
}

/// The part for `nodeadm` of a MIME document, or the document itself where it is nothing else.
fn node_config(text: &str) -> Option<&str> {
    if !text.starts_with("MIME-Version:") && !text.starts_with("Content-Type:") {
        return Some(text);
    }
    let (_, rest) = text.split_once("boundary=\"")?;
    let (boundary, rest) = rest.split_once('"')?;
    let between = format!("--{boundary}");
    let mut parts = rest.split(between.as_str()).map(str::trim_start);
    parts.find_map(|part| part.strip_prefix("Content-Type: application/node.eks.aws"))
}

/// `key: value` of a line of YAML or JSON, without quotes.
fn setting(line: &str) -> Option<(&str, &str)> {
    let bare = |text: &'static str| move |one: char| text.contains(one) || one.is_whitespace();
    let (key, value) = line.split_once(':')?;
    Some((key.trim_matches(bare("\"'{")), value.trim_matches(bare("\"',}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_for_nodeadm_is_found() {
        let document = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"B\"\n\n--B\n\
                        Content-Type: text/x-shellscript\n\necho name: no\n\n--B\n\
                        Content-Type: application/node.eks.aws\n\nname: yes\n\n--B--\n";
        assert_eq!(node_config(document).unwrap().trim(), "name: yes");
        assert_eq!(node_config("name: plain"), Some("name: plain"));
        assert_eq!(node_config("MIME-Version: 1.0\nContent-Type: text/plain\n\nname: no"), None);
    }

    #[test]
    fn settings_are_read_in_yaml_and_in_json() {
        assert_eq!(setting("    apiServerEndpoint: https://e:1"), Some(("apiServerEndpoint", "https://e:1")));
        assert_eq!(setting("  \"cidr\": \"10.0.0.0/16\","), Some(("cidr", "10.0.0.0/16")));
        assert_eq!(setting("---"), None);
    }
}
