#!/usr/bin/env python3
"""From Enter to the report, from here and by an agent: the median of seven runs each."""
import statistics

from cluster import apply, check, leftovers, namespace, rca, until

RUNS, GOAL = 7, 5.0


def main():
    place = namespace("speed")
    container = {"name": "main", "image": "busybox:1.36", "command": ["sleep", "3600"],
                 "envFrom": [{"configMapRef": {"name": "settings"}}]}
    apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cart", "namespace": place}, "spec": {"containers": [container]}})
    rca("namespace", place, "--in-cluster")
    here, there = [], []
    for _ in range(RUNS):
        for runs, flags in ((here, []), (there, ["--in-cluster"])):
            code, _, said, took = rca("namespace", place, "-o", "json", *flags)
            if code:
                check([said])
            runs.append(took)
    until(20, lambda: not leftovers(place))
    here_at, there_at = statistics.median(here), statistics.median(there)
    print(f"from here {here_at:.2f} s, by an agent {there_at:.2f} s ({min(there):.2f} to {max(there):.2f}): {there_at - here_at:.2f} s more")
    check([f"more than {GOAL} s"] if there_at - here_at > GOAL else [])


main()
