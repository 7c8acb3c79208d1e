"""Reads Google's discovery documents, as google-api-python-client carries them: every request and answer, strictly.

A call is known by its method and path; the name that the driver gives it is shown with its defects.
Which members a request needs stands in `annotations.required` or as the first word of their descriptions, and which only
the service says in `readOnly` or as their descriptions' first words. A document does not say which members an answer
always has: their absence is the driver's to notice, and what it notices is in its own tests.
"""

import json
import pathlib
import re
from urllib.parse import parse_qsl, unquote, urlsplit

import googleapiclient

DOCUMENTS = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
APIS = [
    "container.v1", "compute.v1", "serviceusage.v1", "iamcredentials.v1", "sts.v1", "cloudresourcemanager.v1",
    "cloudresourcemanager.v3", "monitoring.v3",
]
ELSEWHERE = {
    "kubernetes": "a cluster's own API, judged by kubectl and a real control plane",
    "oauth2": "the endpoint for tokens, which has no document",
    "metadata": "the machine's own metadata server, which has no document",
}
REQUIRED = re.compile(r"Required\.|\[Required\]")
READ_ONLY = re.compile(r"(\[?Output[ -]?only\b|@OutputOnly)", re.IGNORECASE)
REDACTED = re.compile(r"redacted|\*\*\*", re.IGNORECASE)


class Contract:
    def __init__(self, defect):
        self.defect = defect
        self.actions = set()
        self.methods = []
        self.method = ""
        for name in APIS:
            document = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
            self.walk(document, document)
        self.begin()

    def begin(self):
        """A document says the same of every exchange, whatever was before."""

    def notes(self):
        return []

    def walk(self, document, resource):
        for method in resource.get("methods", {}).values():
            base = "/" + document["servicePath"].strip("/")
            path = base.rstrip("/") + "/" + method.get("flatPath", method["path"])
            pattern = re.sub(r"\\\{\+?(\w+)\\\}", r"(?P<\1>[^/:]+)", re.escape(path))
            self.methods.append((method["httpMethod"], re.compile(pattern), method, document))
        for inner in resource.get("resources", {}).values():
            self.walk(document, inner)

    def check(self, exchange):
        url = urlsplit(exchange["url"])
        action = f"{exchange['service']}.{exchange['action']}"
        found = [
            (method, document, match)
            for verb, pattern, method, document in self.methods
            if verb == exchange["method"] and (match := pattern.fullmatch(unquote(url.path)))
        ]
        if not found:
            self.defect(action, f"no document has {exchange['method']} {url.path}")
            return
        method, document, match = found[0]
        self.actions.add(method["id"])
        self.method = method["id"]
        known = {**document.get("parameters", {}), **method.get("parameters", {})}
        for name, text in parse_qsl(url.query, keep_blank_values=True):
            if name not in known:
                self.defect(action, f"query parameter {name} is not known")
        for name, parameter in method.get("parameters", {}).items():
            given = dict(parse_qsl(url.query))
            if parameter.get("required") and parameter["location"] == "query" and name not in given:
                self.defect(action, f"query parameter {name} is required")
        if self.is_shown(exchange.get("requestBody")):
            body = json.loads(exchange["requestBody"])
            self.value(action, "request", document, method.get("request", {"type": "none"}), body)
        if exchange["status"] is None:
            return
        answer = exchange.get("responseBody") or ""
        if answer and not self.is_shown(answer):
            return
        if exchange["status"] < 300:
            self.value(action, "answer", document, method.get("response", {"type": "none"}), json.loads(answer or "{}"))
        elif answer.lstrip().startswith("{"):
            self.error(action, exchange["status"], json.loads(answer))

    @staticmethod
    def is_shown(body):
        """Bodies that hold nothing but secrets are in no record."""
        return bool(body) and not REDACTED.search(body[:20])

    def error(self, action, status, body):
        error = body.get("error")
        if isinstance(error, str):
            return
        if not isinstance(error, dict) or error.get("code") != status or not isinstance(error.get("message"), str):
            self.defect(action, f"the error of a {status} is not in Google's form")

    def value(self, action, where, document, shape, value):
        if "$ref" in shape:
            shape = document["schemas"][shape["$ref"]]
        kind = shape.get("type")
        if kind == "any":
            return
        if kind == "object":
            if not isinstance(value, dict):
                self.defect(action, f"{where} is no object")
                return
            self.members(action, where, document, shape, value)
        elif kind == "array":
            if not isinstance(value, list):
                self.defect(action, f"{where} is no list")
                return
            for inner in value:
                self.value(action, f"{where}[]", document, shape["items"], inner)
        elif kind == "string":
            self.text(action, where, shape, value)
        elif kind in ("integer", "number", "boolean"):
            wanted = {"integer": int, "number": (int, float), "boolean": bool}[kind]
            if not isinstance(value, wanted) or (kind != "boolean" and isinstance(value, bool)):
                self.defect(action, f"{where} is no {kind}")
        else:
            self.defect(action, f"{where}: nothing is expected")

    def members(self, action, where, document, shape, value):
        properties, others = shape.get("properties", {}), shape.get("additionalProperties")
        request = where.startswith("request")
        for key, inner in value.items():
            if key in properties:
                self.value(action, f"{where}.{key}", document, properties[key], inner)
            elif others is not None:
                self.value(action, f"{where}{{}}", document, others, inner)
            else:
                self.defect(action, f"{where}.{key} is not known")
        for key, inner in properties.items():
            if request and key not in value and self.is_required(where, inner):
                self.defect(action, f"{where}.{key} is required")
            if request and key in value and self.is_read_only(inner):
                self.defect(action, f"{where}.{key} is read-only")

    def is_required(self, where, described):
        """Annotations name the methods, and are of their request alone: the same shape may lie deeper in another."""
        named = (described.get("annotations") or {}).get("required", [])
        return where == "request" and self.method in named or bool(REQUIRED.match(described.get("description", "")))

    @staticmethod
    def is_read_only(described):
        return described.get("readOnly", False) or bool(READ_ONLY.match(described.get("description", "")))

    def text(self, action, where, shape, value):
        if not isinstance(value, str):
            self.defect(action, f"{where} is no text")
        elif shape.get("format") in ("int64", "uint64") and not re.fullmatch(r"-?\d+", value):
            self.defect(action, f"{where}: {value!r} is no whole number")
        elif "enum" in shape and value not in shape["enum"] and not REDACTED.search(value):
            self.defect(action, f"{where}: {value!r} is not in its enumeration")
