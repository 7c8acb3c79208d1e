"""Holds recorded exchanges against the models of Azure's own SDK: every request and every answer, strictly.

Usage: schema_gate.py EXCHANGES.json
EXCHANGES.json is a list of exchanges as `pmks_transport::Exchange` writes them. An unknown member, a missing required
one, a wrong type or a word that is not in an enumeration is a defect; so is a member of a request that is read-only,
but for those that were read from that very resource before: who changes one keeps what they do not know, as `az resource update` and
azapi do, and Azure Resource Manager takes an answer back as a request.
Calls are found by method and path in the SDK's own builders of requests. Those of SDKs that carry no typed models are
counted and printed, never judged in silence.
Prints each defect once with its call, then `N exchanges, N calls, N defects, N not judged`, and exits 1 if there is one.
"""

import datetime
import enum
import importlib
import inspect
import json
import re
import sys
import typing
from urllib.parse import unquote, urlsplit

REDACTED = re.compile(r"redacted|\*\*\*", re.IGNORECASE)
PACKAGES = ["containerservice", "network", "compute"]
BUILDER = re.compile(r"^def (build_\w+_request)\(", re.MULTILINE)
METHOD = re.compile(r"^    def (\w+)\(", re.MULTILINE)
# An enumeration that its own description calls deprecated and incomplete, in favour of the list of SKUs:
# https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-vms/get#virtualmachinesizetypes
INCOMPLETE = {"VirtualMachineSizeTypes"}
# What ARM itself puts into every resource, whatever the SDK's model says.
ENVELOPE = {"systemData"}


class Call:
    def __init__(self, name, method, pattern):
        self.name, self.method, self.pattern = name, method, pattern
        self.request = None
        self.answer = None
        self.listed = False


def calls_of(package):
    """The calls of one SDK with the models of their bodies."""
    module = importlib.import_module(f"azure.mgmt.{package}.operations._operations")
    models = importlib.import_module(f"azure.mgmt.{package}.models")
    source = inspect.getsource(module)
    found = {}
    parts = BUILDER.split(source)
    for name, body in zip(parts[1::2], parts[2::2]):
        url = re.search(r'_url = (?:\(\s*)?"([^"]+)"', body)
        method = re.search(r'HttpRequest\(method="(\w+)"', body)
        if not url or not method:
            continue
        pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(url.group(1)))
        found[name] = Call(f"{package}.{name[6:-8]}", method.group(1), re.compile(pattern, re.IGNORECASE))
    # A long-running call builds its request in `_x_initial` and reads its result in `begin_x`.
    for owner in re.split(r"^class ", source, flags=re.MULTILINE)[1:]:
        methods = METHOD.split(owner)
        bodies = {}
        for name, body in zip(methods[1::2], methods[2::2]):
            bodies[name] = bodies.get(name, "") + body
        for name, body in bodies.items():
            read = body + bodies.get("begin_" + name[1:].removesuffix("_initial"), "") if name.endswith("_initial") else body
            for used in re.findall(r"(build_\w+_request)\(", body):
                if used in found:
                    describe(found[used], body, read, models)
    return found.values()


def describe(call, body, read, models):
    taken = re.search(r"\w+: Union\[_models\.(\w+),", body)
    if taken:
        call.request = getattr(models, taken.group(1))
    listed = re.search(r"_deserialize\(\s*(?:List|list)\[_models\.(\w+)\]", read)
    single = re.search(r"_deserialize\(\s*_models\.(\w+),(?! response\)?\s*error)", re.sub(r"_failsafe_deserialize\([^)]*\)", "", read))
    if listed:
        call.answer, call.listed = getattr(models, listed.group(1)), True
    elif single:
        call.answer = getattr(models, single.group(1))


