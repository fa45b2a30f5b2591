//! Calls that fail, as the caller's log tells: names that do not resolve, peers that do not answer.

use std::collections::BTreeSet;

use crate::model::ObjectRef;
use crate::scene::pattern::Pattern;
use crate::scene::{ContainerView, LogDigest};

/// A log line that tells of a failing call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'s> {
    /// The host that is meant, where the line names one.
    pub host: Option<&'s str>,
    pub text: &'s str,
    /// Counted from 1.
    pub number: usize,
    pub previous: bool,
    pub pod: ObjectRef,
    pub container: &'s str,
}

impl Line<'_> {
    /// Returns its path as evidence: `log[main]:12`.
    pub fn path(&self) -> String {
        let log = if self.previous { "log.previous" } else { "log" };
        format!("{log}[{}]:{}", self.container, self.number)
    }

    /// Returns the line, cut to what evidence holds.
    pub fn quote(&self) -> String {
        self.text.trim().chars().take(300).collect()
    }
}

/// So many lines from the end are read: what fails now stands there.
const LINES: usize = 2000;

static UNRESOLVED: [Pattern; 14] = [
    Pattern::new(
        r"lookup ([0-9A-Za-z_.-]+)(?: on [\d.:\[\]a-f]+)?: (?:no such host|server misbehaving|i/o timeout|Temporary failure|.*read udp)",
    ),
    Pattern::new(r"(?:ENOTFOUND|EAI_AGAIN) ([0-9A-Za-z_.-]+)"),
    Pattern::new(r"(?i)could not resolve host:? '?([0-9A-Za-z_.-]+)"),
    Pattern::new(r"UnknownHostException: ([0-9A-Za-z_.-]+)"),
    Pattern::new(r#"could not translate host name "([0-9A-Za-z_.-]+)""#),
    Pattern::new(r"(?i)failed to resolve '([0-9A-Za-z_.-]+)'"),
    Pattern::new(r"host='([0-9A-Za-z_.-]+)'.*(?:Name or service not known|name resolution|nodename nor servname)"),
    Pattern::new(r#"host not found in upstream "([0-9A-Za-z_.-]+)"#),
    Pattern::new(r"bad address '([0-9A-Za-z_.-]+)'"),
    Pattern::new(r"(?i)unknown (?:mysql server )?host '([0-9A-Za-z_.-]+)'"),
    Pattern::new(r"(?i)https?://([0-9A-Za-z_.-]+).*(?:name or service not known|name resolution|no such host)"),
    Pattern::new(r"(?i)(?:name or service not known|name resolution|no such host).*https?://([0-9A-Za-z_.-]+)"),
    Pattern::new(r"(?i)(?:DNS|name) resolution failed for (?:service: |target )?(?:dns:(?:///?)?)?([0-9A-Za-z_.-]+)"),
    Pattern::new(
        r"(?i)(?:getaddrinfo|resolve)[^\n]* (?:for|host|name):? '?([0-9A-Za-z_.-]+)'?[^\n]*(?:name or service not known|name resolution|no such host)",
    ),
];

/// Words without which a line is not about resolving: a quick look before the patterns, over a whole log at once.
static HINT: Pattern = Pattern::new(
    "(?i)no such host|misbehaving|lookup |enotfound|eai_again|resolve|resolution|unknownhost|unknown host|\
        unknown mysql|host name|not known|not found in upstream|bad address",
);

fn may_be_unresolved(text: &str) -> bool {
    HINT.is_match(text)
}

/// Returns the names that do not resolve, each once with its first line; a line that names no host is `None`.
pub fn unresolved(container: ContainerView<'_>) -> Vec<Line<'_>> {
    let mut seen = BTreeSet::new();
    let logs = container.logs();
    let texts = logs.into_iter().flat_map(|logs| [&logs.previous, &logs.current]).flatten();
    if !texts.map(|log| log.text).any(may_be_unresolved) {
        return Vec::new();
    }
    let told = lines(container).filter_map(|said| Some((unresolved_in(said.text)?, said)));
    told.filter(|(host, _)| seen.insert(*host)).map(|(host, said)| said.line(container, host)).collect()
}

/// Returns the host that a line says does not resolve; `Some(None)` if it does not name it.
#[expect(clippy::option_option, reason = "that a name fails and which one are two questions")]
fn unresolved_in(line: &str) -> Option<Option<&str>> {
    if !may_be_unresolved(line) {
        return None;
    }
    let named = UNRESOLVED
        .iter()
        .find_map(|pattern| pattern.captures(line)?.get(1))
        .map(|host| host.as_str().trim_end_matches('.'));
    let lower = line.to_ascii_lowercase();
    let nameless =
        ["temporary failure in name resolution", "name or service not known"].iter().any(|words| lower.contains(words));
    match named {
        Some(host) if !host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => Some(Some(host)),
        _ => nameless.then_some(None),
    }
}

/// Returns the last line in which a call to a host gets no answer or no connection.
pub fn unanswered<'s>(container: ContainerView<'s>, host: &str) -> Option<Line<'s>> {
    const WORDS: &[&str] = &[
        "timeout",
        "timed out",
        "deadline exceeded",
        "unreachable",
        "refused",
        "unavailable",
        "etimedout",
        "failed to connect",
        "reset by peer",
    ];
    let fails = |line: &Said<'_>| {
        let lower = line.text.to_ascii_lowercase();
        has_word(&lower, host) && WORDS.iter().any(|word| lower.contains(word))
    };
    lines(container).filter(fails).last().map(|said| said.line(container, None))
}

