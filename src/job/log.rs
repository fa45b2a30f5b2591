//! Follows an agent's log to the end of its answer, over every break of the connection.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::frame::Reader;
use super::life::Sign;
use super::manifest::{CONTAINER, Settings};
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::model::Kind;

/// A log that says nothing for so long is looked after: half-open connections tell nothing of their end.
const SILENCE: Duration = Duration::from_secs(5);
/// Pause before the log is opened again.
const PAUSE: Duration = Duration::from_millis(200);
const GRACE: u64 = 15;

/// Reads until the answer is complete.
pub(super) async fn follow(
    client: &ApiClient,
    settings: &Settings,
    pod: &str,
    reader: &mut Reader,
) -> Result<(), Sign> {
    let last = Instant::now() + Duration::from_secs(settings.deadline + GRACE);
    while Instant::now() < last {
        reader.again();
        read(client, settings, pod, reader, true).await;
        if reader.is_complete() {
            return Ok(());
        }
        let state = container(client, settings, pod).await?;
        if let Some(end) = state.get("terminated") {
            // The last lines may have been written after the stream broke.
            reader.again();
            read(client, settings, pod, reader, false).await;
            return if reader.is_complete() { Ok(()) } else { Err(Sign(end_of(end))) };
        }
        sleep(PAUSE).await;
    }
    Err(Sign("it did not answer before its deadline".to_owned()))
}

/// Reads what there is, or what comes, until the stream ends or the answer is complete.
async fn read(client: &ApiClient, settings: &Settings, pod: &str, reader: &mut Reader, follow: bool) {
    let path = format!("{}/{pod}/log", Kind::Pod.path(Some(&settings.namespace)));
    let follow = if follow { "true" } else { "false" };
    let Ok(mut lines) = client.lines(&path, &[("container", CONTAINER), ("follow", follow)]).await else { return };
    while !reader.is_complete() {
        match timeout(SILENCE, lines.next()).await {
            Ok(Some(line)) => reader.line(&String::from_utf8_lossy(&line)),
            Ok(None) => return,
            Err(_) if has_ended(client, settings, pod).await => return,
            Err(_) => {}
        }
    }
}

async fn has_ended(client: &ApiClient, settings: &Settings, pod: &str) -> bool {
    container(client, settings, pod).await.is_ok_and(|state| state.get("terminated").is_some())
}

/// Returns the state of the agent's container; an unknown one while the server cannot be asked.
async fn container(client: &ApiClient, settings: &Settings, pod: &str) -> Result<Value, Sign> {
    let path = format!("{}/{pod}", Kind::Pod.path(Some(&settings.namespace)));
    match client.get_bytes(&path, &[], JSON).await {
        Ok(bytes) => {
            let pod: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            Ok(pod["status"]["containerStatuses"][0]["state"].clone())
        }
        Err(RequestError::NotFound { .. }) => Err(Sign("its pod is gone".to_owned())),
        Err(_) => Ok(Value::Null),
    }
}

fn end_of(terminated: &Value) -> String {
    let reason = terminated["reason"].as_str().unwrap_or("it ended");
    let message = terminated["message"].as_str().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{reason} with exit code {}{message}", terminated["exitCode"])
}
