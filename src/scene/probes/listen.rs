//! On which ports a program says that it listens, and how long it took to get there.

use crate::scene::pattern::Pattern;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Unit};

use crate::scene::{ContainerView, LogDigest};

/// A log line that names ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub ports: Vec<u16>,
    /// The first such line and its number, counted from 1.
    pub line: String,
    pub number: usize,
    /// Whether it stands in the log of the run before.
    pub previous: bool,
}

/// Only so much of a log is read: programs say it when they start.
const LINES: usize = 400;

static LISTENS: Pattern = Pattern::new(
    r"(?ix)
        (?: \b(?: listening | listens | running | serving | started | starting | bound | binding | available | ready )\b
            [^\n]{0,60}? (?: \b(?: on | at | port | port\(s\):? | ports? )\b | :// | \s : )
            [^\n]{0,40}? (?: :// [^\s/:]+ : | port(?:\(s\))? [:=]? \s* | : | \s | \[::\]: | \* )
            (\d{2,5}) \b
        | \bport \s* [=:] \s* (\d{2,5}) \b [^\n]* \b(?: listening | started ) \b )",
);

static ADDRESS: Pattern = Pattern::new(r"\b\d{1,3}(?:\.\d{1,3}){3}\b");

static TOOK: Pattern = Pattern::new(
    r"(?i)\b(?:started|startup|ready|initialized|booted)\b[^\n]{0,80}?\bin:? (\d+(?:\.\d+)?) ?(ms|milliseconds|s|sec|seconds)\b",
);

static STAMP: Pattern = Pattern::new(r"(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}:\d{2}:\d{2})");

static UP: Pattern = Pattern::new(
    r"(?i)\b(?:listening|ready to (?:accept|serve|handle)|started (?:server|application|\w+application)|server (?:is )?(?:started|running|up)|running on|accepting connections)\b",
);

/// Returns the ports that the container's log names, of the present run or the one before.
pub fn said(container: ContainerView<'_>) -> Option<Said> {
    let logs = container.logs()?;
    let both = [(logs.current.as_ref(), false), (logs.previous.as_ref(), true)];
    both.into_iter().find_map(|(log, previous)| said_in(log?, previous))
}

fn said_in(log: &LogDigest<'_>, previous: bool) -> Option<Said> {
    let mut found: Option<Said> = None;
    for (index, line) in log.text.lines().take(LINES).enumerate() {
        let Some(port) = port_in(line) else { continue };
        let found = found.get_or_insert_with(|| Said {
            ports: Vec::new(),
            line: line.trim().to_owned(),
            number: index + 1,
            previous,
        });
        if !found.ports.contains(&port) {
            found.ports.push(port);
        }
    }
    found
}

fn port_in(line: &str) -> Option<u16> {
    let lower = line.to_ascii_lowercase();
    if ["connecting", "connect to", "connected", "connection to", "fail", "error", "refused", "unable", "retry"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return None;
    }
    // The numbers of an address are no ports.
    let line = ADDRESS.replace_all(line, "host");
    let found = LISTENS.captures(&line)?;
    let digits = found.get(1).or_else(|| found.get(2))?;
    digits.as_str().parse().ok().filter(|port| *port >= 20)
}

impl Said {
    /// Returns whether it listens on the pod's own loopback only, where the kubelet does not reach it.
    pub fn is_loopback(&self) -> bool {
        let line = self.line.as_str();
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| line.contains(host)) && !line.contains("0.0.0.0")
    }
}

/// Returns how long the program took to come up, as its log tells: in words, or by the times of its lines.
pub fn start_up(container: ContainerView<'_>) -> Option<SignedDuration> {
    let logs = container.logs()?;
    let both = [logs.previous.as_ref(), logs.current.as_ref()];
    both.into_iter().flatten().find_map(|log| took_in_words(log).or_else(|| took_by_times(log)))
}

fn took_in_words(log: &LogDigest<'_>) -> Option<SignedDuration> {
    let found = log.text.lines().take(LINES).find_map(|line| TOOK.captures(line))?;
    let number: f64 = found.get(1)?.as_str().parse().ok()?;
    let millis = found.get(2)?.as_str().to_ascii_lowercase().starts_with('m');
    SignedDuration::try_from_secs_f64(if millis { number / 1000.0 } else { number }).ok()
}

/// Returns the time from the first line to the last one of the first hundreds that says that the program is up.
fn took_by_times(log: &LogDigest<'_>) -> Option<SignedDuration> {
    let lines = || log.text.lines().take(LINES);
    let first = lines().find_map(time_of)?;
    let up = lines().filter(|line| UP.is_match(line)).filter_map(time_of).last()?;
    let span = up.since((Unit::Second, first)).ok()?;
    SignedDuration::try_from_secs_f64(span.total(Unit::Second).ok()?).ok()
}

fn time_of(line: &str) -> Option<DateTime> {
    let found = STAMP.captures(line)?;
    format!("{}-{}-{}T{}", &found[1], &found[2], &found[3], &found[4]).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_what_servers_say() {
        for (line, port) in [
            ("Listening on :8080", 8080),
            (" * Running on http://0.0.0.0:5000", 5000),
            ("Tomcat started on port(s): 8081 (http) with context path ''", 8081),
            ("Tomcat started on port 8081 (http)", 8081),
            ("server started on port 3000", 3000),
            ("2026/01/01 12:00:00 INFO cart: listening on :8085", 8085),
            ("2026/01/01 12:00:00 Starting notify on :8080", 8080),
            ("Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)", 8000),
            ("[INFO] Listening at: http://0.0.0.0:8000 (1)", 8000),
            ("* Ready to accept connections on port 6379", 6379),
            ("Now listening on: http://[::]:7070", 7070),
            ("app listening at port=9000", 9000),
            ("INFO listening on 127.0.0.1:8080", 8080),
            ("listening on 10.0.0.12 port 9090", 9090),
        ] {
            assert_eq!(port_in(line), Some(port), "{line}");
        }
    }

    #[test]
    fn other_numbers_are_no_ports() {
        for line in [
            "started 12 workers",
            "connecting to db on port 5432",
            "failed to start on port 80",
            "started in 45 seconds",
            "listening on 127.0.0.1",
        ] {
            assert_eq!(port_in(line), None, "{line}");
        }
    }

    #[test]
    fn the_start_up_time_is_read_in_words_and_by_times() {
        let words = LogDigest::new("a\nStarted CartApplication in 45.3 seconds (process running for 46)\n");
        assert_eq!(took_in_words(&words).map(|took| took.as_secs()), Some(45));
        let times = LogDigest::new("2026/01/01 12:00:00 starting\n2026/01/01 12:00:30 listening on :80\n");
        assert_eq!(took_by_times(&times).map(|took| took.as_secs()), Some(30));
    }
}
