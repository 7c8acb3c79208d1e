//! Machine types.

use pmks_model::{GpuKind, MachineType};
use serde_json::{Value, json};

use super::{UNTOLD, first_of, number, one};
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(in crate::routes) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    let view = call.pmks().connections().get(&connection).await?;
    let found = call.pmks().discovery().machine_types(&connection, None).await?;
    Ok(Reply::list("vmspec", found.items.iter().map(|item| machine_info(item, &view.region)).collect()))
}

pub(in crate::routes) async fn get(call: Call) -> Answer {
    let connection = call.connection()?;
    let view = call.pmks().connections().get(&connection).await?;
    let found = call.pmks().discovery().machine_types(&connection, None).await?;
    let wanted = found.items.iter().find(|item| item.name == call.named(0));
    one(wanted.map(|item| machine_info(item, &view.region)), "VM Spec", &call)
}

/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/VMSpecHandler.go>
fn machine_info(machine: &MachineType, region: &str) -> Value {
    let told = machine.gpu_kinds.iter().map(gpu_info);
    // Of how many there are alone, that alone is told.
    let counted = (machine.gpu_kinds.is_empty() && machine.gpus > 0)
        .then(|| gpu_info(&GpuKind { count: machine.gpus, ..GpuKind::default() }));
    let facts = machine.key_value_list.0.iter().map(|fact| json!({"Key": fact.key, "Value": fact.value}));
    json!({
        "Region": first_of(&machine.region, region),
        "Name": machine.name,
        "VCpu": {
            "Count": machine.vcpus.to_string(),
            "ClockGHz": number(machine.clock_ghz.map(|clock| format!("{clock:.1}"))),
        },
        "MemSizeMiB": machine.memory_mib.to_string(),
        "DiskSizeGB": number(machine.local_disk_mib.map(gigabytes)),
        "Gpu": told.chain(counted).collect::<Vec<_>>(),
        "KeyValueList": facts.collect::<Vec<_>>(),
    })
}

/// Makers and models are in capitals, as CB-Spider writes them.
fn gpu_info(kind: &GpuKind) -> Value {
    let all = kind.memory_mib.map(|each| each.saturating_mul(u64::from(kind.count)));
    json!({
        "Count": kind.count.to_string(),
        "Mfr": first_of(&kind.manufacturer, UNTOLD).to_uppercase(),
        "Model": first_of(&kind.model, UNTOLD).to_uppercase(),
        "MemSizeGB": number(kind.memory_mib.map(gigabytes)),
        "TotalMemSizeGB": number(all.map(gigabytes)),
    })
}

/// MiB in GB, of a thousand millions of bytes each, to the nearest: CB-Spider's conversion.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/UnitConversion.go>
fn gigabytes(mebibytes: u64) -> u64 {
    mebibytes.saturating_mul(1 << 20).saturating_add(500_000_000) / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cloud_tells_of_a_machine_type_is_told() {
        let kind = |model: &str, memory_mib| GpuKind {
            count: 4,
            manufacturer: "Nvidia".to_owned(),
            model: model.to_owned(),
            memory_mib,
        };
        let told = MachineType {
            clock_ghz: Some(2.5),
            local_disk_mib: Some(65_536),
            gpus: 8,
            gpu_kinds: vec![kind("A10g", Some(22_888)), kind("", None)],
            ..MachineType::default()
        };
        let shown = machine_info(&told, "here");
        assert_eq!((&shown["VCpu"]["ClockGHz"], &shown["Region"]), (&json!("2.5"), &json!("here")));
        assert_eq!(shown["DiskSizeGB"], "69");
        assert_eq!(
            shown["Gpu"],
            json!([
                {"Count": "4", "Mfr": "NVIDIA", "Model": "A10G", "MemSizeGB": "24", "TotalMemSizeGB": "96"},
                {"Count": "4", "Mfr": "NVIDIA", "Model": "NA", "MemSizeGB": "-1", "TotalMemSizeGB": "-1"},
            ])
        );
    }

    #[test]
    fn what_the_cloud_does_not_tell_is_not_made_up() {
        let counted = MachineType { gpus: 2, region: "there".to_owned(), ..MachineType::default() };
        let shown = machine_info(&counted, "here");
        assert_eq!((&shown["VCpu"]["ClockGHz"], &shown["Region"]), (&json!("-1"), &json!("there")));
        assert_eq!(shown["DiskSizeGB"], "-1");
        let none = MachineType { local_disk_mib: Some(0), ..MachineType::default() };
        assert_eq!(machine_info(&none, "here")["DiskSizeGB"], "0");
        let untold =
            json!([{"Count": "2", "Mfr": "NA", "Model": "NA", "MemSizeGB": "-1", "TotalMemSizeGB": "-1"}]);
        assert_eq!(shown["Gpu"], untold);
        assert_eq!(machine_info(&MachineType::default(), "here")["Gpu"], json!([]));
    }
}
