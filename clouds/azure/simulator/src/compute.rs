//! Microsoft.Compute: SSH public keys, machine sizes and quotas, and the scale sets, machines and disks behind pools.
//!
//! Sources: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys>,
//! <https://learn.microsoft.com/rest/api/compute/resource-skus>.

use serde_json::{Value, json};

use crate::arm::{Call, check_name, key, no_such_resource};
use crate::catalogue::{self, Region, SIZES, Size};
use crate::container_service::pool_request::{CORES, used_cores};
use crate::container_service::{Cluster, Machine, Pool, nodes};
use crate::error::{Error, Result};
use crate::json::{at, set, text};
use crate::network::GROUPS;
use crate::reply::Reply;
use crate::resources::equals;
use crate::world::Document;

const KEYS: &str = "Microsoft.Compute/sshPublicKeys";
const DISKS: &str = "Microsoft.Compute/disks";
const SCALE_SETS: &str = "Microsoft.Compute/virtualMachineScaleSets";

/// Carries out one call.
///
/// # Errors
/// The service's refusal.
pub(crate) fn handle(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    match action {
        "ResourceSkus_List" => Ok(skus(call)),
        "Usage_List" => usages(call),
        "VirtualMachineSizes_List" => sizes(call),
        "SshPublicKeys_ListBySubscription" => call.page(call.documents(KEYS, false)?).map(Reply::ok),
        "SshPublicKeys_ListByResourceGroup" => call.page(call.documents(KEYS, true)?).map(Reply::ok),
        "SshPublicKeys_Get" => get(call, KEYS),
        "SshPublicKeys_Create" => put_key(call),
        "SshPublicKeys_Update" => patch_key(call),
        "SshPublicKeys_Delete" => delete(call, KEYS),
        "VirtualMachineScaleSets_ListAll" => call.page(scale_sets(call, "")).map(Reply::ok),
        "VirtualMachineScaleSets_List" => {
            let below = key(&call.id(SCALE_SETS)?);
            call.page(scale_sets(call, &below)).map(Reply::ok)
        }
        "VirtualMachineScaleSets_Get" => {
            let (cluster, pool) = scale_set(call)?;
            Ok(Reply::ok(show_scale_set(cluster, pool)))
        }
        "VirtualMachineScaleSetVMs_List" => list_machines(call),
        "VirtualMachineScaleSetVMs_Get" => {
            let (cluster, pool, found) = machine(call)?;
            let with_view = call.query.get("$expand").is_some_and(|expand| expand == "instanceView");
            Ok(Reply::ok(show_machine(cluster, pool, found, with_view)))
        }
        "VirtualMachineScaleSetVMs_GetInstanceView" => {
            machine(call).map(|(_, pool, found)| Reply::ok(view(pool, found)))
        }
        "Disks_List" => call.page(disks(call, "")).map(Reply::ok),
        "Disks_ListByResourceGroup" => {
            let below = key(&call.id(DISKS)?);
            call.page(disks(call, &below)).map(Reply::ok)
        }
        "Disks_Get" => get(call, DISKS),
        "Disks_Delete" => delete(call, DISKS),
        other => Err(Error::bad("InvalidResourceType", format!("The simulated Azure does not do {other}."))),
    }
}

fn get(call: &Call<'_>, kind: &str) -> Result<Reply> {
    let id = call.id(&format!("{kind}/{}", call.name(2)))?;
    call.document(&id).map(|document| Reply::ok(document.show()))
}

fn delete(call: &mut Call<'_>, kind: &str) -> Result<Reply> {
    let id = call.id(&format!("{kind}/{}", call.name(2)))?;
    let gone = call.subscription_mut().documents.remove(&key(&id));
    Ok(Reply::empty(if gone.is_some() { 200 } else { 204 }))
}

fn put_key(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(2).to_owned();
    check_name(&name)?;
    call.registered("Microsoft.Compute")?;
    let location = call.location(KEYS)?;
    let id = call.id(&format!("{KEYS}/{name}"))?;
    let known = call.subscription().documents.get(&key(&id)).cloned();
    if let Some(known) = &known {
        call.same_location(text(&known.body, "location").unwrap_or_default(), &location, &name)?;
    }
    let public = text(&call.body, "properties.publicKey").map(str::to_owned);
    check_key(public.as_deref())?;
    let made = Document {
        id: known.as_ref().map_or_else(|| id.clone(), |known| known.id.clone()),
        kind: KEYS.to_owned(),
        body: json!({
            "location": location, "tags": at(&call.body, "tags"), "properties": {"publicKey": public},
        }),
        state: String::new(),
        etag: String::new(),
        created: known.as_ref().map_or(call.now.wall, |known| known.created),
    };
    let shown = made.show();
    call.subscription_mut().documents.insert(key(&id), made);
    Ok(Reply::new(if known.is_some() { 200 } else { 201 }, shown))
}

