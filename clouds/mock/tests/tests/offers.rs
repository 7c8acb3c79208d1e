//! What the Mock cloud offers is what CB-Spider's Mock offers, field by field, but for keys that CB-Spider leaves out where
//! they hold nothing.
//!
//! Source: <https://github.com/cloud-barista/cb-spider/tree/master/cloud-control-manager/cloud-driver/drivers/mock/resources>,
//! `RegionZoneHandler.go`, `ImageHandler.go`, `VMSpecHandler.go`

use pmks_mock_tests::MOCK_AT_ONCE;
use serde_json::{Value, json};

fn region(name: &str, title: &str, statuses: [&str; 3]) -> Value {
    let zones: Vec<Value> = statuses
        .iter()
        .zip(1..)
        .map(|(status, number)| {
            let display_name = format!("{title} Zone {number}");
            json!({"Name": format!("{name}-z{number}"), "DisplayName": display_name,
                "CSPDisplayName": display_name, "Status": status, "KeyValueList": []})
        })
        .collect();
    let display_name = format!("{title} Region");
    json!({"Name": name, "DisplayName": display_name, "CSPDisplayName": display_name, "ZoneList": zones,
        "KeyValueList": []})
}

fn image(number: &str, architecture: &str, platform: &str, distribution: &str, disk: &str) -> Value {
    // There another name stands, by which nobody can ask for it; clients take it for the one by which they can.
    let id = format!("mock-vmimage-{number}");
    json!({"IId": {"NameId": id, "SystemId": id}, "Name": id,
        "OSArchitecture": architecture, "OSPlatform": platform, "OSDistribution": distribution,
        "OSDiskType": "gp3", "OSDiskSizeGB": disk, "ImageStatus": "Available", "KeyValueList": []})
}

fn machine(name: &str, vcpus: &str, clock: &str, memory: &str, gpus: &[Value]) -> Value {
    json!({"Region": "common-region", "Name": name, "VCpu": {"Count": vcpus, "ClockGHz": clock},
        "MemSizeMiB": memory, "DiskSizeGB": "-1", "Gpu": gpus, "KeyValueList": []})
}

fn gpu(count: &str, total: &str) -> Value {
    json!({"Count": count, "Mfr": "NVIDIA", "Model": "V100", "MemSizeGB": "512", "TotalMemSizeGB": total})
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_images_and_machine_types_are_cb_spiders() {
    let [regions, images, machines] = pmks_suites::conversation::machines::told(MOCK_AT_ONCE).await;
    let (yes, no, untold) = ("Available", "Unavailable", "StatusNotSupported");
    assert_eq!(
        regions,
        json!({"regionzone": [
            region("default", "Default", [yes, no, yes]),
            region("mercury", "Mercury", [yes, no, yes]),
            region("venus", "Venus", [untold, yes, yes]),
            region("mars", "Mars", [yes, yes, no]),
            region("jupiter", "Jupiter", [no, untold, yes]),
            region("saturn", "Saturn", [yes, no, yes]),
            region("uranus", "Uranus", [yes, yes, no]),
            region("neptune", "Neptune", [yes, untold, untold]),
        ]})
    );
    let linux = "Linux/UNIX";
    assert_eq!(
        images,
        json!({"image": [
            image("01", "x86_64", linux, "Ubuntu 18.04", "35"),
            image("02", "arm64", linux, "CentOS 8", "40"),
            image("03", "x86_64", "Windows", "Windows Server 2019", "50"),
            image("04", "arm64", linux, "Ubuntu 22.04", "35"),
            image("05", "x86_64", linux, "Amazon Linux 2", "30"),
        ]})
    );
    assert_eq!(
        machines,
        json!({"vmspec": [
            machine("mock-vmspec-01", "4", "2.7", "32768", &[gpu("2", "1024")]),
            machine("mock-vmspec-02", "4", "3.2", "32768", &[gpu("1", "512")]),
            machine("mock-vmspec-03", "8", "2.7", "62464", &[]),
            machine("mock-vmspec-04", "8", "2.7", "1024", &[]),
        ]})
    );
}
