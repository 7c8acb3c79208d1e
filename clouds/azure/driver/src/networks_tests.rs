//! Networks, subnets and security groups in our words.

use serde_json::json;

use super::*;

#[test]
fn a_group_is_of_the_network_that_it_guards() {
    let subnet = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s";
    let group: wire::SecurityGroup = serde_json::from_value(json!({
        "id": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/web", "name": "web",
        "properties": {"subnets": [{"id": subnet}], "networkInterfaces": null, "securityRules": [
            {"name": "no", "properties": {"access": "Deny", "direction": "Inbound", "protocol": "*", "priority": 200,
                "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}}]},
    }))
    .unwrap();
    let group = security_group(&group);
    assert_eq!(group.network, subnet.strip_suffix("/subnets/s").unwrap());
    assert_eq!(
        group.key_value_list.get("OtherRule"),
        Some("no Deny Inbound: protocol *, from * to *, ports *")
    );
}

#[test]
fn networks_hold_their_subnets_under_their_identifiers() {
    let found: wire::VirtualNetwork = serde_json::from_value(json!({
        "id": "/subscriptions/0/resourcegroups/g/providers/microsoft.network/virtualnetworks/n", "name": "n",
        "location": "koreacentral", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]},
            "subnets": [{"name": "b", "properties": {"addressPrefixes": ["10.0.1.0/24"]}},
                {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "ipConfigurations": [{"id": "x"}]}}]},
    }))
    .unwrap();
    let network = network(&found);
    let id = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n";
    assert_eq!((network.iid.system_id.as_str(), network.cidr.as_str()), (id, "10.0.0.0/16"));
    let [a, b] = network.subnets.as_slice() else { panic!("two subnets") };
    assert_eq!(
        (a.iid.system_id.as_str(), a.cidr.as_str()),
        (format!("{id}/subnets/a").as_str(), "10.0.0.0/24")
    );
    assert_eq!((b.cidr.as_str(), b.network.as_str()), ("10.0.1.0/24", id));
    assert_eq!(a.key_value_list.get("AddressesInUse"), Some("1"));
}

#[test]
fn a_subnets_name_is_one_within_its_network() {
    let network = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n";
    let whole = format!("{network}/subnets/a");
    for (network, text, expected) in [
        (network, "a", Some(whole.as_str())),
        (network, &whole, Some(&whole)),
        ("", &whole, Some(&whole)),
        ("", "a", None),
    ] {
        assert_eq!(subnet_within(network, text).as_deref(), expected);
    }
}