fn check_key(public: Option<&str>) -> Result<()> {
    let fine =
        |public: &str| ["ssh-rsa AAAA", "ssh-ed25519 AAAA"].iter().any(|kind| public.starts_with(kind));
    if public.is_none_or(fine) {
        return Ok(());
    }
    let says =
        "The value of parameter publicKey is invalid: it must be in OpenSSH format, of type RSA or Ed25519.";
    Err(Error::invalid("publicKey", says))
}

fn patch_key(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id(&format!("{KEYS}/{}", call.name(2)))?;
    call.document(&id)?;
    let tags = at(&call.body, "tags").clone();
    if let Some(known) = call.subscription_mut().documents.get_mut(&key(&id)) {
        set(&mut known.body, "tags", tags);
    }
    get(call, KEYS)
}

fn skus(call: &Call<'_>) -> Reply {
    let wanted = call.query.get("$filter").and_then(|filter| equals(filter, "location"));
    let regions = catalogue::REGIONS.iter().filter(|region| {
        wanted
            .as_ref()
            .is_none_or(|wanted| catalogue::region(wanted).is_some_and(|found| found.name == region.name))
    });
    let shown: Vec<Value> =
        regions.flat_map(|region| SIZES.iter().map(move |size| show_sku(region, size))).collect();
    Reply::ok(json!({"value": shown}))
}

fn show_sku(region: &Region, size: &Size) -> Value {
    let mut capabilities = vec![
        ("MaxResourceVolumeMB", "0".to_owned()),
        ("OSVhdSizeMB", "1047552".to_owned()),
        ("vCPUs", size.cpu.to_string()),
        ("HyperVGenerations", if size.architecture == "Arm64" { "V2" } else { "V1,V2" }.to_owned()),
        ("MemoryGB", size.memory_gib.to_string()),
        ("CpuArchitectureType", size.architecture.to_owned()),
        ("MaxDataDiskCount", "8".to_owned()),
        ("LowPriorityCapable", "True".to_owned()),
        ("PremiumIO", if size.premium { "True" } else { "False" }.to_owned()),
        ("vCPUsAvailable", size.cpu.to_string()),
        ("EphemeralOSDiskSupported", if size.cache_gib > 0 { "True" } else { "False" }.to_owned()),
        ("AcceleratedNetworkingEnabled", "True".to_owned()),
        ("MaxNetworkInterfaces", "2".to_owned()),
    ];
    if size.cache_gib > 0 {
        capabilities.push(("CachedDiskBytes", (u64::from(size.cache_gib) << 30).to_string()));
    }
    if size.gpus > 0 {
        capabilities.push(("GPUs", size.gpus.to_string()));
    }
    let capabilities: Vec<Value> =
        capabilities.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let short = size.name.trim_start_matches("Standard_");
    json!({
        "resourceType": "virtualMachines", "name": size.name, "tier": "Standard", "size": short, "family": size.family,
        "locations": [region.name],
        "locationInfo": [{"location": region.name, "zones": region.zones(), "zoneDetails": []}],
        "capabilities": capabilities, "restrictions": [],
    })
}

fn region(call: &Call<'_>) -> Result<&'static Region> {
    let asked = call.name(1);
    catalogue::region(asked).ok_or_else(|| {
        let says =
            format!("The provided location '{asked}' is not available for resource type 'locations/usages'.");
        Error::bad("LocationNotAvailableForResourceType", says)
    })
}

fn usages(call: &Call<'_>) -> Result<Reply> {
    let region = region(call)?;
    let used = used_cores(call.subscription().clusters.values(), region.name);
    let usage = |name: &str, text: &str, used: u32, limit: u32| {
        json!({
            "unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": text},
        })
    };
    let mut shown = vec![usage("cores", "Total Regional vCPUs", used, CORES)];
    let mut families: Vec<&str> = SIZES.iter().map(|size| size.family).collect();
    families.sort_unstable();
    families.dedup();
    for family in families {
        let pools = call.subscription().clusters.values().filter(|cluster| cluster.location == region.name);
        let pools = pools.flat_map(|cluster| &cluster.pools);
        let own = pools.filter_map(|pool| {
            pool.size().filter(|size| size.family == family).map(|size| pool.count() * size.cpu)
        });
        shown.push(usage(family, &format!("{family} vCPUs"), own.sum(), CORES));
    }
    Ok(Reply::ok(json!({"value": shown})))
}

