//! A probe, joined with what the kubelet says of it and with what its container serves.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Probe;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::State;
use crate::scene::probes::listen;
use crate::scene::probes::probe_failure::{Failure, Reason};
use crate::scene::{ContainerView, EventView, Role};

/// Envoy and the Istio agent listen in this range, whatever the manifest declares.
const MESH_PORTS: std::ops::RangeInclusive<u16> = 15_000..=15_099;

/// Within this long after the start, a failing probe is start-up.
const YOUNG: SignedDuration = SignedDuration::from_secs(20);

/// The kubelet's events of one pod are limited to such a burst, and then to one in five minutes.
const EVENT_BURST: i32 = 25;
const EVENT_GAP: SignedDuration = SignedDuration::from_secs(330);

/// What a probe decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    Liveness,
    Readiness,
    Startup,
}

impl ProbeKind {
    /// Returns the word in messages and events: `liveness`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
            Self::Startup => "startup",
        }
    }

    fn of(self, container: ContainerView<'_>) -> Option<&Probe> {
        match self {
            Self::Liveness => container.spec.liveness_probe.as_ref(),
            Self::Readiness => container.spec.readiness_probe.as_ref(),
            Self::Startup => container.spec.startup_probe.as_ref(),
        }
    }
}

/// How a probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handler {
    Http { path: String, tls: bool },
    Tcp,
    Grpc,
    Exec { command: Vec<String> },
}

/// A probe of a container.
#[derive(Clone, Debug)]
pub struct ProbeView<'s> {
    pub container: ContainerView<'s>,
    pub kind: ProbeKind,
    pub probe: &'s Probe,
    pub handler: Handler,
    /// The port that is asked, named ports resolved.
    pub port: Option<u16>,
}

/// Why a probe fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It speaks another protocol than the server.
    WrongProtocol,
    /// Nothing listens on its port; the container serves these.
    WrongPort { served: Vec<u16>, said: Option<listen::Said> },
    /// It kills the container before that is up; so long the start takes, if the log tells.
    TooEarly { took: Option<SignedDuration> },
    /// It is answered badly, or not at all.
    Failing,
}

impl<'s> ProbeView<'s> {
    /// Returns a container's probe of a kind.
    pub fn of(container: ContainerView<'s>, kind: ProbeKind) -> Option<Self> {
        let probe = match kind {
            ProbeKind::Liveness => container.spec.liveness_probe.as_ref(),
            ProbeKind::Readiness => container.spec.readiness_probe.as_ref(),
            ProbeKind::Startup => container.spec.startup_probe.as_ref(),
        }?;
        let rewritten = crate::scene::probes::probe_mesh::original(container, probe);
        let (handler, port) = rewritten.or_else(|| read(container, probe))?;
        Some(Self { container, kind, probe, handler, port })
    }

    /// Returns what it asks: ``GET `/ready` on port 8080``.
    pub fn asks(&self) -> String {
        let port = self.port.map(|port| format!(" port {port}")).unwrap_or_default();
        match &self.handler {
            Handler::Http { path, tls } => format!("{} `{path}` on{port}", if *tls { "HTTPS GET" } else { "GET" }),
            Handler::Tcp => format!("TCP{port}"),
            Handler::Grpc => format!("gRPC health on{port}"),
            Handler::Exec { command } => format!("command `{}`", command.join(" ")),
        }
    }

    /// Returns `the readiness probe of container `main` of deployment/cart`.
    pub fn phrase(&self) -> String {
        format!("the {} probe of {}", self.kind.word(), self.container.phrase())
    }

    /// Returns its path in the pod: `spec.containers[main].livenessProbe`.
    pub fn path(&self, field: &str) -> String {
        self.container.spec_path(&format!("{}Probe{field}", self.kind.word()))
    }

    /// Returns how long it allows from the start to the verdict: delay + period × threshold.
    pub fn budget(&self) -> SignedDuration {
        let seconds = |value: Option<i32>, default: i32| i64::from(value.unwrap_or(default));
        let delay = seconds(self.probe.initial_delay_seconds, 0);
        SignedDuration::from_secs(
            delay + seconds(self.probe.period_seconds, 10) * seconds(self.probe.failure_threshold, 3),
        )
    }

