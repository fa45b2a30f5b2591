//! The logs of suspicious containers, several at once.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::fetch;
use super::suspicion::Suspect;
use crate::collect::client::{ApiClient, RequestError};
use crate::collect::intake::Intake;
use crate::model::{ContainerRef, Gap};

/// Lines from the end of each log: few logs are read to some depth, as trends show in long ones only.
const MIN_TAIL: usize = 1000;
const MAX_TAIL: usize = 12_000;
/// Lines of all logs together, as far as the least tail of each leaves that.
const ALL_LINES: usize = 60_000;
/// Bytes at most, a line.
const LINE_BYTES: u32 = 400;
/// How long the logs of a run may take altogether: where a node is gone, each of its logs would be waited for in turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// A log, or why there is none.
pub(super) struct Text {
    container: ContainerRef,
    previous: bool,
    sample: bool,
    answer: Result<String, RequestError>,
}

/// Reads the logs in the order of the suspects, so many at once.
pub(super) async fn fetch(client: &ApiClient, suspects: &[Suspect], at_once: usize) -> Vec<Text> {
    let deadline = Instant::now() + client.request_timeout().map_or(PATIENCE, |limit| (limit * 3).min(PATIENCE));
    let runs = suspects.iter().flat_map(|suspect| {
        let previous = suspect.previous.then_some((suspect, true));
        std::iter::once((suspect, false)).chain(previous)
    });
    let tail = tail(suspects);
    let requests = runs.map(|(suspect, previous)| async move {
        let ContainerRef { namespace, pod, container } = &suspect.container;
        let log = client.log(namespace, pod, container, previous, tail, tail * LINE_BYTES, false);
        let answer = timeout_at(deadline, log).await.unwrap_or(Err(RequestError::Timeout));
        Text { container: suspect.container.clone(), previous, sample: suspect.sample, answer }
    });
    // Collected first, as the compiler cannot see through a stream of borrowing closures.
    let requests: Vec<_> = requests.collect();
    futures::stream::iter(requests).buffered(at_once).collect().await
}

/// Returns how many lines of each log are read.
fn tail(suspects: &[Suspect]) -> u32 {
    let runs: usize = suspects.iter().map(|suspect| 1 + usize::from(suspect.previous)).sum();
    let lines = (ALL_LINES / runs.max(1)).clamp(MIN_TAIL, MAX_TAIL);
    u32::try_from(lines).unwrap_or(u32::MAX)
}

/// Adds logs to the snapshot; a missing one is a gap, unless it was of a run that the node forgot.
pub(super) fn take_in(intake: &mut Intake, texts: Vec<Text>) {
    for text in texts {
        match text.answer {
            Ok(log) => intake.log(text.container, &log, text.previous),
            Err(RequestError::NotFound { .. } | RequestError::Rejected { .. }) if text.previous => {}
            Err(RequestError::Rejected { .. }) => {}
            Err(_) if text.sample => {}
            Err(error) => {
                let name = format!("{}/{}", text.container.pod, text.container.container);
                let reason = fetch::reason(&error);
                intake.gap(Gap::other(
                    "pods/log",
                    Some(&text.container.namespace),
                    Some(&name),
                    reason,
                    &error.to_string(),
                ));
            }
        }
    }
}
