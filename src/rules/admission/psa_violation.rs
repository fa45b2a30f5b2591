//! Pod Security refuses the pods.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::access::refusal::{self, Refusal, Refuser};
use crate::scene::{Scene, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "psa-violation",
    category: "psa_violation",
    summary: "detects workloads whose pods the Pod Security level of the namespace refuses",
    docs: "\
## What it means
The namespace enforces a Pod Security level (`baseline` or `restricted`), and the pod template does not meet it. Every pod is \
refused; pods that existed before the level was set keep running until they are replaced.

## How it is detected
A controller that still lacks pods was refused with `violates PodSecurity`.

## What to do
Set the fields of the security context that the message names. Where the program cannot live with them, lower the level: \
`kubectl label namespace NAME pod-security.kubernetes.io/enforce=baseline --overwrite`.",
    severity: Severity::Error,
    needs: &[Kind::Event],
    uses: &[Kind::Namespace, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "readiness-probe-failing"]],
    check,
};

const LABEL: &str = "pod-security.kubernetes.io/enforce";

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let refusals = refusal::all(scene).into_iter().filter(|refusal| refusal.refuser == Refuser::PodSecurity);
    refusals.filter_map(|refusal| refused(scene, &refusal)).collect()
}

fn refused(scene: &Scene<'_>, refusal: &Refusal<'_>) -> Option<Finding> {
    let level = refusal::between(refusal.message, "violates PodSecurity \"", "\"")?;
    let controls = controls(refusal.message.split_once("\": ")?.1);
    let (namespace, workload) = (refusal.workload.namespace(), refusal.workload.short());
    let message =
        format!("pods of {workload} violate PodSecurity `{level}` of namespace {namespace}: {}", controls.join(", "));
    let mut finding = refusal.support(RULE.finding(refusal.workload.clone(), message)).confidence(0.97);
    let labels = scene.snapshot.objects.namespaces.get("", namespace).and_then(|found| found.metadata.labels.as_ref());
    if let Some(enforced) = labels.and_then(|labels| labels.get(LABEL)) {
        let object = ObjectRef::new(Kind::Namespace, "", namespace);
        finding = finding.because(object, format!("metadata.labels[{LABEL}]"), enforced.as_str());
    }
    let patch = scene.workload(&refusal.workload).and_then(|workload| patch(workload, &controls));
    let mut cure = Recommendation::new("edit-object", demands(&workload, &controls));
    if let Some(patch) = patch {
        cure = cure.command(quote::command(&[
            "kubectl",
            "patch",
            &workload,
            "-n",
            namespace,
            "--type",
            "strategic",
            "-p",
            &patch,
        ]));
    }
    let lower = Recommendation::new(
        "edit-object",
        format!("or, if the program cannot run so, lower the Pod Security level of namespace {namespace}"),
    );
    Some(finding.recommend(cure).recommend(lower))
}

/// Splits `allowPrivilegeEscalation != false (container ...), seccompProfile (...)` into the names of the controls.
fn controls(violations: &str) -> Vec<&str> {
    let mut controls = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, letter) in violations.char_indices() {
        match letter {
            '(' if depth == 0 => {
                controls.push(violations[start..at].trim_matches([',', ' ']));
                depth = 1;
            }
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                start = at + 1;
            }
            _ => {}
        }
    }
    controls.retain(|control| !control.is_empty());
    controls
}

/// What to write into a container's security context for a control of the level `restricted`.
fn cure(control: &str) -> Option<(&'static str, &'static str)> {
    Some(match control {
        "allowPrivilegeEscalation != false" => {
            (r#""allowPrivilegeEscalation":false"#, "allowPrivilegeEscalation: false")
        }
        "unrestricted capabilities" => (r#""capabilities":{"drop":["ALL"]}"#, "capabilities.drop: [ALL]"),
        "runAsNonRoot != true" => {
            (r#""runAsNonRoot":true"#, "runAsNonRoot: true (the image must have a numeric user that is not 0)")
        }
        "seccompProfile" => (r#""seccompProfile":{"type":"RuntimeDefault"}"#, "seccompProfile.type: RuntimeDefault"),
        "privileged" => (r#""privileged":false"#, "privileged: false"),
        _ => return None,
    })
}

/// Says what to set and what to take away.
fn demands(workload: &str, controls: &[&str]) -> String {
    let set: Vec<&str> = controls.iter().filter_map(|control| cure(control).map(|(_, words)| words)).collect();
    let remove: Vec<&str> = controls.iter().copied().filter(|control| cure(control).is_none()).collect();
    let set = (!set.is_empty()).then(|| format!("set in the security context of {workload}: {}", set.join(", ")));
    let remove =
        (!remove.is_empty()).then(|| format!("take out of the pod template of {workload}: {}", remove.join(", ")));
    [set, remove].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Writes a patch for all containers, if all controls are known.
fn patch(workload: &Workload<'_>, controls: &[&str]) -> Option<String> {
    if !["Deployment", "StatefulSet", "DaemonSet"].contains(&workload.object.kind.as_str()) {
        return None;
    }
    let fields: Option<Vec<&str>> = controls.iter().map(|control| cure(control).map(|(field, _)| field)).collect();
    let fields = fields?.join(",");
    let list = |containers: &[k8s_openapi::api::core::v1::Container]| {
        let items = containers
            .iter()
            .map(|container| format!(r#"{{"name":"{}","securityContext":{{{fields}}}}}"#, container.name));
        items.collect::<Vec<_>>().join(",")
    };
    let template = workload.template?;
    let apps = format!(r#""containers":[{}]"#, list(&template.containers));
    let inits = template.init_containers.as_deref().filter(|inits| !inits.is_empty());
    let inits = inits.map(|inits| format!(r#","initContainers":[{}]"#, list(inits))).unwrap_or_default();
    Some(format!(r#"{{"spec":{{"template":{{"spec":{{{apps}{inits}}}}}}}}}"#))
}
