"""Reads botocore's models of AWS' services: every request and every answer, strictly.

What a request needs is in the models, at every depth. Of answers, few shapes say what they always have (IAM's and Elastic
Load Balancing's do); those are held to it. What else an answer always has cannot be read from a model: its absence is
the driver's to notice, and what it notices is in its own tests.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session

REDACTED = re.compile(r"redacted|\*\*\*", re.IGNORECASE)
SERVICES = {
    "eks": ["eks"],
    "ec2": ["ec2"],
    "iam": ["iam"],
    "sts": ["sts"],
    "autoscaling": ["autoscaling"],
    "elasticloadbalancing": ["elb", "elbv2"],
    "monitoring": ["cloudwatch"],
}
ELSEWHERE = {"kubernetes": "a cluster's own API, judged by kubectl and a real control plane"}
# What AWS itself answers and its model lacks, with its source.
AS_DOCUMENTED = {
    # «For an internet gateway, the state is available when attached to a VPC»:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InternetGatewayAttachment.html
    ("AttachmentStatus", "available"),
}
# What every answer carries beside its shape.
ENVELOPE = {"ResponseMetadata", "requestId", "RequestId"}


class Contract:
    def __init__(self, defect):
        self.defect = defect
        self.session = botocore.session.get_session()
        self.models = {}
        self.actions = set()

    def begin(self):
        """A model says the same of every exchange, whatever was before."""

    def notes(self):
        return []

    def model(self, name):
        if name not in self.models:
            self.models[name] = self.session.get_service_model(name)
        return self.models[name]

    def check(self, exchange):
        # A driver names a call with its service, a simulated cloud beside it.
        service, _, name = exchange["action"].rpartition(".")
        service = service or exchange["service"]
        action = f"{service}.{name}"
        name = name.removesuffix("V2")
        version = dict(parse_qsl(exchange["requestBody"])).get("Version", "")
        candidates = [self.model(known) for known in SERVICES.get(service, [])]
        candidates = [model for model in candidates if name in model.operation_names]
        if version:
            candidates = [model for model in candidates if model.api_version == version]
        if not candidates:
            self.defect(action, f"{service} has no {name} (version {version!r})")
            return
        self.actions.add(action)
        operation = candidates[0].operation_model(name)
        protocol = candidates[0].metadata["protocol"]
        if protocol == "rest-json":
            self.rest_json(action, operation, exchange)
        else:
            self.query(action, operation, exchange, protocol)

    # EKS

    def rest_json(self, action, operation, exchange):
        url = urlsplit(exchange["url"])
        if exchange["method"] != operation.http["method"]:
            self.defect(action, f"method {exchange['method']} instead of {operation.http['method']}")
        template = operation.http["requestUri"].partition("?")[0]
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        path = re.fullmatch(pattern, url.path)
        if not path:
            self.defect(action, f"path {url.path} does not match {template}")
            return
        given = {}
        shape = operation.input_shape
        members = shape.members if shape else {}
        query = {}
        for key, value in parse_qsl(url.query, keep_blank_values=True):
            query.setdefault(key, []).append(value)
        for member, inner in members.items():
            location = inner.serialization.get("location")
            wire = inner.serialization.get("name", member)
            if location == "uri":
                given[member] = unquote(path.group(wire))
            elif location == "querystring" and wire in query:
                values = query.pop(wire)
                given[member] = values if inner.type_name == "list" else self.scalar(inner, values[0])
        for stray in query:
            self.defect(action, f"query parameter {stray} is not known")
        body = exchange["requestBody"]
        if body:
            for wire, value in json.loads(body).items():
                known = [m for m, s in members.items() if s.serialization.get("name", m) == wire and "location" not in s.serialization]
                if known:
                    given[known[0]] = value
                else:
                    self.defect(action, f"request member {wire} is not known")
        if shape:
            self.value(action, "request", shape, given)
        if exchange["status"] and exchange["status"] < 300:
            answer = json.loads(exchange["responseBody"] or "{}")
            if operation.output_shape:
                self.value(action, "answer", operation.output_shape, answer, answer=True)
            else:
                for key in set(answer) - ENVELOPE:
                    self.defect(action, f"answer.{key} is not known")
        elif exchange["status"]:
            self.rest_json_error(action, operation, exchange)

    def rest_json_error(self, action, operation, exchange):
        headers = {key.lower(): value for key, value in exchange["responseHeaders"].items()}
        code = headers.get("x-amzn-errortype", "").partition(":")[0]
        known = {shape.name for shape in operation.error_shapes}
        common = {
            "AccessDeniedException", "ThrottlingException", "InvalidSignatureException", "UnrecognizedClientException",
            "IncompleteSignatureException", "MissingAuthenticationTokenException", "ExpiredTokenException",
            "ServerException", "ServiceUnavailableException", "InternalFailure",
        }
        if code not in known | common:
            self.defect(action, f"answers the error {code!r}, which its model does not have")

    @staticmethod
    def scalar(shape, text):
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text]
        return text

    def value(self, action, where, shape, value, answer=False):
        kind = shape.type_name
        if value is None and answer:
            return
        if kind == "structure":
            if not isinstance(value, dict):
                self.defect(action, f"{where} is no object")
                return
            for key, inner in value.items():
                members = {s.serialization.get("name", m): s for m, s in shape.members.items()} if answer else shape.members
                if key in members:
                    self.value(action, f"{where}.{key}", members[key], inner, answer)
                elif key not in ENVELOPE:
                    self.defect(action, f"{where}.{key} is not known")
            for required in shape.required_members:
                wire = shape.members[required].serialization.get("name", required) if answer else required
                if wire not in value:
                    self.defect(action, f"{where}.{required} is required")
        elif kind == "list":
            if not isinstance(value, list):
                self.defect(action, f"{where} is no list")
                return
            for inner in value:
                self.value(action, f"{where}[]", shape.member, inner, answer)
        elif kind == "map":
            for inner in value.values():
                self.value(action, f"{where}{{}}", shape.value, inner, answer)
        elif kind in ("integer", "long"):
            if not isinstance(value, int) or isinstance(value, bool):
                self.defect(action, f"{where} is no {kind}")
        elif kind == "boolean":
            if not isinstance(value, bool):
                self.defect(action, f"{where} is no boolean")
        elif kind == "timestamp":
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                self.defect(action, f"{where} is no time in seconds")
        elif kind == "string":
            if not isinstance(value, str):
                self.defect(action, f"{where} is no text")
            else:
                self.word(action, where, shape, value)

    def word(self, action, where, shape, word):
        known = getattr(shape, "enum", None)
        if known and word not in known and (shape.name, word) not in AS_DOCUMENTED and not REDACTED.search(word):
            self.defect(action, f"{where}: {word!r} is not in the enumeration {shape.name}")

    # EC2, IAM, STS, Auto Scaling, Elastic Load Balancing

    def query(self, action, operation, exchange, protocol):
        given = parse_qsl(exchange["requestBody"], keep_blank_values=True)
        given += parse_qsl(urlsplit(exchange["url"]).query, keep_blank_values=True)
        names = dict(given)
        if names.pop("Action", None) != operation.name:
            self.defect(action, "the parameter Action is another one")
        names.pop("Version", None)
        for key, text in names.items():
            if not key.startswith("X-Amz-"):
                self.parameter(action, operation.input_shape, key, key.split("."), text, protocol)
        if operation.input_shape:
            self.needed(action, operation.input_shape, "", names, protocol)
        if exchange["status"] and exchange["status"] < 300:
            self.xml(action, operation, exchange["responseBody"], protocol)

    def needed(self, action, shape, prefix, names, protocol):
        """What is missing of a structure that is given, at every depth."""
        if shape.type_name == "list":
            if protocol != "ec2" and not shape.serialization.get("flattened"):
                prefix += shape.member.serialization.get("name", "member") + "."
            for number in {key[len(prefix):].partition(".")[0] for key in names if key.startswith(prefix)}:
                self.needed(action, shape.member, f"{prefix}{number}.", names, protocol)
        elif shape.type_name == "structure":
            for member, inner in shape.members.items():
                wire = prefix + self.parameter_name(inner, member, protocol)
                if any(key.startswith(wire + ".") for key in names):
                    self.needed(action, inner, wire + ".", names, protocol)
                elif member in shape.required_members and wire not in names:
                    self.defect(action, f"request.{wire} is required")

    @staticmethod
    def parameter_name(shape, member, protocol):
        serialization = shape.serialization
        if protocol == "ec2":
            name = serialization.get("queryName")
            if name:
                return name
            name = serialization.get("name", member)
            return name[0].upper() + name[1:]
        return serialization.get("name", member)

    def parameter(self, action, shape, key, parts, text, protocol):
        if shape is None:
            self.defect(action, f"parameter {key} is not known")
            return
        if not parts:
            if shape.type_name in ("structure", "list", "map"):
                # An empty list is written as the bare name.
                if text or shape.type_name == "structure":
                    self.defect(action, f"parameter {key} ends too early")
                return
            self.text(action, key, shape, text)
            return
        head, rest = parts[0], parts[1:]
        if shape.type_name == "structure":
            for member, inner in shape.members.items():
                if self.parameter_name(inner, member, protocol) == head:
                    self.parameter(action, inner, key, rest, text, protocol)
                    return
        elif shape.type_name == "list":
            flattened = protocol == "ec2" or shape.serialization.get("flattened")
            if not flattened:
                if head != shape.member.serialization.get("name", "member"):
                    self.defect(action, f"parameter {key}: {head} is no member of a list")
                    return
                if not rest:
                    self.defect(action, f"parameter {key} ends too early")
                    return
                head, rest = rest[0], rest[1:]
            if head.isdigit() and int(head) > 0:
                self.parameter(action, shape.member, key, rest, text, protocol)
                return
        self.defect(action, f"parameter {re.sub('[0-9]+', 'N', key)} is not known")

    def text(self, action, where, shape, text):
        kind = shape.type_name
        fine = {
            "integer": lambda: re.fullmatch(r"-?\d+", text),
            "long": lambda: re.fullmatch(r"-?\d+", text),
            "boolean": lambda: text in ("true", "false"),
            "timestamp": lambda: re.match(r"\d{4}-\d\d-\d\dT", text),
            "double": lambda: re.fullmatch(r"-?[\d.]+(E-?\d+)?", text),
            "float": lambda: re.fullmatch(r"-?[\d.]+(E-?\d+)?", text),
        }.get(kind, lambda: True)()
        if not fine:
            self.defect(action, f"{where}: {text!r} is no {kind}")
        if kind == "string":
            self.word(action, where, shape, text)

    def xml(self, action, operation, body, protocol):
        root = ElementTree.fromstring(body)
        if local(root) != operation.name + "Response":
            self.defect(action, f"the answer is a {local(root)}")
        shape = operation.output_shape
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        element = root
        if wrapper:
            element = next((child for child in root if local(child) == wrapper), None)
            if element is None:
                self.defect(action, f"the answer has no {wrapper}")
                return
        if shape:
            self.element(action, "answer", shape, element, protocol)
            return
        # EC2 says of a change without a shape that it was done; the others answer an empty result.
        inner = [grandchild for child in root if local(child) == f"{operation.name}Result" for grandchild in child]
        outer = [child for child in root if local(child) != f"{operation.name}Result"]
        for child in inner + outer:
            if local(child) not in ENVELOPE and not (protocol == "ec2" and local(child) == "return"):
                self.defect(action, f"answer.{local(child)} is not known")

    def element(self, action, where, shape, element, protocol):
        kind = shape.type_name
        if kind == "structure":
            members = {}
            for member, inner in shape.members.items():
                name = inner.serialization.get("name", member)
                flattened = inner.type_name == "list" and inner.serialization.get("flattened")
                if flattened:
                    name = inner.member.serialization.get("name", name)
                members[name] = (inner, flattened)
                if member in shape.required_members and not any(local(child) == name for child in element):
                    self.defect(action, f"{where}.{name} is required")
            for child in element:
                if local(child) in members:
                    inner, flattened = members[local(child)]
                    inner = inner.member if flattened else inner
                    self.element(action, f"{where}.{local(child)}", inner, child, protocol)
                elif local(child) not in ENVELOPE and not (protocol == "ec2" and local(child) == "return"):
                    self.defect(action, f"{where}.{local(child)} is not known")
        elif kind == "list":
            wanted = shape.member.serialization.get("name", "item" if protocol == "ec2" else "member")
            for child in element:
                if local(child) != wanted:
                    self.defect(action, f"{where}: {local(child)} instead of {wanted}")
                self.element(action, f"{where}[]", shape.member, child, protocol)
        elif kind == "map":
            return
        else:
            self.text(action, where, shape, element.text or "")


def local(element):
    return element.tag.rpartition("}")[2]
