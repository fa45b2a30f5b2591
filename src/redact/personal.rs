//! E-mail and IP addresses: replaced only where the user asks for it, as a diagnosis may need them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What is replaced besides secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Personal {
    /// `jane@example.com`.
    pub emails: bool,
    /// `10.0.0.7` and `fd00::7`, but not networks, loopback, or "any address".
    pub addresses: bool,
}

/// One place of a text, and the word of its placeholder.
pub(super) type Found = (Range<usize>, &'static str);

impl Personal {
    /// Returns whether anything is to be replaced.
    pub(super) fn any(self) -> bool {
        self.emails || self.addresses
    }

    /// Finds what is to be replaced, in order and without overlap.
    pub(super) fn find(self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        if self.emails && text.contains('@') {
            found.extend(EMAIL.find_iter(text).map(|email| (email.range(), "email")));
        }
        if self.addresses {
            found.extend(V4.find_iter(text).filter(|v4| is_host(text, v4.range())).map(|v4| (v4.range(), "ip")));
            found.extend(V6.find_iter(text).filter(|v6| is_host(text, v6.range())).map(|v6| (v6.range(), "ip")));
        }
        found.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut end = 0;
        found.retain(|(span, _)| {
            span.start >= end && {
                end = span.end;
                true
            }
        });
        found
    }
}

/// Returns whether this is the address of one host: `10.0.0.0/24` is a network, and `1.2.3.4.5` no address.
fn is_host(text: &str, span: Range<usize>) -> bool {
    let (before, after) = (&text[..span.start], &text[span.end..]);
    let goes_on =
        after.strip_prefix(['.', '/']).is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
    let went_on = before.ends_with(|last: char| last.is_ascii_alphanumeric() || matches!(last, '.' | '-' | '_'));
    if goes_on || went_on {
        return false;
    }
    let has_digit = text[span.clone()].contains(|letter: char| letter.is_ascii_digit());
    match text[span].parse() {
        Ok(IpAddr::V4(v4)) => !(v4.is_loopback() || v4.is_unspecified() || v4 == Ipv4Addr::BROADCAST),
        // `a::b` is more likely the name of a type.
        Ok(IpAddr::V6(v6)) => has_digit && !(v6.is_loopback() || v6 == Ipv6Addr::UNSPECIFIED),
        Err(_) => false,
    }
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"[0-9A-Za-z][0-9A-Za-z._%+-]{0,63}@[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z-]{1,63})*\.[A-Za-z]{2,24}")
});
static V4: LazyLock<Regex> = LazyLock::new(|| regex(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"));
static V6: LazyLock<Regex> = LazyLock::new(|| regex(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern, compiled by the tests")
}

#[cfg(test)]
mod tests {
    use crate::redact::{Personal, Redactor};

    const ALL: Personal = Personal { emails: true, addresses: true };

    fn redacted(text: &str) -> String {
        Redactor::with(ALL).text(text).into_owned()
    }

    #[test]
    fn replaces_addresses_of_people_and_hosts_by_equal_placeholders() {
        let cases = [
            ("mail jane.doe+x@shop.example.com bounced", "mail <email:1> bounced"),
            (
                "dial tcp 10.0.0.7:5432: refused, then 10.0.0.7 again",
                "dial tcp <ip:1>:5432: refused, then <ip:1> again",
            ),
            ("client:10.0.0.7 and 10.0.0.8.", "client:<ip:1> and <ip:2>."),
            ("http://10.1.2.3/8", "http://10.1.2.3/8"),
            ("[fd00::12]:443 closed", "[<ip:1>]:443 closed"),
            ("from 2001:db8:0:0:0:0:0:1,", "from <ip:1>,"),
        ];
        for (text, wanted) in cases {
            assert_eq!(redacted(text), wanted);
        }
    }

    #[test]
    fn leaves_what_only_looks_alike() {
        for text in [
            "10.0.0.0/24",
            "127.0.0.1:8080 and 0.0.0.0:80 and [::]:80 and ::1",
            "12:30:45.123 at 2026-11-21T12:30:45Z",
            "version 1.2.3.4.5, v1.2.3.4, nginx-1.2.3.4",
            "std::string::size, a::b",
            "999.999.999.999",
            "shop/api@sha256:0123456789abcdef",
            "user@host",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn does_nothing_unless_asked() {
        let text = "jane@example.com from 10.0.0.7";
        assert_eq!(Redactor::new().text(text), text);
        assert_eq!(Redactor::with(Personal { emails: true, addresses: false }).text(text), "<email:1> from 10.0.0.7");
    }

    #[test]
    fn reaches_every_string_of_an_object_and_once() {
        let json =
            r#"{"metadata":{"name":"a","annotations":{"owner":"jane@example.com"}},"status":{"podIP":"10.0.0.7"}}"#;
        let mut object = serde_json::from_str(json).unwrap();
        let mut redactor = Redactor::with(ALL);
        redactor.object("Pod", &mut object);
        redactor.object("Pod", &mut object);
        let text = serde_json::to_string(&object).unwrap();
        assert!(text.contains("\"<email:1>\"") && text.contains("\"<ip:2>\""), "{text}");
        assert_eq!(redactor.count(), 2);
    }
}
