//! What a log line says about refused clients.

use crate::scene::pattern::Pattern;

/// Returns whether a message says that a server refused a user or password.
pub fn is_refusal(message: &str) -> bool {
    static REFUSED: Pattern = Pattern::new(concat!(
        r"(?i)password authentication failed|access denied for user|WRONGPASS|NOAUTH |invalid username-password|invalid password|login failed for user",
        r"|ACCESS_REFUSED|authentication failed|SASL[^.]{0,40}fail|invalid credentials|bad auth|authentication error|ORA-01017|invalid api key"
    ));
    REFUSED.is_match(message)
}

/// Returns whether a message says that somebody's token or key was refused, in the words of HTTP or gRPC.
pub fn is_unauthorized(message: &str) -> bool {
    static REFUSED: Pattern = Pattern::new(concat!(
        r"(?i)\b401\b|\bunauthori[sz]ed\b|\bunauthenticated\b|(?:token|signature|api[ -]?key|secret) (?:is |was )?(?:invalid|wrong|expired|revoked|rejected|refused|mismatch)",
        r"|(?:invalid|wrong|expired|revoked|bad) (?:bearer |access |auth |refresh )?(?:token|signature|api[ -]?key)"
    ));
    REFUSED.is_match(message)
}

/// Returns whether a message is a server's answer to a statement that broke a rule of the data: its client's matter.
pub fn is_constraint(message: &str) -> bool {
    static BROKEN: Pattern = Pattern::new(
        r"(?i)duplicate (?:key|entry)|violates [a-z-]+(?: [a-z-]+)? constraint|could not serialize access",
    );
    BROKEN.is_match(message)
}

/// Returns whether a message says that a server asks for a password and was given none.
pub fn wants_password(message: &str) -> bool {
    static WANTED: Pattern =
        Pattern::new(r"(?i)NOAUTH |no password supplied|using password: no\b|command [a-z]+ requires authentication");
    WANTED.is_match(message)
}
