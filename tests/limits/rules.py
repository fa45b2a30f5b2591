"""What is done when a hog was killed: what kubectl-rca says, and what KRR and VPA would do."""
import json
import subprocess
import time

MEBI = 2**20
# A second look is taken after so many seconds of a life without trouble, and again until it has something to say.
SECOND_LOOK = 60
# Nobody answers an alert at once; what is measured every ten seconds has been by then.
REACTION = 30
# After so long without a sign of life, one asks what is wrong.
PATIENCE = 15
# Without anything to say until then, what it has is right. On a busy machine the lives before were long, and so is the wait.
CONTENT = 330


def mebi(limit):
    units = {"Ki": 2**10, "Mi": MEBI, "Gi": 2**30}
    return int(limit[:-2]) * units[limit[-2:]] / MEBI if limit[-2:] in units else int(limit) / MEBI


class Fixed:
    """A rule that knows the limit alone. It sees what Kubernetes says of the container, not what its log says."""

    def __init__(self, _rca, prefix):
        self.namespace = prefix + self.name

    def advise(self, cluster, runs):
        for run in runs:
            if run.state == "killed":
                run.raise_to(cluster, f"{self.next(mebi(run.limits[-1])):.0f}Mi")
            elif run.state == "lives":
                run.state = "cured"


class Krr(Fixed):
    name, says = "krr", "KRR's rule: limit × 1.25"

    def next(self, limit):
        # At least one more: what is written is whole mebibytes.
        return max(limit * 1.25, limit + 1)


class Vpa(Fixed):
    name, says = "vpa", "VPA's rule: max(limit + 100 MiB, limit × 1.2)"

    def next(self, limit):
        # What was used is the larger one of the request, which is the limit, and a peak that the limit bounds.
        return max(limit + 100, limit * 1.2)


class Ours:
    """Follows the report, and looks again once a hog lives."""

    flags = ()

    def __init__(self, rca, prefix):
        self.rca, self.namespace = rca, prefix + self.name

    def advise(self, cluster, runs):
        # Who does not come up is looked at too.
        late = time.monotonic() - PATIENCE
        sick = [run for run in runs if run.state in ("killed", "loses children") or (run.state == "tried" and run.changed < late)]
        for run in sick:
            run.sick_since = run.sick_since or time.monotonic()
        seen = [run for run in sick if time.monotonic() - run.sick_since >= REACTION]
        advice = self.report() if seen else {}
        for run in seen:
            self.follow(cluster, run, advice.get(run.hog.name))
        alive = [run for run in runs if run.state == "lives"]
        ripe = [run for run in alive if time.monotonic() - run.changed >= run.seconds + SECOND_LOOK]
        advice = self.second_look() if ripe else {}
        for run in ripe:
            self.settle(cluster, run, advice.get(run.hog.name))
        if not self.looks_again:
            for run in alive:
                run.state = "cured"

    def run(self, *args):
        out = subprocess.run([self.rca, *args], capture_output=True, text=True, timeout=120)
        if not out.stdout.startswith(("{", "[")):
            raise RuntimeError(f"{args}: {out.stderr}")
        return json.loads(out.stdout)

    def report(self):
        """What the report says, by the Deployment's name."""
        report = self.run("namespace", self.namespace, "-o", "json", *self.flags)
        found = {}
        for incident in report["incidents"]:
            for advice in incident.get("recommendations", []):
                if "basis" in advice:
                    found.setdefault(incident["cause"]["subject"]["name"], advice)
        return found

    def follow(self, cluster, run, advice):
        if not advice:
            return  # the next look will find it
        basis = advice["basis"]
        run.notes.append(basis | {"summary": advice["summary"]})
        if basis["verdict"] == "leak":
            run.state = "leak"
        elif advice.get("patch"):
            run.apply(cluster, advice["patch"]["body"])
        else:
            run.state = "given up"

    def settle(self, cluster, run, advice):
        if advice and advice.get("patch"):
            run.notes.append(advice)
            run.apply(cluster, advice["patch"]["body"])
            run.tries -= 1
            run.looked = True
        elif run.looked or time.monotonic() - run.changed > run.seconds + CONTENT:
            run.state = "cured"

    looks_again = False


class Blind(Ours):
    name, says = "blind", "kubectl-rca, from the failure alone"


class Measured(Ours):
    name, says = "ours", "kubectl-rca, with `--kubelet-metrics` and a second look"
    flags = ("--kubelet-metrics",)
    looks_again = True

    def second_look(self):
        """What `limits` says of the containers called `main`, by the Deployment's name."""
        answer = self.run("limits", "-n", self.namespace, "-o", "json", *self.flags)
        found = {}
        for workload in answer["workloads"]:
            main = next(each for each in workload["containers"] if each["name"] == "main")
            if main["recommended"]["limits"].get("memory") != main["current"]["limits"].get("memory"):
                found[workload["name"]] = {"patch": workload["patch"], "basis": main["basis"], "notes": main["notes"]}
        return found


RULES = [Measured, Blind, Krr, Vpa]
