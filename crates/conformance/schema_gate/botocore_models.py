"""Reads botocore's models of AWS' services: every request and every answer, strictly, with the limits of their values.

What a request needs is in the models, at every depth. Of answers, few shapes say what they always have (IAM's and Elastic
Load Balancing's do); those are held to it. What else an answer always has cannot be read from a model: its absence is
the driver's to notice, and what it notices is in its own tests.

Of refusals the form is that of the protocol, with the codes and statuses of the model where it lists them: EC2's lists
none, so that of its refusals the form alone is judged. Patterns that Python cannot read (Java's `\\p{…}`) are left out.
"""

import json
import re
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session

from botocore_query import Query

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
# What every service may refuse with: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and, by the
# names that the query protocols have for it, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
COMMON_ERRORS = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "IncompleteSignatureException", "InternalFailure", "InvalidAction", "InvalidClientTokenId", "InvalidSignatureException",
    "MalformedHttpRequestException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized",
    "OptInRequired", "RequestExpired", "ServerException", "ServiceUnavailable", "ServiceUnavailableException",
    "SignatureDoesNotMatch", "Throttling", "ThrottlingException", "UnknownOperationException", "UnrecognizedClientException",
    "ValidationError",
}
OF_THE_SERVICE = {"InternalFailure", "ServerException", "ServiceUnavailable", "ServiceUnavailableException"}
# What signs a request and says who sends it:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
SIGNING = {"x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "x-amz-user-agent"}


class Contract(Query):
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
        is_json = protocol == "rest-json"
        self.headers(action, exchange, "application/json" if is_json else "application/x-www-form-urlencoded", is_json)
        if exchange["status"] and exchange["status"] < 400 and exchange["status"] != operation.http.get("responseCode", 200):
            self.defect(action, f"answer: the status of a success is {exchange['status']}")
        if is_json:
            self.rest_json(action, operation, exchange)
        else:
            self.query(action, operation, exchange, protocol)

    def headers(self, action, exchange, form, is_json):
        """What is said beside the bodies, where a record has it."""
        asked = {name.lower(): value for name, value in (exchange.get("requestHeaders") or {}).items()}
        told = {name.lower(): value for name, value in (exchange.get("responseHeaders") or {}).items()}
        sent = asked.get("content-type", "").partition(";")[0]
        if exchange["requestBody"] and "requestHeaders" in exchange and sent != form:
            self.defect(action, f"request: the content type is {sent!r} instead of {form}")
        for name in asked:
            if name.startswith("if-") or name.startswith("x-amz-") and name not in SIGNING:
                self.defect(action, f"request header {name} is not known")
        got = told.get("content-type", "").partition(";")[0]
        if exchange["status"] and exchange["responseBody"] and told:
            if got not in (("application/json", "application/x-amz-json-1.1") if is_json else ("text/xml", "application/xml")):
                self.defect(action, f"answer: the content type is {got!r}")

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
        for name, values in query.items():
            if len(values) > 1 and not any(
                inner.type_name == "list" and inner.serialization.get("name", member) == name for member, inner in members.items()
            ):
                self.defect(action, f"query parameter {name} is given twice")
        for member, inner in members.items():
            location = inner.serialization.get("location")
            wire = inner.serialization.get("name", member)
            if location == "uri":
                given[member] = unquote(path.group(wire))
            elif location == "querystring" and wire in query:
                values = query.pop(wire)
                given[member] = values if inner.type_name == "list" else self.scalar(action, wire, inner, values[0])
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
        if exchange["status"] and exchange["status"] < 400:
            if operation.output_shape and operation.output_shape.members and not exchange["responseBody"]:
                self.defect(action, "answer: nothing, and its model has a shape")
            answer = json.loads(exchange["responseBody"] or "{}")
            if operation.output_shape:
                self.value(action, "answer", operation.output_shape, answer, answer=True)
            else:
                for key in answer:
                    self.defect(action, f"answer.{key} is not known")
        elif exchange["status"]:
            self.rest_json_error(action, operation, exchange)

    def rest_json_error(self, action, operation, exchange):
        headers = {key.lower(): value for key, value in exchange["responseHeaders"].items()}
        code = headers.get("x-amzn-errortype", "").partition(":")[0]
        shape = self.refusal(action, operation, exchange["status"], code)
        said = json.loads(exchange["responseBody"])
        if not isinstance(said, dict) or not isinstance(said.get("message", said.get("Message")), str):
            self.defect(action, "answer: the error has no message")
        elif shape:
            self.value(action, "answer", shape, said, answer=True)

    def refusal(self, action, operation, status, code):
        """The shape of a refusal, where the model has one; its code and its status are those of a list."""
        known = {}
        for shape in operation.error_shapes:
            error = shape.metadata.get("error") or {}
            known[error.get("code", shape.name)] = (shape, error.get("httpStatusCode"))
        if code in known:
            shape, wanted = known[code]
            if wanted and status != wanted:
                self.defect(action, f"answers the error {code} with {status} instead of {wanted}")
            return shape
        if known and code not in COMMON_ERRORS:
            self.defect(action, f"answers the error {code!r}, which its model does not have")
        elif (status >= 500) != (code in OF_THE_SERVICE) and code in COMMON_ERRORS:
            self.defect(action, f"answers the error {code} with {status}")
        return None

    def scalar(self, action, wire, shape, text):
        wanted = {"integer": r"-?\d+", "long": r"-?\d+", "boolean": "true|false"}.get(shape.type_name)
        if wanted and not re.fullmatch(wanted, text):
            self.defect(action, f"query parameter {wire}: {text!r} is no {shape.type_name}")
            return None
        return json.loads(text) if wanted else text

    def limits(self, action, where, shape, size, text=None):
        """A value's range, or the length of a text, list or map, and the pattern of a text. Services answer nothing where
        there is nothing, as EKS says of what has no tags, whatever must be given at least:
        https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAccessEntry.html"""
        if size == 0 and where.startswith("answer") and shape.type_name in ("list", "map"):
            return
        for limit, is_beyond in (("min", lambda edge: size < edge), ("max", lambda edge: size > edge)):
            edge = shape.metadata.get(limit)
            if edge is not None and is_beyond(edge):
                self.defect(action, f"{where}: {size} is beyond the {limit} {edge} of {shape.name}")
        pattern = shape.metadata.get("pattern")
        if pattern and text is not None and not REDACTED.search(text):
            try:
                fits = re.search(pattern, text)
            except re.error:
                return
            if not fits:
                self.defect(action, f"{where}: {text!r} is not of the pattern of {shape.name}")

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
                else:
                    self.defect(action, f"{where}.{key} is not known")
            for required in shape.required_members:
                wire = shape.members[required].serialization.get("name", required) if answer else required
                if wire not in value:
                    self.defect(action, f"{where}.{required} is required")
        elif kind == "list":
            if not isinstance(value, list):
                self.defect(action, f"{where} is no list")
                return
            self.limits(action, where, shape, len(value))
            for inner in value:
                self.value(action, f"{where}[]", shape.member, inner, answer)
        elif kind == "map":
            if not isinstance(value, dict):
                self.defect(action, f"{where} is no map")
                return
            self.limits(action, where, shape, len(value))
            for key, inner in value.items():
                self.value(action, f"{where}{{}}", shape.key, key, answer)
                self.value(action, f"{where}{{}}", shape.value, inner, answer)
        elif kind in ("integer", "long"):
            if not isinstance(value, int) or isinstance(value, bool):
                self.defect(action, f"{where} is no {kind}")
            else:
                self.limits(action, where, shape, value)
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
                self.limits(action, where, shape, len(value), value)

    def word(self, action, where, shape, word):
        known = getattr(shape, "enum", None)
        if known and word not in known and (shape.name, word) not in AS_DOCUMENTED and not REDACTED.search(word):
            self.defect(action, f"{where}: {word!r} is not in the enumeration {shape.name}")