fn sizes(call: &Call<'_>) -> Result<Reply> {
    region(call)?;
    let show = |size: &Size| {
        json!({
            "name": size.name, "numberOfCores": size.cpu, "memoryInMB": size.memory_gib * 1024, "maxDataDiskCount": 8,
            "osDiskSizeInMB": 1_047_552, "resourceDiskSizeInMB": 0,
        })
    };
    Ok(Reply::ok(json!({"value": SIZES.iter().map(show).collect::<Vec<_>>()})))
}

/// The cluster and pool whose scale set the path names.
///
/// # Errors
/// `ResourceGroupNotFound`, `ResourceNotFound`.
pub(crate) fn scale_set<'a>(call: &'a Call<'_>) -> Result<(&'a Cluster, &'a Pool)> {
    let id = call.id(&format!("{SCALE_SETS}/{}", call.name(2)))?;
    let is_it =
        |(cluster, pool): &(&Cluster, &Pool)| key(&cluster.inner_id(SCALE_SETS, &pool.scale_set)) == key(&id);
    all_pools(call).find(is_it).ok_or_else(|| no_such_resource(&id))
}

/// The machine that the path names.
///
/// # Errors
/// As [`scale_set`], and where it has no such machine.
pub(crate) fn machine<'a>(call: &'a Call<'_>) -> Result<(&'a Cluster, &'a Pool, &'a Machine)> {
    let (cluster, pool) = scale_set(call)?;
    let number = call.name(3);
    let found = pool.machines.iter().find(|machine| machine.number.to_string() == number);
    found.map(|machine| (cluster, pool, machine)).ok_or_else(|| {
        let says = format!(
            "The entity was not found in this Azure location: instance {number} of {}.",
            pool.scale_set
        );
        Error::new(404, "NotFound", says)
    })
}

/// Every pool with its cluster; copies share the scale sets of their originals.
fn all_pools<'a>(call: &'a Call<'_>) -> impl Iterator<Item = (&'a Cluster, &'a Pool)> {
    use crate::container_service::is_copy;
    let clusters = call.subscription().clusters.values().filter(|cluster| !is_copy(cluster.name()));
    let pools = clusters.flat_map(|cluster| cluster.pools.iter().map(move |pool| (cluster, pool)));
    pools.filter(|(_, pool)| !is_copy(&pool.name) && pool.next > 0)
}

fn scale_sets(call: &Call<'_>, below: &str) -> Vec<(String, Value)> {
    let shown = all_pools(call).map(|(cluster, pool)| {
        (key(&cluster.inner_id(SCALE_SETS, &pool.scale_set)), show_scale_set(cluster, pool))
    });
    shown.filter(|(id, _)| id.starts_with(below)).collect()
}

/// The tags that AKS puts on scale sets, by which tools find them.
fn tags(cluster: &Cluster, pool: &Pool) -> Value {
    let mut tags = json!({
        "aks-managed-poolName": pool.name, "aks-managed-orchestrator": format!("Kubernetes:{}", pool.version),
        "aks-managed-resourceNameSuffix": cluster.number, "aks-managed-creationSource": "vmssclient-aks",
    });
    crate::json::extend(&mut tags, at(&pool.properties, "tags").clone());
    tags
}

fn show_scale_set(cluster: &Cluster, pool: &Pool) -> Value {
    let subscription = cluster.id.split('/').nth(2).unwrap_or_default();
    let size = text(&pool.properties, "vmSize").unwrap_or_default();
    json!({
        "id": cluster.inner_id(SCALE_SETS, &pool.scale_set), "name": pool.scale_set, "type": SCALE_SETS,
        "location": cluster.location, "tags": tags(cluster, pool), "zones": at(&pool.properties, "availabilityZones"),
        "sku": {"name": size, "tier": "Standard", "capacity": pool.machines.len()},
        "properties": {
            "provisioningState": "Succeeded", "overprovision": false, "singlePlacementGroup": false,
            "orchestrationMode": "Uniform", "upgradePolicy": {"mode": "Manual"}, "timeCreated": pool.created,
            "platformFaultDomainCount": 1,
            "virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [{
                "name": pool.scale_set,
                "properties": {
                    "primary": true, "enableAcceleratedNetworking": true,
                    "networkSecurityGroup": {"id": cluster.inner_id(GROUPS, &cluster.security_group())},
                    "ipConfigurations": [{
                        "name": "ipconfig1",
                        "properties": {"primary": true, "subnet": {"id": cluster.subnet_of(subscription, pool)}},
                    }],
                },
            }]}},
        },
    })
}

