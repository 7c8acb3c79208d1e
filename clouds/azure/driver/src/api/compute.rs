//! `Microsoft.Compute`.

use http::Method;
use pmks_driver::{Effect, Result};
use serde_json::Value;

use super::{Accepted, Api, Condition, change, read, version};
use crate::arm_id::{ArmId, COMPUTE};
use crate::wire::compute as wire;

const SERVICE: &str = "compute";
const VERSION: &str = version::COMPUTE;

impl Api {
    /// The scale sets of a resource group.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/list>
    pub(crate) async fn scale_sets(&self, group: &str) -> Result<Vec<wire::ScaleSet>> {
        let shape = read(SERVICE, "VirtualMachineScaleSets.List", VERSION);
        let path =
            self.in_subscription(&["resourceGroups", group, "providers", COMPUTE, "virtualMachineScaleSets"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// Every scale set of the subscription.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/list-all>
    pub(crate) async fn all_scale_sets(&self) -> Result<Vec<wire::ScaleSet>> {
        let shape = read(SERVICE, "VirtualMachineScaleSets.ListAll", VERSION);
        let path = self.in_subscription(&["providers", COMPUTE, "virtualMachineScaleSets"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// The instances of a scale set; with how they run, if that is wanted.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-vms/list>
    pub(crate) async fn instances(
        &self,
        scale_set: &ArmId,
        with_view: bool,
    ) -> Result<Vec<wire::ScaleSetVm>> {
        let shape = read(SERVICE, "VirtualMachineScaleSetVMs.List", VERSION);
        let mut path = scale_set.segments();
        path.push("virtualMachines");
        let mut call = self.call(shape, &path);
        if with_view {
            call = call.query("$expand", "instanceView");
        }
        self.list(shape, call).await
    }

    /// Every SSH public key of the subscription.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/list-by-subscription>
    pub(crate) async fn ssh_public_keys(&self) -> Result<Vec<wire::SshPublicKey>> {
        let shape = read(SERVICE, "SshPublicKeys.ListBySubscription", VERSION);
        let path = self.in_subscription(&["providers", COMPUTE, "sshPublicKeys"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// One SSH public key.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/get>
    pub(crate) async fn ssh_public_key(&self, id: &ArmId) -> Result<wire::SshPublicKey> {
        let shape = read(SERVICE, "SshPublicKeys.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// One SSH public key as it came.
    pub(crate) async fn raw_ssh_public_key(&self, id: &ArmId) -> Result<Value> {
        let shape = read(SERVICE, "SshPublicKeys.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Gives the public half of a key pair to Azure. Of this call Azure documents no condition, so that it replaces what
    /// stands under that name.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/create>
    pub(crate) async fn create_ssh_public_key(&self, id: &ArmId, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "SshPublicKeys.Create", Effect::Creates, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, Condition::None).await
    }

    /// Removes an SSH public key.
    pub(crate) async fn delete_ssh_public_key(&self, id: &ArmId) -> Result<Accepted> {
        let shape = change(SERVICE, "SshPublicKeys.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        self.change(self.call(shape, &id.segments())).await
    }

    /// Whether a managed disk stands.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/disks/get>
    pub(crate) async fn has_disk(&self, id: &ArmId) -> Result<bool> {
        let shape = read(SERVICE, "Disks.Get", version::DISKS);
        match self.json::<Value>(self.call(shape, &id.segments())).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks for the end of a managed disk.
    pub(crate) async fn delete_disk(&self, id: &ArmId) -> Result<Accepted> {
        let shape = change(SERVICE, "Disks.Delete", Effect::Idempotent, &Method::DELETE, version::DISKS);
        self.change(self.call(shape, &id.segments())).await
    }

    /// What Compute sells in the connection's region, with what this subscription may not use.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/resource-skus/list>
    pub(crate) async fn resource_skus(&self) -> Result<Vec<wire::ResourceSku>> {
        let shape = read(SERVICE, "ResourceSkus.List", version::SKUS);
        let path = self.in_subscription(&["providers", COMPUTE, "skus"]);
        let filter = format!("location eq '{}'", self.endpoints.region());
        self.list(shape, self.call(shape, &path).query("$filter", &filter)).await
    }

    /// The quotas of the connection's region, with what is used of them.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/compute/usage/list>
    pub(crate) async fn usages(&self) -> Result<Vec<wire::Usage>> {
        let shape = read(SERVICE, "Usage.List", VERSION);
        let region = self.endpoints.region();
        let path = self.in_subscription(&["providers", COMPUTE, "locations", region, "usages"]);
        self.list(shape, self.call(shape, &path)).await
    }
}
