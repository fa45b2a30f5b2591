//! Peers that a container cannot reach, as its log says, and what they are in the cluster.

use crate::model::store::HasMeta as _;
use crate::model::{Kind, Lookup, ObjectRef};
use crate::scene::log::auth;
use crate::scene::log::reach::{self, Why};
use crate::scene::log::{Template, Weight};
use crate::scene::traffic::calls;
use crate::scene::{ServiceView, Testimony};

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A Service that exists.
    Service(ObjectRef),
    /// It has the form of a Service's name, and there is none.
    NoService(ObjectRef),
    /// A name outside the cluster.
    Outside,
    /// The pod itself.
    Local,
    /// The line names no host, or nobody can tell what it is.
    Unknown,
}

/// A peer that cannot be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage<'s> {
    pub template: &'s Template<'s>,
    pub why: Why,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub peer: Peer,
    pub confidence: f64,
}

impl Outage<'_> {
    /// Returns `db:5432`, `db`, or nothing if the line names no host; a cluster IP by the name of its Service.
    pub fn address(&self) -> Option<String> {
        let host = match &self.peer {
            Peer::Service(object) if self.host.as_deref().is_some_and(reach::is_ip) => object.name.as_str(),
            _ => self.host.as_deref()?,
        };
        Some(self.port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}

/// A retry or a caught error stands this close to the line that ended the program.
const NEAR: usize = 40;
/// A chain of exceptions with its frames is this long.
const CHAIN: usize = 200;
/// As many failures in all are no accident, though each is worded differently.
const SEVERAL: usize = 3;

/// Finds what a container cannot reach: each host and port once, the surest first.
pub fn outages<'s>(testimony: &Testimony<'s>) -> Vec<Outage<'s>> {
    // A new run that is up may still wait for its peers, whatever ended the one before.
    if !testimony.is_primary && testimony.container.running().is_some() {
        return Vec::new();
    }
    let failures = || testimony.log.templates.iter().filter(|template| is_failure(template));
    let mut found: Vec<Outage<'s>> = match testimony.crash {
        Some(_) => failures().filter_map(|template| outage(testimony, template, blame(testimony, template)?)).collect(),
        None => running(testimony).filter_map(|template| outage(testimony, template, 0.8)).collect(),
    };
    // Health checks and side-cars knock at doors of their own pod until they open.
    found.retain(|outage| testimony.crash.is_some() || outage.peer != Peer::Local);
    if found.iter().any(|outage| outage.host.is_some()) {
        found.retain(|outage| outage.host.is_some());
    } else {
        found.truncate(1);
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.template.number.cmp(&b.template.number)));
    let mut kept: Vec<Outage<'s>> = Vec::new();
    for outage in found {
        match kept.iter_mut().find(|other| {
            other.host == outage.host && (other.port.is_none() || outage.port.is_none() || other.port == outage.port)
        }) {
            Some(other) => other.port = other.port.or(outage.port),
            None => kept.push(outage),
        }
    }
    kept
}

/// The failures of a running program that count: repeated ones; or several in a row with nothing behind them.
fn running<'s>(testimony: &Testimony<'s>) -> impl Iterator<Item = &'s Template<'s>> {
    let mut repeated: Vec<_> = testimony.complaints().filter(|template| is_failure(template)).collect();
    if repeated.is_empty() {
        let all: Vec<_> = testimony.log.templates.iter().filter(|template| is_failure(template)).collect();
        let total: usize = all.iter().map(|template| template.count).sum();
        if total >= SEVERAL && all.iter().any(|template| testimony.is_last(template)) {
            repeated = all;
        }
    }
    repeated.into_iter()
}

/// Returns whether a program was given a new configuration just before its peers failed for the first time.
pub fn began_with_a_change(testimony: &Testimony<'_>) -> bool {
    let first = testimony.log.templates.iter().find(|template| is_failure(template));
    first.is_some_and(|first| !testimony.change_before(first.number).is_empty())
}

/// A server that refuses a password was reached.
fn is_failure(template: &Template<'_>) -> bool {
    let message = template.message();
    reach::failure(&message).is_some() && !auth::is_refusal(&message)
}

/// Tells how surely a failure ended the program; `None` if it did not.
fn blame(testimony: &Testimony<'_>, template: &Template<'_>) -> Option<f64> {
    let log = testimony.log;
    let decisive = log.decisive?;
    let is = |number: usize| number == template.number || number == template.last_number;
    if is(decisive.number) || log.cause.is_some_and(|cause| is(cause.number)) {
        return Some(0.88);
    }
    let distance = decisive.number.abs_diff(template.last_number);
    match (decisive.weight, template.weight) {
        (Weight::Uncaught, Weight::Uncaught) if distance <= CHAIN => Some(0.75),
        (Weight::Uncaught, _) if distance <= NEAR / 2 => Some(0.65),
        (Weight::Uncaught, _) => None,
        _ if distance <= NEAR => Some(0.75),
        _ => None,
    }
}

