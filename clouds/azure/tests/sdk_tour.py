"""Azure's own SDK against a simulated Azure over HTTPS, with a real login: everything from a resource group to a
cluster's own API, and back to nothing.

Usage: REQUESTS_CA_BUNDLE=CA.pem sdk_tour.py READY.json EXCHANGES.json [KUBECTL]
READY.json is the ready file of `pmks simulate`. What went over the wire is written to EXCHANGES.json for the schema
gate, without headers, so without secrets. Prints each step; the first thing that is not as it should be ends it.
"""

import json
import subprocess
import sys
import tempfile
import uuid

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

LOCATION = "koreacentral"
EXCHANGES = []


class Recorder(SansIOHTTPPolicy):
    def on_response(self, request, response):
        sent, got = request.http_request, response.http_response
        try:
            got.read()
        except AttributeError:
            pass
        body = next((body for body in (getattr(sent, "content", None), getattr(sent, "body", None)) if isinstance(body, (str, bytes))), None)
        EXCHANGES.append({
            "service": "azure", "action": sent.method, "method": sent.method, "url": sent.url, "status": got.status_code,
            "requestBody": body.decode() if isinstance(body, bytes) else body,
            "responseBody": got.body().decode() if hasattr(got, "body") else got.text(),
        })


def step(says):
    print(f"ok: {says}", flush=True)


def equal(got, wanted, says):
    if got != wanted:
        sys.exit(f"FAILED {says}: {got!r} instead of {wanted!r}")
    step(says)


def refused(code, act, says):
    try:
        act()
    except HttpResponseError as error:
        return equal(error.error.code if error.error else error.message, code, says)
    sys.exit(f"FAILED {says}: it went well")


def clients(entry):
    endpoint, credential = entry["httpsEndpoint"], entry["connection"]["credential"]
    subscription = credential["subscriptionId"]
    login = ClientSecretCredential(
        credential["tenantId"], credential["clientId"], credential["clientSecret"],
        authority=endpoint, disable_instance_discovery=True,
    )
    common = {
        "base_url": endpoint, "credential_scopes": ["https://management.azure.com/.default"], "polling_interval": 0.2,
        "per_retry_policies": [Recorder()], "retry_total": 0,
    }
    make = lambda kind: kind(login, subscription, **common)
    return make(ContainerServiceClient), make(NetworkManagementClient), make(ComputeManagementClient), make(
        ResourceManagementClient), make(AuthorizationManagementClient), SubscriptionClient(login, **common), subscription


def wrong_secret(entry):
    credential = entry["connection"]["credential"]
    login = ClientSecretCredential(
        credential["tenantId"], credential["clientId"], "wrong", authority=entry["httpsEndpoint"],
        disable_instance_discovery=True,
    )
    try:
        login.get_token("https://management.azure.com/.default")
    except Exception as error:  # its class is the SDK's own affair
        if "AADSTS7000215" in str(error):
            return step("a wrong secret is refused")
    sys.exit("FAILED a wrong secret is refused")


