//! What a log line says about refused credentials.

use std::sync::LazyLock;

use regex::Regex;

/// Returns whether a message says that a server refused a user or password.
pub fn is_refusal(message: &str) -> bool {
    static REFUSED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)password authentication failed|access denied for user|WRONGPASS|NOAUTH |invalid username-password|invalid password|login failed for user",
            r"|ACCESS_REFUSED|authentication failed|SASL[^.]{0,40}fail|invalid credentials|bad auth|authentication error|ORA-01017|invalid api key"
        ))
        .expect("a constant pattern")
    });
    REFUSED.is_match(message)
}
