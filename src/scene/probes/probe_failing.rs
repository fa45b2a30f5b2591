//! The probes that fail now, with why: what all rules about probes start from.

use crate::model::{Finding, Recommendation, State};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::probes::listen;
use crate::scene::probes::probe::{Handler, ProbeKind, ProbeView, Verdict};
use crate::scene::probes::probe_failure::{Failure, Reason};
use crate::scene::{EventView, Scene};

/// A probe that fails now.
#[derive(Clone, Debug)]
pub struct FailingProbe<'s> {
    pub probe: ProbeView<'s>,
    pub failure: Failure<'s>,
    pub state: State,
    pub verdict: Verdict,
    /// The newest event of the kubelet ending the container for it.
    pub kill: Option<&'s EventView<'s>>,
}

/// Returns the failing probes of a kind, in the order of pods and containers.
pub fn failing<'s>(scene: &'s Scene<'_>, kind: ProbeKind) -> impl Iterator<Item = FailingProbe<'s>> {
    scene.suspect_containers().filter_map(move |container| {
        let probe = ProbeView::of(container, kind)?;
        let (failure, state) = probe.failure()?;
        let verdict = probe.verdict(&failure);
        let kill = probe.kill().filter(|kill| container.pod.scene.is_recent(kill.last));
        Some(FailingProbe { probe, failure, state, verdict, kill })
    })
}

