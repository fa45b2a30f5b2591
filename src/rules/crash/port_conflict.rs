//! Two programs of a pod want one port.

use crate::scene::pattern::Pattern;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::log::entities;
use crate::scene::services::usage;
use crate::scene::{ContainerView, PodView, Role, Scene, Testimony, is_settled, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "port-conflict",
    category: "port_conflict",
    summary: "detects containers that want a port which another container of their pod has",
    docs: "\
## What it means
The containers of a pod share one network: a port can be listened on once. The one that starts second fails to bind it.

## How it is detected
The log says `address already in use`; or a container crashes and its port is also declared by another container, or taken \
by a service mesh's side-car (the status port in the annotation `proxy.istio.io/config`).

## What to do
Give one of the two another port, and change the Service's target port and the probes with it.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "liveness-probe-wrong-port", "readiness-probe-wrong-port", "startup-probe-wrong-port"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let logged: Vec<Finding> = testimonies(scene).filter_map(|testimony| logged(&testimony)).collect();
    let declared = scene.suspects().filter(|pod| !pod.is_finished() && !is_settled(*pod)).filter_map(declared);
    logged.into_iter().chain(declared).collect()
}

/// The program says that it cannot listen.
fn logged(testimony: &Testimony<'_>) -> Option<Finding> {
    static IN_USE: Pattern = Pattern::new(
        r"(?i)address already in use|EADDRINUSE|address in use|port(?: number)?:? ?[0-9]* (?:is |was )?(?:already )?(?:in use|being used|taken|occupied)|one usage of each socket address",
    );
    let (template, port) = testimony.find(|message| IN_USE.is_match(message).then(|| entities::port(message)))?;
    let container = testimony.container;
    let port =
        port.or_else(|| shared_port(container)).or_else(|| wanted_port(container)).or_else(|| only_port(container));
    let rival = port.and_then(|port| rival(container, port));
    let message = match (port, &rival) {
        (Some(port), Some(rival)) => format!("{} cannot listen on port {port}: {rival} has it", container.phrase()),
        (Some(port), None) => format!("{} cannot listen on port {port}: it is in use already", container.phrase()),
        (None, _) => format!("{} cannot listen: its address is in use already", container.phrase()),
    };
    let confidence = if rival.is_some() { 0.95 } else { 0.85 };
    let finding = RULE
        .finding(container.subject(), message)
        .key(port.map(|port| port.to_string()).unwrap_or_default())
        .confidence(confidence);
    let finding = testimony.attest(finding, template);
    Some(advise(quote_ports(finding, container, port), container, port).next(testimony.logs_command()))
}

/// A container crashes, and its declared port is another's too.
fn declared(pod: PodView<'_>) -> Option<Finding> {
    let crashing = |container: &ContainerView<'_>| {
        container.crash().is_some_and(|crash| {
            crash.state == crate::model::State::Present && crash.exit_code != 0 && crash.reason != "OOMKilled"
        })
    };
    let (container, port, rival) =
        pod.containers().filter(|container| container.role != Role::Init).filter(crashing).find_map(|container| {
            let decisive = container.crash_log().and_then(|log| log.decisive);
            // A log that tells another reason is believed.
            if decisive.is_some_and(|line| !line.line.contains("address")) {
                return None;
            }
            let port = shared_port(container)?;
            Some((container, port, rival(container, port)?))
        })?;
    let message = format!("{} wants port {port}, which {rival} has", container.phrase());
    let finding =
        RULE.finding(container.subject(), message).key(port.to_string()).confidence(0.8).affects(container.pod_ref());
    let crash = container.crash()?;
    let finding = finding
        .because_at(
            container.pod_ref(),
            format!("{}.exitCode", container.last_end_path()),
            crash.exit_code.to_string(),
            crash.finished_at,
        )
        .seen(crash.finished_at, crash.finished_at);
    Some(advise(quote_ports(finding, container, Some(port)), container, Some(port)))
}

/// Returns who else has a port: another container that declares it, or the mesh.
fn rival(container: ContainerView<'_>, port: u16) -> Option<String> {
    let others =
        container.pod.containers().filter(|other| other.name() != container.name() && other.role != Role::Init);
    let other = others.into_iter().find(|other| ports(*other).any(|(declared, _)| declared == port));
    let mesh = || {
        (mesh_port(container.pod) == Some(port))
            .then(|| "the mesh's side-car (annotation `proxy.istio.io/config`)".to_owned())
    };
    other.map(|other| format!("container `{}`", other.name())).or_else(mesh)
}

fn shared_port(container: ContainerView<'_>) -> Option<u16> {
    ports(container).map(|(port, _)| port).find(|port| rival(container, *port).is_some())
}

/// Returns the port of another container that this one's command or environment speaks of.
fn wanted_port(container: ContainerView<'_>) -> Option<u16> {
    let others =
        container.pod.containers().filter(|other| other.name() != container.name() && other.role != Role::Init);
    others.flat_map(ports).map(|(port, _)| port).find(|port| usage::container_speaks_of(container.spec, *port))
}

/// Returns the one port that a container declares; beside others, which do not declare it, it is not known to be taken.
fn only_port(container: ContainerView<'_>) -> Option<u16> {
    if container.pod.containers().any(|other| other.name() != container.name() && other.role != Role::Init) {
        return None;
    }
    let mut all = ports(container).map(|(port, _)| port);
    all.next().filter(|_| all.next().is_none())
}

fn ports(container: ContainerView<'_>) -> impl Iterator<Item = (u16, &str)> {
    let ports = container.spec.ports.iter().flatten();
    ports.filter_map(|port| Some((u16::try_from(port.container_port).ok()?, port.protocol.as_deref().unwrap_or("TCP"))))
}

/// Returns the status port that a pod's annotation gives to Istio's side-car.
fn mesh_port(pod: PodView<'_>) -> Option<u16> {
    static STATUS_PORT: Pattern = Pattern::new(r#"statusPort"?\s*:\s*"?([0-9]{1,5})"#);
    let config = pod.pod.metadata.annotations.as_ref()?.get("proxy.istio.io/config")?;
    STATUS_PORT.captures(config)?[1].parse().ok()
}

fn quote_ports(mut finding: Finding, container: ContainerView<'_>, port: Option<u16>) -> Finding {
    let Some(port) = port else { return finding };
    for other in container.pod.containers().filter(|other| ports(*other).any(|(declared, _)| declared == port)) {
        finding = finding.because(container.pod_ref(), other.spec_path("ports"), format!("containerPort {port}"));
    }
    if mesh_port(container.pod) == Some(port) {
        finding = finding.because(
            container.pod_ref(),
            "metadata.annotations[proxy.istio.io/config]",
            format!("statusPort {port}"),
        );
    }
    finding
}

fn advise(finding: Finding, container: ContainerView<'_>, port: Option<u16>) -> Finding {
    let port = port.map_or_else(|| "port".to_owned(), |port| format!("port than {port}"));
    finding.recommend(Recommendation::new(
        "edit-object",
        format!("have `{}` or its rival listen on another {port}", container.name()),
    ))
}
