//! What no rule explains: told as unknown, with the commands that would decide.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::Rule;
use crate::model::{Finding, Kind, ObjectRef, Severity, State};
use crate::render::quote;
use crate::scene::{PodView, Scene, is_settled};

/// How long a pod may take to start before that is worth a word.
const STARTING: SignedDuration = SignedDuration::from_mins(3);

/// See [`Rule::docs`]. It runs after all others, over what they left.
pub static RULE: Rule = Rule {
    id: "unknown",
    category: "unknown",
    summary: "detects pods in trouble that no other rule explains",
    docs: "\
## What it means
A pod does not run or is not ready, and nothing that was read tells why. It is said so, as a guess would cost you more.

## How it is detected
A container waits, crashes, or is not ready for minutes, or the pod has no node; and no other rule found anything about the \
pod or its workload.

## What to do
Run the commands under `next`: they show what would decide.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[],
    check: |_| Vec::new(),
};

/// Finds the pods in trouble that none of the findings is about.
pub(super) fn check(scene: &Scene<'_>, findings: &[Finding]) -> Vec<Finding> {
    let present =
        || findings.iter().filter(|finding| finding.state == State::Present && finding.severity > Severity::Info);
    let affected = present().flat_map(|finding| &finding.affected);
    let told: BTreeSet<&ObjectRef> = affected.chain(present().map(|finding| &finding.subject.object)).collect();
    let silent = |pod: &PodView<'_>| !told.contains(&pod.object()) && !told.contains(&pod.workload().object);
    // What is in trouble is found first: it is little, and the addresses of all pods are many.
    let troubled = scene
        .suspects()
        .filter(|pod| !pod.is_terminating() && !is_settled(*pod))
        .filter_map(|pod| Some((pod, trouble(pod)?)));
    troubled.filter(|(pod, _)| silent(pod)).map(|(pod, trouble)| unknown(pod, trouble)).collect()
}

fn unknown(pod: PodView<'_>, (path, value, what): (String, String, String)) -> Finding {
    let workload = pod.workload().object.clone();
    let message = format!("{what} of {}, and nothing that was read tells why", workload.short());
    let (name, place) = (pod.name(), pod.namespace());
    let finding =
        RULE.finding(workload, message).because(pod.object(), path, value).affects(pod.object()).confidence(0.3);
    let finding = finding.seen(pod.created(), Some(pod.scene.now()));
    finding.next(quote::command(&["kubectl", "describe", "pod", name, "-n", place])).next(quote::command(&[
        "kubectl",
        "logs",
        name,
        "-n",
        place,
        "--all-containers",
        "--previous",
    ]))
}

/// Returns what is wrong: the field, its value, and words.
fn trouble(pod: PodView<'_>) -> Option<(String, String, String)> {
    let old = pod.created().is_none_or(|created| pod.scene.now().duration_since(created) > STARTING);
    for container in pod.containers() {
        let reason = container.waiting_reason();
        let starting = matches!(reason, "ContainerCreating" | "PodInitializing");
        if !reason.is_empty() && (old || !starting) {
            let what = format!("container `{}` waits with {reason} in a pod", container.name());
            return Some((container.status_path("state.waiting.reason"), reason.to_owned(), what));
        }
        if let Some(crash) = container.crash().filter(|crash| crash.state == State::Present && crash.exit_code != 0) {
            let what = format!("container `{}` ends with exit code {} in a pod", container.name(), crash.exit_code);
            return Some((format!("{}.exitCode", container.last_end_path()), crash.exit_code.to_string(), what));
        }
    }
    if !old || pod.is_finished() || pod.is_ready() {
        return None;
    }
    let what = if pod.is_unscheduled() { "no node takes a pod" } else { "nothing makes a pod ready" };
    Some(("status.phase".to_owned(), pod.phase().to_owned(), what.to_owned()))
}