impl FailingProbe<'_> {
    /// Makes a finding with the evidence that every failing probe has.
    pub fn finding(&self, rule: &'static Rule, message: String) -> Finding {
        let (probe, event) = (&self.probe, self.failure.event);
        let pod = probe.container.pod_ref();
        let words: String = event.message.trim().chars().take(300).collect();
        let mut finding = rule
            .finding(probe.container.subject(), message)
            .key(probe.port.map(|port| port.to_string()).unwrap_or_default())
            .because_at(pod.clone(), "events[Unhealthy].message", words, event.last)
            .seen(event.first, event.last)
            .affects(pod.clone())
            .state(self.state)
            .next(self.describe());
        if let Some(kill) = self.kill {
            finding = finding
                .because_at(pod.clone(), "events[Killing].message", kill.message, kill.last)
                .seen(kill.first, kill.last);
        }
        if let Some(said) = self.loopback() {
            let container = probe.container;
            let log = if said.previous { "log.previous" } else { "log" };
            let path = format!("{log}[{}]:{}", container.name(), said.number);
            finding = finding.because(pod, path, said.line.chars().take(300).collect::<String>());
        }
        self.asked(finding)
    }

    /// Returns the line in which the program says that it listens on the probe's port, on its own loopback only.
    fn loopback(&self) -> Option<listen::Said> {
        let port = self.probe.port.filter(|_| self.failure.reason == Reason::Refused)?;
        listen::said(self.probe.container).filter(|said| said.ports == [port] && said.is_loopback())
    }

    /// Returns the cure of what fails alike for probes of all kinds; `probe` are the words for it.
    pub fn common_cure(&self, probe: &str) -> Option<String> {
        if let Some(cure) = self.open_up() {
            return Some(cure);
        }
        Some(match (&self.failure.reason, &self.probe.handler) {
            (Reason::Status(404), Handler::Http { path, .. }) => {
                format!("point {probe} at a path that the program serves, not `{path}`")
            }
            (Reason::Status(401 | 403), Handler::Http { path, .. }) => {
                format!("let {probe} ask a path that needs no login, not `{path}`")
            }
            (Reason::TimedOut, _) => {
                format!("find out why the program answers slowly, or raise `timeoutSeconds` of {probe}")
            }
            (_, Handler::Exec { command }) => format!(
                "run `{}` in the container to see why it fails, and mend it or the command of {probe}",
                command.join(" ")
            ),
            _ => return None,
        })
    }

    /// Returns the cure for a program that the kubelet cannot reach.
    fn open_up(&self) -> Option<String> {
        let name = self.probe.container.name();
        self.loopback().map(|_| {
            format!("have `{name}` listen on 0.0.0.0, not on its loopback: the kubelet and its callers come from outside of the pod")
        })
    }

    /// Adds what the probe's author wrote.
    fn asked(&self, mut finding: Finding) -> Finding {
        let (probe, pod) = (&self.probe, self.probe.container.pod_ref());
        let field = match &probe.handler {
            Handler::Http { path, .. } => {
                finding = finding.because(pod.clone(), probe.path(".httpGet.path"), path.clone());
                ".httpGet.port"
            }
            Handler::Tcp => ".tcpSocket.port",
            Handler::Grpc => ".grpc.port",
            Handler::Exec { command } => return finding.because(pod, probe.path(".exec.command"), command.join(" ")),
        };
        let port = probe.port.map_or_else(|| "?".to_owned(), |port| port.to_string());
        finding.because(pod, probe.path(field), port)
    }

    fn describe(&self) -> String {
        let pod = self.probe.container.pod;
        quote::command(&["kubectl", "describe", "pod", pod.name(), "-n", pod.namespace()])
    }

    /// Returns what follows for the pod, as the end of a sentence.
    pub fn consequence(&self) -> &'static str {
        match self.probe.kind {
            ProbeKind::Readiness => "so the pod gets no traffic",
            ProbeKind::Liveness | ProbeKind::Startup if self.kill.is_some() => {
                "so the kubelet restarts it again and again"
            }
            ProbeKind::Liveness => "and the kubelet will restart it at the failure threshold",
            ProbeKind::Startup => "so it does not count as started",
        }
    }

    /// Returns `asks GET `/ready` on port 8080 and is answered with status 404`.
    pub fn what_happens(&self) -> String {
        match &self.probe.handler {
            Handler::Exec { command } => {
                let words = match self.failure.reason {
                    Reason::TimedOut => "does not end in time".to_owned(),
                    _ => self.failure.words(),
                };
                format!("runs `{}`, which {words}", command.join(" "))
            }
            _ if self.loopback().is_some() => format!(
                "asks {} and {} on the pod's address: the program listens on its loopback only",
                self.probe.asks(),
                self.failure.words()
            ),
            _ => format!("asks {} and {}", self.probe.asks(), self.failure.words()),
        }
    }

    /// Makes the message and evidence of a probe that asks a port where nothing listens; `None` for other verdicts.
    pub fn wrong_port(&self, rule: &'static Rule) -> Option<Finding> {
        let Verdict::WrongPort { served, said } = &self.verdict else { return None };
        let ports = served.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let how = if said.is_some() { "its log says that it listens on" } else { "the container serves" };
        let message = format!(
            "{} asks {}, where nothing listens: {how} {ports}, {}",
            self.probe.phrase(),
            self.probe.asks(),
            self.consequence()
        );
        let container = self.probe.container;
        let mut finding = self.finding(rule, message).confidence(if said.is_some() { 0.96 } else { 0.9 });
        match said {
            Some(said) => {
                let log = if said.previous { "log.previous" } else { "log" };
                let line: String = said.line.chars().take(300).collect();
                finding =
                    finding.because(container.pod_ref(), format!("{log}[{}]:{}", container.name(), said.number), line);
            }
            None => finding = finding.because(container.pod_ref(), container.spec_path("ports"), ports.clone()),
        }
        let kind = self.probe.kind.word();
        let fix = match served.as_slice() {
            [port] => format!("set the port of the {kind} probe of `{}` to {port}", container.name()),
            _ => format!(
                "set the port of the {kind} probe of `{}` to the one that answers it: {ports}",
                container.name()
            ),
        };
        Some(finding.recommend(Recommendation::new("edit-object", fix).command(self.edit())))
    }

    /// Makes the message and evidence of a probe that speaks another protocol than the server; `None` for other verdicts.
    pub fn wrong_protocol(&self, rule: &'static Rule) -> Option<Finding> {
        if self.verdict != Verdict::WrongProtocol {
            return None;
        }
        let (spoken, wanted) = self.protocols();
        let message = format!(
            "{} speaks {spoken} ({}) to a server that speaks {wanted}, {}",
            self.probe.phrase(),
            self.probe.asks(),
            self.consequence()
        );
        let fix = match wanted {
            "HTTPS" => "set `scheme: HTTPS` in it".to_owned(),
            "plain HTTP" => "set `scheme: HTTP` in it".to_owned(),
            "HTTP/2, as gRPC does" => {
                "make it a `grpc` probe, or a `tcpSocket` probe if the server has no gRPC health service".to_owned()
            }
            _ => "make it a probe of the server's own protocol, or a `tcpSocket` probe".to_owned(),
        };
        let summary = format!(
            "change the protocol of the {} probe of `{}`: {fix}",
            self.probe.kind.word(),
            self.probe.container.name()
        );
        let recommendation = Recommendation::new("edit-object", summary).command(self.edit());
        Some(self.finding(rule, message).confidence(0.96).recommend(recommendation))
    }

    /// Returns what the probe speaks and what the server does.
    fn protocols(&self) -> (&'static str, &'static str) {
        let message = self.failure.message;
        match self.probe.handler {
            Handler::Http { tls: true, .. } => ("HTTPS", "plain HTTP"),
            // An HTTP/2 server opens with a SETTINGS frame: length, then type 4.
            Handler::Http { .. } if message.contains(r"\x00\x00") && message.contains(r"\x04") => {
                ("HTTP/1.1", "HTTP/2, as gRPC does")
            }
            Handler::Http { .. } if message.contains(r"\x15\x03") => ("plain HTTP", "HTTPS"),
            Handler::Http { .. } => ("HTTP", "another protocol"),
            _ if message.contains("does not implement") => ("gRPC health", "gRPC without the health service"),
            _ => ("gRPC", "another protocol"),
        }
    }

    /// Returns the command that shows what the program says of itself.
    pub fn logs(&self) -> String {
        let container = self.probe.container;
        let pod = container.pod;
        quote::command(&["kubectl", "logs", pod.name(), "-c", container.name(), "-n", pod.namespace()])
    }

    /// Returns the command that opens the workload in an editor.
    pub fn edit(&self) -> String {
        let workload = &self.probe.container.pod.workload().object;
        quote::command(&["kubectl", "edit", &workload.short(), "-n", workload.namespace()])
    }
}
