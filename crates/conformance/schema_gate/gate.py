"""Holds recorded exchanges against a vendor's machine-readable contract: every request and every answer, strictly.

Usage: gate.py READER EXCHANGES.json [requests]
READER is a module beside this file (`botocore_models`, `discovery_documents`) with a class `Contract(defect)` whose
`check(exchange)` reports defects, whose `actions` are what it knew, and a set `ELSEWHERE` of services that others judge.
EXCHANGES.json is a list of exchanges as `pmks_transport::Exchange` writes them. An unknown member, a missing required
one, a wrong type or a word that is not in an enumeration is a defect; so is an action that the service does not have.
With `requests`, answers are shown but not counted: they are of a server that others wrote, whose faults are not ours.
Prints each defect once with its action, then `N exchanges, N actions, N defects`, and exits 1 if there is one.
"""

import importlib
import json
import sys


def main():
    reader = importlib.import_module(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        exchanges = json.load(file)
    defects = {}

    def defect(action, says):
        defects[(action, says)] = defects.get((action, says), 0) + 1

    requests_alone = "requests" in sys.argv[3:]
    contract = reader.Contract(defect)
    checked = 0
    for exchange in exchanges:
        if exchange.get("injected") or exchange.get("status") is None or exchange["service"] in reader.ELSEWHERE:
            continue
        checked += 1
        contract.check(exchange)
    for (action, says), times in sorted(defects.items()):
        print(f"{action}: {says} ({times} times)")
    if requests_alone:
        defects = {key: times for key, times in defects.items() if not key[1].startswith("answer")}
    print(f"{checked} exchanges, {len(contract.actions)} actions, {len(defects)} defects")
    sys.exit(1 if defects or not checked else 0)


if __name__ == "__main__":
    main()
