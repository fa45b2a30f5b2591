//! Secrets wherever somebody may write: none is left in a capture, a report, a log that is kept, or a prompt.

use std::io::Read as _;

use super::injection::snapshot;
use crate::analyse::analyse;
use crate::collect::capture;
use crate::model::Snapshot;
use crate::narrate::prompt::Detail;
use crate::narrate::{Facts, prompt};
use crate::policy::Policy;
use crate::redact::tests::corpus::{secrets, survives};
use crate::render::json;

fn captured(snapshot: &Snapshot) -> String {
    let bytes = capture::write(snapshot).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    text
}

/// Strings of JSON as they were before they were written into it.
fn unescaped(json: &str) -> String {
    json.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\")
}

#[test]
fn secrets_are_gone_from_captures_reports_logs_and_prompts() {
    let (mut all, mut left) = (0, Vec::new());
    for (index, (secret, text)) in secrets(6).into_iter().enumerate() {
        all += 1;
        let snapshot = snapshot(&text, "web", index % 2 == 0);
        let report = analyse(&snapshot, &Policy::default());
        let prompt = prompt::write(&Facts::new(&report, 0).unwrap(), Detail::Evidence);
        let told = prompt.messages().map(|(_, text)| text.to_owned()).join("\n");
        let logs = format!("{:?}", snapshot.logs);
        let report = String::from_utf8(json::render(&report).unwrap()).unwrap();
        for (place, text) in [("capture", captured(&snapshot)), ("report", report), ("log", logs), ("prompt", told)] {
            if survives(&secret, &text) || survives(&secret, &unescaped(&text)) {
                left.push(format!("{place}: {secret}"));
            }
        }
    }
    println!("{} of {all} secrets are gone from capture, report, logs and prompt", all - left.len());
    assert!(all >= 300);
    assert!(left.len() * 100 <= all, "{} of {all} are left:\n{}", left.len(), left.join("\n"));
}

#[test]
fn a_secret_that_is_no_secret_is_seen_in_all_of_them() {
    let snapshot = snapshot("a harmless remark", "web", true);
    let report = analyse(&snapshot, &Policy::default());
    assert!(survives("a harmless remark", &captured(&snapshot)));
    assert!(survives("a harmless remark", &format!("{:?}", snapshot.logs)));
    assert!(survives("cart-7d9f8c6b5", &String::from_utf8(json::render(&report).unwrap()).unwrap()));
}
