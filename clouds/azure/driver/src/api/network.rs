//! `Microsoft.Network`.

use http::Method;
use pmks_driver::{Effect, Result};
use serde_json::Value;

use super::{Accepted, Api, Condition, change, read, version};
use crate::arm_id::{ArmId, COMPUTE, NETWORK};
use crate::wire::network as wire;

const SERVICE: &str = "network";
const VERSION: &str = version::NETWORK;

impl Api {
    /// Every virtual network of the subscription, with its subnets.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/list-all>
    pub(crate) async fn networks(&self) -> Result<Vec<wire::VirtualNetwork>> {
        let shape = read(SERVICE, "VirtualNetworks.ListAll", VERSION);
        let path = self.in_subscription(&["providers", NETWORK, "virtualNetworks"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// One virtual network, with its subnets.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/get>
    pub(crate) async fn network(&self, id: &ArmId) -> Result<wire::VirtualNetwork> {
        let shape = read(SERVICE, "VirtualNetworks.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// One virtual network as it came.
    pub(crate) async fn raw_network(&self, id: &ArmId) -> Result<Value> {
        let shape = read(SERVICE, "VirtualNetworks.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Asks for a virtual network with its subnets.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/create-or-update>
    pub(crate) async fn create_network(&self, id: &ArmId, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "VirtualNetworks.Create", Effect::Creates, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, Condition::Nothing).await
    }

    /// Asks for the end of a virtual network and its subnets.
    pub(crate) async fn delete_network(&self, id: &ArmId) -> Result<Accepted> {
        let shape = change(SERVICE, "VirtualNetworks.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        self.change(self.call(shape, &id.segments())).await
    }

    /// One subnet.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/subnets/get>
    pub(crate) async fn subnet(&self, id: &ArmId) -> Result<wire::Subnet> {
        let shape = read(SERVICE, "Subnets.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// One subnet as it came: what a replacement is made from.
    pub(crate) async fn raw_subnet(&self, id: &ArmId) -> Result<Value> {
        let shape = read(SERVICE, "Subnets.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Asks for a subnet.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/subnets/create-or-update>
    pub(crate) async fn create_subnet(&self, id: &ArmId, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "Subnets.Create", Effect::Creates, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, Condition::Nothing).await
    }

    /// Replaces a subnet by what was read of it, with changes.
    pub(crate) async fn update_subnet(
        &self,
        id: &ArmId,
        body: &Value,
        condition: Condition<'_>,
    ) -> Result<Accepted> {
        let shape = change(SERVICE, "Subnets.Update", Effect::Idempotent, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, condition).await
    }

    /// Asks for the end of a subnet.
    pub(crate) async fn delete_subnet(&self, id: &ArmId) -> Result<Accepted> {
        let shape = change(SERVICE, "Subnets.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        self.change(self.call(shape, &id.segments())).await
    }

    /// Every network security group of the subscription.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/list-all>
    pub(crate) async fn security_groups(&self) -> Result<Vec<wire::SecurityGroup>> {
        let shape = read(SERVICE, "NetworkSecurityGroups.ListAll", VERSION);
        let path = self.in_subscription(&["providers", NETWORK, "networkSecurityGroups"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// One network security group.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/get>
    pub(crate) async fn security_group(&self, id: &ArmId) -> Result<wire::SecurityGroup> {
        let shape = read(SERVICE, "NetworkSecurityGroups.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Asks for a network security group with its rules.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/create-or-update>
    pub(crate) async fn create_security_group(&self, id: &ArmId, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "NetworkSecurityGroups.Create", Effect::Creates, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, Condition::Nothing).await
    }

    /// One network security group as it came: what a replacement is made from.
    pub(crate) async fn raw_security_group(&self, id: &ArmId) -> Result<Value> {
        let shape = read(SERVICE, "NetworkSecurityGroups.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Replaces a network security group by what was read of it, with changes.
    pub(crate) async fn update_security_group(
        &self,
        id: &ArmId,
        body: &Value,
        condition: Condition<'_>,
    ) -> Result<Accepted> {
        let shape =
            change(SERVICE, "NetworkSecurityGroups.Update", Effect::Idempotent, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, condition).await
    }

    /// Asks for the end of a network security group.
    pub(crate) async fn delete_security_group(&self, id: &ArmId) -> Result<Accepted> {
        let shape =
            change(SERVICE, "NetworkSecurityGroups.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        self.change(self.call(shape, &id.segments())).await
    }

    /// The interfaces of a scale set's instances.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/list-virtual-machine-scale-set-network-interfaces>
    pub(crate) async fn scale_set_interfaces(&self, scale_set: &ArmId) -> Result<Vec<wire::Interface>> {
        let action = "NetworkInterfaces.ListVirtualMachineScaleSetNetworkInterfaces";
        let shape = read(SERVICE, action, version::SCALE_SET_INTERFACES);
        let (group, name) = (scale_set.group(), scale_set.name());
        let below_group = ["resourceGroups", group, "providers", COMPUTE, "virtualMachineScaleSets", name];
        let mut path = self.in_subscription(&below_group);
        path.push("networkInterfaces");
        self.list(shape, self.call(shape, &path)).await
    }
}