def ground(resources, network, compute):
    for provider in ("Microsoft.ContainerService", "Microsoft.Network", "Microsoft.Compute"):
        resources.providers.register(provider)
    while any(resources.providers.get(provider).registration_state != "Registered" for provider in (
            "Microsoft.ContainerService", "Microsoft.Network", "Microsoft.Compute")):
        pass
    step("providers are registered")
    group = resources.resource_groups.create_or_update("tour", {"location": LOCATION})
    equal(group.properties.provisioning_state, "Succeeded", "a resource group")
    network.network_security_groups.begin_create_or_update("tour", "guard", {
        "location": LOCATION,
        "properties": {"securityRules": [{"name": "ssh", "properties": {
            "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 100, "sourceAddressPrefix": "*",
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}}]},
    }).result()
    guard = network.network_security_groups.get("tour", "guard")
    equal([rule.name for rule in guard.security_rules], ["ssh"], "a network security group")
    made = network.virtual_networks.begin_create_or_update("tour", "net", {
        "location": LOCATION,
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
            "subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.20.0.0/24"}}],
        },
    }).result()
    equal(made.provisioning_state, "Succeeded", "a virtual network")
    subnet = network.subnets.begin_create_or_update("tour", "net", "nodes", {
        "properties": {"addressPrefix": "10.20.0.0/24", "networkSecurityGroup": {"id": guard.id}},
    }).result()
    equal(subnet.network_security_group.id, guard.id, "a subnet with its security group")
    key = compute.ssh_public_keys.create("tour", "key", {
        "location": LOCATION, "properties": {"publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 tour"}})
    equal(key.name, "key", "an SSH public key")
    sizes = [sku for sku in compute.resource_skus.list(filter=f"location eq '{LOCATION}'") if sku.name == "Standard_D2s_v5"]
    equal(len(sizes), 1, "machine sizes")
    equal(next(iter(compute.usage.list(LOCATION))).name.value, "cores", "quotas")
    return subnet.id


def cluster_body(subnet):
    return {
        "location": LOCATION, "identity": {"type": "SystemAssigned"}, "tags": {"made": "by the tour"},
        "properties": {
            "dnsPrefix": "tour", "kubernetesVersion": "1.33",
            "agentPoolProfiles": [{
                "name": "system", "count": 2, "vmSize": "Standard_D2s_v5", "mode": "System", "vnetSubnetID": subnet}],
        },
    }


def life(aks, subnet):
    versions = aks.managed_clusters.list_kubernetes_versions(LOCATION).values_property
    equal([version.version for version in versions if version.is_default], ["1.34"], "the default version")
    poller = aks.managed_clusters.begin_create_or_update(
        "tour", "theirs", cluster_body(subnet), etag="*", match_condition=MatchConditions.IfMissing)
    cluster = poller.result()
    equal((cluster.provisioning_state, cluster.power_state.code), ("Succeeded", "Running"), "a cluster is created")
    equal([known.name for known in aks.managed_clusters.list()], ["theirs"], "the list of clusters")
    refused("PreconditionFailed", lambda: again(aks, subnet), "a second creation is refused")
    pool = aks.agent_pools.begin_create_or_update("tour", "theirs", "user", {"properties": {"count": 1, "vnetSubnetID": subnet}}).result()
    equal((pool.count, pool.mode), (1, "User"), "an agent pool is added")
    pool.count = 3
    pool = aks.agent_pools.begin_create_or_update("tour", "theirs", "user", pool).result()
    equal((pool.count, pool.provisioning_state), (3, "Succeeded"), "it is scaled")
    pool.enable_auto_scaling, pool.min_count, pool.max_count = True, 1, 5
    pool = aks.agent_pools.begin_create_or_update("tour", "theirs", "user", pool).result()
    equal((pool.enable_auto_scaling, pool.max_count), (True, 5), "its autoscaler is on")
    cluster = aks.managed_clusters.get("tour", "theirs")
    cluster.kubernetes_version = "1.34.2"
    cluster = aks.managed_clusters.begin_create_or_update(
        "tour", "theirs", cluster, etag=cluster.e_tag, match_condition=MatchConditions.IfNotModified).result()
    equal(cluster.current_kubernetes_version, "1.34.2", "the control plane is upgraded")
    pool = aks.agent_pools.get("tour", "theirs", "user")
    pool.orchestrator_version = "1.34.2"
    pool = aks.agent_pools.begin_create_or_update("tour", "theirs", "user", pool).result()
    equal(pool.current_orchestrator_version, "1.34.2", "the pool is upgraded")
    return cluster


def again(aks, subnet):
    aks.managed_clusters.begin_create_or_update(
        "tour", "theirs", cluster_body(subnet), etag="*", match_condition=MatchConditions.IfMissing).result()


