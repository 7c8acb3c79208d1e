"""Reads /metrics with Prometheus' own parser, and prints each family as JSON: name, type, help, labels, their values.

Takes the URL; the bearer token comes by the variable TOKEN.
"""

import json
import os
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
    text = answer.read().decode()

families = []
for family in text_string_to_metric_families(text):
    labels = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":
                labels.setdefault(label, set()).add(value)
    families.append({
        # The parser keeps counters without the ending that they have by the naming guide.
        "name": family.name + ("_total" if family.type == "counter" else ""),
        "type": family.type,
        "help": family.documentation,
        "labels": {label: sorted(values) for label, values in labels.items()},
        "samples": len(family.samples),
        "sum": sum(sample.value for sample in family.samples if not sample.name.endswith("_bucket")),
    })
print(json.dumps(families))
