"""Reads the models of Azure's own SDKs for Python: every request and every answer, strictly.

Calls are found by method and path in the SDKs' own builders of requests (`azure_sdk_calls`), each at the api-version of
its SDK; one that was sent at another is a defect. A member of a request that is read-only is one too, but for those that
were read from that very resource before: who changes one keeps what they do not know, as `az resource update` and azapi
do, and Azure Resource Manager takes an answer back as a request.

Of a success the status is one of the call's own, with a body where the call has one and the header by which its work is
followed. What the SDKs leave open stays so: `provisioningState` and the status of an operation are plain texts in most of
their models, codes of errors in all, and of ranges, lengths and patterns they carry none.
"""

import collections
import datetime
import enum
import importlib
import inspect
import json
import re
import typing
from urllib.parse import parse_qsl, unquote, urlsplit

from azure_sdk_calls import Call, Shape, calls, is_model, shape_of

ELSEWHERE = {
    "kubernetes": "a cluster's own API, judged by kubectl and a real control plane",
    "login": "OAuth 2.0 of Microsoft Entra, of which no SDK carries a model",
    "metadata.Endpoints": "a cloud's own document of its endpoints, of which no SDK carries a model",
    # As the simulated cloud names the same call.
    "Metadata_Endpoints": "a cloud's own document of its endpoints, of which no SDK carries a model",
}
REDACTED = re.compile(r"redacted|\*\*\*", re.IGNORECASE)
# A body that holds nothing but secrets is in no record.
NOT_SHOWN = re.compile(r'"?\[redacted\]"?')
# An enumeration that its own description calls deprecated and incomplete, in favour of the list of SKUs:
# https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-vms/get#virtualmachinesizetypes
INCOMPLETE = {"VirtualMachineSizeTypes"}
# What ARM itself puts into every resource, whatever the SDK's model says.
ENVELOPE = {"systemData"}
# What every request may say beside its call's own headers:
# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling and
# https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/common-api-details.md
HEADERS = {"content-type", "x-ms-client-request-id", "x-ms-correlation-request-id", "x-ms-return-client-request-id"}
CONDITIONS = {"if-match", "if-none-match"}
# What every answer about a resource names it by. The type, which belongs to it too, is left out of what is within another,
# as in https://learn.microsoft.com/rest/api/virtualnetwork/network-interface-in-vm-ss/list-virtual-machine-scale-set-network-interfaces:
# https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/resource-api-reference.md#get-resource
NAMED = ("id", "name")
# What a further page of a list is asked for by, and what signs the address of an operation.
GIVEN_BY_AZURE = {"$skiptoken", "t", "c", "s", "h"}
# Work in progress is ARM's own, whosever resource it is about.
ARM = "arm"
RESULT = f"{ARM}.OperationResult"
PROVIDERS = "/subscriptions/{subscriptionId}/providers/{namespace}/locations/{location}"


