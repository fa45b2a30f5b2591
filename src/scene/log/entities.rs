//! Names in a log line: hosts, paths, variables, users, ports.

use crate::scene::pattern::{Match, Pattern};

/// Returns the absolute file path that a message speaks of: the quoted one, else the last.
pub fn path(message: &str) -> Option<&str> {
    static PATH: Pattern = Pattern::new(r#"(?:^|[\s'"`(\[=:,])(/[A-Za-z0-9_.@+-][A-Za-z0-9_.@+/-]*)"#);
    let paths = || PATH.captures_iter(message).filter_map(|found| found.get(1));
    let clean = |path: &'_ str| path.trim_end_matches(['.', ':', '-']).len();
    let quoted = paths().find(|path| {
        let before = message[..path.start()].chars().next_back();
        matches!(before, Some('\'' | '"' | '`'))
    });
    let path = quoted.or_else(|| paths().last())?.as_str();
    Some(&path[..clean(path)]).filter(|path| path.len() > 1)
}

/// Returns the port that a message about an address in use names: `bind 0.0.0.0:8080`, `port 8080`, `:::8080`.
pub fn port(message: &str) -> Option<u16> {
    static PORT: Pattern = Pattern::new(
        r#"(?i)port(?: number)?[ :=\[('"]*([0-9]{1,5})\b|(?:[0-9.*]|localhost|\]|:|\s|\()*:([0-9]{1,5})\b|\('[^']*', ([0-9]{1,5})\)"#,
    );
    let numbers = PORT.captures_iter(message).filter_map(|found| {
        found.get(1).or(found.get(2)).or(found.get(3)).and_then(|number| number.as_str().parse::<u16>().ok())
    });
    numbers.filter(|port| *port > 0).last()
}

/// Returns the user whom a server refused: `for user "app"`, `for user 'app'@'10.0.0.1'`, `role "app"`.
pub fn user(message: &str) -> Option<&str> {
    static USER: Pattern = Pattern::new(r#"(?i)(?:user|role|principal|username)[ :=]*["'`]([^"'`@ ]{1,64})["'`]"#);
    USER.captures(message)?.get(1).map(Match::as_str)
}

/// Returns the words that look like environment variables: `DB_HOST`; without an underscore only if `loose`.
pub fn variables(message: &str, loose: bool) -> Vec<&str> {
    let words = message.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    let shouted = |word: &&str| {
        word.len() >= 3
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && (loose || word.trim_matches('_').contains('_'))
    };
    let mut names: Vec<&str> = words.filter(shouted).filter(|word| !is_jargon(word)).collect();
    names.dedup();
    names
}

/// Shouted words that are levels, codes or protocols.
fn is_jargon(word: &str) -> bool {
    let known = [
        "ERROR",
        "FATAL",
        "WARN",
        "WARNING",
        "INFO",
        "DEBUG",
        "CRITICAL",
        "PANIC",
        "SEVERE",
        "NOT",
        "AND",
        "UTC",
        "GMT",
        "HTTP",
        "HTTPS",
        "URL",
        "URI",
        "API",
        "JSON",
        "YAML",
        "TLS",
        "SSL",
        "DNS",
        "TCP",
        "UDP",
        "ERR",
        "ENV",
        "GET",
        "POST",
        "SQL",
        "JVM",
        "ENOENT",
        "MISSING",
        "REQUIRED",
        "THE",
        "UNSET",
        "ERR_MODULE_NOT_FOUND",
        "MODULE_NOT_FOUND",
    ];
    known.contains(&word) || word.starts_with("ERR_")
}