def nodes(aks, kubectl):
    config = aks.managed_clusters.list_cluster_user_credentials("tour", "theirs").kubeconfigs[0].value
    if not kubectl:
        return print("SKIPPED kubectl get nodes: kubectl is not found", flush=True)
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(bytes(config))
        file.flush()
        run = lambda *words: subprocess.run(
            [kubectl, "--kubeconfig", file.name, *words], capture_output=True, text=True, check=False)
        got = run("get", "nodes", "-o", "json")
        if got.returncode:
            sys.exit(f"FAILED kubectl get nodes: {got.stderr}")
        found = json.loads(got.stdout)["items"]
        equal(sorted(node["metadata"]["labels"]["agentpool"] for node in found), ["system"] * 2 + ["user"] * 3, "kubectl get nodes")
        equal(run("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}").stdout, "masterclient", "kubectl auth whoami")


def machines(compute, network, cluster, authorization, subscription):
    group = cluster.node_resource_group
    sets = list(compute.virtual_machine_scale_sets.list(group))
    equal(len(sets), 2, "scale sets follow the pools")
    found = [list(compute.virtual_machine_scale_set_vms.list(group, known.name, expand="instanceView")) for known in sets]
    equal(sorted(len(known) for known in found), [2, 3], "their machines too")
    interfaces = list(network.network_interfaces.list_virtual_machine_scale_set_network_interfaces(group, sets[0].name))
    equal(interfaces[0].ip_configurations[0].private_ip_address.startswith("10.20.0."), True, "machines have addresses in the subnet")
    scope = f"/subscriptions/{subscription}/resourceGroups/tour/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes"
    role = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
    body = {"properties": {"roleDefinitionId": role, "principalId": cluster.identity.principal_id, "principalType": "ServicePrincipal"}}
    name = str(uuid.uuid4())
    authorization.role_assignments.create(scope, name, body)
    refused("RoleAssignmentExists", lambda: authorization.role_assignments.create(scope, str(uuid.uuid4()), body), "a role is assigned once")
    authorization.role_assignments.delete(scope, name)
    step("the assignment is removed")


def end(aks, network, resources):
    refused("InUseSubnetCannotBeDeleted", lambda: network.subnets.begin_delete("tour", "net", "nodes").result(), "a subnet in use stays")
    refused("OperationNotAllowed", lambda: aks.agent_pools.begin_delete("tour", "theirs", "system").result(), "the last system pool stays")
    aks.agent_pools.begin_delete("tour", "theirs", "user").result()
    equal([pool.name for pool in aks.agent_pools.list("tour", "theirs")], ["system"], "a pool is removed")
    aks.managed_clusters.begin_stop("tour", "theirs").result()
    equal(aks.managed_clusters.get("tour", "theirs").power_state.code, "Stopped", "the cluster is stopped")
    aks.managed_clusters.begin_delete("tour", "theirs").result()
    equal(list(aks.managed_clusters.list()), [], "the cluster is deleted")
    network.virtual_networks.begin_delete("tour", "net").result()
    network.network_security_groups.begin_delete("tour", "guard").result()
    resources.resource_groups.begin_delete("tour").result()
    equal([group.name for group in resources.resource_groups.list()], [], "nothing remains")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        entry = json.load(file)["clouds"]["azure"]
    kubectl = sys.argv[3] if len(sys.argv) > 3 else None
    wrong_secret(entry)
    aks, network, compute, resources, authorization, subscriptions, subscription = clients(entry)
    equal([known.subscription_id for known in subscriptions.subscriptions.list()], [subscription], "the subscription")
    equal(LOCATION in [place.name for place in subscriptions.subscriptions.list_locations(subscription)], True, "regions")
    subnet = ground(resources, network, compute)
    cluster = life(aks, subnet)
    nodes(aks, kubectl)
    machines(compute, network, cluster, authorization, subscription)
    end(aks, network, resources)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(EXCHANGES, file)
    print(f"{len(EXCHANGES)} exchanges", flush=True)


if __name__ == "__main__":
    main()
