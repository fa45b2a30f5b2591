//! What a log line says about a peer that could not be reached.

use crate::scene::pattern::{Match, Pattern};

/// Why a peer could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    Refused,
    TimedOut,
    NoRoute,
    Unresolved,
    Closed,
    Unavailable,
}

impl Why {
    /// Returns the words for a message.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::TimedOut => "the connection timed out",
            Self::NoRoute => "no route to host",
            Self::Unresolved => "the name does not resolve",
            Self::Closed => "the connection was closed",
            Self::Unavailable => "it does not answer",
        }
    }
}

/// A failure to reach something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'t> {
    pub why: Why,
    /// As written; `None` where the line does not say.
    pub host: Option<&'t str>,
    pub port: Option<u16>,
}

/// Reads a message; `None` if it speaks of no failed connection.
pub fn failure(message: &str) -> Option<Failure<'_>> {
    let why = why(message)?;
    let (host, port) = if why == Why::Unresolved { unresolved(message) } else { peer(message) };
    Some(Failure { why, host, port })
}

fn why(message: &str) -> Option<Why> {
    static UNRESOLVED: Pattern = Pattern::new(concat!(
        r"(?i)no such host|\bENOTFOUND|EAI_AGAIN|could(?: not|n't) resolve|cannot resolve|can't resolve|unknown ?host|name or service not known",
        r"|temporary failure in name resolution|name does not resolve|nodename nor servname|getaddrinfo|DNS resolution failed",
        r"|could not translate host name|failed to resolve|host not found in upstream|bad address|server misbehaving|failed to lookup address|name resolution"
    ));
    static REFUSED: Pattern =
        Pattern::new(r"(?i)connection refused|ECONNREFUSED|actively refused|connection failed: refused");
    static TIMED_OUT: Pattern = Pattern::new(concat!(
        r"(?i)i/o timeout|ETIMEDOUT|connect(?:ion|ing)?[^.]{0,40} time(?:d ?|-)?out|timed out[^.]{0,40}connect|connecttimeout|connect timeout",
        r"|timeout[^.]{0,30}connect|dial tcp[^.]*timeout|urlopen error timed out|connection attempt timed"
    ));
    static NO_ROUTE: Pattern =
        Pattern::new(r"(?i)no route to host|EHOSTUNREACH|ENETUNREACH|(?:network|host) is unreachable");
    static CLOSED: Pattern =
        Pattern::new(r"(?i)connection reset by peer|ECONNRESET|server closed the connection unexpectedly");
    static UNAVAILABLE: Pattern = Pattern::new(concat!(
        r"(?i)no response\b|no available connection|no reachable servers|(?:cannot|could not|unable to|failed to|can't|failed) (?:connect|reach|establish a connection)",
        r"|server selection timed? ?out|communications link failure|(?:connection|broker|server|database|host|node)[a-z() ]{0,20} (?:is |are )?(?:unavailable|not available|unreachable)",
        r"|connection to (?:the )?[a-z]+ (?:failed|lost)|[a-z]+ connection failed"
    ));
    let known = [
        (&UNRESOLVED, Why::Unresolved),
        (&REFUSED, Why::Refused),
        (&TIMED_OUT, Why::TimedOut),
        (&NO_ROUTE, Why::NoRoute),
        (&CLOSED, Why::Closed),
        (&UNAVAILABLE, Why::Unavailable),
    ];
    known.into_iter().find(|(pattern, _)| pattern.is_match(message)).map(|(_, why)| why)
}

/// Finds the name that did not resolve.
fn unresolved(message: &str) -> (Option<&str>, Option<u16>) {
    static LOOKUP: Pattern = Pattern::new(concat!(
        r"(?i)(?:lookup|ENOTFOUND|EAI_AGAIN|resolve host(?:name)?:?|translate host name|resolution failed for|resolve:?|UnknownHostException:|unknown host:?|bad address",
        r#"|in upstream|hostname|host=|host:?|nodename)\s*["'`]?([A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9])(?::([0-9]{1,5}))?"#
    ));
    let found = LOOKUP.captures_iter(message).find(|found| !is_word(&found[1]));
    match found {
        Some(found) => (found.get(1).map(Match::as_str), found.get(2).and_then(|port| port.as_str().parse().ok())),
        None => peer(message),
    }
}

