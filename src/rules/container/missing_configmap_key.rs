//! A ConfigMap lacks a key that a pod needs.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::config::config_lack::{self, ConfigLack};
use crate::scene::config::missing;
use crate::scene::{Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "missing-configmap-key",
    category: "missing_configmap_key",
    summary: "detects pods that need a key that their ConfigMap does not have",
    docs: "\
## What it means
The ConfigMap exists, and the pod takes a key from it that is not there: the key was renamed, removed, misspelt, or \
an older version of the ConfigMap was applied. The container is not started before the key exists.

## How it is detected
A reference of the pod's spec (`env`, items of a volume) that is not `optional` names a key that the ConfigMap does \
not have: the kubelet says so (`CreateContainerConfigError`, `FailedMount`), or the listing shows it. A key within a \
mounted file is known to be missing when the program ends with a line that names it and the file, and the file does \
not contain it.

## What to do
Add the key to the ConfigMap, or correct the reference. The message names the keys that there are.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap, Kind::Event],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["init-container-failed", "missing-env", "volume-mount-failed", "volume-mount-path"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = missing::entries(scene, &RULE, Kind::ConfigMap);
    findings.extend(scene.suspect_containers().filter_map(config_lack::of).map(|lack| unread(&lack)));
    findings
}

/// A key within a file: the object and its entry are there, the program says what they lack.
fn unread(lack: &ConfigLack<'_>) -> Finding {
    let container = lack.container;
    let message = format!(
        "{} stops because `{}` of configmap/{} lacks the key `{}`",
        container.phrase(),
        lack.entry,
        lack.map,
        lack.key
    );
    let summary = format!("add `{}` to `{}` of configmap `{}`, then restart the pods", lack.key, lack.entry, lack.map);
    let object = ObjectRef::new(Kind::ConfigMap, container.pod.namespace(), lack.map);
    let edit = commands::edit(&object);
    RULE.finding(container.subject(), message)
        .key(format!("{}/{}", lack.map, lack.key))
        .because_at(container.pod_ref(), lack.path.as_str(), lack.line, lack.time)
        .because(object.clone(), format!("data[{}]", lack.entry), crate::render::safe::shorten(lack.content, 300))
        .seen(lack.time, lack.time)
        .affects(container.pod_ref())
        .mentions(object)
        .confidence(0.88)
        .recommend(Recommendation::new("edit-object", summary).command(edit))
        .next(commands::previous_logs(container))
}
