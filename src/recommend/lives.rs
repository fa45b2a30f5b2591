//! How long a container lived under the limits of earlier revisions, whose pods are gone: their events tell for an hour.

use jiff::{SignedDuration, Timestamp};

use crate::quantity::Quantity;
use crate::recommend::facts::Life;
use crate::scene::pods::limit_history;
use crate::scene::{ContainerView, EventView};

/// What the kubelet waits before the second restart; it doubles from one to the next, up to the most.
const BACK_OFF_SECONDS: i64 = 10;
const MOST_BACK_OFF_SECONDS: i64 = 300;

/// Returns the lives under earlier limits, in the order of the revisions.
pub fn earlier(container: ContainerView<'_>) -> Vec<Life> {
    let revisions = limit_history::earlier(container);
    let lives = revisions.iter().flat_map(|revision| {
        let limit: Option<Quantity> = revision.value.parse().ok();
        let seconds = started(container, &revision.object.name).filter_map(life);
        seconds.filter_map(move |seconds| Some(Life { limit: limit?, seconds }))
    });
    lives.collect()
}

/// Returns the longest that it can have lived under the limit before the present one.
pub fn longest(container: ContainerView<'_>, replaced: Timestamp) -> Option<SignedDuration> {
    let revision = limit_history::earlier(container).pop()?;
    let told = started(container, &revision.object.name).filter_map(|event| {
        let lives = i64::from(event.count);
        let until = if lives > 1 { event.last? } else { replaced };
        Some(until.duration_since(event.first?) / i32::try_from((lives - 1).max(1)).ok()?)
    });
    told.max().or_else(|| {
        let sets = &container.pod.scene.snapshot.objects.replica_sets;
        let made = sets.get(container.pod.namespace(), &revision.object.name)?.metadata.creation_timestamp.as_ref()?.0;
        Some(replaced.duration_since(made))
    })
}

/// Iterates over the events with which the pods of a ReplicaSet started the container.
fn started<'s>(container: ContainerView<'s>, set: &str) -> impl Iterator<Item = &'s EventView<'s>> {
    let field = format!("{{{}}}", container.name());
    let prefix = format!("{set}-");
    let namespace = container.pod.namespace();
    container.pod.scene.events().iter().filter(move |event| {
        let about = &event.event.involved_object;
        let of_set = about.name.as_deref().and_then(|name| name.strip_prefix(&prefix));
        event.reason == "Started"
            && of_set.is_some_and(|rest| !rest.contains('-'))
            && about.kind.as_deref() == Some("Pod")
            && about.namespace.as_deref() == Some(namespace)
            && about.field_path.as_deref().is_some_and(|path| path.ends_with(&field))
    })
}

/// Returns the mean of the lives between the first start and the last.
fn life(event: &EventView<'_>) -> Option<f64> {
    let lives = i64::from(event.count) - 1;
    let span = event.last?.duration_since(event.first?).as_secs();
    let waited: i64 = (0..lives - 1).map(back_off).fold(0, i64::saturating_add);
    #[expect(clippy::cast_precision_loss, reason = "some seconds")]
    let seconds = (lives > 0 && span > waited).then(|| (span - waited) as f64 / lives as f64);
    seconds
}

fn back_off(restart: i64) -> i64 {
    (0..restart).fold(BACK_OFF_SECONDS, |wait, _| (wait * 2).min(MOST_BACK_OFF_SECONDS)).min(MOST_BACK_OFF_SECONDS)
}
