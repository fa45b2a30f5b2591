//! What a container waits for, as its command or log tells.

use crate::model::{Kind, Lookup, ObjectRef};
use crate::scene::traffic::calls::{self, service_of};
use crate::scene::{ContainerView, ServiceView};

/// Something that an init container waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A host, and a port if one is named.
    Host { host: String, port: Option<u16>, service: Option<ObjectRef> },
    /// Nothing: the command never ends by itself.
    Never,
    /// A command that waits for something that is no host: `kubectl wait ...`.
    Other,
}

/// Where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub awaited: Awaited,
    /// The path in the pod and the words there.
    pub path: String,
    pub words: String,
}

/// What became of a Service that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// There is no such Service.
    Absent,
    /// No pod behind it is ready.
    NoneReady,
    /// Pods behind it are ready.
    Ready,
    /// Not known, or not a Service of this cluster.
    Unknown,
}

/// Programs that ask whether a host is there; they stand before the host.
const PROBES: [&str; 15] = [
    "nslookup",
    "nc ",
    "ncat ",
    "netcat ",
    "wait-for",
    "wait_for",
    "pg_isready",
    "mysqladmin",
    "redis-cli",
    "getent hosts",
    "ping ",
    "curl ",
    "wget ",
    "dockerize",
    "/dev/tcp/",
];

/// Returns what a container waits for.
pub fn of(container: ContainerView<'_>) -> Option<Waiting> {
    let line = container.command_line().join(" ");
    let spoken = container.logs().and_then(|logs| logs.current.as_ref()).and_then(|log| {
        let (number, line) = log.lines().rfind(|(_, line)| speaks_of_waiting(line))?;
        Some((format!("log[{}]:{number}", container.name()), line.trim().to_owned()))
    });
    let commanded = |awaited| Waiting { awaited, path: container.spec_path("command"), words: line.clone() };
    if never_ends(&line) {
        return Some(commanded(Awaited::Never));
    }
    if let Some(host) = host_of_command(container, &line) {
        return Some(commanded(host));
    }
    if let Some((path, words)) = spoken {
        let awaited = host_in(container, &words).unwrap_or(Awaited::Other);
        return Some(Waiting { awaited, path, words });
    }
    let waits = ["kubectl wait", "until ", "while ! "].iter().any(|word| line.contains(word));
    waits.then(|| commanded(Awaited::Other))
}

/// Returns whether a command line never ends by itself.
fn never_ends(line: &str) -> bool {
    let line = line.trim_end_matches([';', ' ', '"', '\'']);
    ["sleep infinity", "sleep inf", "tail -f /dev/null", "sleep 2147483647"].iter().any(|end| line.ends_with(end))
        && !line.contains("until ")
}

fn host_of_command(container: ContainerView<'_>, line: &str) -> Option<Awaited> {
    PROBES.iter().find_map(|probe| {
        let rest = &line[line.find(probe)? + probe.len()..];
        let rest = rest.split([';', '|', '&', '\n']).next().unwrap_or(rest);
        host_in(container, rest.trim_start_matches([' ', '-', '.']))
    })
}

fn speaks_of_waiting(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let words = [
        "waiting for",
        "waiting on",
        "not ready yet",
        "is unavailable",
        "still waiting",
        "retrying",
        "can't resolve",
        "connection refused",
        "could not resolve",
    ];
    words.iter().any(|word| lower.contains(word))
}

/// Finds the host in words: variables are looked up in the container's environment.
fn host_in(container: ContainerView<'_>, words: &str) -> Option<Awaited> {
    let expanded = expand(container, words);
    let namespace = container.pod.namespace();
    let mut found: Vec<(bool, &str, Option<u16>)> = calls::hosts(&expanded)
        .filter(|(host, _, _)| !COMMON.contains(host))
        .map(|(host, port, _)| (is_service(container, host), host, port.or_else(|| port_after(&expanded, host))))
        .collect();
    found.retain(|(known, host, port)| *known || host.contains('.') || port.is_some());
    found.sort_by_key(|(known, _, port)| (!*known, port.is_none()));
    let (_, host, port) = *found.first()?;
    let service = service_of(host, namespace).map(|(namespace, name)| ObjectRef::new(Kind::Service, &namespace, &name));
    Some(Awaited::Host { host: host.to_owned(), port, service })
}

/// Words of commands and logs that look like host names.
const COMMON: [&str; 17] = [
    "sh",
    "bash",
    "sleep",
    "echo",
    "done",
    "http",
    "https",
    "tcp",
    "for",
    "waiting",
    "to",
    "be",
    "ready",
    "the",
    "is",
    "wait-for-it.sh",
    "wait-for.sh",
];

fn is_service(container: ContainerView<'_>, host: &str) -> bool {
    let service = service_of(host, container.pod.namespace());
    service
        .is_some_and(|(namespace, name)| container.pod.scene.snapshot.objects.services.get(&namespace, &name).is_some())
}

/// Returns the port that follows a host as a word of its own: `nc -z db 5432`.
fn port_after(words: &str, host: &str) -> Option<u16> {
    let rest = words[words.find(host)? + host.len()..].trim_start();
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok().filter(|port| *port > 0)
}

/// Puts the literal values of variables into words: `$DB_HOST`, `${DB_HOST}`, `$(DB_HOST)`.
fn expand(container: ContainerView<'_>, words: &str) -> String {
    let mut text = words.to_owned();
    for variable in container.spec.env.iter().flatten() {
        let Some(value) = variable.value.as_deref() else { continue };
        for form in [format!("${{{}}}", variable.name), format!("$({})", variable.name), format!("${}", variable.name)]
        {
            text = text.replace(&form, value);
        }
    }
    text
}

/// Finds out what became of a Service.
pub fn target(container: ContainerView<'_>, service: &ObjectRef) -> Target {
    let scene = container.pod.scene;
    match scene.snapshot.objects.services.look_up(service.namespace(), &service.name) {
        Lookup::Absent => Target::Absent,
        Lookup::Unknown => Target::Unknown,
        Lookup::Found(found) => {
            let view = ServiceView { scene, service: found };
            match view.selector() {
                None => Target::Unknown,
                Some(_) if !scene.snapshot.scope.includes(service.namespace()) => Target::Unknown,
                Some(_) if view.pods().any(crate::scene::PodView::is_ready) => Target::Ready,
                Some(_) => Target::NoneReady,
            }
        }
    }
}
