//! What to do about something that could not be read.

use super::{quote, safe};
use crate::model::{Gap, GapReason};

/// Returns the next step.
pub fn hint(gap: &Gap) -> String {
    let what = &gap.what;
    match gap.reason {
        GapReason::Forbidden if matches!(what.as_str(), "alerts" | "metrics") => {
            "kubectl auth can-i get services/proxy -A".to_owned()
        }
        GapReason::Forbidden => can_i(what, gap.namespace.as_deref()),
        GapReason::NotServed => format!("the server does not serve {what}"),
        GapReason::Throttled
        | GapReason::ServerError
        | GapReason::Timeout
        | GapReason::Unreachable
        | GapReason::Truncated => "run it again, perhaps with a longer --request-timeout".to_owned(),
        GapReason::Invalid => "the object has an unexpected shape; the rest was read".to_owned(),
        GapReason::NotRecorded => "the input does not hold it".to_owned(),
    }
}

fn can_i(what: &str, namespace: Option<&str>) -> String {
    let what = safe::line(what);
    let namespace = namespace.map(safe::line);
    let mut words = vec!["kubectl", "auth", "can-i", "list", &what];
    if let Some(namespace) = &namespace {
        words.extend(["-n", namespace]);
    }
    quote::command(&words)
}
