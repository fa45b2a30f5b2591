#!/usr/bin/env python3
"""Every verb on every resource that the cluster serves: an agent's account may do what any account may, and what its Role says."""
import json

from cluster import IMAGE, api, check, kubectl, leftovers, namespace, parallel, rca, until

VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
SPECIAL = [("", "users", "impersonate"), ("", "groups", "impersonate"), ("", "serviceaccounts", "impersonate"),
           ("rbac.authorization.k8s.io", "roles", "escalate"), ("rbac.authorization.k8s.io", "roles", "bind"),
           ("rbac.authorization.k8s.io", "clusterroles", "escalate"), ("rbac.authorization.k8s.io", "clusterroles", "bind"),
           ("certificates.k8s.io", "signers", "approve"), ("certificates.k8s.io", "signers", "sign"), ("*", "*", "*")]


def resources():
    """All resources and subresources of all groups, as (group, resource)."""
    found = {("", one["name"]) for one in api("GET", "/api/v1")["resources"]}
    for group in api("GET", "/apis")["groups"]:
        for version in group["versions"]:
            listed = api("GET", f"/apis/{version['groupVersion']}").get("resources", [])
            found |= {(group["name"], one["name"]) for one in listed}
    return sorted(found)


def may(user, place, group, resource, verb, name=""):
    resource, _, sub = resource.partition("/")
    home = user.split(":")[2]
    attributes = {"namespace": place, "verb": verb, "group": group, "resource": resource, "subresource": sub, "name": name}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": user, "resourceAttributes": attributes,
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"]}}
    return api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]


def granted(role, place):
    """What the Role says, as (group, resource, verb, name)."""
    rules = json.loads(kubectl("get", "role", role, "-n", place, "-o", "json"))["rules"]
    return {(group, resource, verb, name) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
            for verb in rule["verbs"] for name in rule.get("resourceNames", [""])}


def main():
    place, other = namespace("rights"), namespace("rights-other")
    code, _, said, _ = rca("namespace", place, "--in-cluster", "--keep", "-o", "json")
    if code:
        check([said])
    name = kubectl("get", "role", "-n", place, "-l", "app.kubernetes.io/managed-by=kubectl-rca", "-o", "name").split("/")[1].strip()
    agent, plain = f"system:serviceaccount:{place}:{name}", f"system:serviceaccount:{place}:default"
    allowed = granted(name, place)
    all_of = [(group, resource, verb) for group, resource in resources() for verb in VERBS] + SPECIAL
    all_of += [(group, resource, verb) for group, resource, verb, _ in allowed]
    questions = [(where, *one) for one in sorted(set(all_of)) for where in (place, other, "kube-system", "")]

    def ask(question):
        where, group, resource, verb = question
        names = {one[3] for one in allowed if one[:3] == (group, resource, verb)} or {""}
        wrong = []
        for name in names | {""}:
            expected = may(plain, *question, name) or (where == place and (group, resource, verb, name) in allowed)
            if may(agent, *question, name) != expected:
                wrong.append(f"{agent} {verb} {resource}.{group} {name} in {where or 'the cluster'}: expected {expected}")
        return wrong

    wrong = [one for found in parallel(ask, questions) for one in found]
    held = {(verb, f"{resource}.{group}".rstrip(".")) for group, resource, verb, _ in allowed}
    print(f"{len(questions)} questions about {len(set(one[:2] for one in all_of))} resources; the Role grants {len(held)} of them")
    writes = [one for one in held if one[0] not in ("get", "list")]
    secrets = [one for one in held if one[1] == "secrets"]
    wrong += [f"the Role grants {one}" for one in writes + secrets]
    rca("cleanup", "-n", place)
    if until(20, lambda: not leftovers(place)) is None:
        wrong.append(f"left: {leftovers(place)}")
    check(wrong)


main()
