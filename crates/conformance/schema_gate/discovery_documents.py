"""Reads Google's discovery documents, as google-api-python-client carries them: every request and answer, strictly.

A call is known by its method and path; the name that the driver gives it is shown with its defects.
Which members a request needs stands in `annotations.required` or as the first word of their descriptions, and which only
the service says in `readOnly` or as their descriptions' first words. A document does not say which members an answer
always has, and of some members that a request cannot do without (a cluster's name, a subnetwork's network) it does not
say so either: their absence is the driver's to notice, and what it notices is in its own tests.

A document lists no statuses and no errors: a success is a 200, and every refusal has the form of `google.rpc.Status`
with its status, https://cloud.google.com/apis/design/errors#http_mapping, or, of the token service, that of RFC 6749.
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
# A body that holds nothing but secrets is in no record.
NOT_SHOWN = re.compile(r'"?\[redacted\]"?')
# https://cloud.google.com/apis/docs/system-parameters and, of clients for an API's version, https://google.aip.dev/client-libraries/4236
HEADERS = {
    "x-goog-api-client", "x-goog-api-key", "x-goog-api-version", "x-goog-fieldmask", "x-goog-quota-user",
    "x-goog-request-params", "x-goog-user-project",
}
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
CODES = {
    "ABORTED", "ALREADY_EXISTS", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION", "INTERNAL",
    "INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED",
    "UNAVAILABLE", "UNIMPLEMENTED", "UNKNOWN",
}
ERROR = {"code", "message", "status", "errors", "details"}
RANGES = {
    "int32": (-2**31, 2**31 - 1), "uint32": (0, 2**32 - 1), "int64": (-2**63, 2**63 - 1), "uint64": (0, 2**64 - 1),
}
# https://developers.google.com/discovery/v1/type-format
FORMS = {
    "google-datetime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"),
    "google-duration": re.compile(r"-?\d+(\.\d{1,9})?s"),
    "google-fieldmask": re.compile(r"[\w.*]+(,[\w.*]+)*"),
    "byte": re.compile(r"[A-Za-z0-9+/_-]*={0,2}"),
}


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
        self.headers(action, exchange)
        self.parameters(action, method, document, match, parse_qsl(url.query, keep_blank_values=True))
        for name, parameter in method.get("parameters", {}).items():
            given = dict(parse_qsl(url.query))
            if parameter.get("required") and parameter["location"] == "query" and name not in given:
                self.defect(action, f"query parameter {name} is required")
        asked = exchange.get("requestBody") or ""
        # Nothing at all is the same as a message without members.
        if ("request" in method or asked) and not NOT_SHOWN.fullmatch(asked):
            self.value(action, "request", document, method.get("request", {"type": "none"}), json.loads(asked or "{}"))
        status, answer = exchange["status"], exchange.get("responseBody") or ""
        if status is None or NOT_SHOWN.fullmatch(answer):
            return
        if status >= 400:
            self.error(action, status, answer, document["id"].startswith("sts:"))
        elif status != 200:
            self.defect(action, f"answer: the status of a success is {status}")
        elif not answer:
            self.defect(action, "answer: nothing")
        else:
            self.value(action, "answer", document, method.get("response", {"type": "none"}), json.loads(answer))

    def headers(self, action, exchange):
        """What is said beside the bodies, where a record has it."""
        asked = {name.lower(): value for name, value in (exchange.get("requestHeaders") or {}).items()}
        told = {name.lower(): value for name, value in (exchange.get("responseHeaders") or {}).items()}
        form = asked.get("content-type", "").partition(";")[0]
        if exchange.get("requestBody") and "requestHeaders" in exchange and form != "application/json":
            self.defect(action, f"request: the content type is {form!r} instead of application/json")
        for name in asked:
            if name.startswith("if-") or name.startswith("x-goog-") and name not in HEADERS:
                self.defect(action, f"request header {name} is not known")
        form = told.get("content-type", "").partition(";")[0]
        if exchange["status"] and exchange.get("responseBody") and told and form != "application/json":
            self.defect(action, f"answer: the content type is {form!r} instead of application/json")

    def parameters(self, action, method, document, match, given):
        known = {**document.get("parameters", {}), **method.get("parameters", {})}
        for name, text in given:
            if name not in known or known[name]["location"] != "query":
                self.defect(action, f"query parameter {name} is not known")
                continue
            self.parameter(action, f"query parameter {name}", known[name], text)
            if not known[name].get("repeated") and sum(name == other for other, _ in given) > 1:
                self.defect(action, f"query parameter {name} is given twice")
        for name, text in match.groupdict().items():
            if name in method.get("parameters", {}):
                self.parameter(action, f"path parameter {name}", known[name], text)

    def parameter(self, action, where, described, text):
        """A parameter is written as a text, whatever its type."""
        kind = described.get("type")
        if kind == "boolean" and text not in ("true", "false") or kind == "integer" and not re.fullmatch(r"-?\d+", text):
            self.defect(action, f"{where}: {text!r} is no {kind}")
        elif kind == "integer":
            self.range(action, where, described, int(text))
        else:
            self.text(action, where, described, text)

    def error(self, action, status, answer, is_oauth):
        try:
            error = json.loads(answer).get("error")
        except (ValueError, AttributeError):
            error = None
        if is_oauth and isinstance(error, str) and error:
            return
        fits = (
            isinstance(error, dict)
            and error.get("code") == status
            and isinstance(error.get("message"), str)
            and error.get("status", "UNKNOWN") in CODES
            and not set(error) - ERROR
            and all(isinstance(error.get(member, []), list) for member in ("errors", "details"))
        )
        if not fits:
            self.defect(action, f"answer: the error of a {status} is not in Google's form")

    def range(self, action, where, shape, number):
        least, most = RANGES.get(shape.get("format"), (-2**63, 2**64 - 1))
        least, most = max(least, int(shape.get("minimum", least))), min(most, int(shape.get("maximum", most)))
        if not least <= number <= most:
            self.defect(action, f"{where}: {number} is not from {least} to {most}")

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
            elif kind == "integer":
                self.range(action, where, shape, value)
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
            return
        form = shape.get("format")
        # Of Kubernetes Engine's times the descriptions alone say it.
        if form is None and "RFC3339" in shape.get("description", ""):
            form = "google-datetime"
        if REDACTED.search(value):
            return
        if form in ("int64", "uint64"):
            if re.fullmatch(r"-?\d+", value):
                self.range(action, where, shape, int(value))
            else:
                self.defect(action, f"{where}: {value!r} is no whole number")
        elif form in FORMS and not FORMS[form].fullmatch(value):
            self.defect(action, f"{where}: {value!r} is no {form}")
        elif value and "pattern" in shape and not re.search(f"^(?:{shape['pattern']})$", value):
            self.defect(action, f"{where}: {value!r} is not of its pattern")
        elif "enum" in shape and value not in shape["enum"]:
            self.defect(action, f"{where}: {value!r} is not in its enumeration")