/// Finds the peer: `dial tcp db:5432`, `at "db" (10.0.0.1), port 5432`, `http://db:80/`, `db:5432 - no response`.
fn peer(message: &str) -> (Option<&str>, Option<u16>) {
    static NAMED: Pattern = Pattern::new(
        r#"(?i)(?:at|host|host=|server on|server at|to)\s*["'`]([A-Za-z0-9][A-Za-z0-9._-]*)["'`](?:[^0-9]*\([0-9a-f.:]+\))?,?(?: (?:and accepting TCP/IP connections on )?port[= ]*["']?([0-9]{1,5}))?"#,
    );
    static HOST_FIELD: Pattern =
        Pattern::new(r#"(?i)host=['"]?([a-z0-9][a-z0-9._-]*)['"]?(?:,? port=['"]?([0-9]{1,5}))?"#);
    static PAIR: Pattern =
        Pattern::new(r"([A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]|[a-z]|\[[0-9a-f:]+\])(?:/[0-9.]+)?:([0-9]{2,5})\b");
    static URL: Pattern =
        Pattern::new(r"\b([a-z][a-z0-9+]*)://(?:[^@/\s]*@)?([A-Za-z0-9][A-Za-z0-9._-]*)(?::([0-9]{1,5}))?");
    let number = |found: Option<Match<'_>>| found.and_then(|port| port.as_str().parse().ok());
    // The last pair is the peer: `read tcp 10.0.0.1:3333->10.0.0.2:5432`.
    let pairs = PAIR.captures_iter(message).filter(|pair| is_peer(&pair[1]) && number(pair.get(2)).is_some());
    let pair = pairs.last().map_or((None, None), |pair| (pair.get(1).map(Match::as_str), number(pair.get(2))));
    let named = pair.0.is_some_and(|host| !is_ip(host));
    // A URL without a port beside a named peer is a link to some documentation.
    if let Some(url) = URL.captures(message).filter(|url| url.get(3).is_some() || !named) {
        return (
            url.get(2).map(Match::as_str),
            url.get(3).map_or_else(|| well_known(&url[1]), |port| port.as_str().parse().ok()),
        );
    }
    if let Some(found) = HOST_FIELD.captures(message).or_else(|| NAMED.captures(message)) {
        // The address that was dialled has the port: `host=db user=app: dial tcp 10.0.0.1:5432`.
        let dialled = pair.1.filter(|_| pair.0.is_some_and(is_ip));
        return (found.get(1).map(Match::as_str), number(found.get(2)).or(dialled));
    }
    pair
}

/// A file with a line number, or a time, is no peer.
fn is_peer(host: &str) -> bool {
    let file = [
        ".go", ".py", ".js", ".ts", ".java", ".rs", ".rb", ".cc", ".c", ".cpp", ".cs", ".php", ".mjs", ".kt", ".scala",
    ];
    let named = host.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_ip = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    (named || is_ip) && !file.iter().any(|end| host.ends_with(end)) && !is_word(host) && !is_time(host)
}

/// Returns whether a word begins as `2026-01-01T` does.
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() > 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes[0].is_ascii_digit()
}

/// Words that stand where a host may.
fn is_word(word: &str) -> bool {
    [
        "tcp", "udp", "host", "hostname", "name", "for", "on", "the", "address", "failed", "error", "port", "line",
        "not", "is", "code", "errno", "exec", "or", "to",
    ]
    .iter()
    .any(|known| word.eq_ignore_ascii_case(known))
}

/// Returns the port of a scheme.
fn well_known(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "postgres" | "postgresql" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mongodb" => Some(27017),
        "amqp" => Some(5672),
        _ => None,
    }
}

/// Returns whether a host means the pod itself.
pub fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "::1" | "[::1]")
}

/// Returns whether a host is an IP address.
pub fn is_ip(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}
