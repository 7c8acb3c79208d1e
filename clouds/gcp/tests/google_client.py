"""Google's own client for Python against a simulated Google Cloud.

Usage: google_client.py READY.json make NAME | see NAME | list
READY.json is the ready file. Prints JSON: `make` a cluster of one node pool `workers` of two nodes when it stands, `see`
a cluster with the nodes of its pools, `list` the names of all clusters.
"""

import json
import sys
import time

import googleapiclient.discovery
from google.oauth2.credentials import Credentials

POOL = "workers"


class Google:
    def __init__(self, ready):
        cloud = ready["clouds"]["gcp"]
        self.url = cloud["connection"]["endpoints"]["all"].rstrip("/")
        self.zone = cloud["connection"]["zone"]
        self.project = json.loads(cloud["connection"]["credential"]["serviceAccountKey"])["project_id"]
        self.credentials = Credentials(cloud["accessToken"])
        self.place = f"projects/{self.project}/locations/{self.zone}"
        self.locations = self.api("container", "").projects().locations()
        self.compute = self.api("compute", "compute/v1/")

    def api(self, name, path):
        options = {"api_endpoint": f"{self.url}/{path}"}
        return googleapiclient.discovery.build(name, "v1", credentials=self.credentials, client_options=options)

    def make(self, name):
        # By a tag and a label CB-Spider tells the security groups and the key pair of its own.
        config = {"tags": ["guarded"], "labels": {"keypair": "admin"}}
        cluster = {"name": name, "nodePools": [{"name": POOL, "initialNodeCount": 2, "config": config}]}
        answer = self.locations.clusters().create(parent=self.place, body={"cluster": cluster}).execute()
        operation = f"{self.place}/operations/{answer['name']}"
        for _ in range(600):
            found = self.locations.operations().get(name=operation).execute()
            if found["status"] == "DONE":
                if "error" in found:
                    sys.exit(f"{operation}: {found['error']}")
                return self.see(name)
            time.sleep(0.1)
        sys.exit(f"{operation} does not end")

    def see(self, name):
        cluster = self.locations.clusters().get(name=f"{self.place}/clusters/{name}").execute()
        nodes = {}
        for pool in cluster["nodePools"]:
            groups = [url.rsplit("/", 1)[1] for url in pool["instanceGroupUrls"]]
            listed = [
                self.compute.instanceGroupManagers()
                .listManagedInstances(project=self.project, zone=self.zone, instanceGroupManager=group)
                .execute()
                .get("managedInstances", [])
                for group in groups
            ]
            nodes[pool["name"]] = sum(map(len, listed))
        return {"cluster": cluster, "nodes": nodes}

    def list(self):
        everywhere = f"projects/{self.project}/locations/-"
        return [cluster["name"] for cluster in self.locations.clusters().list(parent=everywhere).execute().get("clusters", [])]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        google = Google(json.load(file))
    print(json.dumps(getattr(google, sys.argv[2])(*sys.argv[3:])))


if __name__ == "__main__":
    main()