fn list_machines(call: &Call<'_>) -> Result<Reply> {
    let (cluster, pool) = scale_set(call)?;
    let with_view = call.query.get("$expand").is_some_and(|expand| expand == "instanceView");
    let shown = pool
        .machines
        .iter()
        .map(|machine| (format!("{:010}", machine.number), show_machine(cluster, pool, machine, with_view)));
    call.page(shown.collect()).map(Reply::ok)
}

fn show_machine(cluster: &Cluster, pool: &Pool, machine: &Machine, with_view: bool) -> Value {
    let id = cluster.machine_id("", pool, machine);
    let size = text(&pool.properties, "vmSize").unwrap_or_default();
    let state = if machine.ready_since.is_some() { "Succeeded" } else { "Creating" };
    let interface = format!("{id}/networkInterfaces/{}", pool.scale_set);
    json!({
        "id": id, "name": format!("{}_{}", pool.scale_set, machine.number),
        "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines", "location": cluster.location,
        "instanceId": machine.number.to_string(), "tags": tags(cluster, pool), "sku": {"name": size, "tier": "Standard"},
        "zones": machine.zone.as_ref().map(|zone| vec![zone]),
        "properties": {
            "latestModelApplied": true, "vmId": machine.id, "provisioningState": state, "timeCreated": machine.created,
            "hardwareProfile": {"vmSize": size},
            "osProfile": {"computerName": nodes::name(pool, machine)},
            "storageProfile": {"osDisk": {
                "osType": "Linux", "createOption": "FromImage", "caching": "ReadOnly",
                "diskSizeGB": at(&pool.properties, "osDiskSizeGB"), "managedDisk": {"id": os_disk(cluster, pool, machine)},
            }},
            "networkProfile": {"networkInterfaces": [{"id": interface}]},
            "instanceView": with_view.then(|| view(pool, machine)),
        },
    })
}

fn view(pool: &Pool, machine: &Machine) -> Value {
    let ready = machine.ready_since.is_some();
    let provisioning = if ready { "succeeded" } else { "creating" };
    let power = if ready { "running" } else { "starting" };
    json!({
        "computerName": nodes::name(pool, machine), "osName": "ubuntu",
        "statuses": [
            {"code": format!("ProvisioningState/{provisioning}"), "level": "Info", "displayStatus": "Provisioning", "time": machine.created},
            {"code": format!("PowerState/{power}"), "level": "Info", "displayStatus": format!("VM {power}")},
        ],
    })
}

fn os_disk(cluster: &Cluster, pool: &Pool, machine: &Machine) -> String {
    let set = &pool.scale_set;
    let name = format!("{set}_{set}_{}_OsDisk_1_{}", machine.number, machine.id.replace('-', ""));
    cluster.inner_id(DISKS, &name)
}

/// Disks of users, and those of machines.
fn disks(call: &Call<'_>, below: &str) -> Vec<(String, Value)> {
    let documents = call.subscription().documents.iter().filter(|(_, document)| document.kind == DISKS);
    let documents = documents.map(|(id, document)| (id.clone(), document.show()));
    let of_machines =
        all_pools(call).filter(|(_, pool)| text(&pool.properties, "osDiskType") == Some("Managed")).flat_map(
            |(cluster, pool)| pool.machines.iter().map(move |machine| show_disk(cluster, pool, machine)),
        );
    documents.chain(of_machines).filter(|(id, _)| id.starts_with(below)).collect()
}

fn show_disk(cluster: &Cluster, pool: &Pool, machine: &Machine) -> (String, Value) {
    let id = os_disk(cluster, pool, machine);
    let shown = json!({
        "id": id, "name": crate::arm::last(&id), "type": DISKS, "location": cluster.location,
        "managedBy": cluster.machine_id("", pool, machine), "sku": {"name": "Premium_LRS", "tier": "Premium"},
        "properties": {
            "osType": "Linux", "diskSizeGB": at(&pool.properties, "osDiskSizeGB"), "diskState": "Attached",
            "creationData": {"createOption": "FromImage"}, "provisioningState": "Succeeded", "timeCreated": machine.created,
        },
    });
    (key(&id), shown)
}
