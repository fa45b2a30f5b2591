//! What to do about something that could not be read.

use crate::model::{Gap, GapReason};

/// Returns the next step.
pub fn hint(gap: &Gap) -> String {
    let what = &gap.what;
    match gap.reason {
        GapReason::Forbidden => match &gap.namespace {
            Some(namespace) => format!("kubectl auth can-i list {what} -n {namespace}"),
            None => format!("kubectl auth can-i list {what}"),
        },
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
