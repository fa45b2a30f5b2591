//! What the API server refused to create for a controller, in its own words.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef};
use crate::scene::scheduling::shortage::{self, Shortage};
use crate::scene::{EventView, Scene};

/// Which part of admission refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuser {
    /// A quota is used up.
    Quota,
    /// A quota bounds something that the pod does not state.
    QuotaUnstated,
    LimitRange,
    PodSecurity,
    /// A webhook said no.
    WebhookDenied,
    /// A webhook could not be asked.
    WebhookFailed,
    ServiceAccount,
    Other,
}

impl Refuser {
    /// Tells who speaks in a message.
    pub fn of(message: &str) -> Self {
        let has = |text: &str| message.contains(text);
        if has("exceeded quota: ") {
            Self::Quota
        } else if has("failed quota: ") {
            Self::QuotaUnstated
        } else if has("violates PodSecurity ") {
            Self::PodSecurity
        } else if has("admission webhook \"") && has("denied the request") {
            Self::WebhookDenied
        } else if has("failed calling webhook \"") {
            Self::WebhookFailed
        } else if has("error looking up service account ") {
            Self::ServiceAccount
        } else if ["maximum ", "minimum ", "max limit to request ratio "].iter().any(|word| has(word)) && has(" per ") {
            Self::LimitRange
        } else {
            Self::Other
        }
    }
}

/// The newest refusal that a controller met, while it still lacks what was refused.
#[derive(Clone, Debug)]
pub struct Refusal<'s> {
    /// What a person edits.
    pub workload: ObjectRef,
    /// Whose request was refused: a ReplicaSet, StatefulSet, DaemonSet, Job.
    pub controller: ObjectRef,
    /// Where the message stands in the controller.
    pub path: String,
    /// Without the words that the controller put in front.
    pub message: &'s str,
    pub refuser: Refuser,
    /// How many pods do not exist for it, at least one.
    pub missing: i32,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl Refusal<'_> {
    /// Adds the refusal's words and times, and whom it hits.
    #[must_use]
    pub fn support(&self, finding: Finding) -> Finding {
        let message = cut(self.message, 300);
        finding
            .because_at(self.controller.clone(), self.path.clone(), message, self.last)
            .seen(self.first, self.last)
            .affects(self.workload.clone())
    }
}

/// Cuts a text to a number of characters.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A controller tries again after twice the time each time, but of a burst of events only one in five minutes is kept.
const SPAM_FILTER: SignedDuration = SignedDuration::from_mins(6);

/// Returns whether it would have been repeated by now if it still were so.
fn is_stale(scene: &Scene<'_>, first: Option<Timestamp>, last: Option<Timestamp>) -> bool {
    let (Some(first), Some(last)) = (first, last) else { return false };
    let span = last.duration_since(first);
    scene.now().duration_since(last) > span.saturating_mul(2).saturating_add(SPAM_FILTER)
}

/// Returns the present refusals in order of their controllers; linear in the events.
///
/// A refusal is present while the controller lacks pods: events of a rollout's first second, after which everything was
/// created, are none.
pub fn all<'s>(scene: &'s Scene<'_>) -> Vec<Refusal<'s>> {
    let mut found: BTreeMap<ObjectRef, Refusal<'s>> = BTreeMap::new();
    for event in scene.events().iter().filter(|event| is_refusal(event) && scene.is_recent(event.last)) {
        let controller = event.object();
        if !scene.snapshot.scope.includes(controller.namespace()) {
            continue;
        }
        let path = format!("events[{}].message", event.reason);
        let message = bare(event.message);
        let earlier = found.get(&controller).filter(|earlier| earlier.refuser == Refuser::of(message));
        let first = earlier.map_or(event.first, |earlier| crate::model::finding::earliest(earlier.first, event.first));
        // An object's events come oldest first: the newest one speaks.
        if let Some(refusal) = refusal(scene, &controller, path, message, first, event.last) {
            found.insert(controller, refusal);
        }
    }
    found.retain(|_, refusal| !is_stale(scene, refusal.first, refusal.last));
    for refusal in conditions(scene) {
        found.entry(refusal.controller.clone()).or_insert(refusal);
    }
    let spoken: Vec<ObjectRef> = found
        .values()
        .filter(|refusal| !refusal.controller.is(Kind::Deployment))
        .map(|refusal| refusal.workload.clone())
        .collect();
    let repeated =
        |refusal: &Refusal<'_>| refusal.controller.is(Kind::Deployment) && spoken.contains(&refusal.controller);
    found.into_values().filter(|refusal| !repeated(refusal)).collect()
}

fn is_refusal(event: &EventView<'_>) -> bool {
    matches!(event.reason, "FailedCreate" | "ReplicaSetCreateError")
}

fn refusal<'s>(
    scene: &Scene<'_>,
    controller: &ObjectRef,
    path: String,
    message: &'s str,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
) -> Option<Refusal<'s>> {
    let missing = match shortage::of(scene, controller) {
        Shortage::None => return None,
        Shortage::Of(missing) => missing,
        Shortage::Unknown => 1,
    };
    let workload = shortage::workload_of(scene, controller);
    Some(Refusal {
        workload,
        controller: controller.clone(),
        path,
        message,
        refuser: Refuser::of(message),
        missing,
        first,
        last,
    })
}

/// Reads `ReplicaFailure`, which stays when events have expired. Its message is that of the first refusal.
fn conditions<'s>(scene: &'s Scene<'_>) -> Vec<Refusal<'s>> {
    let objects = &scene.snapshot.objects;
    let in_scope = |namespace: &str| scene.snapshot.scope.includes(namespace);
    let path = || "status.conditions[ReplicaFailure].message".to_owned();
    let mut found = Vec::new();
    for set in objects.replica_sets.iter().filter(|set| in_scope(set.object.namespace())) {
        let conditions = set.status.as_ref().and_then(|status| status.conditions.as_ref());
        let failure =
            conditions.into_iter().flatten().find(|one| one.type_ == "ReplicaFailure" && one.status == "True");
        let Some(message) = failure.and_then(|failure| failure.message.as_deref()) else { continue };
        let since = failure.and_then(|failure| failure.last_transition_time.as_ref()).map(|time| time.0);
        let controller = ObjectRef::new(Kind::ReplicaSet, set.object.namespace(), set.object.name());
        found.extend(refusal(scene, &controller, path(), bare(message), since, since));
    }
    for deployment in objects.deployments.iter().filter(|deployment| in_scope(deployment.object.namespace())) {
        let conditions = deployment.status.as_ref().and_then(|status| status.conditions.as_ref());
        let failure =
            conditions.into_iter().flatten().find(|one| one.type_ == "ReplicaFailure" && one.status == "True");
        let Some(message) = failure.and_then(|failure| failure.message.as_deref()) else { continue };
        let since = failure.and_then(|failure| failure.last_transition_time.as_ref()).map(|time| time.0);
        let controller = ObjectRef::new(Kind::Deployment, deployment.object.namespace(), deployment.object.name());
        found.extend(refusal(scene, &controller, path(), bare(message), since, since));
    }
    found
}

/// Strips what controllers put in front of the API server's words.
fn bare(message: &str) -> &str {
    let message = message.strip_prefix("(combined from similar events): ").unwrap_or(message);
    message.strip_prefix("Error creating: ").unwrap_or(message)
}

/// Returns the text between two marks.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after).map_or(rest, |(inside, _)| inside))
}
