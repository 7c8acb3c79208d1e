"""What requests made of the description are made of: names that exist, mostly, so that they come further than the door.

Everything beside names stays as it is made up."""

import os
import zlib

import requests
import schemathesis

CONNECTION = "c"
# Few names, so that one request finds what another made.
NAMES = ["a", "b", "ng", "vpc", "d-1"]
NAMED = {"Name", "VPCName", "SubnetName", "SGName", "KeyPairName", "NodeGroupName", "ClusterName", "Id", "CSPId"}
PROVIDERS = {"ProviderName": "MOCK", "CloudOSName": "MOCK", "provider": "MOCK"}
RECORDS = {"DriverName": "drv", "CredentialName": "cred", "RegionName": "reg", "ConfigName": CONNECTION}
CHOSEN = {"IPv4_CIDR": "10.0.0.0/16", "VMSpecName": "mock-vmspec-01", "Version": "1.33", "ImageName": "default"}
LISTS = {"SubnetNames": ["a"], "SecurityGroupNames": ["a"]}


SEED = [
    ("driver", {"DriverName": "drv", "ProviderName": "MOCK", "DriverLibFileName": "mock.so"}),
    ("credential", {
        "CredentialName": "cred", "ProviderName": "MOCK", "KeyValueInfoList": [{"Key": "MockName", "Value": "m"}],
    }),
    ("region", {
        "RegionName": "reg", "ProviderName": "MOCK", "KeyValueInfoList": [{"Key": "Region", "Value": "default"}],
    }),
    ("connectionconfig", {
        "ConfigName": CONNECTION, "ProviderName": "MOCK", "DriverName": "drv", "CredentialName": "cred",
        "RegionName": "reg",
    }),
    ("vpc", {
        "Name": "a", "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": [{"Name": "a", "IPv4_CIDR": "10.0.0.0/20"}],
    }),
    ("securitygroup", {"Name": "a", "VPCName": "a", "SecurityRules": []}),
    ("keypair", {"Name": "a"}),
    ("cluster", {
        "Name": "a", "VPCName": "a", "SubnetNames": ["a"], "SecurityGroupNames": ["a"],
        "NodeGroupList": [{"Name": "ng", "DesiredNodeSize": "1"}],
    }),
]


def seed():
    """A connection, and one of everything at it."""
    auth = tuple(os.environ["PMKS_USER"].split(":"))
    for path, body in SEED:
        if "ProviderName" not in body:
            body = {"ConnectionName": CONNECTION, "ReqInfo": body}
        answer = requests.post(f"{os.environ['PMKS_URL']}/{path}", json=body, auth=auth, timeout=60)
        assert answer.status_code == 200, answer.text


seed()


def pick(text, choices):
    return choices[zlib.crc32(repr(text).encode()) % len(choices)]


def strange(value):
    """One in six stays as it was made up."""
    return zlib.crc32(repr(value).encode()) % 6 == 0


def known(key, value):
    if strange((key, value)):
        return value
    if key == "ConnectionName":
        return CONNECTION
    if key in NAMED:
        return pick(value, NAMES)
    for table in (PROVIDERS, RECORDS, CHOSEN, LISTS):
        if key in table:
            return table[key]
    return within(value)


def within(value):
    if isinstance(value, dict):
        return {key: known(key, part) for key, part in value.items()}
    if isinstance(value, list):
        return [within(part) for part in value]
    return value


@schemathesis.hook
def map_body(context, body):
    body = within(body)
    for path, seeded in SEED:
        pairs = "KeyValueInfoList"
        if isinstance(body, dict) and pairs in body and context.operation.path == f"/{path}" and not strange(body):
            body[pairs] = seeded[pairs]
    return body


@schemathesis.hook
def map_query(context, query):
    return within(query)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return within(path_parameters)


@schemathesis.hook
def after_call(context, case, response):
    with open(os.environ["PMKS_CALLS"], "a") as calls:
        calls.write(f"{response.status_code}\n")


@schemathesis.check
def answered(context, response, case):
    assert response.status_code < 500 or response.status_code == 501, f"{response.status_code}: {response.text}"
