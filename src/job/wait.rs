//! Waits until an agent's container runs, and notices when it will not.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval_at, sleep};

use super::life::{Sign, Step, Tell};
use super::manifest::Settings;
use crate::collect::client::{ApiClient, JSON, Lines, RequestError};
use crate::model::Kind;

/// How often the Job and the events are looked at while no container runs.
const LOOK: Duration = Duration::from_secs(1);
/// How long a sign of trouble may last before it counts: a pull may go better the second time.
const PASSING: Duration = Duration::from_secs(2);
/// How much longer than its deadline a Job is waited for.
const GRACE: u64 = 15;

/// Waits for the pod and returns its name.
pub(super) async fn start(client: &ApiClient, settings: &Settings, tell: Tell<'_>) -> Result<String, Sign> {
    let last = Instant::now() + Duration::from_secs(settings.deadline + GRACE);
    let mut watch = open(client, settings).await;
    let mut ticks = interval_at(tokio::time::Instant::now() + LOOK, LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pod = Value::Null;
    let mut since: Option<Instant> = None;
    while Instant::now() < last {
        let mut seen = tokio::select! {
            event = next(&mut watch) => {
                if let Some(event) = event {
                    let is_gone = event["type"] == "DELETED";
                    pod = event["object"].clone();
                    if is_gone { Seen::Stopped("its pod was deleted".to_owned()) } else { of_pod(&pod) }
                } else {
                    sleep(Duration::from_millis(300)).await;
                    watch = open(client, settings).await;
                    continue;
                }
            }
            _ = ticks.tick() => look(client, settings, &pod).await,
        };
        if matches!(seen, Seen::Nothing) {
            seen = of_pod(&pod);
        }
        match seen {
            Seen::Runs => return Ok(name_of(&pod)),
            Seen::Stopped(why) => return Err(Sign(why)),
            Seen::Stuck(why) => {
                tell(Step::Says(&format!("waiting: {why}")));
                if since.get_or_insert_with(Instant::now).elapsed() >= PASSING {
                    return Err(Sign(why));
                }
            }
            Seen::Nothing => since = None,
        }
    }
    Err(Sign("it did not start before its deadline".to_owned()))
}

/// What is to be seen of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// It runs, or has run: there is a log.
    Runs,
    /// It cannot start as things are.
    Stuck(String),
    /// It never will.
    Stopped(String),
}

async fn open(client: &ApiClient, settings: &Settings) -> Option<Lines> {
    let selector = format!("batch.kubernetes.io/job-name={}", settings.name);
    let query = [("labelSelector", selector.as_str()), ("watch", "1"), ("timeoutSeconds", "300")];
    client.lines(&Kind::Pod.path(Some(&settings.namespace)), &query).await.ok()
}

/// Returns the next event of a watch; `None` when it has to be opened again.
async fn next(watch: &mut Option<Lines>) -> Option<Value> {
    let line = watch.as_mut()?.next().await?;
    let event: Value = serde_json::from_slice(&line).ok()?;
    (event["object"]["kind"] == "Pod").then_some(event)
}

pub(super) fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

fn of_pod(pod: &Value) -> Seen {
    let status = &pod["status"];
    let state = &status["containerStatuses"][0]["state"];
    if state.get("running").is_some() || state.get("terminated").is_some() {
        return Seen::Runs;
    }
    if status["phase"] == "Failed" {
        let why =
            [&status["message"], &status["reason"]].into_iter().find_map(Value::as_str).unwrap_or("its pod failed");
        return Seen::Stopped(why.to_owned());
    }
    if let Some(reason) = state["waiting"]["reason"].as_str()
        && !matches!(reason, "ContainerCreating" | "PodInitializing")
    {
        return Seen::Stuck(with_message(reason, &state["waiting"]["message"]));
    }
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut refused = conditions.filter(|one| one["type"] == "PodScheduled" && one["status"] == "False");
    match refused.next() {
        Some(condition) => Seen::Stuck(with_message("it has no node", &condition["message"])),
        None => Seen::Nothing,
    }
}

fn with_message(word: &str, message: &Value) -> String {
    match message.as_str() {
        Some(message) if !message.is_empty() => format!("{word}: {message}"),
        _ => word.to_owned(),
    }
}

