//! Tells from a name whether its value is a secret, and from a value that it cannot be one.

/// How surely a name announces a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Smell {
    /// `DB_PASSWORD`: whatever stands there is secret, unless it is [`harmless`].
    Strong,
    /// `REDIS_AUTH`: secret when it also [`looks_random`].
    Weak,
}

#[rustfmt::skip]
const STRONG: &[&str] = &[
    "accesskey", "accountkey", "apikey", "bearer", "cred", "credential", "credentials", "creds", "jwt", "passcode",
    "passphrase", "passwords", "privatekey", "pwd", "secretkey", "secrets", "sharedkey", "signingkey", "tokens",
];

/// `PGPASSWORD`, `authtoken`: these tell at the end of a word, too.
#[rustfmt::skip]
const STRONG_ENDINGS: &[&str] = &[
    "password", "passwd", "secret", "token",
];

#[rustfmt::skip]
const WEAK_LAST: &[&str] = &[
    "auth", "authorization", "cookie", "pass", "pw", "sig", "signature",
];

/// What makes a key a secret: the word before `key`.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "access", "account", "api", "app", "auth", "client", "encryption", "license", "master", "private", "secret",
    "service", "shared", "signing", "ssh", "storage", "write",
];

/// A name that ends so is about a secret: where it lies, what it is called, how long it lives.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "algorithm", "audience", "backend", "bucket", "bytes", "class", "count", "dir", "directory", "enabled",
    "endpoint", "engine", "expiration", "expires", "expiry", "field", "file", "format", "header", "host", "hosts",
    "interval", "issuer", "keyname", "kind", "length", "limit", "location", "manager", "max", "method", "min",
    "minutes", "mode", "mount", "name", "namespace", "path", "paths", "policy", "port", "prefix", "provider",
    "rate", "ref", "region", "required", "seconds", "selector", "size", "store", "strategy", "timeout", "ttl",
    "type", "uri", "url", "urls", "user", "username", "version", "volume", "window",
];

/// Tells whether the name of a variable, flag, key or header announces a secret, judged by its words.
pub(super) fn smell(name: &str) -> Option<Smell> {
    // `checksum/secret` of a pod template must stay comparable, and is no secret.
    // What a placeholder is in was judged before.
    if !has_telling_part(name) || name.starts_with("checksum/") || name.contains("<secret:") {
        return None;
    }
    let (mut found, mut before, mut last) = (None, "", "");
    for word in words(name) {
        let is_key = is_word(word, "key") || is_word(word, "keys");
        if is_strong(word) || (is_key && is_one_of(before, KEYS)) {
            found = Some(Smell::Strong);
        }
        (before, last) = (word, word);
    }
    let smell = found.or_else(|| is_one_of(last, WEAK_LAST).then_some(Smell::Weak))?;
    (!is_one_of(last, ABOUT)).then_some(smell)
}

/// Tells cheaply that no name in the text can [`smell`], as in nearly all.
pub(super) fn has_telling_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let part_at = |at: usize| {
        let starts = |part: &[u8]| bytes.get(at..at + part.len()).is_some_and(|head| head.eq_ignore_ascii_case(part));
        match bytes[at].to_ascii_lowercase() {
            b'a' => starts(b"auth"),
            b'b' => starts(b"bearer") || starts(b"basic"),
            b'c' => starts(b"cred") || starts(b"cookie"),
            b'j' => starts(b"jwt"),
            b'k' => starts(b"key"),
            b'p' => starts(b"pass") || starts(b"pw"),
            b's' => starts(b"secret") || starts(b"sig"),
            b't' => starts(b"token"),
            _ => false,
        }
    };
    (0..bytes.len()).any(part_at)
}

/// Tells whether a field of a Kubernetes object is about a Secret by name, as `secret: db` of many custom resources.
pub(super) fn refers(name: &str, value: &str) -> bool {
    let last = words(name).last().unwrap_or_default();
    is_one_of(last, &["secret", "secrets", "credential", "credentials", "creds"])
        && !words(name).any(|word| is_word(word, "client"))
        && value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'/'))
}

/// Tells whether a value under a telling name is none of a secret: empty, a switch, a small number, a reference to a
/// variable or a file, a template, a mask, or a placeholder of an earlier redaction.
pub(super) fn harmless(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || is_placeholder(value)
        || is_small_number(value)
        || is_one_of(value, SWITCHES)
        || is_mask(value)
        || is_reference(value)
}

#[rustfmt::skip]
const SWITCHES: &[&str] = &[
    "disabled", "enabled", "false", "nil", "no", "none", "null", "off", "on", "optional", "redacted", "required",
    "true", "undefined", "unset", "yes",
];

