"""Holds recorded exchanges against a vendor's machine-readable contract: every request and every answer, strictly.

Usage: gate.py READER EXCHANGES.json [--requests] [--mutations MUTATIONS.json]
       gate.py READER --serve SUITE
READER is a module beside this file (`azure_sdk_models`, `botocore_models`, `discovery_documents`) with
- `ELSEWHERE`: services, or calls of them, that no such contract describes, each with the reason;
- `Contract(defect)`: `begin()` forgets what earlier exchanges showed, `check(exchange)` reports defects,
  `actions` are the calls that it knew, `notes()` says what else who reads along should know.
EXCHANGES.json is a list of exchanges as `pmks_transport::Exchange` writes them. Of an exchange without an answer, and of
one whose answer somebody else put in the place of the cloud's, the request is judged alone. An unknown member, a missing required
one, a wrong type, a word that is not in an enumeration and a member of a request that only the service says are
defects; so is a call that the service does not have. Which members an answer always has is not in every contract:
Azure's models and parts of botocore's say it and are held to it, Google's documents do not.
With `--requests`, answers are shown but not counted: they are of a server that others wrote, whose faults are not ours.
With `--mutations`, the gate is judged itself, by exchanges that were changed in one place (see `mutations.py`).
With `--serve`, each line of the input is an object: `exchanges`, as `pmks_simulation::Exchange` writes them, of so many
(`count`). Each is answered by a line with its `defects`; a body of each call is judged once more with a member that nobody
knows, and one that is taken unread is a defect too. What was seen of the suite is said at the end, on the other output.
Otherwise prints each defect once with its call, `not judged: PLACE: REASON (N exchanges)` for each of `ELSEWHERE`, and
`N exchanges, N judged, N calls, N defects`. Exits 1 if there is a defect, or if nothing was judged.
"""

import argparse
import collections
import importlib
import json
import sys
import time

import mutations


class Defects(collections.Counter):
    """How often each defect of each call was seen."""

    def add(self, action, says):
        self[(action, says)] += 1


def own(exchange):
    """What the simulated cloud was told to say is not its own: the request is, and is judged without it."""
    if exchange.get("injected") or exchange.get("status") is None:
        return {**exchange, "status": None, "responseBody": "", "responseHeaders": {}}
    return exchange


def check(contract, exchange, report):
    """Whatever stops the reader, a body that is no JSON or a member of another kind, is in no contract."""
    try:
        contract.check(exchange)
    except Exception as error:  # pylint: disable=broad-except
        try:
            contract.check({**exchange, "status": None})
            where = "answer "
        except Exception:  # pylint: disable=broad-except
            where = ""
        report(exchange["action"], f"{where}cannot be read: {error!r}")


def elsewhere(reader, exchange):
    """What describes the call, if not this contract."""
    return next((exchange[by] for by in ("action", "service") if exchange[by] in reader.ELSEWHERE), None)


class Served:
    """The gate beside a program of tests."""

    def __init__(self, reader, suite):
        self.reader, self.suite = reader, suite
        self.said = []
        self.contract = reader.Contract(lambda action, says: self.said.append((action, says)))
        self.strangers = set()
        self.seen = self.distinct = self.judged = self.bodies = self.defects = 0
        self.seconds = 0.0
        self.elsewhere = collections.Counter()

    def judge(self, exchange):
        """What is wrong with it, after what was read before."""
        self.contract.begin()
        for earlier in exchange["before"]:
            self.contract.check(earlier)
        self.said.clear()
        check(self.contract, exchange, lambda action, says: self.said.append((action, says)))
        return [says for _, says in self.said]

    def answer(self, given):
        """The defects of some exchanges."""
        begun = time.monotonic()
        judged, defects = [], {}
        for exchange in given["exchanges"]:
            place = elsewhere(self.reader, exchange)
            if place is not None:
                self.elsewhere[place] += 1
                continue
            judged.append(exchange)
            for says in self.judge(exchange):
                named = f"{exchange['service']} {exchange['action']}: {says}"
                defects.setdefault(named, f"{exchange['method']} {exchange['url']} -> {exchange['status']}")
        said = [f"{named} ({where})" for named, where in defects.items()]
        bodies, unread = mutations.strangers(judged, self.judge, self.strangers)
        self.bodies += bodies
        self.seen += given["count"]
        self.distinct += len(given["exchanges"])
        self.judged += len(judged)
        self.defects += len(said) + len(unread)
        self.seconds += time.monotonic() - begun
        return said + unread

    def totals(self):
        """One line for who reads along."""
        others = "".join(f", {times} elsewhere ({place})" for place, times in sorted(self.elsewhere.items()))
        return (
            f"schema gate of {self.suite}: {self.seen} exchanges, {self.distinct} distinct, {self.judged} judged{others}, "
            f"{self.bodies} bodies with a member that nobody knows, {self.defects} defects, {self.seconds:.1f} s"
        )


def serve(reader, suite):
    served = Served(reader, suite)
    for line in sys.stdin:
        print(json.dumps({"defects": served.answer(json.loads(line))}), flush=True)
    print(served.totals(), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reader")
    parser.add_argument("exchanges", nargs="?")
    parser.add_argument("--requests", action="store_true")
    parser.add_argument("--mutations")
    parser.add_argument("--serve", metavar="SUITE")
    given = parser.parse_args()
    reader = importlib.import_module(given.reader)
    if given.serve:
        return serve(reader, given.serve)
    with open(given.exchanges, encoding="utf-8") as file:
        exchanges = [own(exchange) for exchange in json.load(file)]
    judged, others = [], collections.Counter()
    for exchange in exchanges:
        place = elsewhere(reader, exchange)
        if place is None:
            judged.append(exchange)
        else:
            others[place] += 1
    defects = Defects()
    contract = reader.Contract(lambda action, says: defects.add(action, says))
    contract.begin()
    for exchange in judged:
        check(contract, exchange, defects.add)
    for (action, says), times in sorted(defects.items()):
        print(f"{action}: {says} ({times} times)")
    counted = [says for _, says in defects if not (given.requests and says.startswith("answer"))]
    for note in contract.notes():
        print(note)
    for place, times in sorted(others.items()):
        print(f"not judged: {place}: {reader.ELSEWHERE[place]} ({times} exchanges)")
    print(f"{len(exchanges)} exchanges, {len(judged)} judged, {len(contract.actions)} calls, {len(counted)} defects")
    missed = mutations.missed(reader, given.mutations, judged) if given.mutations else []
    for says in missed:
        print(f"mutation: {says}")
    sys.exit(1 if counted or missed or not judged else 0)


if __name__ == "__main__":
    main()