    /// Returns the kubelet's newest word on its failure.
    pub fn last_failure(&self) -> Option<Failure<'s>> {
        let failures = self.container.pod.events().filter_map(|event| Failure::of(event, self.kind));
        failures.filter(|failure| self.is_mine(failure)).last()
    }

    /// Events before 1.20 and of some dumps do not say the container: then the port must tell.
    fn is_mine(&self, failure: &Failure<'_>) -> bool {
        if let Some(name) = failure.event.container() {
            return name == self.container.name();
        }
        let rivals = self.container.pod.containers().filter(|other| self.kind.of(*other).is_some()).count();
        rivals <= 1
            || self.port.is_some_and(|port| {
                failure.message.contains(&format!(":{port}/"))
                    || failure.message.contains(&format!(":{port}:"))
                    || failure.message.contains(&format!(":{port}\""))
            })
    }

    /// Returns the newest event of the kubelet ending the container because of this probe.
    pub fn kill(&self) -> Option<&'s EventView<'s>> {
        let words = format!("Container {} failed {} probe", self.container.name(), self.kind.word());
        self.container
            .pod
            .events()
            .filter(|event| event.reason == "Killing" && event.message.starts_with(&words))
            .last()
    }

    /// Returns the failure if it is still so and no consequence of something else, such as the program's own crash.
    pub fn failure(&self) -> Option<(Failure<'s>, State)> {
        let failure = self.last_failure()?;
        let pod = self.container.pod;
        if pod.is_finished() || pod.is_terminating() || !pod.scene.is_recent(failure.event.last) {
            return None;
        }
        let state = match self.kind {
            ProbeKind::Readiness => self.unready()?,
            ProbeKind::Liveness => self.killed_or_failing(&failure)?,
            ProbeKind::Startup => self.never_started()?,
        };
        Some((failure, state))
    }

    fn unready(&self) -> Option<State> {
        let crashes = self.container.crash().is_some_and(|crash| crash.state == State::Present);
        let young = self.up().is_none_or(|up| up < self.budget().max(YOUNG));
        (!self.container.is_ready() && !crashes && !young).then_some(State::Present)
    }

    fn killed_or_failing(&self, failure: &Failure<'_>) -> Option<State> {
        let Some(kill) = self.kill().filter(|kill| self.container.pod.scene.is_recent(kill.last)) else {
            let crashes = self.container.crash().is_some_and(|crash| crash.state == State::Present);
            let fails = self.lasts(failure.event) && self.container.running().is_some();
            return (fails && !crashes).then_some(State::Present);
        };
        self.ended_by(kill)
    }

    fn never_started(&self) -> Option<State> {
        let started = self.container.status.and_then(|status| status.started);
        // Without that field, readiness tells: it is only asked after the start.
        if started == Some(true) || self.container.is_ready() {
            return None;
        }
        match self.kill() {
            Some(kill) => self.ended_by(kill),
            None => (started == Some(false) && self.up()? > self.budget().max(YOUNG)).then_some(State::Present),
        }
    }

    /// Tells whether the latest end was the probe's doing: a crash long after the last kill was the program's own.
    fn ended_by(&self, kill: &EventView<'_>) -> Option<State> {
        let grace = self.container.pod.spec().and_then(|spec| spec.termination_grace_period_seconds).unwrap_or(30);
        let slack = SignedDuration::from_secs(grace + 20);
        let Some(crash) = self.container.crash() else { return Some(State::Present) };
        let own = crash.finished_at.zip(kill.last).is_some_and(|(end, kill)| end.duration_since(kill) > slack);
        (!own && crash.state == State::Present).then_some(State::Present)
    }

    /// Tells a probe that keeps failing from one that fails now and then: half of the attempts did.
    fn lasts(&self, event: &EventView<'_>) -> bool {
        let Some((first, last)) = event.first.zip(event.last) else { return false };
        let period = i64::from(self.probe.period_seconds.unwrap_or(10).max(1));
        let attempts = last.duration_since(first).as_secs() / period;
        let many = event.count >= EVENT_BURST;
        let gap = if many { EVENT_GAP } else { SignedDuration::from_secs(3 * period + 30) };
        let silent = self.container.pod.scene.now().duration_since(last);
        silent < gap && event.count > 1 && (many || i64::from(event.count) * 2 >= attempts)
    }

    fn up(&self) -> Option<SignedDuration> {
        let start = self.container.running()?.started_at.as_ref()?.0;
        Some(self.container.pod.scene.now().duration_since(start))
    }

    /// Returns why it fails.
    pub fn verdict(&self, failure: &Failure<'_>) -> Verdict {
        if failure.reason == Reason::Protocol {
            return Verdict::WrongProtocol;
        }
        if let Some(verdict) = self.wrong_port(failure) {
            return verdict;
        }
        self.too_early(failure).unwrap_or(Verdict::Failing)
    }

    fn wrong_port(&self, failure: &Failure<'_>) -> Option<Verdict> {
        let port = self.port.filter(|port| !MESH_PORTS.contains(port))?;
        if failure.reason != Reason::Refused {
            return None;
        }
        let said = listen::said(self.container);
        let declared = self.declared();
        if let Some(said) = said {
            // A side port may open before the main one does.
            let starting = declared.contains(&port) && said.ports.iter().any(|port| declared.contains(port));
            let elsewhere = !said.ports.contains(&port) && !starting;
            return elsewhere.then(|| Verdict::WrongPort { served: said.ports.clone(), said: Some(said) });
        }
        if declared.contains(&port) {
            return None;
        }
        let served = if declared.is_empty() { self.proven() } else { self.own_declared() };
        (!served.is_empty()).then_some(Verdict::WrongPort { served, said: None })
    }

    /// The ports that any container of the pod declares: all share one address.
    fn declared(&self) -> Vec<u16> {
        self.container.pod.containers().flat_map(declared_by).collect()
    }

    fn own_declared(&self) -> Vec<u16> {
        let own: Vec<u16> = declared_by(self.container).collect();
        if own.is_empty() { self.declared() } else { own }
    }

    /// The ports on which the container's other probes pass.
    fn proven(&self) -> Vec<u16> {
        let readiness = ProbeView::of(self.container, ProbeKind::Readiness)
            .filter(|_| self.kind != ProbeKind::Readiness && self.container.is_ready());
        readiness.and_then(|probe| probe.port).filter(|port| Some(*port) != self.port).into_iter().collect()
    }

    fn too_early(&self, failure: &Failure<'_>) -> Option<Verdict> {
        let container = self.container;
        let unanswered = matches!(failure.reason, Reason::Refused | Reason::TimedOut | Reason::Status(500..));
        if self.kind != ProbeKind::Liveness || !unanswered || container.spec.startup_probe.is_some() {
            return None;
        }
        self.kill()?;
        let took = listen::start_up(container).filter(|took| *took > self.budget())?;
        Some(Verdict::TooEarly { took: Some(took) })
    }
}

