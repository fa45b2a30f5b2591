//! A server has no connection left for its clients.

use crate::scene::pattern::Pattern;
use std::collections::BTreeMap;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::pods::testimony;
use crate::scene::{EventView, PodView, Scene, ServiceView, Template, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "too-many-connections",
    category: "too_many_connections",
    summary: "detects servers, databases mostly, that refuse clients because all their connections are taken",
    docs: "\
## What it means
A server allows so many connections at once and all are taken: MySQL's `max_connections`, PostgreSQL's, Redis's \
`maxclients`. Whoever comes next is refused, the server's own probes too. The usual reasons are clients that leak \
connections, and replicas × pool size beyond what the server allows.

## How it is detected
The log of a client (or of the server itself, or what its probe prints) says `Too many connections`, `too many clients \
already`, `remaining connection slots are reserved` or the like. The server is the workload that says so of itself; else the \
only one that all these clients call.

## What to do
Restart or stop the client that holds most connections, which frees them. Then make replicas × pool size of all clients fit, \
put a pooler in between, or raise the server's limit together with its memory.",
    severity: Severity::Critical,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::Service],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "wrong-env-credentials"]],
    check,
};

/// The words of servers that have no connection left, as they and their clients print them.
static EXHAUSTED: Pattern = Pattern::new(concat!(
    r"(?i)\btoo many connections\b|\btoo many clients already\b|remaining connection slots are reserved",
    r"|max number of clients reached|connection limit exceeded for|ORA-0*00020|ORA-12519|no more connections allowed"
));

/// A client that is refused, with the line that says so.
struct Client<'s> {
    testimony: Testimony<'s>,
    template: &'s Template<'s>,
}

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let said: Vec<Client<'_>> = testimonies(scene).filter_map(client).collect();
    let (servers, clients): (Vec<_>, Vec<_>) = said.into_iter().partition(|client| client.testimony.is_server());
    let mut by_server: BTreeMap<ObjectRef, Finding> = BTreeMap::new();
    for server in servers {
        let workload = server.testimony.container.pod.workload().object.clone();
        let finding = by_server.entry(workload.clone()).or_insert_with(|| start(&workload, clients.len(), 0.93));
        *finding = server.testimony.attest(finding.clone(), server.template);
    }
    for (pod, event) in scene.pods().filter_map(probe_says) {
        let workload = pod.workload().object.clone();
        let finding = by_server.entry(workload.clone()).or_insert_with(|| start(&workload, clients.len(), 0.93));
        let words: String = event.message.trim().chars().take(300).collect();
        *finding = finding
            .clone()
            .because_at(pod.object(), format!("events[{}].message", event.reason), words, event.last)
            .seen(event.first, event.last)
            .affects(pod.object());
    }
    if by_server.is_empty() {
        by_server
            .extend(called_by_all(scene, &clients).map(|server| (server.clone(), start(&server, clients.len(), 0.8))));
    }
    match by_server.len() {
        0 => clients.iter().map(alone).collect(),
        _ => by_server.into_values().map(|finding| hit(finding, &clients)).collect(),
    }
}

fn client(testimony: Testimony<'_>) -> Option<Client<'_>> {
    let (template, ()) = testimony.find(|message| EXHAUSTED.is_match(message).then_some(()))?;
    Some(Client { testimony, template })
}

fn probe_says(pod: PodView<'_>) -> Option<(PodView<'_>, &EventView<'_>)> {
    let told = pod.events().filter(|event| event.reason == "Unhealthy" && pod.scene.is_recent(event.last));
    let event = told.filter(|event| EXHAUSTED.is_match(event.message)).last()?;
    Some((pod, event))
}

fn start(server: &ObjectRef, clients: usize, confidence: f64) -> Finding {
    let whom = match clients {
        0 => "it refuses its own probes".to_owned(),
        1 => "1 client is refused".to_owned(),
        clients => format!("{clients} clients are refused"),
    };
    let message = format!("{} has no connection left (too many connections): {whom}", server.short());
    RULE.finding(server.clone(), message).confidence(confidence).recommend(
        Recommendation::new(
            "free-connections",
            format!(
                "restart the client that holds most connections of {}; then make replicas × pool size of its clients fit, or raise its limit of connections",
                server.short()
            ),
        )
        .risk(Risk::Medium),
    )
}

/// Returns the only server that all clients call, if there is one.
fn called_by_all(scene: &Scene<'_>, clients: &[Client<'_>]) -> Option<ObjectRef> {
    let mut common: Option<Vec<ObjectRef>> = None;
    for client in clients {
        let caller = &client.testimony.container.pod.workload().object;
        let called: Vec<ObjectRef> = servers_of(scene, caller);
        common = Some(match common {
            Some(common) => common.into_iter().filter(|server| called.contains(server)).collect(),
            None => called,
        });
    }
    common.filter(|common| common.len() == 1)?.pop()
}

/// Returns the databases and brokers that a workload calls.
fn servers_of(scene: &Scene<'_>, caller: &ObjectRef) -> Vec<ObjectRef> {
    let calls = scene.calls().iter().filter(|call| &scene.workloads()[call.caller].object == caller);
    let services = calls.filter_map(|call| scene.snapshot.objects.services.get(&call.service.0, &call.service.1));
    let mut found: Vec<ObjectRef> = services
        .flat_map(|service| ServiceView { scene, service }.workloads().map(|workload| workload.object.clone()))
        .filter(|workload| workload != caller && is_server(scene, workload))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn is_server(scene: &Scene<'_>, workload: &ObjectRef) -> bool {
    let Some(workload) = scene.workload(workload) else { return false };
    scene.pods_of(workload).flat_map(PodView::containers).any(testimony::is_server)
}

/// Adds the clients, of which the first few are quoted.
fn hit(mut finding: Finding, clients: &[Client<'_>]) -> Finding {
    const QUOTED: usize = 3;
    for client in clients.iter().take(QUOTED) {
        finding = client.testimony.quote(finding, client.template.line, client.template.number);
    }
    for client in clients {
        finding = finding.affects(client.testimony.container.pod.workload().object.clone());
    }
    match clients.first() {
        Some(client) => finding.next(client.testimony.logs_command()),
        None => finding,
    }
}

/// A client whose server nobody can tell.
fn alone(client: &Client<'_>) -> Finding {
    let container = client.testimony.container;
    let message = format!("{} is refused by its server, which has no connection left", container.phrase());
    let finding = RULE.finding(container.subject(), message).confidence(0.7);
    let workload = &container.pod.workload().object;
    let restart = quote::command(&["kubectl", "rollout", "restart", &workload.short(), "-n", workload.namespace()]);
    let summary = "find the server in the log or configuration; free its connections or raise its limit of them";
    client
        .testimony
        .attest(finding, client.template)
        .recommend(Recommendation::new("free-connections", summary).risk(Risk::Medium).command(restart))
        .next(client.testimony.logs_command())
}
