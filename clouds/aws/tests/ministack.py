"""What boto3 does and sees at ministack. Usage: ministack.py URL WHAT [ARGUMENT…]; prints JSON.

The key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""

import base64
import json
import sys
import urllib.error
import urllib.request

import boto3

URL = sys.argv[1]


def client(service):
    return boto3.client(service, region_name="us-east-1", endpoint_url=URL)


def user():
    """A user who may do everything, and its key: ministack checks the signatures of users, not of the root."""
    iam = client("iam")
    iam.create_user(UserName="pmks")
    iam.attach_user_policy(UserName="pmks", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="pmks")["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def cluster(name, *subnets):
    roles = client("iam").list_roles()["Roles"]
    role = next(role["Arn"] for role in roles if role["RoleName"].endswith("eks-cluster-role"))
    made = client("eks").create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": list(subnets)})
    return made["cluster"]["arn"]


def tags(name):
    eks = client("eks")
    return eks.list_tags_for_resource(resourceArn=eks.describe_cluster(name=name)["cluster"]["arn"])["tags"]


def left():
    ec2 = client("ec2")
    vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    keys = [key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"]]
    gateways = [gateway["InternetGatewayId"] for gateway in ec2.describe_internet_gateways()["InternetGateways"]]
    return {"vpcs": vpcs, "keys": keys, "gateways": gateways}


def shown(token, name, spoilt=""):
    """What STS says when the cluster of that name shows it the token, as EKS' authenticator does."""
    url = base64.urlsafe_b64decode(token.removeprefix("k8s-aws-v1.") + "==").decode()
    if spoilt:
        # Its last letter is the signature's.
        url = url[:-1] + ("0" if url[-1] != "0" else "1")
    request = urllib.request.Request(url, headers={"x-k8s-aws-id": name})
    try:
        with urllib.request.urlopen(request) as answer:
            return {"status": answer.status, "says": answer.read().decode()}
    except urllib.error.HTTPError as refused:
        return {"status": refused.code, "says": refused.read().decode()}


WHAT = {"user": user, "cluster": cluster, "tags": tags, "left": left, "shown": shown}
print(json.dumps(WHAT[sys.argv[2]](*sys.argv[3:])))
