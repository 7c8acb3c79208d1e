//! The network interfaces of the machines in scale sets.

use serde_json::{Value, json};

use crate::arm::{Call, key};
use crate::compute;
use crate::container_service::{Cluster, Machine, Pool};
use crate::error::Result;
use crate::reply::Reply;

pub(super) fn of_scale_set(call: &Call<'_>) -> Result<Reply> {
    let (cluster, pool) = compute::scale_set(call)?;
    let shown = pool.machines.iter().map(|machine| show(call, cluster, pool, machine)).collect();
    call.page(shown).map(Reply::ok)
}

pub(super) fn of_machine(call: &Call<'_>) -> Result<Reply> {
    let (cluster, pool, machine) = compute::machine(call)?;
    call.page(vec![show(call, cluster, pool, machine)]).map(Reply::ok)
}

fn show(call: &Call<'_>, cluster: &Cluster, pool: &Pool, machine: &Machine) -> (String, Value) {
    let owner = cluster.machine_id(&call.subscription().id, pool, machine);
    let name = &pool.scale_set;
    let id = format!("{owner}/networkInterfaces/{name}");
    let shown = json!({
        "id": id, "name": name,
        "properties": {
            "provisioningState": "Succeeded", "primary": true, "enableIPForwarding": true,
            "virtualMachine": {"id": owner},
            "ipConfigurations": [{
                "id": format!("{id}/ipConfigurations/ipconfig1"), "name": "ipconfig1",
                "properties": {
                    "provisioningState": "Succeeded", "privateIPAddress": machine.address, "primary": true,
                    "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4",
                    "subnet": {"id": cluster.subnet_of(&call.subscription().id, pool)},
                },
            }],
        },
    });
    (key(&id), shown)
}
