"""The part of the reader of botocore's models that reads the query protocols of EC2, IAM, STS, Auto Scaling and Elastic
Load Balancing: parameters of a form, and XML.
"""

import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl, urlsplit

# What every answer of the query protocols carries beside its shape, and there alone.
ENVELOPE = {"ResponseMetadata", "requestId", "RequestId"}


class Query:
    """Reads an exchange; what a word, a limit or a refusal may be is said by who reads the models."""

    def query(self, action, operation, exchange, protocol):
        given = parse_qsl(exchange["requestBody"], keep_blank_values=True)
        given += parse_qsl(urlsplit(exchange["url"]).query, keep_blank_values=True)
        names = dict(given)
        if exchange["method"] not in ("GET", "POST") or urlsplit(exchange["url"]).path not in ("", "/"):
            self.defect(action, f"{exchange['method']} {urlsplit(exchange['url']).path} instead of POST /")
        for name in {name for name, _ in given if sum(name == other for other, _ in given) > 1}:
            self.defect(action, f"parameter {name} is given twice")
        if names.pop("Action", None) != operation.name:
            self.defect(action, "the parameter Action is another one")
        names.pop("Version", None)
        for key, text in names.items():
            if not key.startswith("X-Amz-"):
                self.parameter(action, operation.input_shape, key, key.split("."), text, protocol)
        if operation.input_shape:
            self.needed(action, operation.input_shape, "", names, protocol)
        if exchange["status"] and exchange["status"] < 400:
            self.xml(action, operation, exchange["responseBody"], protocol)
        elif exchange["status"]:
            self.xml_error(action, operation, exchange, protocol)

    def xml_error(self, action, operation, exchange, protocol):
        """EC2 wraps its errors in a list, the others answer one:
        https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html#operation-error-serialization"""
        root = ElementTree.fromstring(exchange["responseBody"])
        wanted, path, number = ("Response", "{*}Errors/{*}Error", "RequestID") if protocol == "ec2" else (
            "ErrorResponse", "{*}Error", "RequestId")
        error = root.find(path)
        if local(root) != wanted or error is None:
            self.defect(action, f"answer: the error is a {local(root)}, not a {wanted} with its {path.replace('{*}', '')}")
            return
        said = {local(child): (child.text or "").strip() for child in error}
        for member in ("Code", "Message"):
            if not said.get(member):
                self.defect(action, f"answer: the error has no {member}")
        if not (root.findtext(f"{{*}}{number}") or "").strip():
            self.defect(action, f"answer: the error has no {number}")
        if protocol != "ec2":
            if said.get("Type") not in ("Sender", "Receiver"):
                self.defect(action, f"answer: the error's Type is {said.get('Type')!r}")
        for stray in set(said) - ({"Code", "Message"} if protocol == "ec2" else {"Code", "Message", "Type", "Detail"}):
            self.defect(action, f"answer: the error's {stray} is not known")
        self.refusal(action, operation, exchange["status"], said.get("Code", ""))

    def needed(self, action, shape, prefix, names, protocol):
        """What is missing of a structure that is given, at every depth."""
        if shape.type_name == "list":
            if protocol != "ec2" and not shape.serialization.get("flattened"):
                prefix += shape.member.serialization.get("name", "member") + "."
            numbers = {key[len(prefix):].partition(".")[0] for key in names if key.startswith(prefix)}
            self.limits(action, f"request.{prefix.rstrip('.')}", shape, len(numbers))
            for number in numbers:
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
        elif kind in ("integer", "long"):
            self.limits(action, where, shape, int(text))
        if kind == "string":
            self.word(action, where, shape, text)
            self.limits(action, where, shape, len(text), text)

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
            for name in {local(child) for child in element}:
                is_many = name in members and members[name][1]
                if not is_many and sum(local(child) == name for child in element) > 1:
                    self.defect(action, f"{where}.{name} is there twice")
            for child in element:
                if local(child) in members:
                    inner, flattened = members[local(child)]
                    inner = inner.member if flattened else inner
                    self.element(action, f"{where}.{local(child)}", inner, child, protocol)
                elif where != "answer" or local(child) not in ENVELOPE and not (protocol == "ec2" and local(child) == "return"):
                    self.defect(action, f"{where}.{local(child)} is not known")
        elif kind == "list":
            wanted = shape.member.serialization.get("name", "item" if protocol == "ec2" else "member")
            self.limits(action, where, shape, len(element))
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
