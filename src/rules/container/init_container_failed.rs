//! An init container fails, so that its pod never starts.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::safe;
use crate::rules::{Rule, consequences};
use crate::scene::config::mounted_config::{self, Mounted};
use crate::scene::pods::fresh;
use crate::scene::{ContainerView, Crash, Role, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "init-container-failed",
    category: "init_container_failed",
    summary: "detects init containers that fail",
    docs: "\
## What it means
The containers of a pod start when all init containers ended well. This one fails, so the pod stays in `Init:Error` \
or `Init:CrashLoopBackOff`.

## How it is detected
The last run of an init container ended with an exit code other than 0, and no run ended well since. The decisive \
line of its log says why. ConfigMaps that it mounts are named, and a file in them that is no valid JSON.

## What to do
Correct what the line names: the configuration, the address or the credentials that the init container uses. Its \
log: `kubectl logs POD -c INIT-CONTAINER --previous`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter(|container| container.role == Role::Init).filter_map(failed).collect()
}

fn failed(container: ContainerView<'_>) -> Option<Finding> {
    let crash = fresh::crash(container)?;
    let word = word(container, &crash);
    let silent = if container.logs().is_some() { " and leaves no word" } else { ", and its log could not be read" };
    let why = word.as_ref().map_or_else(|| silent.to_owned(), |word| format!(": `{}`", safe::shorten(&word.text, 140)));
    let message = format!("init {} fails with exit code {}{why}", container.phrase(), crash.exit_code);
    let mut finding = RULE
        .finding(container.subject(), message)
        .because_at(
            container.pod_ref(),
            format!("{}.exitCode", container.last_end_path()),
            crash.exit_code.to_string(),
            crash.finished_at,
        )
        .seen(crash.finished_at, crash.finished_at)
        .affects(container.pod_ref())
        .confidence(if word.is_some() { 0.88 } else { 0.6 });
    if let Some(word) = &word {
        finding = finding.because_at(
            container.pod_ref(),
            word.path.as_str(),
            safe::shorten(&word.text, 300),
            crash.finished_at,
        );
    }
    let line = container.command_line().join(" ");
    if !line.is_empty() {
        finding = finding.because(container.pod_ref(), container.spec_path("command"), safe::shorten(&line, 300));
    }
    let spoke = word.is_some();
    let configured = word.is_some_and(|word| speaks_of_configuration(&word.text));
    let maps: Vec<Mounted<'_>> = if configured { mounted_config::config_maps(container) } else { Vec::new() };
    let finding = maps.iter().fold(finding, |finding, map| blame(finding, container, map));
    Some(finding.recommend(cure(container, &maps, spoke)).next(commands::previous_logs(container)))
}

/// What the init container said last, and where.
struct Word {
    text: String,
    path: String,
}

fn word(container: ContainerView<'_>, crash: &Crash<'_>) -> Option<Word> {
    if let Some(log) = container.crash_log() {
        let last = || log.lines().rfind(|(_, line)| !line.trim().is_empty());
        let (number, line) = log.decisive.map(|decisive| (decisive.number, decisive.line)).or_else(last)?;
        return Some(Word { text: line.trim().to_owned(), path: fresh::log_path(container, log, number) });
    }
    let text = crash.message.trim();
    (!text.is_empty()).then(|| Word { text: text.to_owned(), path: format!("{}.message", container.last_end_path()) })
}

fn speaks_of_configuration(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["config", "parse", "json", "yaml", "toml", "properties", "syntax", "key", "template"]
        .iter()
        .any(|word| lower.contains(word))
}

/// Adds a mounted ConfigMap as the place where the fault may lie, and shows a file of it that does not parse.
fn blame(finding: Finding, container: ContainerView<'_>, map: &Mounted<'_>) -> Finding {
    let object = ObjectRef::new(Kind::ConfigMap, container.pod.namespace(), map.name);
    let path = container.spec_path(&format!("volumeMounts[{}]", map.path));
    let finding =
        finding.because(container.pod_ref(), path, format!("configmap/{}", map.name)).mentions(object.clone());
    map.broken_json()
        .into_iter()
        .fold(finding, |finding, (key, error)| finding.because(object.clone(), format!("data[{key}]"), error))
}

fn cure(container: ContainerView<'_>, maps: &[Mounted<'_>], spoke: bool) -> Recommendation {
    let broken =
        maps.iter().find(|map| !map.broken_json().is_empty()).or_else(|| maps.first().filter(|_| maps.len() == 1));
    let Some(map) = broken else {
        let name = container.name();
        let summary = if spoke {
            format!("correct what init container `{name}` complains of; the pod starts when it ends well")
        } else {
            format!("read the log of init container `{name}`; the pod starts when it ends well")
        };
        return Recommendation::new("investigate", summary).command(commands::previous_logs(container));
    };
    let summary = format!(
        "correct the configuration in configmap `{}`, which init container `{}` reads, then restart the pods",
        map.name,
        container.name()
    );
    let object = ObjectRef::new(Kind::ConfigMap, container.pod.namespace(), map.name);
    Recommendation::new("edit-object", summary).command(commands::edit(&object))
}
