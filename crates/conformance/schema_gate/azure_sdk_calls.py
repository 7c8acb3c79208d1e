"""The calls of Azure's own SDKs for Python, as their builders of requests say them, and the shapes of their bodies.

Two generations of SDKs are read: those whose models are `_RestField`s with annotations, and the older ones whose models
carry an `_attribute_map` and a `_validation`, with the words of their enumerations in the documentation of the members.
"""

import datetime
import enum
import importlib
import inspect
import pkgutil
import re
import sys
import typing

# The packages, and where one holds several generations of an API, the one that the driver speaks.
PACKAGES = [
    "authorization.v2022_04_01", "compute", "containerservice", "monitor", "network", "resource.resources", "resource.subscriptions",
]
BUILDER = re.compile(r"^def (build_\w+_request)\(", re.MULTILINE)
METHOD = re.compile(r"^    def (\w+)\(", re.MULTILINE)
# Calls for any kind of resource, whose models say nothing of one.
GENERIC = re.compile(r"^/\{\w+\}$|\{resourceType\}/\{resourceName\}$|/resources/\{")
# Where a status lists one of these, the answer says by it where the work is followed.
FOLLOWS = {"Azure-AsyncOperation", "Location"}
# Parts of a path that are a path themselves.
WHOLE = {"scope", "resourceUri"}
PLAIN = {
    "str": str, "int": int, "long": int, "float": float, "bool": bool, "iso-8601": datetime.datetime, "object": typing.Any,
}


class Call:
    """One call: how it is known, and the shapes of what it takes and answers."""

    def __init__(self, name, method, template, builder):
        self.name, self.method = name, method
        self.literal = len(re.sub(r"\{\w+\}", "", template))
        pattern = re.sub(r"\\\{(\w+)\\\}", lambda m: ".+" if m[1] in WHOLE else "[^/]+", re.escape(template))
        self.pattern = re.compile(pattern, re.IGNORECASE)
        version = re.search(r'"api-version", "([^"]+)"', builder)
        self.version = version and version.group(1)
        self.parameters = {name.lower() for name in re.findall(r'_params\["([^"]+)"\]', builder)}
        self.headers = {name.lower() for name in re.findall(r'_headers\["([^"]+)"\]', builder)}
        self.request = None
        self.needs_request = False
        self.answer = None
        self.listed = False
        # The statuses of a success, and where each of them says how the work goes on.
        self.statuses = set()
        self.follows = {}


class Member:
    """One member of a shape: its type, and who says it."""

    def __init__(self, hint, required, read_only):
        self.hint, self.required, self.read_only = hint, required, read_only


class Shape(dict):
    """The members of an object by the names that they have on the wire."""


def calls():
    """Every call of every package."""
    found = []
    for package in PACKAGES:
        operations = importlib.import_module(f"azure.mgmt.{package}.operations")
        models = importlib.import_module(f"azure.mgmt.{package}.models")
        for _, name, _ in pkgutil.iter_modules(operations.__path__):
            if name.endswith("_operations"):
                found.extend(calls_of(package, importlib.import_module(f"{operations.__name__}.{name}"), models))
    return found