/// Tells whether a value has the mix of letters and digits that words do not have.
pub(super) fn looks_random(value: &str) -> bool {
    value.len() >= 6
        && !value.contains("<secret:")
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Tells whether the text is exactly one placeholder, `<secret:12>`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let number = text.strip_prefix("<secret:").and_then(|rest| rest.strip_suffix('>'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_mask(value: &str) -> bool {
    value.len() >= 3 && value.bytes().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-'))
}

fn is_small_number(value: &str) -> bool {
    value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

fn is_reference(value: &str) -> bool {
    const BRACKETS: [(&str, &str); 7] =
        [("$(", ")"), ("${", "}"), ("{{", "}}"), ("<%", "%>"), ("%(", ")"), ("%{", "}"), ("<", ">")];
    const DIRECTORIES: [&str; 10] =
        ["/var/", "/etc/", "/run/", "/mnt/", "/opt/", "/home/", "/tmp/", "/usr/", "/vault/", "file:"];
    let in_brackets = |(open, close): &(&str, &str)| {
        let inner = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| !inner.contains(&open[..1]) && !inner.contains(close) && is_template(open, inner))
    };
    let variable = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    BRACKETS.iter().any(in_brackets)
        || value.strip_prefix('$').is_some_and(variable)
        || (DIRECTORIES.iter().any(|directory| value.starts_with(directory)) && !value.contains(char::is_whitespace))
}

/// `<password>` is a hint to the reader, `<h4x0r>` may be a password; `${DB:-hunter2}` holds a default.
fn is_template(open: &str, inner: &str) -> bool {
    match open {
        "<" => inner.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b' ')),
        "${" => !inner.contains([':', '-', '=']),
        _ => true,
    }
}

fn is_strong(word: &str) -> bool {
    let ends_with = |ending: &&str| {
        word.len() >= ending.len()
            && word.is_char_boundary(word.len() - ending.len())
            && word[word.len() - ending.len()..].eq_ignore_ascii_case(ending)
    };
    STRONG_ENDINGS.iter().any(ends_with) || is_one_of(word, STRONG)
}

fn is_word(word: &str, other: &str) -> bool {
    word.eq_ignore_ascii_case(other)
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|other| is_word(word, other))
}

/// Splits `dbPassword2`, `DB_PASSWORD`, `--db-password`, `APIKey` into words, without digits at their ends.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        if rest.is_empty() {
            return None;
        }
        let (word, tail) = rest.split_at(word_end(rest));
        rest = tail;
        Some(word.trim_end_matches(|c: char| c.is_ascii_digit()))
    })
}

fn word_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices().skip(1) {
        let before = bytes[at - 1];
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        let starts_word = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit() && next.is_ascii_lowercase()
                || before.is_ascii_uppercase() && next.is_ascii_lowercase());
        if !c.is_alphanumeric() || starts_word {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_secrets_smell() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "dbPassword",
            "PGPASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "db.passwd",
            "ADMIN_PWD",
            "API_KEY",
            "APIKey",
            "apiKey",
            "X-Api-Key",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "private-key",
            "GITHUB_TOKEN",
            "authToken",
            "oauth2Token",
            "PASSWORD1",
            "CLIENT_SECRET",
            "SECRET_KEY_BASE",
            "spring.datasource.password",
            "AccountKey",
            "--token",
            "credentials",
            "SharedAccessKey",
        ] {
            assert_eq!(smell(name), Some(Smell::Strong), "{name}");
        }
        for name in ["REDIS_AUTH", "DB_PASS", "Authorization", "sig"] {
            assert_eq!(smell(name), Some(Smell::Weak), "{name}");
        }
    }

    #[test]
    fn names_about_secrets_do_not_smell() {
        for name in [
            "TOKENIZER_PATH",
            "SECRET_NAME",
            "PASSWORD_FILE",
            "KEYBOARD",
            "AUTHOR",
            "MONKEY",
            "AUTH_URL",
            "secretName",
            "tokenExpirationSeconds",
            "SharedAccessKeyName",
            "AUTH_MODE",
            "PASS_THROUGH",
            "PUBLIC_KEY",
            "key",
            "KEYS",
            "PRIMARY_KEY",
            "COMPASS",
            "BYPASS",
            "passenger",
            "secretKeyRef",
            "TOKEN_TTL",
            "",
            "_",
            "é",
            "tokenizer",
        ] {
            assert_eq!(smell(name), None, "{name}");
        }
    }

    #[test]
    fn harmless_values_are_no_secrets() {
        for value in [
            "",
            " ",
            "true",
            "No",
            "8080",
            "0.5",
            "$(DB_PASSWORD)",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "{{ .Values.x }}",
            "<secret:1>",
            "****",
            "/var/run/secrets/token",
            "<your-password>",
            "null",
        ] {
            assert!(harmless(value), "{value}");
        }
        for value in
            ["hunter2", "12345678", "<secret:>", "<secret:1>x", "${DB:-hunter2}", "/9j4aa", "$2b$10$abc", "$ecret"]
        {
            assert!(!harmless(value), "{value}");
        }
    }

    #[test]
    fn references_are_told_from_secrets() {
        assert!(refers("secret", "db-credentials"));
        assert!(refers("pullSecret", "shop/regcred"));
        assert!(!refers("clientSecret", "abc"));
        assert!(!refers("secret", "Hunter2"));
        assert!(!refers("password", "abc"));
    }

    proptest! {
        #[test]
        fn any_name_is_judged(name in any::<String>()) {
            let _ = (smell(&name), harmless(&name), refers(&name, &name));
        }

        #[test]
        fn a_word_more_in_front_hides_no_password(word in "[A-Za-z]{1,8}") {
            prop_assert_eq!(smell(&format!("{word}_password")), Some(Smell::Strong));
        }
    }
}
