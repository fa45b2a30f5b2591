#!/usr/bin/env python3
"""Twelve ways for an agent not to start or finish: each is named right in seconds, and nothing is left behind."""
import atexit
import os
import re
import shutil
import subprocess
import tempfile
import time

from cluster import PREFIX, RCA, Proxy, apply, check, kubectl, leftovers, namespace, rca, until

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SECONDS = 17  # fifteen after the first sign, which takes a while to show


def quota(place, hard):
    apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}}, place=place)
    until(20, lambda: "hard" in kubectl("get", "resourcequota", "q", "-n", place, "-o", "jsonpath={.status}"))


def limit_range(place, **limits):
    item = {"type": "Container", **limits}
    apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": f"l{len(str(limits))}"}, "spec": {"limits": [item]}}, place=place)


def webhook(place):
    name = f"{PREFIX}-deny"
    atexit.register(kubectl, "delete", "validatingwebhookconfiguration", name, "--ignore-not-found", check=False)
    apply({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name},
           "webhooks": [{"name": "deny.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                         "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}},
                         "clientConfig": {"service": {"name": "gone", "namespace": place, "path": "/"}},
                         "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]}]})
    time.sleep(3)


# name, what is prepared, flags, words of which one has to be said
CASES = [
    ("image", None, ["--image", "shop/none:1"], ["image-absent"]),
    ("pull-secret", None, ["--image", "private/agent:1", "--image-pull-secret", "nope"], ["image-unauthorized"]),
    ("quota", lambda place: quota(place, {"pods": "0"}), [], ["quota-exceeded-pods"]),
    ("quota-memory", lambda place: quota(place, {"limits.memory": "1Mi", "pods": "9"}), [], ["quota-exceeded-memory"]),
    ("webhook", webhook, [], ["webhook-blocking"]),
    ("no-node", None, ["--node-selector", "shop=nowhere"], ["node-selector-mismatch"]),
    ("limitrange", lambda place: (limit_range(place, min={"memory": "2Gi"}), limit_range(place, max={"memory": "1Gi"}, default={"memory": "1Gi"})),
     [], ["limitrange-violation"]),
    ("too-small", lambda place: limit_range(place, min={"cpu": "900"}), [], ["insufficient-cpu"]),
    ("account", None, ["--service-account", "nobody"], ["service-account-missing"]),
    # With so little CPU it takes longer than a second.
    ("deadline", lambda place: limit_range(place, max={"cpu": "20m"}), ["--agent-timeout", "1s"], ["job-deadline"]),
    ("other-program", None, ["--image", "busybox:1.36"], ["bad-command", "could not start"]),
]


def failing(name, prepare, flags, words, place=None):
    place = place or namespace(name)
    if prepare:
        prepare(place)
    code, out, said, took = rca("namespace", place, "--in-cluster", *flags)
    first = said.splitlines()[0] if said else ""
    print(f"{name:14} exit {code}, {took:4.1f} s: {first[:150]}")
    wrong = []
    if code != 6:
        wrong.append(f"{name}: exit code {code}: {said}")
    if not any(word in said for word in words):
        wrong.append(f"{name}: none of {words} is said: {said}")
    if took > SECONDS:
        wrong.append(f"{name}: {took:.1f} s")
    return wrong + stays(name, place)


def stays(name, place):
    gone = until(30, lambda: not leftovers(place))
    return [f"{name}: left: {leftovers(place)}"] if gone is None else []


def restricted():
    """The strictest standard is met: nothing fails here."""
    place = namespace("restricted", ["pod-security.kubernetes.io/enforce=restricted"])
    code, _, said, took = rca("namespace", place, "--in-cluster", "-o", "json")
    print(f"{'restricted':14} exit {code}, {took:4.1f} s: it runs")
    return ([f"restricted: {said}"] if code else []) + stays("restricted", place)


def egress():
    """The agent reaches no API server, as where a policy closes egress: its image leads it to an address that is nobody's."""
    place, image = namespace("egress"), "kubectl-rca/agent:cut-off"
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["strip", "-o", f"{root}/kubectl-rca", RCA], check=True)
        libraries = subprocess.run(["ldd", RCA], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S+) \(0x", libraries):
            os.makedirs(os.path.dirname(root + library), exist_ok=True)
            shutil.copy(library, root + library)
        with open(f"{root}/wrap", "w") as file:
            file.write('#!/bin/sh\nKUBERNETES_SERVICE_HOST=203.0.113.1 exec /kubectl-rca "$@"\n')
        os.chmod(f"{root}/wrap", 0o755)
        subprocess.run([f"{TESTS}/cluster/import", image, "--root", root, "--busybox", "--entrypoint", '["/wrap"]'], check=True)
    return failing("egress", None, ["--image", image], ["cannot reach the API server"], place)


def cut():
    """Watches and logs break off three times each, in the middle: the report comes all the same."""
    place, cuts = namespace("cut"), {"watch": 0, "log": 0}

    def is_cut(path):
        kind = "log" if "/log" in path else "watch"
        cuts[kind] += 1
        return cuts[kind] <= 3

    proxy = Proxy(cut=is_cut)
    code, _, said, took = rca("namespace", place, "--in-cluster", "-o", "json", "-s", proxy.url)
    proxy.close()
    print(f"{'cut':14} exit {code}, {took:4.1f} s: after {min(cuts['watch'], 3)} cuts of the watch and {min(cuts['log'], 3)} of the log")
    return ([f"cut: {said}"] if code else []) + stays("cut", place)


def deleted():
    """The namespace is deleted while the agent waits for a node."""
    place = namespace("deleted")
    child = subprocess.Popen([RCA, "namespace", place, "--in-cluster", "--node-selector", "shop=nowhere"],
                             stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    until(20, lambda: leftovers(place))
    kubectl("delete", "namespace", place, "--wait=false")
    start = time.monotonic()
    said = child.communicate()[1]
    took = time.monotonic() - start
    print(f"{'deleted':14} exit {child.returncode}, {took:4.1f} s: {said.splitlines()[0][:150]}")
    right = child.returncode == 6 and "is being deleted" in said
    return [] if right else [f"deleted: exit {child.returncode}: {said}"]


def main():
    failures = [wrong for case in CASES for wrong in failing(*case)]
    failures += [wrong for case in (restricted, egress, cut, deleted) for wrong in case()]
    check(failures)


main()