def calls_of(package, module, models):
    source = inspect.getsource(module)
    found = {}
    parts = BUILDER.split(source)
    owner = module.__name__.rpartition(".")[2].strip("_").removesuffix("operations")
    for name, body in zip(parts[1::2], parts[2::2]):
        body = re.split(r"^class ", body, flags=re.MULTILINE)[0]
        template = re.search(r'"(/[^"]*)"', body)
        method = re.search(r'HttpRequest\(\s*method="(\w+)"', body)
        if template and method and not GENERIC.search(template.group(1)):
            found[name] = Call(f"{package}.{owner}{name[6:-8]}", method.group(1), template.group(1), body)
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
    for listed in re.findall(r"status_code not in \[([\d, ]+)\]", body):
        call.statuses |= {int(status) for status in listed.split(",")}
    for part in re.split(r"response\.status_code == ", body)[1:]:
        follows = {name for name in re.findall(r'response_headers\["([^"]+)"\]', part) if name in FOLLOWS}
        call.follows.setdefault(int(re.match(r"\d+", part)[0]), set()).update(follows)
    taken = re.search(r': (?:Optional\[)?Union\[_models\.(\w+),|_serialize\.body\(\w+, "(\w+)"', body)
    if taken:
        call.request = getattr(models, taken.group(1) or taken.group(2))
        call.needs_request = not taken.group(0).startswith(": Optional")
    read = re.sub(r"_?failsafe_deserialize\([^)]*\)", "", read)
    listed = re.search(r"_deserialize\(\s*(?:List|list)\[_models\.(\w+)\]", read)
    single = re.search(r'_deserialize\(\s*(?:_models\.(\w+),(?! response\)?\s*error)|"([A-Z]\w+)")', read)
    if listed:
        call.answer, call.listed = getattr(models, listed.group(1)), True
    elif single:
        call.answer = getattr(models, single.group(1) or single.group(2))


def is_model(hint):
    return inspect.isclass(hint) and (hasattr(hint, "_attribute_map") or any(
        base.__module__.endswith("._utils.model_base") for base in hint.__mro__))


def shape_of(model):
    return of_attribute_map(model) if hasattr(model, "_attribute_map") else of_rest_fields(model)


def of_rest_fields(model):
    models = importlib.import_module(model.__module__.rpartition(".")[0])
    shape = Shape()
    for owner in reversed(model.__mro__):
        for attribute, field in getattr(owner, "__dict__", {}).items():
            if type(field).__name__ == "_RestField":
                note = owner.__annotations__.get(attribute, typing.Any)
                space = {**vars(typing), **vars(sys.modules[owner.__module__]), "_models": models, "datetime": datetime}
                hint = resolve(note, space)
                optional = typing.get_origin(hint) is typing.Union and type(None) in typing.get_args(hint)
                read_only = field._visibility == ["read"]
                shape[field._rest_name_input or attribute] = Member(hint, not optional, read_only)
    return shape


def resolve(hint, space):
    """The SDK's own annotation, whose inner names may still be text."""
    if isinstance(hint, typing.ForwardRef):
        return resolve(hint.__forward_arg__, space)
    if isinstance(hint, str):
        return resolve(eval(hint, space), space)
    arguments = typing.get_args(hint)
    if not arguments or typing.get_origin(hint) is typing.Literal:
        return hint
    inner = tuple(resolve(argument, space) for argument in arguments)
    origin = typing.get_origin(hint)
    return typing.Union[inner] if origin is typing.Union else origin[inner]


def of_attribute_map(model):
    models = importlib.import_module(model.__module__.rpartition(".")[0])
    notes = dict(re.findall(r":vartype (\w+): (?:str or )~[\w.]+\.(\w+)$", model.__doc__ or "", re.MULTILINE))
    shape = Shape()
    for attribute, described in model._attribute_map.items():
        rules = model._validation.get(attribute, {})
        required, read_only = rules.get("required", False), rules.get("readonly", False)
        hint = plain_hint(described["type"], models)
        words = getattr(models, notes.get(attribute, ""), None)
        if hint is str and inspect.isclass(words) and issubclass(words, enum.Enum):
            hint = typing.Union[str, words]
        place = shape
        *parents, last = re.split(r"(?<!\\)\.", described["key"])
        for parent in parents:
            outer = place.setdefault(parent, Member(Shape(), False, True))
            outer.required, outer.read_only = outer.required or required, outer.read_only and read_only
            place = outer.hint
        place[last.replace("\\", "")] = Member(hint, required, read_only)
    return shape


def plain_hint(kind, models):
    if kind.startswith("["):
        return list[plain_hint(kind[1:-1], models)]
    if kind.startswith("{"):
        return dict[str, plain_hint(kind[1:-1], models)]
    return PLAIN[kind] if kind in PLAIN else getattr(models, kind, typing.Any)
