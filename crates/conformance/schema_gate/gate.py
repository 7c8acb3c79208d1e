"""Holds recorded exchanges against a vendor's machine-readable contract: every request and every answer, strictly.

Usage: gate.py READER EXCHANGES.json [--requests] [--mutations MUTATIONS.json]
READER is a module beside this file (`azure_sdk_models`, `botocore_models`, `discovery_documents`) with
- `ELSEWHERE`: services, or calls of them, that no such contract describes, each with the reason;
- `Contract(defect)`: `begin()` forgets what earlier exchanges showed, `check(exchange)` reports defects,
  `actions` are the calls that it knew, `notes()` says what else who reads along should know.
EXCHANGES.json is a list of exchanges as `pmks_transport::Exchange` writes them. An unknown member, a missing required
one, a wrong type, a word that is not in an enumeration and a member of a request that only the service says are
defects; so is a call that the service does not have. Which members an answer always has is not in every contract:
Azure's models and parts of botocore's say it and are held to it, Google's documents do not.
With `--requests`, answers are shown but not counted: they are of a server that others wrote, whose faults are not ours.
With `--mutations`, the gate is judged itself, by exchanges that were changed in one place (see `mutations.py`).
Prints each defect once with its call, `not judged: PLACE: REASON (N exchanges)` for each of `ELSEWHERE`, and
`N exchanges, N judged, N calls, N defects`. Exits 1 if there is a defect, or if nothing was judged.
"""

import argparse
import collections
import importlib
import json
import sys

import mutations


class Defects(collections.Counter):
    """How often each defect of each call was seen."""

    def add(self, action, says):
        self[(action, says)] += 1


def is_answered(exchange):
    """What the simulated cloud was told to say is not its own, and what got no answer has none to judge."""
    return not exchange.get("injected") and exchange.get("status") is not None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reader")
    parser.add_argument("exchanges")
    parser.add_argument("--requests", action="store_true")
    parser.add_argument("--mutations")
    given = parser.parse_args()
    reader = importlib.import_module(given.reader)
    with open(given.exchanges, encoding="utf-8") as file:
        answered = [exchange for exchange in json.load(file) if is_answered(exchange)]
    judged, elsewhere = [], collections.Counter()
    for exchange in answered:
        place = next((exchange[by] for by in ("action", "service") if exchange[by] in reader.ELSEWHERE), None)
        if place is None:
            judged.append(exchange)
        else:
            elsewhere[place] += 1
    defects = Defects()
    contract = reader.Contract(lambda action, says: defects.add(action, says))
    contract.begin()
    for exchange in judged:
        contract.check(exchange)
    for (action, says), times in sorted(defects.items()):
        print(f"{action}: {says} ({times} times)")
    counted = [says for _, says in defects if not (given.requests and says.startswith("answer"))]
    for note in contract.notes():
        print(note)
    for place, times in sorted(elsewhere.items()):
        print(f"not judged: {place}: {reader.ELSEWHERE[place]} ({times} exchanges)")
    print(f"{len(answered)} exchanges, {len(judged)} judged, {len(contract.actions)} calls, {len(counted)} defects")
    missed = mutations.missed(reader, given.mutations, judged) if given.mutations else []
    for says in missed:
        print(f"mutation: {says}")
    sys.exit(1 if counted or missed or not judged else 0)


if __name__ == "__main__":
    main()