class Contract:
    def __init__(self, defect):
        self.defect = defect
        self.calls = calls() + operations()
        self.shapes = {}
        self.versions = collections.defaultdict(set)
        self.actions = set()
        self.begin()

    def begin(self):
        self.read = {}
        self.was = set()

    def notes(self):
        for package, versions in sorted(self.versions.items()):
            by = "azure.mgmt.network's OperationStatusResult, of any provider" if package == ARM else f"azure.mgmt.{package}"
            yield f"judged by {by}: api-version {', '.join(sorted(versions))}"

    def check(self, exchange):
        url = urlsplit(exchange["url"])
        path = unquote(url.path).rstrip("/")
        matching = [c for c in self.calls if c.method == exchange["method"] and c.pattern.fullmatch(path)]
        if not matching:
            self.defect(exchange["action"], f"no SDK has {exchange['method']} {path}")
            return
        call = max(matching, key=lambda call: call.literal)
        self.actions.add(call.name)
        self.headers(call, exchange)
        self.query(call, parse_qsl(url.query, keep_blank_values=True))
        self.was = self.read.get(path.lower(), set())
        if exchange.get("requestBody"):
            self.body(call, "request", call.request, exchange["requestBody"], True)
        elif call.needs_request:
            self.defect(call.name, "request: nothing, and its SDK has a body")
        if exchange["status"] is None:
            return
        body = exchange.get("responseBody")
        if exchange["status"] >= 400:
            return self.error(call.name, body)
        if exchange["status"] not in call.statuses:
            self.defect(call.name, f"answer: the status of a success is {exchange['status']}, not one of {sorted(call.statuses)}")
        if not body and call.answer and exchange["status"] in (200, 201):
            self.defect(call.name, f"answer: nothing in a {exchange['status']}, and its SDK has a body")
        if body and not NOT_SHOWN.fullmatch(body):
            self.remember(path, call, json.loads(body))
            if call.name == RESULT:
                self.result(call, body)
            elif call.listed:
                self.list(call, json.loads(body))
            else:
                self.body(call, "answer", call.answer, body, False)

    def headers(self, call, exchange):
        """What is said beside the bodies, where a record has it."""
        asked = {name.lower(): value for name, value in (exchange.get("requestHeaders") or {}).items()}
        told = {name.lower(): value for name, value in (exchange.get("responseHeaders") or {}).items()}
        form = asked.get("content-type", "").partition(";")[0]
        if exchange.get("requestBody") and "requestHeaders" in exchange and form != "application/json":
            self.defect(call.name, f"request: the content type is {form!r} instead of application/json")
        # An ETag is there to be compared (RFC 9110, 13.1), also where the SDK's call leaves that to who adds headers.
        is_tagged = call.request and any(member.lower() == "etag" for member in self.shape(call.request))
        known = call.headers | HEADERS | (CONDITIONS if is_tagged else set())
        for name in asked:
            if name.startswith(("if-", "x-ms-")) and name not in known:
                self.defect(call.name, f"request header {name} is not known")
        if exchange["status"] is None or "responseHeaders" not in exchange:
            return
        form = told.get("content-type", "").partition(";")[0]
        if exchange.get("responseBody") and form != "application/json":
            self.defect(call.name, f"answer: the content type is {form!r} instead of application/json")
        follows = call.follows.get(exchange["status"])
        if follows and not any(told.get(name.lower()) for name in follows):
            self.defect(call.name, f"answer: a {exchange['status']} has none of {', '.join(sorted(follows))}")
        if not re.fullmatch(r"\d+", told.get("retry-after", "0")):
            self.defect(call.name, f"answer: Retry-After is {told['retry-after']!r}")

    def query(self, call, pairs):
        given = dict(pairs)
        for name in given:
            if sum(name.lower() == other.lower() for other, _ in pairs) > 1:
                self.defect(call.name, f"query parameter {name} is given twice")
        version = given.pop("api-version", None)
        if version is None:
            self.defect(call.name, "no api-version")
        elif call.version and version != call.version:
            self.defect(call.name, f"api-version {version}, and its SDK has {call.version}")
        else:
            self.versions[call.name.rpartition(".")[0]].add(version)
        for name in given:
            if name.lower() not in call.parameters | GIVEN_BY_AZURE:
                self.defect(call.name, f"query parameter {name} is not known")

    def body(self, call, where, model, body, request):
        if model:
            self.value(call.name, where, model, json.loads(body), request)
        else:
            self.defect(call.name, f"{where}: nothing is expected but {body[:80]}")

    def result(self, call, body):
        """The resource that was made or changed, as its own GET answers it."""
        path = json.loads(body).get("id", "")
        shown = [known for known in self.calls if known.method == "GET" and known.pattern.fullmatch(path)]
        self.body(call, "answer", shown and max(shown, key=lambda known: known.literal).answer, body, False)

    def list(self, call, answer):
        if not isinstance(answer.get("value"), list):
            self.defect(call.name, "answer.value is required")
            return
        for item in answer["value"]:
            self.value(call.name, "answer[]", call.answer, item, False)
        for stray in set(answer) - {"value", "nextLink", "count", "id"}:
            self.defect(call.name, f"answer.{stray} is not known")

    def remember(self, path, call, answer):
        """What was read of each resource: a later request may bring it back."""
        self.read.setdefault(path.lower(), set()).update(members("request", answer))
        for profile in (answer.get("properties") or {}).get("agentPoolProfiles") or []:
            pool = f"{path}/agentPools/{profile.get('name')}".lower()
            self.read.setdefault(pool, set()).update(members("request", {"properties": profile}))
        for item in answer.get("value", []) if call.listed else []:
            self.read.setdefault(item.get("id", "").lower(), set()).update(members("request", item))

    def error(self, name, body):
        # ARM wraps it, AKS writes it bare; the SDK's own reader of errors takes both.
        body = json.loads(body or "{}")
        error = body.get("error", body)
        for member in ("code", "message"):
            if not isinstance(error.get(member), str):
                self.defect(name, f"answer: the error has no {member}")

    def shape(self, model):
        if isinstance(model, Shape):
            return model
        if model not in self.shapes:
            self.shapes[model] = shape_of(model)
        return self.shapes[model]

    def value(self, name, where, hint, value, request):
        if isinstance(hint, Shape) or is_model(hint):
            if value is not None or request:
                self.object(name, where, hint, value, request)
            return
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint is typing.Any or value is None and not request:
            return
        if origin is typing.Union:
            self.union(name, where, arguments, value, request)
        elif origin is typing.Literal:
            if value not in arguments:
                self.defect(name, f"{where}: {value!r} is not one of {arguments}")
        elif origin is list:
            if not isinstance(value, list):
                return self.defect(name, f"{where} is no list")
            for item in value:
                self.value(name, f"{where}[]", arguments[0], item, request)
        elif origin is dict:
            if not isinstance(value, dict):
                return self.defect(name, f"{where} is no map")
            for item in value.values():
                self.value(name, f"{where}{{}}", arguments[1], item, request)
        else:
            self.plain(name, where, hint, value)

    def union(self, name, where, arguments, value, request):
        kinds = [kind for kind in arguments if kind is not type(None)]
        if value is None:
            return
        words = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, enum.Enum)]
        if words:
            known = {word.value for word in words[0]}
            if value not in known and words[0].__name__ not in INCOMPLETE and not REDACTED.search(str(value)):
                self.defect(name, f"{where}: {value!r} is not in the enumeration {words[0].__name__}")
        elif kinds:
            self.value(name, where, kinds[0], value, request)

    def object(self, name, where, model, value, request):
        if not isinstance(value, dict):
            return self.defect(name, f"{where} is no object")
        shape = self.shape(model)
        for member, inner in value.items():
            if member not in shape:
                if member not in ENVELOPE:
                    self.defect(name, f"{where}.{member} is not known")
                continue
            if request and shape[member].read_only and f"{where}.{member}" not in self.was:
                self.defect(name, f"{where}.{member} is read-only")
            self.value(name, f"{where}.{member}", shape[member].hint, inner, request)
        for member, known in shape.items():
            if known.required and member not in value and not (request and known.read_only):
                self.defect(name, f"{where}.{member} is required")
        is_resource = where in ("answer", "answer[]") and all(
            member in shape and (member == "id" or shape[member].read_only) for member in (*NAMED, "type")
        )
        for member in NAMED if is_resource else ():
            if not value.get(member):
                self.defect(name, f"{where}.{member} is required of a resource")
        if is_resource and "properties" in value and value["properties"] is None:
            self.defect(name, f"{where}.properties is null")

    def plain(self, name, where, hint, value):
        fine = {
            str: lambda: isinstance(value, str),
            bool: lambda: isinstance(value, bool),
            int: lambda: isinstance(value, int) and not isinstance(value, bool),
            float: lambda: isinstance(value, (int, float)) and not isinstance(value, bool),
            bytes: lambda: isinstance(value, str),
            datetime.datetime: lambda: isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value),
        }.get(hint, lambda: True)
        if not fine():
            self.defect(name, f"{where}: {value!r} is no {getattr(hint, '__name__', hint)}")


def operations():
    """What every SDK follows without a builder: ARM's one form of work in progress, whose model is in one package.

    https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
    """
    status = Call(f"{ARM}.OperationStatus", "GET", f"{PROVIDERS}/operations/{{operationId}}", "")
    status.answer = importlib.import_module("azure.mgmt.network.models").OperationStatusResult
    # Where `Location` leads answers by its status alone until the work is done, and then as the call would have.
    status.statuses = {200}
    places = [f"{PROVIDERS}/operationresults/{{operationId}}", "/subscriptions/{subscriptionId}/operationresults/{operationId}"]
    results = [Call(RESULT, "GET", place, "") for place in places]
    for result in results:
        result.statuses = {200, 201, 202, 204}
        result.follows = {202: {"Location"}}
    return [status, *results]


def members(where, value):
    """The place of every member at every depth."""
    if isinstance(value, list):
        for item in value:
            yield from members(f"{where}[]", item)
    elif isinstance(value, dict):
        for member, inner in value.items():
            yield f"{where}.{member}"
            yield from members(f"{where}.{member}", inner)
