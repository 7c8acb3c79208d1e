"""Azure's own SDK against a simulated Azure over HTTPS.

Usage: REQUESTS_CA_BUNDLE=CA.pem sdk_client.py READY.json make NAME | see NAME | list
READY.json is the ready file. Prints JSON: `make` a cluster of one agent pool `system` of two machines in the resource
group of pmks' connection, `see` a cluster with the machines of its pools, `list` the names of all clusters.
"""

import json
import sys

from sdk_tour import LOCATION, clients

# That of pmks' connection, where nothing else is said.
GROUP = LOCATION


class Azure:
    def __init__(self, entry):
        self.aks, _, self.compute, self.resources, *_ = clients(entry)

    def make(self, name):
        self.resources.resource_groups.create_or_update(GROUP, {"location": LOCATION})
        pool = {"name": "system", "count": 2, "vmSize": "Standard_D2s_v5", "mode": "System"}
        body = {
            "location": LOCATION, "identity": {"type": "SystemAssigned"},
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