class Gate:
    def __init__(self):
        self.calls = [call for package in PACKAGES for call in calls_of(package)]
        self.hints = {}
        self.defects = {}
        self.read = {}
        self.was = set()
        self.judged = set()
        self.unjudged = {}

    def defect(self, call, says):
        self.defects[(call, says)] = self.defects.get((call, says), 0) + 1

    def check(self, exchange):
        url = urlsplit(exchange["url"])
        path = unquote(url.path).rstrip("/")
        matching = [c for c in self.calls if c.method == exchange["method"] and c.pattern.fullmatch(path)]
        if not matching:
            kind = re.sub(r"/[^/]*[0-9a-f]{8}-[^/]*", "/…", path)
            self.unjudged[kind] = self.unjudged.get(kind, 0) + 1
            return
        call = matching[0]
        self.judged.add(call.name)
        if "api-version=" not in url.query:
            self.defect(call.name, "no api-version")
        self.was = self.read.get(url.path.lower(), set())
        if exchange.get("requestBody") and call.request:
            self.value(call.name, "request", call.request, json.loads(exchange["requestBody"]), True)
        status = exchange["status"]
        body = exchange.get("responseBody")
        if status < 400 and body:
            answer = json.loads(body)
            self.read.setdefault(url.path.lower(), set()).update(members("request", answer))
            for profile in (answer.get("properties") or {}).get("agentPoolProfiles") or []:
                pool = f"{url.path}/agentPools/{profile.get('name')}".lower()
                self.read.setdefault(pool, set()).update(members("request", {"properties": profile}))
            for item in answer.get("value", []) if call.listed else []:
                self.read.setdefault(item.get("id", "").lower(), set()).update(members("request", item))
        if status >= 400:
            self.error(call.name, body)
        elif body and call.answer:
            answer = json.loads(body)
            if call.listed:
                for item in answer.get("value", []):
                    self.value(call.name, "answer[]", call.answer, item, False)
                for stray in set(answer) - {"value", "nextLink", "count", "id"}:
                    self.defect(call.name, f"answer.{stray} is not known")
            else:
                self.value(call.name, "answer", call.answer, answer, False)

    def error(self, name, body):
        # ARM wraps it, AKS writes it bare; the SDK's own reader of errors takes both.
        body = json.loads(body or "{}")
        error = body.get("error", body)
        for member in ("code", "message"):
            if not isinstance(error.get(member), str):
                self.defect(name, f"the error has no {member}")

    def fields(self, model):
        """Wire name, type and whether only the service says it, of each member."""
        if model not in self.hints:
            models = importlib.import_module(model.__module__.rsplit(".", 1)[0])
            fields = {}
            for owner in reversed(model.__mro__):
                for attribute, field in getattr(owner, "__dict__", {}).items():
                    if type(field).__name__ == "_RestField":
                        note = owner.__annotations__.get(attribute, typing.Any)
                        space = {**vars(typing), **vars(sys.modules[owner.__module__]), "_models": models, "datetime": datetime}
                        hint = eval(note, space) if isinstance(note, str) else note  # the SDK's own annotation
                        hint = resolve(hint, space)
                        fields[field._rest_name_input or attribute] = (hint, field._visibility == ["read"])
            self.hints[model] = fields
        return self.hints[model]

    def value(self, name, where, hint, value, request):
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
        elif is_model(hint):
            self.model(name, where, hint, value, request)
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

    def model(self, name, where, model, value, request):
        if not isinstance(value, dict):
            return self.defect(name, f"{where} is no object")
        fields = self.fields(model)
        for member, inner in value.items():
            if member not in fields:
                if member not in ENVELOPE:
                    self.defect(name, f"{where}.{member} is not known")
                continue
            hint, read_only = fields[member]
            if request and read_only and f"{where}.{member}" not in self.was:
                self.defect(name, f"{where}.{member} is read-only")
            self.value(name, f"{where}.{member}", hint, inner, request)
        for member, (hint, read_only) in fields.items():
            optional = typing.get_origin(hint) is typing.Union and type(None) in typing.get_args(hint)
            if not optional and member not in value and not (request and read_only):
                self.defect(name, f"{where}.{member} is required")

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


def members(where, value):
    """The place of every member at every depth."""
    if isinstance(value, list):
        for item in value:
            yield from members(f"{where}[]", item)
    elif isinstance(value, dict):
        for member, inner in value.items():
            yield f"{where}.{member}"
            yield from members(f"{where}.{member}", inner)


def is_model(hint):
    return inspect.isclass(hint) and any(base.__module__.endswith("._utils.model_base") for base in hint.__mro__)


def resolve(hint, space):
    """An annotation whose inner names are still text."""
    if isinstance(hint, typing.ForwardRef):
        return resolve(eval(hint.__forward_arg__, space), space)
    if isinstance(hint, str):
        return resolve(eval(hint, space), space)
    arguments = typing.get_args(hint)
    if not arguments or typing.get_origin(hint) is typing.Literal:
        return hint
    inner = tuple(resolve(argument, space) for argument in arguments)
    origin = typing.get_origin(hint)
    return typing.Union[inner] if origin is typing.Union else origin[inner]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        exchanges = json.load(file)
    gate = Gate()
    checked = 0
    for exchange in exchanges:
        if exchange.get("injected") or exchange.get("status") is None or exchange.get("service") in {"kubernetes", "login"}:
            continue
        checked += 1
        gate.check(exchange)
    for (call, says), times in sorted(gate.defects.items()):
        print(f"{call}: {says} ({times} times)")
    for path, times in sorted(gate.unjudged.items()):
        print(f"not judged: {path} ({times} times)")
    unjudged = sum(gate.unjudged.values())
    print(f"{checked} exchanges, {len(gate.judged)} calls, {len(gate.defects)} defects, {unjudged} not judged")
    sys.exit(1 if gate.defects or not gate.judged else 0)


if __name__ == "__main__":
    main()
