//! The logs of suspicious containers, several at once.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::fetch;
use super::suspicion::Suspect;
use crate::collect::client::{ApiClient, RequestError};
use crate::collect::intake::Intake;
use crate::model::{ContainerRef, Gap};

/// Lines from the end.
const TAIL: u32 = 1000;
/// Bytes at most.
const BYTES: u32 = 512 * 1024;
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
    let requests = runs.map(|(suspect, previous)| async move {
        let ContainerRef { namespace, pod, container } = &suspect.container;
        let log = client.log(namespace, pod, container, previous, TAIL, BYTES, false);
        let answer = timeout_at(deadline, log).await.unwrap_or(Err(RequestError::Timeout));
        Text { container: suspect.container.clone(), previous, sample: suspect.sample, answer }
    });
    // Collected first, as the compiler cannot see through a stream of borrowing closures.
    let requests: Vec<_> = requests.collect();
    futures::stream::iter(requests).buffered(at_once).collect().await
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
