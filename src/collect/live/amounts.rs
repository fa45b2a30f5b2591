//! What only questions of amounts need: earlier templates and autoscalers' advice.

use bytes::Bytes;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use serde_json::Value;
use serde_json::value::RawValue;

use super::fetch;
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::collect::intake::Intake;
use crate::collect::plan::Plan;
use crate::model::store::HasMeta as _;
use crate::model::{Gap, Snapshot};
use crate::scene::pods::owners;

/// Lists of what is in no table of kinds, as (plural, namespace, answer).
pub(super) type Answers = Vec<(&'static str, String, Result<Bytes, RequestError>)>;

const AUTOSCALERS: (&str, &str) = ("/apis/autoscaling.k8s.io/v1", "verticalpodautoscalers");
/// The earlier templates of StatefulSets and DaemonSets.
const REVISIONS: (&str, &str) = ("/apis/apps/v1", "controllerrevisions");

/// Reads them where amounts are asked about, or a container was killed for want of memory.
pub(super) async fn fetch(client: &ApiClient, plan: &Plan, snapshot: &Snapshot) -> Answers {
    let killed = snapshot.objects.pods.iter().filter(|pod| ran_out_of_memory(&pod.object));
    let has_revisions = |pod: &Pod| {
        owners::controller(pod.meta()).is_some_and(|owner| matches!(owner.kind.as_str(), "StatefulSet" | "DaemonSet"))
    };
    let (any, revised) = killed.fold((false, false), |(_, revised), pod| (true, revised || has_revisions(&pod.object)));
    let mut kinds = Vec::new();
    if plan.is_about_amounts() || any {
        kinds.push(AUTOSCALERS);
    }
    if revised {
        kinds.push(REVISIONS);
    }
    let places: Vec<Option<&str>> = match plan.scope.namespaces.as_slice() {
        [] => vec![None],
        names => names.iter().map(|name| Some(name.as_str())).collect(),
    };
    let requests = kinds.into_iter().flat_map(|kind| places.iter().map(move |place| (kind, *place)));
    let requests = requests.map(|((root, plural), place)| async move {
        let path = match place {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{plural}"),
        };
        let answer = client.get_bytes(&path, &[], JSON).await;
        (plural, place.unwrap_or_default().to_owned(), answer)
    });
    futures::future::join_all(requests).await
}

/// Returns whether a container of a pod was killed for want of memory.
pub(super) fn ran_out_of_memory(pod: &Pod) -> bool {
    kills(pod).next().is_some()
}

/// Iterates over the containers of a pod whose last run was killed for want of memory.
pub(super) fn kills(pod: &Pod) -> impl Iterator<Item = (&str, &ContainerStateTerminated)> {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    statuses.filter_map(|status| {
        let ends = [&status.state, &status.last_state].into_iter().flatten();
        let mut killed = ends.filter_map(|state| state.terminated.as_ref());
        Some((status.name.as_str(), killed.find(|end| end.reason.as_deref() == Some("OOMKilled"))?))
    })
}

/// A list whose items do not say what they are.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListOf<'a> {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

/// Adds them to the snapshot. A server that does not serve them has none; as who may not read them is not told whether it
/// does, that is a gap only where they were asked about.
pub(super) fn take_in(intake: &mut Intake, plan: &Plan, answers: Answers) {
    for (plural, namespace, answer) in answers {
        let place = Some(namespace.as_str()).filter(|name| !name.is_empty());
        match answer {
            Ok(bytes) => add(intake, plural, &bytes),
            Err(RequestError::NotServed | RequestError::NotFound { .. }) => {}
            Err(RequestError::Forbidden { .. }) if !plan.is_about_amounts() => {}
            Err(error) => intake.gap(Gap::other(plural, place, None, fetch::reason(&error), &error.to_string())),
        }
    }
}

fn add(intake: &mut Intake, plural: &str, bytes: &[u8]) {
    let Ok(list) = serde_json::from_slice::<ListOf<'_>>(bytes) else { return };
    let kind = list.kind.trim_end_matches("List");
    let items: Vec<String> = list
        .items
        .iter()
        .filter_map(|item| {
            let mut item: Value = serde_json::from_str(item.get()).ok()?;
            if plural == REVISIONS.1 {
                item = slim(&item)?;
            }
            let fields = item.as_object_mut()?;
            fields.insert("apiVersion".to_owned(), list.api_version.clone().into());
            fields.insert("kind".to_owned(), kind.into());
            Some(item.to_string())
        })
        .collect();
    intake.any_objects(items.iter().map(String::as_str));
}

/// Keeps the amounts of an earlier template and nothing else: the rest of it, environment too, is read by nobody.
fn slim(revision: &Value) -> Option<Value> {
    let spec = &revision["data"]["spec"]["template"]["spec"];
    let containers: Vec<Value> = spec["containers"]
        .as_array()?
        .iter()
        .map(|container| serde_json::json!({"name": container["name"], "resources": container["resources"]}))
        .collect();
    Some(serde_json::json!({
        "metadata": revision["metadata"],
        "revision": revision["revision"],
        "data": {"spec": {"template": {"spec": {"containers": containers}}}},
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn of_a_revision_only_the_amounts_are_kept() {
        let container =
            json!({"name": "main", "env": [{"name": "A", "value": "b"}], "resources": {"limits": {"memory": "64Mi"}}});
        let revision = json!({"metadata": {"name": "db-1"}, "revision": 3, "data": {"spec": {"template": {"spec": {"containers": [container]}}}}});
        let slim = super::slim(&revision).unwrap();
        assert_eq!(slim["revision"], 3);
        let kept = &slim["data"]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(*kept, json!({"name": "main", "resources": {"limits": {"memory": "64Mi"}}}));
    }
}
