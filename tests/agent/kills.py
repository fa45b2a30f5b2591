#!/usr/bin/env python3
"""Kills the program before and after each of its requests, and at twenty moments: the cluster cleans up by itself.

Reviews of access are no requests here: they change nothing, and nothing is made before the last is answered."""
import os
import random
import signal
import subprocess
import sys
import time

from cluster import IMAGE, RCA, Proxy, check, leftovers, namespace, parallel, until

DEADLINE, TTL, SLACK, MOMENTS = 8, 1, 45, 20


def command(place, *flags):
    return [RCA, "namespace", place, "--in-cluster", "--agent-timeout", f"{DEADLINE}s", "--agent-ttl", f"{TTL}s", "-o", "json", *flags]


def start(place, *flags):
    return subprocess.Popen(command(place, *flags), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def requests_of(place):
    proxy = Proxy()
    done = subprocess.run(command(place, "-s", proxy.url), capture_output=True, text=True)
    proxy.close()
    if done.returncode:
        raise SystemExit(f"through the proxy: {done.stderr}")
    return proxy.seen


def killed_at(number, is_after):
    """Kills it at a request; returns whether it came that far, and whether it left a Job to the cluster."""
    place, state = namespace(f"kills-{number}-{'after' if is_after else 'before'}"), {}

    def kill(at):
        if at >= number and "done" not in state:
            state["done"] = True
            os.kill(state["child"], signal.SIGKILL)
        return "drop" if not is_after and at >= number else None

    proxy = Proxy(after=kill) if is_after else Proxy(before=kill)
    child = start(place, "-s", proxy.url)
    state["child"] = child.pid
    child.wait()
    proxy.close()
    return "done" in state, leaves_a_job(place)


def leaves_a_job(place):
    return any(one.startswith("job") for one in leftovers(place))


def main():
    place = namespace("kills")
    seen = requests_of(place)
    print(f"{len(seen)} requests: " + ", ".join(line.split("/")[0].strip() + " " + line.rsplit("/", 1)[1] for line in seen))
    until(30, lambda: not leftovers(place))
    points = [(number, is_after) for number in range(1, len(seen) + 1) for is_after in (False, True)]
    reached = parallel(lambda point: killed_at(*point), points, threads=4)
    came, left = sum(one[0] for one in reached), sum(one[1] for one in reached)
    print(f"killed before and after each of {len(seen)} requests: {came} of {len(points)} times it came that far, {left} times something was left to the cluster")
    # Else nothing was put to the test.
    failures = [] if came == len(points) and left > len(points) / 2 else ["it was not killed where it should be"]
    failures += survivors()
    random.seed(int(os.environ.get("SEED", "14")))

    def at_a_moment(moment):
        number, wait = moment
        place = namespace(f"moments-{number}")
        child = start(place)
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.wait()

        return leaves_a_job(place)

    begin = time.monotonic()
    start(place).wait()
    whole = time.monotonic() - begin
    left = parallel(at_a_moment, list(enumerate(random.uniform(0, whole) for _ in range(MOMENTS))), threads=2)
    print(f"killed at {MOMENTS} moments of the {whole:.1f} s that it takes, {sum(left)} times something was left to the cluster")
    check(failures + survivors())


def survivors():
    took = until(DEADLINE + TTL + SLACK, lambda: not leftovers())
    if took is None:
        return [f"left: {leftovers()}"]
    print(f"nothing with our label {took:.0f} s after the last of them")
    return []


main()
