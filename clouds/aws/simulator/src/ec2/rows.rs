//! EC2's part of the ground truth.

use pmks_simulation::Resource;

use super::state::State;

/// Every resource that exists; terminated machines, which AWS only still shows, are left out.
pub(crate) fn resources(state: &State) -> Vec<Resource> {
    let mut rows = Vec::new();
    rows.extend(state.vpcs.values().map(|vpc| {
        Resource::new("vpc", &vpc.id, "available", vpc.created)
            .tagged(&vpc.tags)
            .with("cidr", vpc.cidr.to_string())
    }));
    rows.extend(state.subnets.values().map(|subnet| {
        Resource::new("subnet", &subnet.id, "available", subnet.created)
            .tagged(&subnet.tags)
            .with("vpc", &*subnet.vpc)
            .with("zone", &*subnet.zone)
            .with("cidr", subnet.cidr.to_string())
    }));
    rows.extend(state.internet_gateways.values().map(|gateway| {
        let status = if gateway.vpc.is_some() { "attached" } else { "detached" };
        let row =
            Resource::new("internetGateway", &gateway.id, status, gateway.created).tagged(&gateway.tags);
        row.with("vpc", gateway.vpc.clone())
    }));
    // A network's main table and default group come and go with it: they are no resources of their own.
    rows.extend(state.route_tables.values().filter(|table| !table.is_main()).map(|table| {
        Resource::new("routeTable", &table.id, "active", table.created)
            .tagged(&table.tags)
            .with("vpc", &*table.vpc)
    }));
    rows.extend(state.security_groups.values().filter(|group| group.name != "default").map(|group| {
        Resource::new("securityGroup", &group.id, "available", group.created)
            .named(&group.name)
            .tagged(&group.tags)
            .with("vpc", &*group.vpc)
            .with("rules", group.rules.len())
    }));
    rows.extend(state.key_pairs.values().map(|pair| {
        Resource::new("keyPair", &pair.id, "available", pair.created).named(&pair.name).tagged(&pair.tags)
    }));
    rows.extend(machines(state));
    rows.extend(state.launch_templates.values().map(|template| {
        Resource::new("launchTemplate", &template.id, "available", template.created)
            .named(&template.name)
            .tagged(&template.tags)
    }));
    rows
}

fn machines(state: &State) -> Vec<Resource> {
    let mut rows = Vec::new();
    let alive = state.instances.values().filter(|instance| instance.state.written().1 != "terminated");
    rows.extend(alive.map(|instance| {
        Resource::new("instance", &instance.id, instance.state.written().1, instance.launched)
            .tagged(&instance.tags)
            .with("vpc", &*instance.vpc)
            .with("subnet", &*instance.subnet)
            .with("machineType", &*instance.machine_type)
            .with("image", &*instance.image)
    }));
    rows.extend(state.network_interfaces.values().map(|interface| {
        Resource::new("networkInterface", &interface.id, interface.status(), interface.created)
            .named(&interface.description)
            .tagged(&interface.tags)
            .with("vpc", &*interface.vpc)
            .with("subnet", &*interface.subnet)
            .with("groups", interface.groups.clone())
    }));
    rows.extend(state.volumes.values().map(|volume| {
        Resource::new("volume", &volume.id, volume.status(), volume.created)
            .tagged(&volume.tags)
            .with("instance", volume.instance.clone())
    }));
    rows
}