/// Looks at what the pod does not tell: the Job's end, and the events of both.
async fn look(client: &ApiClient, settings: &Settings, pod: &Value) -> Seen {
    let namespace = Some(settings.namespace.as_str());
    let job = client.get_bytes(&format!("{}/{}", Kind::Job.path(namespace), settings.name), &[], JSON).await;
    match job {
        Ok(bytes) => {
            let job = serde_json::from_slice(&bytes).unwrap_or_default();
            if let Some(why) = end_of(&job) {
                return Seen::Stopped(why);
            }
        }
        Err(RequestError::NotFound { .. }) => return Seen::Stopped("its job is gone".to_owned()),
        // Whatever hinders us says nothing of the agent.
        Err(_) => return Seen::Nothing,
    }
    let name = if pod.is_null() { settings.name.clone() } else { name_of(pod) };
    let about = format!("involvedObject.name={name}");
    let events = client.get_bytes(&Kind::Event.path(namespace), &[("fieldSelector", &about)], JSON).await;
    let events: Value = events.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    last_warning(&events).map_or(Seen::Nothing, Seen::Stuck)
}

/// Returns why a Job failed, if it did.
fn end_of(job: &Value) -> Option<String> {
    if job["metadata"].get("deletionTimestamp").is_some() {
        return Some("its job is being deleted".to_owned());
    }
    let mut conditions = job["status"]["conditions"].as_array()?.iter();
    let failed = conditions.find(|one| one["type"] == "Failed" && one["status"] == "True")?;
    Some(with_message(failed["reason"].as_str().unwrap_or("it failed"), &failed["message"]))
}

/// Returns the newest event if it is a warning: one that something else followed has passed.
fn last_warning(events: &Value) -> Option<String> {
    let time = |event: &Value| {
        let times = [&event["lastTimestamp"], &event["series"]["lastObservedTime"], &event["eventTime"]];
        let time = times.into_iter().find_map(Value::as_str).unwrap_or_default();
        // To the second, as some are no finer; the list is in the order in which they were made.
        time.get(..19).unwrap_or_default().to_owned()
    };
    let newest = events["items"].as_array()?.iter().max_by_key(|event| time(event))?;
    (newest["type"] == "Warning").then_some(())?;
    Some(with_message(newest["reason"].as_str().unwrap_or("a warning"), &newest["message"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waiting(reason: &str) -> Value {
        json!({"status": {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": "why"}}}]}})
    }

    #[test]
    fn a_pod_that_is_young_is_no_trouble() {
        assert_eq!(of_pod(&Value::Null), Seen::Nothing);
        assert_eq!(of_pod(&waiting("ContainerCreating")), Seen::Nothing);
        let running = json!({"status": {"containerStatuses": [{"state": {"running": {}}}]}});
        assert_eq!(of_pod(&running), Seen::Runs);
    }

    #[test]
    fn a_pod_that_cannot_start_says_why() {
        assert_eq!(of_pod(&waiting("ErrImagePull")), Seen::Stuck("ErrImagePull: why".to_owned()));
        let nowhere =
            json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]}});
        assert_eq!(of_pod(&nowhere), Seen::Stuck("it has no node: 0/1 nodes".to_owned()));
        let evicted = json!({"status": {"phase": "Failed", "reason": "Evicted"}});
        assert_eq!(of_pod(&evicted), Seen::Stopped("Evicted".to_owned()));
    }

    #[test]
    fn a_job_that_failed_says_why() {
        let late =
            json!({"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}});
        assert_eq!(end_of(&late), Some("DeadlineExceeded".to_owned()));
        assert_eq!(end_of(&json!({"status": {}})), None);
    }

    #[test]
    fn the_newest_warning_counts() {
        let events = json!({"items": [
            {"type": "Warning", "reason": "FailedCreate", "message": "old", "lastTimestamp": "2026-01-01T00:00:00Z"},
            {"type": "Warning", "reason": "FailedCreate", "message": "new", "lastTimestamp": null, "eventTime": "2026-01-01T00:00:09.12Z"},
        ]});
        assert_eq!(last_warning(&events), Some("FailedCreate: new".to_owned()));
        let passed = json!({"items": [
            {"type": "Warning", "reason": "FailedMount", "lastTimestamp": "2026-01-01T00:00:01Z"},
            {"type": "Normal", "reason": "Pulling", "lastTimestamp": "2026-01-01T00:00:01Z"},
        ]});
        assert_eq!(last_warning(&passed), None);
        assert_eq!(last_warning(&json!({"items": []})), None);
    }
}
