//! Finds what agents left behind, by label, and deletes it.

use jiff::Timestamp;
use serde_json::Value;

use super::manifest::OURS;
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::model::Kind;

/// What a Job owns, in case the Job went without it.
const OWNED: [Kind; 3] = [Kind::RoleBinding, Kind::Role, Kind::ServiceAccount];

/// An object that was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    pub kind: Kind,
    pub namespace: String,
    pub name: String,
}

/// Finds leftovers in a namespace, or in all: agents that have ended, with `even_running` the others too.
///
/// # Errors
/// When Jobs cannot be listed; of the other kinds, what may not be listed is skipped, as the Jobs own them.
pub async fn find(
    client: &ApiClient,
    namespace: Option<&str>,
    even_running: bool,
    now: Timestamp,
) -> Result<Vec<Leftover>, RequestError> {
    let mut owned = Vec::new();
    for kind in OWNED {
        owned.push((kind, list(client, kind, namespace).await.unwrap_or_default()));
    }
    // The Jobs last: what belongs to one that was just made is no orphan.
    let jobs = list(client, Kind::Job, namespace).await?;
    let mut found: Vec<Leftover> =
        jobs.iter().filter(|job| even_running || has_ended(job, now)).map(|job| leftover(Kind::Job, job)).collect();
    for (kind, objects) in owned {
        found.extend(objects.iter().filter(|object| is_orphan(object, &jobs)).map(|object| leftover(kind, object)));
    }
    Ok(found)
}

/// Deletes a leftover with all that it owns.
///
/// # Errors
/// When the server refuses.
pub async fn delete(client: &ApiClient, leftover: &Leftover) -> Result<(), RequestError> {
    client.delete(&format!("{}/{}", leftover.kind.path(Some(&leftover.namespace)), leftover.name)).await
}

async fn list(client: &ApiClient, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, RequestError> {
    let bytes = client.get_bytes(&kind.path(namespace), &[("labelSelector", OURS)], JSON).await?;
    let mut list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(match list["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    })
}

fn leftover(kind: Kind, object: &Value) -> Leftover {
    let word = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    Leftover { kind, namespace: word("namespace"), name: word("name") }
}

/// Returns whether a Job is finished, or past its deadline.
fn has_ended(job: &Value, now: Timestamp) -> bool {
    let mut conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    if conditions.any(|one| matches!(one["type"].as_str(), Some("Complete" | "Failed")) && one["status"] == "True") {
        return true;
    }
    let made = job["metadata"]["creationTimestamp"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let deadline = job["spec"]["activeDeadlineSeconds"].as_i64().unwrap_or_default();
    made.is_some_and(|made| now.as_second() - made.as_second() > deadline)
}

/// Returns whether the Job that owns an object is gone.
fn is_orphan(object: &Value, jobs: &[Value]) -> bool {
    let owner = &object["metadata"]["ownerReferences"][0]["uid"];
    !jobs.iter().any(|job| job["metadata"]["uid"] == *owner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_agent_that_runs_is_no_leftover() {
        let now: Timestamp = "2026-01-01T00:02:00Z".parse().unwrap();
        let mut job =
            json!({"metadata": {"creationTimestamp": "2026-01-01T00:01:00Z"}, "spec": {"activeDeadlineSeconds": 120}});
        assert!(!has_ended(&job, now));
        job["status"]["conditions"] = json!([{"type": "Complete", "status": "True"}]);
        assert!(has_ended(&job, now));
        job["status"] = json!({});
        assert!(has_ended(&job, "2026-01-01T00:03:01Z".parse().unwrap()));
    }

    #[test]
    fn what_is_owned_goes_with_its_job() {
        let jobs = [json!({"metadata": {"uid": "u-1"}})];
        let owned = |uid: &str| json!({"metadata": {"ownerReferences": [{"uid": uid}]}});
        assert!(!is_orphan(&owned("u-1"), &jobs));
        assert!(is_orphan(&owned("u-2"), &jobs) && is_orphan(&json!({"metadata": {}}), &jobs));
    }
}
