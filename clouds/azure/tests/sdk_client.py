"""Azure's own SDK against a simulated Azure over HTTPS.

Usage: REQUESTS_CA_BUNDLE=CA.pem sdk_client.py READY.json make NAME | see NAME | list
READY.json is the ready file. Prints JSON: `make` a cluster of one agent pool `system` of two machines, in a guarded subnet,
in the resource group of pmks' connection, `see` a cluster with the machines of its pools, `list` the names of all clusters.
"""

import json
import sys

from sdk_tour import LOCATION, clients

# That of pmks' connection, where nothing else is said.
GROUP = LOCATION


class Azure:
    def __init__(self, entry):
        self.aks, self.network, self.compute, self.resources, *_ = clients(entry)

    def make(self, name):
        self.resources.resource_groups.create_or_update(GROUP, {"location": LOCATION})
        guard = self.network.network_security_groups.begin_create_or_update(GROUP, "guard", {"location": LOCATION})
        subnet = {
            "name": "guarded",
            "properties": {"addressPrefix": "10.8.0.0/24", "networkSecurityGroup": {"id": guard.result().id}},
        }
        space = {"addressSpace": {"addressPrefixes": ["10.8.0.0/16"]}, "subnets": [subnet]}
        network = self.network.virtual_networks.begin_create_or_update(
            GROUP, "theirs", {"location": LOCATION, "properties": space})
        pool = {
            "name": "system", "count": 2, "vmSize": "Standard_D2s_v5", "mode": "System",
            "vnetSubnetID": network.result().subnets[0].id,
        }
        # By this tag CB-Spider tells the key pair of its own.
        body = {
            "location": LOCATION, "identity": {"type": "SystemAssigned"}, "tags": {"sshkey": "admin"},
            "properties": {"dnsPrefix": name, "agentPoolProfiles": [pool]},
        }
        self.aks.managed_clusters.begin_create_or_update(GROUP, name, body).result()
        return self.see(name)

    def see(self, name):
        found = next(cluster for cluster in self.aks.managed_clusters.list() if cluster.name == name)
        group = found.id.split("/")[4]
        machines = self.compute.virtual_machine_scale_set_vms
        nodes = {
            known.tags["aks-managed-poolName"]: len(list(machines.list(found.node_resource_group, known.name)))
            for known in self.compute.virtual_machine_scale_sets.list(found.node_resource_group)
        }
        return {"cluster": self.aks.managed_clusters.get(group, name).as_dict(), "nodes": nodes}

    def list(self):
        return [cluster.name for cluster in self.aks.managed_clusters.list()]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        azure = Azure(json.load(file)["clouds"]["azure"])
    print(json.dumps(getattr(azure, sys.argv[2])(*sys.argv[3:]), default=str))


if __name__ == "__main__":
    main()