fn outage<'s>(testimony: &Testimony<'s>, template: &'s Template<'s>, confidence: f64) -> Option<Outage<'s>> {
    let message = template.message();
    let failure = reach::failure(&message)?;
    let host = failure.host.map(str::to_owned);
    let host = host.or_else(|| named_service(testimony, &message));
    let peer = host.as_deref().map_or(Peer::Unknown, |host| peer(testimony, host));
    let confidence = if host.is_some() { confidence } else { confidence - 0.15 };
    Some(Outage { template, why: failure.why, port: failure.port, host, peer, confidence })
}

/// Finds a Service among the words of a line that names no host: `failed to reach backend`.
fn named_service(testimony: &Testimony<'_>, message: &str) -> Option<String> {
    let services = &testimony.container.pod.scene.snapshot.objects.services;
    let words = message
        .split(|char: char| !(char.is_ascii_alphanumeric() || char == '-'))
        .zip(message.split(|char: char| !(char.is_ascii_alphanumeric() || char == '-')).skip(1));
    let after =
        words.filter(|(before, _)| ["reach", "to", "contact", "from", "with"].contains(before)).map(|(_, word)| word);
    let known = |word: &&str| !word.is_empty() && services.get(testimony.container.pod.namespace(), word).is_some();
    after.filter(|word| word.bytes().all(|byte| !byte.is_ascii_uppercase())).find(known).map(str::to_owned)
}

/// Tells what a host is, from within a container's namespace.
fn peer(testimony: &Testimony<'_>, host: &str) -> Peer {
    let objects = &testimony.container.pod.scene.snapshot.objects;
    if reach::is_local(host) {
        return Peer::Local;
    }
    if reach::is_ip(host) {
        let has_ip = |service: &&crate::model::Stored<k8s_openapi::api::core::v1::Service>| {
            service.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() == Some(host))
        };
        let service = objects.services.iter().find(has_ip);
        return service.map_or(Peer::Unknown, |service| {
            Peer::Service(ObjectRef::new(Kind::Service, service.object.namespace(), service.object.name()))
        });
    }
    let host = host.trim_end_matches('.');
    let Some((namespace, name)) = calls::service_of(host, testimony.container.pod.namespace()) else {
        return Peer::Outside;
    };
    let object = ObjectRef::new(Kind::Service, &namespace, &name);
    match objects.services.look_up(&namespace, &name) {
        Lookup::Found(_) => return Peer::Service(object),
        Lookup::Absent if !host.contains('.') || host.contains(".svc") => return Peer::NoService(object),
        Lookup::Unknown if !host.contains('.') || host.contains(".svc") => return Peer::Unknown,
        Lookup::Absent | Lookup::Unknown => {}
    }
    // `db.shop` is a Service if there is such a namespace, else a name of the world.
    match objects.namespaces.look_up("", &namespace) {
        Lookup::Found(_) => Peer::NoService(object),
        Lookup::Absent => Peer::Outside,
        Lookup::Unknown if is_tld(host) => Peer::Outside,
        Lookup::Unknown => Peer::Unknown,
    }
}

fn is_tld(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    ["com", "org", "net", "io", "dev", "cloud", "app", "co", "eu", "de", "uk", "gov", "edu", "info", "ai"]
        .contains(&last)
}

/// Returns the Service view of an address.
pub fn service<'s>(testimony: &Testimony<'s>, object: &ObjectRef) -> Option<ServiceView<'s>> {
    let scene = testimony.container.pod.scene;
    let service = scene.snapshot.objects.services.get(object.namespace(), &object.name)?;
    Some(ServiceView { scene, service })
}

/// Returns the ports that a Service serves; `None` if it serves whatever its pods do (headless, external).
pub fn served_ports(service: ServiceView<'_>) -> Option<Vec<u16>> {
    let spec = service.service.spec.as_ref()?;
    let headless = spec.cluster_ip.as_deref() == Some("None") || spec.type_.as_deref() == Some("ExternalName");
    let ports = spec.ports.as_deref().unwrap_or_default();
    (!headless && !ports.is_empty()).then(|| ports.iter().filter_map(|port| u16::try_from(port.port).ok()).collect())
}
