//! Networks and subnetworks. A network of Google spans the world and has no addresses of its own; a subnetwork spans
//! the zones of its region. Never writes.

use pmks_driver::Result;
use pmks_model::{Iid, KeyValueList, Network, Subnet};

use crate::names::{Shared, last};
use crate::wire::compute as wire;
use crate::{GcpDriver, convert, marks};

/// The networks of the project with their subnetworks in the region, ordered by name. Two calls, pages apart.
pub(crate) async fn list(driver: &GcpDriver) -> Result<Vec<Network>> {
    let (networks, subnetworks) =
        futures::try_join!(driver.api.list_networks(), driver.api.list_subnetworks(driver.region()))?;
    let project = driver.api.project();
    let mut all: Vec<Network> =
        networks.iter().map(|found| network(found, &found.name, &subnetworks, project)).collect();
    all.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(all)
}

/// One network with its subnetworks in the region. Two calls; one for a network of another project, whose subnetworks
/// are that project's to list.
pub(crate) async fn get(driver: &GcpDriver, text: &str) -> Result<Network> {
    let project = driver.api.project();
    let name = Shared::read("network", text, project)?;
    if name.project != project {
        return Ok(network(&driver.api.get_network(&name).await?, &name.network(project), &[], project));
    }
    Ok(get_beside(driver, text).await?.0)
}

/// One network, and all subnetworks that the project has in the region, whatever their network. Two calls.
pub(crate) async fn get_beside(driver: &GcpDriver, text: &str) -> Result<(Network, Vec<wire::Subnetwork>)> {
    let project = driver.api.project();
    let name = Shared::read("network", text, project)?;
    let (found, subnetworks) =
        futures::try_join!(driver.api.get_network(&name), driver.api.list_subnetworks(driver.region()))?;
    let own: &[wire::Subnetwork] = if name.project == project { &subnetworks } else { &[] };
    let network = network(&found, &name.network(project), own, project);
    Ok((network, subnetworks))
}

/// One subnetwork of the region. One call.
pub(crate) async fn get_subnet(driver: &GcpDriver, text: &str) -> Result<Subnet> {
    let project = driver.api.project();
    let name = Shared::read("subnet", text, project)?;
    let found = driver.api.get_subnetwork(&name, driver.region()).await?;
    Ok(subnet(&found, &name.subnetwork(project, driver.region()), project))
}

fn network(found: &wire::Network, id: &str, subnetworks: &[wire::Subnetwork], project: &str) -> Network {
    let mut facts = KeyValueList::default();
    facts.add("Id", &found.id);
    facts.add_some("AutoCreateSubnetworks", found.auto_create_subnetworks.map(|auto| auto.to_string()));
    facts.add("RoutingMode", &found.routing_config.routing_mode);
    facts.add_some("Mtu", found.mtu.map(|mtu| mtu.to_string()));
    let within =
        subnetworks.iter().filter(|subnetwork| convert::network_name(&subnetwork.network, project) == id);
    let mut subnets: Vec<Subnet> = within.map(|found| subnet(found, &found.name, project)).collect();
    subnets.sort_by(|a, b| a.iid.cmp(&b.iid));
    Network {
        iid: Iid::new(&found.name, id),
        incarnation: convert::number(&found.id).to_owned(),
        region: String::new(),
        cidr: found.ipv4_range.clone(),
        subnets,
        state: String::new(),
        tags: marks::tags_of(&found.description),
        key_value_list: facts,
    }
}

fn subnet(found: &wire::Subnetwork, id: &str, project: &str) -> Subnet {
    let mut facts = KeyValueList::default();
    facts.add("Id", &found.id);
    facts.add("Region", last(&found.region));
    facts.add("Purpose", &found.purpose);
    facts.add("GatewayAddress", &found.gateway_address);
    facts.add("PrivateIpGoogleAccess", found.private_ip_google_access.to_string());
    for range in &found.secondary_ip_ranges {
        facts.add("SecondaryIpRange", format!("{} {}", range.range_name, range.ip_cidr_range));
    }
    Subnet {
        iid: Iid::new(&found.name, id),
        incarnation: convert::number(&found.id).to_owned(),
        network: convert::network_name(&found.network, project),
        cidr: found.ip_cidr_range.clone(),
        zone: String::new(),
        tags: marks::tags_of(&found.description),
        key_value_list: facts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_network_holds_its_own_subnetworks_and_its_marks() {
        let found: wire::Network = serde_json::from_value(json!({
            "id": "77", "name": "net", "autoCreateSubnetworks": false, "routingConfig": {"routingMode": "REGIONAL"},
            "description": "Made by pmks. pmks-installation=i pmks-operation=o pmks-uid=u",
        }))
        .unwrap();
        let of = |name: &str, network: &str| {
            json!({"name": name, "ipCidrRange": "10.0.0.0/24",
            "network": format!("https://www.googleapis.com/compute/v1/projects/p/global/networks/{network}"),
            "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}]})
        };
        let subnetworks: Vec<wire::Subnetwork> =
            serde_json::from_value(json!([of("b", "net"), of("a", "net"), of("c", "other")])).unwrap();
        let network = network(&found, "net", &subnetworks, "p");
        assert_eq!(network.iid, Iid::new("net", "net"));
        assert_eq!(network.tags.get("pmks-uid").map(String::as_str), Some("u"));
        let names: Vec<&str> = network.subnets.iter().map(|subnet| subnet.iid.system_id.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(network.subnets[0].network, "net");
        assert_eq!(network.subnets[0].key_value_list.get("SecondaryIpRange"), Some("pods 10.4.0.0/14"));
    }
}
