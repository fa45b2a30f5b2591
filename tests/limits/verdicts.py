"""What came of it: the table, and the promises that it has to keep."""
import re
from statistics import median

from rules import RULES, mebi

BEGIN, END = "<!-- rig: written by tests/limits/rig.py -->\n", "<!-- rig: end -->"


def share(run):
    """The last limit, by what the hog really uses at most."""
    hog = run.hog
    if hog.answer != "raise" or run.state != "cured":
        return None
    return round(mebi(run.limits[-1]) * 2**20 / hog.peak, 2)


def right(run):
    """Whether the hog is cured; of a leak, whether it is called one."""
    if run.hog.answer == "leak":
        return run.state == "leak"
    if run.hog.answer == "well":
        return len(run.limits) == 1
    return run.state == "cured"


def results(runs):
    return [{
        "hog": run.hog.name, "rule": run.rule.name, "state": run.state, "right": right(run), "tries": run.tries,
        "limits": run.limits, "share": share(run), "seconds": run.seconds, "notes": run.notes,
        "answer": run.hog.answer, "slope": run.hog.slope,
    } for run in runs]


def of(results, rule):
    return [each for each in results if each["rule"] == rule and each["answer"] != "well"]


def cured(results, rule):
    return [each for each in of(results, rule) if each["right"]]


def tries(results, rule):
    """Of those that took any: what is right at once, as the name of a leak, is no try."""
    return [each["tries"] for each in cured(results, rule)]


def worst(results, rule):
    return max((each["share"] for each in cured(results, rule) if each["share"]), default=0)


def cell(each):
    if each["answer"] == "well":
        return "left alone" if each["right"] else "told to raise"
    if each["state"] == "leak":
        last = each["notes"][-1]
        return f"{each['tries']}, called a leak: {last['inputs'].get('lasts', '?')} more"
    if not each["right"]:
        return f"not cured after {each['tries']}"
    return f"{each['tries']}, {each['share']} ×" if each["share"] else f"{each['tries']}"


def table(results, hogs):
    names = [rule.name for rule in RULES if of(results, rule.name)]
    says = {rule.name: rule.says for rule in RULES}
    lines = ["| hog | " + " | ".join(says[name] for name in names) + " |", "|---" * (len(names) + 1) + "|"]
    by = {(each["hog"], each["rule"]): each for each in results}
    for hog in hogs:
        lines.append(f"| {hog.about} | " + " | ".join(cell(by[hog.name, name]) for name in names) + " |")
    counts = [f"{len(cured(results, name))} of {len(of(results, name))}" for name in names]
    lines.append("| **cured** | " + " | ".join(counts) + " |")
    lines.append("| **tries**, median and most | " + " | ".join(
        f"{median(tries(results, name) or [0]):g}, {max(tries(results, name), default=0)}" for name in names) + " |")
    lines.append("| **last limit / true peak**, at worst | " + " | ".join(
        f"{worst(results, name)} ×" for name in names) + " |")
    return "\n".join(lines)


def seconds(span):
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhms])", span))


def leak(each):
    """How far the time that more memory buys is from the truth."""
    inputs = each["notes"][-1]["inputs"]
    truth = mebi(inputs["more"]) * 2**20 / each["slope"]
    return abs(seconds(inputs["lasts"]) - truth) / truth


def broken(results, hogs):
    """The promises of docs/limits.md that do not hold."""
    found = []

    def promise(holds, words):
        if not holds:
            found.append(words)

    for name, most in (("ours", 1.5), ("blind", 2.2)):
        if not of(results, name):
            continue
        done = tries(results, name)
        promise(median(done or [9]) <= 2, f"{name}: a median of at most 2 tries, not {median(done or [9])}")
        promise(max(done, default=0) <= 4, f"{name}: never more than 4 tries, not {max(done, default=0)}")
        promise(worst(results, name) <= most, f"{name}: a last limit of at most {most} × the peak, not {worst(results, name)}")
    for each in of(results, "ours"):
        if each["answer"] == "leak":
            promise(each["right"], "a leak is called one")
            promise(not each["right"] or leak(each) <= 0.25, "the time that more memory buys is known to a quarter")
    for each in results:
        if each["answer"] == "well" and each["rule"] in ("ours", "blind"):
            promise(each["right"], f"{each['hog']} is well and left alone, not {each['limits']}")
    counts = {rule.name: len(cured(results, rule.name)) for rule in RULES if of(results, rule.name)}
    if len(counts) == len(RULES):
        others = [name for name in counts if name in ("krr", "vpa")]
        promise(all(counts["ours"] > counts[name] for name in others), f"more are cured than by either, not {counts}")
        promise(median(tries(results, "ours")) <= median(tries(results, "vpa")), "no more tries than VPA's in the median")
        promise(worst(results, "ours") <= worst(results, "vpa"), "less overshoot than VPA's in the worst")
    return found


def write(path, results, hogs):
    with open(path) as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w") as file:
        file.write(before + BEGIN + table(results, hogs) + "\n" + END + after)
