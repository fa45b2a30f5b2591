#!/usr/bin/env python3
"""Lets hogs be killed in a real cluster, follows advice until they live, and writes down after how many tries.

    tests/limits/rig.py --rca PROGRAM [--json FILE] [--docs docs/limits.md] [--only NAME,...] [--rules NAME,...]

Four rules, each with its own copy of every hog, all at once: the advice of kubectl-rca with `--kubelet-metrics` and a second
look once a hog lives, its advice without both, KRR's rule and VPA's. Ends with 1 where a promise of docs/limits.md is broken.
"""
import argparse
import json
import sys
import time

import verdicts
from cluster import Cluster
from hogs import HOGS, LIVED, deployment
from rules import RULES

PREFIX = "rig-"
# So long the whole may take, and so often it is looked.
MINUTES = 10
PAUSE = 3
# Nobody goes on for longer.
MOST_TRIES = 15


class Run:
    """One hog under one rule."""

    def __init__(self, hog, rule, namespace):
        self.hog, self.rule, self.namespace = hog, rule, namespace
        self.limits, self.tries, self.state = [hog.limit], 0, "tried"
        self.notes = []
        self.changed = time.monotonic()
        self.seconds, self.sick_since, self.looked = None, None, False

    def done(self):
        return self.state in ("cured", "leak", "given up")

    def container(self, pods):
        """The pod of the present template, and its status; nothing while the old one goes."""
        for pod in pods:
            if pod["metadata"]["labels"].get("app") != self.hog.name or "deletionTimestamp" in pod["metadata"]:
                continue
            spec = next(each for each in pod["spec"]["containers"] if each["name"] == "main")
            statuses = pod["status"].get("containerStatuses", [])
            status = next((each for each in statuses if each["name"] == "main"), None)
            if status and spec["resources"]["limits"]["memory"] == self.limits[-1]:
                return pod["metadata"]["name"], status
        return None, None

    def raise_to(self, cluster, limit):
        amount = {"memory": limit}
        container = {"name": "main", "resources": {"limits": amount, "requests": amount}}
        self.apply(cluster, {"spec": {"template": {"spec": {"containers": [container]}}}})

    def apply(self, cluster, patch):
        found = cluster.patch(self.namespace, self.hog.name, patch)
        containers = found["spec"]["template"]["spec"]["containers"]
        main = next(each for each in containers if each["name"] == "main")
        self.limits.append(main["resources"]["limits"]["memory"])
        self.tries += 1
        self.changed = time.monotonic()
        self.state, self.sick_since = "tried", None
        if self.tries >= MOST_TRIES:
            self.state = "given up"


def killed(status):
    """Whether Kubernetes says that the container died of it; of those that could not start it is granted."""
    ends = [status.get(state, {}).get("terminated") or {} for state in ("state", "lastState")]
    ends += [{"reason": "StartError"}] if "OOM-killed" in json.dumps(status.get("state", {})) else []
    return any(end.get("reason") in ("OOMKilled", "StartError", "ContainerCannotRun") for end in ends)


def look(cluster, run, pods):
    """Finds out how a hog fares: still `tried`, `killed`, `lives`."""
    pod, status = run.container(pods)
    if not pod:
        return
    log = cluster.log(run.namespace, pod) if status["state"].get("running") else ""
    loses = "was sent SIGKILL" in log
    if LIVED in log and (not loses or log.rstrip().endswith(LIVED)):
        if run.state != "lives":
            run.state, run.seconds = "lives", round(time.monotonic() - run.changed)
    elif killed(status):
        run.state = "killed"
    elif loses:
        run.state = "loses children"


def rounds(cluster, runs, rules, until):
    while time.monotonic() < until and not all(run.done() for run in runs):
        for rule in rules:
            mine = [run for run in runs if run.rule is rule and not run.done()]
            if mine:
                pods = cluster.pods(rule.namespace)
                for run in mine:
                    look(cluster, run, pods)
                rule.advise(cluster, mine)
        time.sleep(PAUSE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rca", required=True)
    parser.add_argument("--json")
    parser.add_argument("--docs")
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--rules", type=lambda text: text.split(","))
    parser.add_argument("--minutes", type=float, default=MINUTES)
    args = parser.parse_args()
    hogs = [hog for hog in HOGS if not args.only or hog.name in args.only]
    cluster = Cluster()
    rules = [rule(args.rca, PREFIX) for rule in RULES if not args.rules or rule.name in args.rules]
    runs = [Run(hog, rule, rule.namespace) for rule in rules for hog in hogs]
    began = time.monotonic()
    try:
        for rule in rules:
            cluster.namespace(rule.namespace)
        for run in runs:
            cluster.deploy(run.namespace, deployment(run.hog))
        for run in runs:
            run.changed = time.monotonic()
        rounds(cluster, runs, rules, began + args.minutes * 60)
    finally:
        for rule in rules:
            cluster.drop(rule.namespace)
        cluster.close()
    took = round(time.monotonic() - began)
    results = verdicts.results(runs)
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"seconds": took, "runs": results}, file, indent=1)
    print(verdicts.table(results, hogs))
    print(f"\n{took} s")
    broken = verdicts.broken(results, hogs)
    for promise in broken:
        print("broken:", promise)
    if args.docs:
        verdicts.write(args.docs, results, hogs)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
