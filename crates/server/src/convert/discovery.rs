//! What a cloud offers.

use pmks_api as api;
use pmks_core::Dated;
use pmks_model::{Image, KubernetesVersion, MachineType, Region};

use super::{key_values, time, word};

/// A list with the time of its reading.
pub(crate) fn discovered<V, B>(dated: Dated<V>, body: impl Fn(V) -> B) -> api::Discovered<B> {
    api::Discovered {
        items: dated.items.into_iter().map(body).collect(),
        observed_at: time(dated.observed_at),
        next_page_token: None,
    }
}

/// A Kubernetes version.
pub(crate) fn version(version: KubernetesVersion) -> api::KubernetesVersion {
    api::KubernetesVersion {
        version: version.version.to_string(),
        default: version.default,
        support: word(&version.support),
        end_of_standard_support: version.end_of_standard_support,
        end_of_extended_support: version.end_of_extended_support,
    }
}

/// A machine type.
pub(crate) fn machine_type(machine_type: MachineType) -> api::MachineType {
    api::MachineType {
        name: machine_type.name,
        vcpus: machine_type.vcpus,
        memory_mib: machine_type.memory_mib,
        architecture: machine_type.architecture,
        gpus: machine_type.gpus,
        zones: machine_type.zones,
        key_value_list: key_values(machine_type.key_value_list),
    }
}

/// An image.
pub(crate) fn image(image: Image) -> api::Image {
    api::Image {
        name: image.name,
        description: image.description,
        architecture: image.architecture,
        operating_system: image.operating_system,
        default: image.default,
    }
}

/// A region.
pub(crate) fn region(region: Region) -> api::Region {
    api::Region { name: region.name, zones: region.zones }
}
