//! An init container waits for something that never comes.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::safe;
use crate::rules::{Rule, consequences};
use crate::scene::pods::fresh;
use crate::scene::traffic::awaited::{self, Awaited, Target, Waiting};
use crate::scene::{ContainerView, Role, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "init-container-waiting",
    category: "init_container_waiting",
    summary: "detects init containers that wait for something that does not come",
    docs: "\
## What it means
The containers of a pod start when all init containers ended. This one runs and waits: for a host to resolve, a port \
to answer, a command to succeed. What it waits for is missing or not ready, or the command never ends by itself, as \
`sleep infinity`.

## How it is detected
An init container is running, and its command (`nslookup`, `nc -z`, `wait-for`, `until ...`) or its log (`waiting \
for ...`) tells what it waits for. A Service that is waited for is looked up. Short waits are normal while things \
start: a minute is allowed, ten where nothing tells what it waits for.

## What to do
Repair or create what it waits for; the message names it. If the name is wrong, correct the command. Better than \
waiting in an init container is a program that retries, with a readiness probe.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL],
    check,
};

/// How long a start may take before a wait is a fault: with a cause in sight, with a known target, without.
const CLEAR: SignedDuration = SignedDuration::from_secs(20);
const USUAL: SignedDuration = SignedDuration::from_secs(60);
const VAGUE: SignedDuration = SignedDuration::from_mins(10);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter(|container| container.role == Role::Init).filter_map(waits).collect()
}

fn waits(container: ContainerView<'_>) -> Option<Finding> {
    let started = container.running()?.started_at.as_ref().map(|time| time.0);
    // A wait that gives up and starts anew has lasted since the pod was placed.
    let since = if container.restarts() > 0 { container.pod.created().or(started) } else { started }?;
    let lasted = container.pod.scene.now().duration_since(since);
    if container.pod.is_terminating() || lasted < CLEAR {
        return None;
    }
    let Some(waiting) = awaited::of(container) else {
        return (lasted >= VAGUE).then(|| vague(container, since, lasted));
    };
    let verdict = judge(container, &waiting.awaited);
    (lasted >= verdict.patience).then(|| told(container, &waiting, &verdict, since))
}

/// What is said of what is waited for.
struct Verdict {
    what: String,
    patience: SignedDuration,
    confidence: f64,
    cure: String,
}

fn judge(container: ContainerView<'_>, awaited: &Awaited) -> Verdict {
    let name = container.name();
    match awaited {
        Awaited::Never => Verdict {
            what: "runs a command that never ends by itself".to_owned(),
            patience: CLEAR,
            confidence: 0.9,
            cure: format!("let the command of init container `{name}` end, or make it a container of its own"),
        },
        Awaited::Other => Verdict {
            what: "still waits".to_owned(),
            patience: VAGUE,
            confidence: 0.6,
            cure: format!("make what init container `{name}` waits for come true, or correct its command"),
        },
        Awaited::Host { host, port, service } => {
            let target = service.as_ref().map_or(Target::Unknown, |service| awaited::target(container, service));
            let address = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
            of_host(&address, service.as_ref(), target)
        }
    }
}

fn of_host(address: &str, service: Option<&ObjectRef>, target: Target) -> Verdict {
    let object = service.map(ObjectRef::short).unwrap_or_default();
    let (state, patience, confidence, cure) = match target {
        Target::Absent => (
            format!(", and {object} does not exist"),
            CLEAR,
            0.88,
            format!("create {object}, or correct the name in the command"),
        ),
        Target::NoneReady => {
            (format!(", and no pod behind {object} is ready"), USUAL, 0.85, format!("get a pod behind {object} ready"))
        }
        Target::Ready => (
            format!(", though {object} has ready pods"),
            USUAL,
            0.7,
            format!("check the port of {object}, DNS and network policies between the two"),
        ),
        Target::Unknown => {
            (String::new(), USUAL, 0.7, format!("make `{address}` reachable, or correct the address in the command"))
        }
    };
    Verdict { what: format!("waits for `{address}`{state}"), patience, confidence, cure }
}

fn told(container: ContainerView<'_>, waiting: &Waiting, verdict: &Verdict, since: Timestamp) -> Finding {
    let words = safe::shorten(&waiting.words, 100);
    let message = format!("init {} {}, so that the pod does not start: `{words}`", container.phrase(), verdict.what);
    let finding = basis(container, message, since)
        .confidence(verdict.confidence)
        .because(container.pod_ref(), waiting.path.as_str(), safe::shorten(&waiting.words, 300))
        .recommend(Recommendation::new("investigate", verdict.cure.as_str()));
    match &waiting.awaited {
        Awaited::Host { service: Some(service), .. } => finding.key(service.name.as_str()).mentions(service.clone()),
        _ => finding,
    }
}

fn vague(container: ContainerView<'_>, since: Timestamp, lasted: SignedDuration) -> Finding {
    let message = format!(
        "init {} has been running for {}, and the pod does not start before it ends",
        container.phrase(),
        fresh::span(lasted)
    );
    let line = container.command_line().join(" ");
    let finding = basis(container, message, since).severity(Severity::Warning).confidence(0.5);
    let finding = if line.is_empty() {
        finding
    } else {
        finding.because(container.pod_ref(), container.spec_path("command"), safe::shorten(&line, 300))
    };
    finding.recommend(
        Recommendation::new(
            "investigate",
            format!("find out what init container `{}` does: its log tells", container.name()),
        )
        .command(commands::logs(container)),
    )
}

fn basis(container: ContainerView<'_>, message: String, since: Timestamp) -> Finding {
    let path = container.status_path("state.running.startedAt");
    let started = container
        .running()
        .and_then(|running| running.started_at.as_ref())
        .map(|time| time.0.to_string())
        .unwrap_or_default();
    RULE.finding(container.subject(), message)
        .because_at(container.pod_ref(), path, started, Some(since))
        .seen(Some(since), Some(container.pod.scene.now()))
        .affects(container.pod_ref())
        .next(commands::logs(container))
}
