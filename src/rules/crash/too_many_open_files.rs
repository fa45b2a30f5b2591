//! A limit of files is met: descriptors, inotify instances or watches.

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::log::descriptors::Limit;
use crate::scene::{Scene, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "too-many-open-files",
    category: "too_many_open_files",
    summary: "detects programs that crash for a limit of open files, inotify instances or inotify watches",
    docs: "\
## What it means
The program may open no more files. The limit is that of the process (`ulimit -n`), or one that all pods of the node share: \
`fs.inotify.max_user_instances` and `fs.inotify.max_user_watches`, which programs that watch files use up.

## How it is detected
The log of the crash says `too many open files`, `EMFILE`, or that an inotify instance or watch cannot be had. A program \
that only logs it and goes on is the rule log-error-running.

## What to do
For inotify, raise the sysctl on the node: the pods of a node share it. For open files, raise the runtime's limit or look \
for files and connections that the program never closes.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| too_many(&testimony)).collect()
}

fn too_many(testimony: &Testimony<'_>) -> Option<Finding> {
    testimony.crash?;
    let (template, limit) = testimony.find(Limit::of)?;
    let container = testimony.container;
    let message = format!("{} {}", container.phrase(), limit.phrase());
    let finding = RULE.finding(container.subject(), message).key(format!("{limit:?}")).confidence(0.9);
    let mut finding = testimony.attest(finding, template);
    if let Some(node) = container.pod.node() {
        finding = finding.because(container.pod_ref(), "spec.nodeName", node);
    }
    let (summary, command) = limit.cure();
    let summary = match container.pod.node() {
        Some(node) if limit != Limit::OpenFiles => format!("{summary} {node}"),
        _ => summary.to_owned(),
    };
    let mut cure = Recommendation::new("node-limit", summary).risk(Risk::Medium);
    cure.command = command.map(str::to_owned);
    Some(finding.recommend(cure).next(testimony.logs_command()))
}
