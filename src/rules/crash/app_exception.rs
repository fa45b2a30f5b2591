//! The program ended itself, and its log says why.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::log::{Decisive, Weight, entities, line};
use crate::scene::{ContainerView, Crash, Mount, Role, Scene, Testimony, commands, outages, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "app-exception",
    category: "app_exception",
    summary: "detects containers whose program ended itself with an error that its log names",
    docs: "\
## What it means
The program gave up by itself: an exception that nobody caught, a panic, a fatal error. Kubernetes starts it again, and it \
will end the same way until what it complains of is changed.

## How it is detected
The container crashed, and the log of that run holds a decisive line: the head of an uncaught exception or panic (of a \
chain, the innermost) before a fatal line, an error, a complaint. Usage texts, stack frames, `exiting` and lines that \
report zero errors do not count. Kills from outside (OOM, failed probes) are other rules.

## What to do
Read the quoted line and what stands before it in the log. If the crash began with a rollout, roll back first.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| app_exception(&testimony)).collect()
}

fn app_exception(testimony: &Testimony<'_>) -> Option<Finding> {
    let crash = testimony.crash.filter(|crash| testimony.is_primary && ended_itself(crash, testimony))?;
    if !outages(testimony).is_empty() {
        return None;
    }
    let Some(decisive) = testimony.decisive() else { return last_words(testimony) };
    let container = testimony.container;
    let announced: Vec<_> = testimony.log.announced(decisive.line, decisive.number).collect();
    let said = announced.iter().fold(decisive.shown(), |said, (_, line)| format!("{said} {}", line::shown(line)));
    let most = if announced.is_empty() { 140 } else { 260 };
    let message = format!("{} {}: `{}`", container.phrase(), testimony.end_phrase(), line::clip(&said, most));
    let finding = RULE.finding(container.subject(), message).confidence(confidence(decisive, &crash));
    let finding = testimony.quote(finding, decisive.line, decisive.number);
    let finding = announced.iter().fold(finding, |finding, (number, line)| testimony.quote(finding, line, *number));
    let finding = match testimony.log.cause {
        Some(cause) => testimony.quote(finding, cause.line, cause.number),
        None => finding,
    };
    Some(advise(testimony.attest_crash(finding), testimony, Some(decisive)))
}

/// Says what is known when no line is decisive: the last one.
fn last_words(testimony: &Testimony<'_>) -> Option<Finding> {
    let last = testimony.log.last_line().filter(|_| !testimony.was_stopped())?;
    let (number, _) = testimony.log.lines().rfind(|(_, line)| line.trim() == last)?;
    let container = testimony.container;
    let shown = line::shown(last);
    let message =
        format!("{} {}; its last line is `{}`", container.phrase(), testimony.end_phrase(), line::clip(&shown, 140));
    let finding = testimony.quote(RULE.finding(container.subject(), message).confidence(0.45), last, number);
    Some(advise(testimony.attest_crash(finding), testimony, None))
}

/// Returns whether the end was the program's own deed: not a kill, and not a start that failed.
fn ended_itself(crash: &Crash<'_>, testimony: &Testimony<'_>) -> bool {
    let killed = matches!(crash.exit_code, 137 | 143) || crash.reason == "OOMKilled";
    let never_ran = matches!(crash.reason, "StartError" | "ContainerCannotRun" | "ContainerStatusUnknown");
    let is_job = testimony.container.pod.workload().object.is(Kind::Job);
    // An init container's failure is the rule init-container-failed, which quotes the same line.
    let surely = testimony.decisive().is_some_and(|line| line.weight >= Weight::Fatal);
    let stopped = (crash.exit_code == 0 && is_job) || (!surely && testimony.was_stopped());
    !killed && !never_ran && !stopped && testimony.container.role != Role::Init
}

fn confidence(decisive: Decisive<'_>, crash: &Crash<'_>) -> f64 {
    let base: f64 = match decisive.weight {
        Weight::Uncaught => 0.85,
        Weight::Fatal => 0.8,
        Weight::Error => 0.75,
        Weight::Complaint => 0.65,
    };
    // A clean exit or a shell's 126 and 127 may have another reason than the line.
    if matches!(crash.exit_code, 0 | 126 | 127) { base - 0.2 } else { base }
}

fn advise(finding: Finding, testimony: &Testimony<'_>, decisive: Option<Decisive<'_>>) -> Finding {
    let container = testimony.container;
    let finding = finding.next(testimony.logs_command());
    if let Some((map, path, mount, at)) = decisive.and_then(|line| own_file(container, &line.shown())) {
        let summary = format!("correct `{path}`, which is of {}, then restart the pods", map.short());
        let edit = Recommendation::new("edit-object", summary).command(commands::edit(&map));
        let finding = finding.because(container.pod_ref(), mount, format!("{at} ({})", map.short())).mentions(map);
        return finding.recommend(edit);
    }
    finding.recommend(Recommendation::new(
        "fix-program",
        format!("fix what `{}` complains of in the quoted line", container.name()),
    ))
}

/// Returns the mounted ConfigMap that a line names a file of, the file, the mount's path in the spec, and where it is.
fn own_file(container: ContainerView<'_>, message: &str) -> Option<(ObjectRef, String, String, String)> {
    let path = entities::path(message)?;
    let mount = Mount::over(container, path)?;
    let map = mount.volume?.config_map.as_ref()?;
    let object = ObjectRef::new(Kind::ConfigMap, container.pod.namespace(), &map.name);
    Some((object, path.to_owned(), mount.path(container), mount.mount.mount_path.clone()))
}
