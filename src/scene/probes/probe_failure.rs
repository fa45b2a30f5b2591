//! What the kubelet says when a probe fails.

use crate::scene::EventView;
use crate::scene::probes::probe::ProbeKind;

/// The reason that the kubelet's words mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing accepts connections on the port.
    Refused,
    /// No answer in time.
    TimedOut,
    /// An HTTP status that is no success.
    Status(u16),
    /// The server speaks something else.
    Protocol,
    /// A command failed, with its output.
    Command,
    /// Anything else.
    Other,
}

/// An `Unhealthy` event.
#[derive(Clone, Debug)]
pub struct Failure<'s> {
    pub event: &'s EventView<'s>,
    /// What follows `Liveness probe failed: `.
    pub message: &'s str,
    pub reason: Reason,
}

impl<'s> Failure<'s> {
    /// Reads an event if it is about a probe of this kind.
    pub fn of(event: &'s EventView<'s>, kind: ProbeKind) -> Option<Self> {
        if event.reason != "Unhealthy" {
            return None;
        }
        let head = match kind {
            ProbeKind::Liveness => "Liveness probe ",
            ProbeKind::Readiness => "Readiness probe ",
            ProbeKind::Startup => "Startup probe ",
        };
        let rest = event.message.strip_prefix(head)?;
        let message = match rest.strip_prefix("failed:") {
            Some(message) => message.trim(),
            None => unrunnable(rest.strip_prefix("errored")?)?,
        };
        Some(Self { event, message, reason: reason(message) })
    }

    /// Returns what happens, as the end of a sentence: `answers 503`.
    pub fn words(&self) -> String {
        match self.reason {
            Reason::Refused => "finds nothing that listens".to_owned(),
            Reason::TimedOut => "gets no answer in time".to_owned(),
            Reason::Status(status) => format!("is answered with status {status}"),
            Reason::Protocol => "is not understood by the server".to_owned(),
            Reason::Command if self.message.is_empty() => "fails without output".to_owned(),
            Reason::Command | Reason::Other => format!("fails: `{}`", short(self.message)),
        }
    }
}

/// Reads `errored`, which is the kubelet's own trouble, as when the container has just ended, unless the command of the
/// probe cannot be run: `.. unable to start container process: exec: "/bin/check": stat /bin/check: no such file or directory`.
fn unrunnable(message: &str) -> Option<&str> {
    let why = &message[message.find("exec: \"")?..];
    let lasting = ["no such file or directory", "executable file not found", "permission denied", "is a directory"];
    lasting.iter().any(|words| why.contains(words)).then_some(why.trim())
}

fn reason(message: &str) -> Reason {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if let Some((_, status)) = message.split_once("statuscode: ") {
        let digits: String = status.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().map_or(Reason::Other, Reason::Status);
    }
    if has(&[
        "malformed HTTP",
        "transport connection broken",
        "HTTP response to HTTPS client",
        "does not look like a TLS handshake",
        "error reading server preface",
        "frame too large",
        "does not implement the grpc health",
    ]) {
        return Reason::Protocol;
    }
    if has(&["connection refused", "failed to connect service"]) {
        return Reason::Refused;
    }
    if has(&["deadline exceeded", "Client.Timeout", "i/o timeout", "timed out", "did not complete within"]) {
        return Reason::TimedOut;
    }
    if message.starts_with("Get \"") || message.starts_with("dial tcp") || message.starts_with("rpc error") {
        return Reason::Other;
    }
    Reason::Command
}

/// Returns the first line, cut to what a message holds.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    if line.chars().count() <= 90 {
        line.to_owned()
    } else {
        format!("{}…", line.chars().take(89).collect::<String>())
    }
}
