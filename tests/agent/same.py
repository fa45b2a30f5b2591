#!/usr/bin/env python3
"""Ten broken namespaces: an agent says of each what is said from here with the agent's rights, incident for incident."""
import json
import os
import time

from cluster import ACCOUNT, IMAGE, PREFIX, apply, check, kubectl, leftovers, rca, until

NAMES = "oom key map secret image selector ready cpu env claim".split()
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
TRIES = 4


def verdicts(report):
    """What of incidents does not change while a crash loop turns."""
    return [[one["id"], one["severity"], one["cause"]["rule"], one["cause"]["subject"],
             sorted(effect["rule"] for effect in one["effects"])] for one in report["incidents"]]


def both(name):
    place = f"{PREFIX}-{name}"
    account = f"system:serviceaccount:{place}:{ACCOUNT}"
    told = rca("namespace", place, "--as", account, "-o", "json")
    inside = rca("namespace", place, "--in-cluster", "--service-account", ACCOUNT, "-o", "json")
    again = rca("namespace", place, "--as", account, "-o", "json")
    for code, _, said, _ in (told, inside, again):
        if code:
            raise SystemExit(f"{name}: {said}")
    return [json.loads(run[1]) for run in (told, inside, again)]


def main():
    text = open(os.path.join(ROOT, "ollama/broken.yaml")).read().replace("PREFIX", PREFIX)
    kubectl("apply", "-f", "-", stdin=text)
    try:
        for name in NAMES:
            apply(*json.loads(rca("rbac", "--in-cluster", "-n", f"{PREFIX}-{name}", "-o", "json")[1])["items"])
        time.sleep(60)
        check(compare())
    finally:
        kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", *[f"{PREFIX}-{name}" for name in NAMES])


def compare():
    failures = []
    for name in NAMES:
        # A crash loop turns while it is looked at: one moment of some has to be the same.
        for count in range(1, TRIES + 1):
            before, inside, after = both(name)
            same = verdicts(inside) in (verdicts(before), verdicts(after))
            gaps = inside["gaps"] == before["gaps"] and inside["notEvaluated"] == before["notEvaluated"]
            if same and gaps:
                break
        causes = ", ".join(one["cause"]["rule"] for one in inside["incidents"])
        print(f"{name:10} {'same' if same and gaps else 'DIFFERS'} at try {count}: {len(inside['incidents'])} incidents: {causes}")
        if not (same and gaps):
            failures.append(f"{name}: {verdicts(before)}\n  inside: {verdicts(inside)}")
        if not inside["incidents"]:
            failures.append(f"{name}: nothing is found")
        if until(20, lambda: not leftovers(f"{PREFIX}-{name}")) is None:
            failures.append(f"{name}: left: {leftovers(f'{PREFIX}-{name}')}")
    return failures


main()
