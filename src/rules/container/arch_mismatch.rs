//! A program is built for another processor.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::safe;
use crate::rules::{Rule, consequences};
use crate::scene::images::platform;
use crate::scene::pods::fresh;
use crate::scene::{ContainerView, Crash, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "arch-mismatch",
    category: "arch_mismatch",
    summary: "detects programs that are built for another processor architecture than their node's",
    docs: "\
## What it means
The image was pulled, but its program is machine code for another architecture than the node's: typically an image \
built on an ARM laptop that runs on amd64 nodes, or the reverse. A script without a `#!` line fails with the same \
words.

## How it is detected
The log or the container runtime says `exec format error`; the architecture is read from the node.

## What to do
Build the image for the node's architecture (`docker buildx build --platform linux/amd64,linux/arm64`), or keep the \
pod on nodes that fit with a `nodeSelector` on `kubernetes.io/arch`. If the program is a script, give it a first \
line such as `#!/bin/sh`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["bad-command", "init-container-failed"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter_map(mismatch).collect()
}

fn mismatch(container: ContainerView<'_>) -> Option<Finding> {
    let crash = fresh::crash(container)?;
    let (words, path) = words(container, &crash)?;
    let words = safe::shorten(words.trim(), 160);
    let platform = platform::of_node(container.pod);
    let node = platform.as_ref().map_or_else(
        || "the architecture of its node".to_owned(),
        |platform| format!("architecture {} of its node", platform.architecture),
    );
    let script = words.split([':', '"', ' ']).any(|word| word.ends_with(".sh"));
    let or = if script { ", or its script lacks a `#!` line" } else { "" };
    let message = format!(
        "{} runs image `{}`, which is not built for the {}{or}: `{}`",
        container.phrase(),
        container.image(),
        node.trim_start_matches("the "),
        essence(&words)
    );
    let mut finding = RULE
        .finding(container.subject(), message)
        .because_at(container.pod_ref(), path, words.clone(), crash.finished_at)
        .because(container.pod_ref(), container.spec_path("image"), container.image())
        .seen(crash.finished_at, crash.finished_at)
        .affects(container.pod_ref())
        .confidence(if script { 0.7 } else { 0.95 });
    let summary = match &platform {
        Some(platform) => format!(
            "build `{}` for {} too, or bind the pod to nodes of its architecture with a nodeSelector on `kubernetes.io/arch`",
            container.image(),
            platform.name
        ),
        None => format!(
            "build `{}` for the architecture of the nodes, or bind the pod to nodes of its own",
            container.image()
        ),
    };
    finding =
        finding.recommend(Recommendation::new("fix-image", summary)).next("kubectl get nodes -L kubernetes.io/arch");
    Some(match platform {
        Some(platform) => finding.because(platform.node, platform.path, platform.architecture),
        None => finding,
    })
}

/// Returns the line or message that says so, and where it stands.
fn words<'s>(container: ContainerView<'s>, crash: &Crash<'s>) -> Option<(&'s str, String)> {
    if says_so(crash.message) {
        return Some((crash.message, format!("{}.message", container.last_end_path())));
    }
    let log = container.crash_log()?;
    // The program never ran: the line stands alone, or ends a shell's log.
    let (number, line) = log.lines().rfind(|(_, line)| says_so(line))?;
    let soon = crash.lasted().is_none_or(|lasted| lasted.as_secs() <= 60);
    soon.then(|| (line, fresh::log_path(container, log, number)))
}

fn says_so(text: &str) -> bool {
    text.to_ascii_lowercase().contains("exec format error")
}

/// Returns the end of a runtime's long message.
fn essence(words: &str) -> &str {
    let words = words.trim_end_matches(": unknown");
    words
        .rfind("exec")
        .filter(|_| words.len() > 100)
        .and_then(|at| words[..at].rfind("exec"))
        .map_or(words, |at| &words[at..])
}
