"""Judges the gate itself: an exchange that is changed in one place must be found out.

MUTATIONS.json is a list of objects: `call` (the exchange's action), `in` (`request` or `answer`), `at` (the member, its
parents before it, by dots), `set` (its new value; without one it is removed) and `says` (words of the defect that must
be reported, and must not be without the change). Members of forms are named as they are written; those of XML without
their namespaces.
Instead of `in`, `at` and `set`, a mutation may say `with`: members of the exchange (`method`, `url`, `status`, the bodies and
headers), each with its new value or, of a text, with `["what", "by what"]`: what is replaced first, as a regular expression.
Where it says `of: refusal`, or names the status of one, such a refusal is changed, and else an answered call.
Beside these, every body of every call gets one member that nobody knows: a body that is taken unread is found so.
"""

import copy
import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl, urlencode

SIDES = {"request": "requestBody", "answer": "responseBody"}
STRANGER = "pmksNobodyKnows"


def missed(reader, path, exchanges):
    """What went unnoticed, a line each."""
    with open(path, encoding="utf-8") as file:
        wanted = json.load(file)
    said = []
    contract = reader.Contract(lambda _, says: said.append(says))

    def judge(exchange):
        said.clear()
        contract.begin()
        try:
            contract.check(exchange)
        except Exception as error:  # pylint: disable=broad-except
            said.append(f"cannot be read: {error!r}")
        return list(said)

    lines = [line for mutation in wanted if (line := unnoticed(mutation, exchanges, judge))]
    bodies, unread = strangers(exchanges, judge, set())
    print(f"{len(wanted)} mutations and {bodies} bodies with a member that nobody knows, {len(lines) + len(unread)} unnoticed")
    return lines + unread


def unnoticed(mutation, exchanges, judge):
    named = f"{mutation['call']}: {mutation.get('in', 'with')}.{mutation.get('at', mutation.get('with'))}"
    for exchange in exchanges:
        if exchange["action"].endswith(mutation["call"]) and (changed := changed_by(exchange, mutation)):
            before, after = judge(exchange), judge(changed)
            if any(mutation["says"] in says for says in before):
                return f"{named} says {mutation['says']!r} without the change"
            if not any(mutation["says"] in says for says in after):
                return f"{named} does not say {mutation['says']!r}, but {after}"
            return None
    return f"{named}: no exchange has it"


def strangers(exchanges, judge, seen):
    """How many bodies were judged that are not among those seen, and which of them were taken unread."""
    unread, before = [], len(seen)
    for exchange in exchanges:
        for side in SIDES:
            key = (exchange["service"], exchange["action"], side)
            if key in seen or side == "answer" and not is_good(exchange):
                continue
            changed = change(exchange, {"in": side, "at": STRANGER, "set": "x"})
            if changed is None:
                continue
            seen.add(key)
            if not any(STRANGER in says for says in judge(changed)):
                unread.append(f"{exchange['action']}: a member that nobody knows is taken in its {side}")
    return len(seen) - before, unread


def is_good(exchange):
    return (exchange["status"] or 0) in range(200, 300)


def changed_by(exchange, mutation):
    """The exchange with a mutation of either kind; none if it does not apply."""
    if "with" not in mutation:
        return change(exchange, mutation)
    wanted = mutation.get("of")
    if exchange["status"] is None or is_good(exchange) == bool(wanted) or wanted not in (None, "refusal", exchange["status"]):
        return None
    changed = copy.deepcopy(exchange)
    for member, value in mutation["with"].items():
        if isinstance(value, list):
            value, times = re.subn(value[0], value[1], changed.get(member) or "", count=1)
            if not times:
                return None
        changed[member] = value
    return changed


def change(exchange, mutation):
    """The exchange with the change; none if it has no such place."""
    side = SIDES[mutation["in"]]
    body = (exchange.get(side) or "").lstrip()
    if mutation["in"] == "answer" and not is_good(exchange) or not body or body.startswith("["):
        return None
    of = {"{": of_json, "<": of_xml}.get(body[0], of_form)
    changed = of(body, mutation["at"], mutation.get("set"))
    return None if changed is None else {**copy.deepcopy(exchange), side: changed}


def of_json(body, at, value):
    document = json.loads(body)
    *parents, last = at.split(".")
    place = document
    for parent in parents:
        if isinstance(place, list):
            parent = int(parent)
            place = place[parent] if parent < len(place) else None
        else:
            place = place.get(parent)
        if not isinstance(place, (dict, list)):
            return None
    if value is None and last not in place:
        return None
    if value is None:
        place.pop(last)
    else:
        place[last] = value
    return json.dumps(document)


def of_form(body, at, value):
    members = dict(parse_qsl(body, keep_blank_values=True))
    if "Action" not in members or value is None and at not in members:
        return None
    members.pop(at, None)
    if value is not None:
        members[at] = str(value)
    return urlencode(members)


def of_xml(body, at, value):
    document = ElementTree.fromstring(body)
    *parents, last = at.split(".")
    place = document
    # Query protocols wrap what they answer; who adds to the answer adds within.
    if not parents and len(document) and document[0].tag.endswith("Result"):
        place = document[0]
    for parent in parents:
        place = place.find(f"{{*}}{parent}")
        if place is None:
            return None
    found = place.find(f"{{*}}{last}")
    if found is None and value is None:
        return None
    if value is None:
        place.remove(found)
    elif found is None:
        ElementTree.SubElement(place, last).text = str(value)
    else:
        found.text = str(value)
    return ElementTree.tostring(document, encoding="unicode")