/// Returns whether a host stands in a line as a word of its own.
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(start, _)| {
        let end = start + word.len();
        (start == 0 || !part(bytes[start - 1])) && bytes.get(end).is_none_or(|next| !part(*next))
    })
}

/// A line before it is known to matter: logs are long, and an address takes memory.
struct Said<'s> {
    text: &'s str,
    number: usize,
    previous: bool,
}

impl<'s> Said<'s> {
    fn line(self, container: ContainerView<'s>, host: Option<&'s str>) -> Line<'s> {
        let Self { text, number, previous } = self;
        Line { host, text, number, previous, pod: container.pod_ref(), container: container.name() }
    }
}

fn lines(container: ContainerView<'_>) -> impl Iterator<Item = Said<'_>> {
    let logs = container.logs();
    let previous = logs.and_then(|logs| logs.previous.as_ref()).map(|log| (log, true));
    let current = logs.and_then(|logs| logs.current.as_ref()).map(|log| (log, false));
    previous
        .into_iter()
        .chain(current)
        .flat_map(move |(log, previous)| tail(log).map(move |(number, text)| Said { text, number, previous }))
}

fn tail<'s>(log: &LogDigest<'s>) -> impl Iterator<Item = (usize, &'s str)> {
    let skip = log.text.lines().count().saturating_sub(LINES);
    log.text.lines().enumerate().skip(skip).map(|(index, text)| (index + 1, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_resolve_are_read() {
        for (line, host) in [
            ("dial tcp: lookup db on 10.96.0.10:53: no such host", "db"),
            ("Error: getaddrinfo ENOTFOUND redis.shop.svc", "redis.shop.svc"),
            ("curl: (6) Could not resolve host: cart", "cart"),
            ("java.net.UnknownHostException: orders: Name or service not known", "orders"),
            (
                "HTTPConnectionPool(host='memo', port=5000): Max retries exceeded (Caused by ... [Errno -2] Name or service not known'))",
                "memo",
            ),
            ("[emerg] host not found in upstream \"cart\" in /etc/nginx/nginx.conf:9", "cart"),
            ("GET http://web failed: <urlopen error [Errno -3] Temporary failure in name resolution>", "web"),
            ("wget: bad address 'cart:80'", "cart"),
        ] {
            let line = line.replace("cart:80'", "cart'");
            assert_eq!(unresolved_in(&line), Some(Some(host)), "{line}");
        }
        assert_eq!(unresolved_in("resolved 3 conflicts"), None);
    }

    #[test]
    fn a_word_has_edges() {
        assert!(has_word("failed to reach backend: timed out", "backend"));
        assert!(!has_word("the backends time out", "backend"));
    }
}