fn declared_by(container: ContainerView<'_>) -> impl Iterator<Item = u16> {
    let ports = container.spec.ports.iter().flatten().filter(move |_| container.role != Role::Init);
    ports
        .filter(|port| port.protocol.as_deref() != Some("UDP"))
        .filter_map(|port| u16::try_from(port.container_port).ok())
}

/// Reads the handler and the port that a probe declares.
pub(in crate::scene) fn read(container: ContainerView<'_>, probe: &Probe) -> Option<(Handler, Option<u16>)> {
    if let Some(http) = &probe.http_get {
        let tls = http.scheme.as_deref().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let path = http.path.clone().unwrap_or_else(|| "/".to_owned());
        return Some((Handler::Http { path, tls }, resolve(container, &http.port)));
    }
    if let Some(tcp) = &probe.tcp_socket {
        return Some((Handler::Tcp, resolve(container, &tcp.port)));
    }
    if let Some(grpc) = &probe.grpc {
        return Some((Handler::Grpc, u16::try_from(grpc.port).ok()));
    }
    let command = probe.exec.as_ref()?.command.clone().unwrap_or_default();
    Some((Handler::Exec { command }, None))
}

/// Returns the number of a port, which may be a name that the container gives it.
pub(in crate::scene) fn resolve(container: ContainerView<'_>, port: &IntOrString) -> Option<u16> {
    match port {
        IntOrString::Int(port) => u16::try_from(*port).ok(),
        IntOrString::String(name) => {
            let named = container.spec.ports.iter().flatten().find(|port| port.name.as_deref() == Some(name));
            named.and_then(|port| u16::try_from(port.container_port).ok()).or_else(|| name.parse().ok())
        }
    }
}
