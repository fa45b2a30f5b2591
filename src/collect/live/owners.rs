//! Custom owners: the objects above the workloads that say themselves how they are.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::fetch;
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::collect::intake::Intake;
use crate::model::store::HasMeta as _;
use crate::model::{Gap, Kind, ObjectRef, Snapshot};

/// At most so many custom owners are read.
const MAX_OWNERS: usize = 20;

/// An owner, or why it could not be read.
pub(super) type Answers = Vec<(ObjectRef, Result<bytes::Bytes, RequestError>)>;

/// Reads the custom objects that were asked about, and the custom owners of what is in scope.
///
/// Their plurals are guessed as Kubernetes' own libraries do (`UnsafeGuessKindToResource`), which saves a round trip of
/// discovery; an owner with an irregular plural becomes a gap.
pub(super) async fn fetch(client: &ApiClient, snapshot: &Snapshot) -> Answers {
    let named = named(snapshot);
    let is_new = |owner: &ObjectRef| named.iter().all(|(object, _)| object != owner);
    let guessed = custom_owners(snapshot).into_iter().filter(is_new).map(|owner| {
        let plural = plural(&owner.kind);
        let path = format!("/apis/{}/namespaces/{}/{plural}/{}", owner.api_version, owner.namespace(), owner.name);
        (owner, path)
    });
    let guessed: Vec<_> = guessed.collect();
    let requests = named.into_iter().chain(guessed).map(|(object, path)| async move {
        let answer = client.get_bytes(&path, &[], JSON).await;
        (object, answer)
    });
    futures::future::join_all(requests).await
}

/// Returns the custom objects that were asked about, with their paths.
fn named(snapshot: &Snapshot) -> Vec<(ObjectRef, String)> {
    let of_scope = snapshot.scope.namespaces.first().map_or("", String::as_str);
    let custom = snapshot.scope.targets.iter().filter(|target| target.kind.known().is_none());
    let addressed = custom.map(|target| {
        let namespace = target.namespace.as_deref().unwrap_or(of_scope);
        let path = format!("{}/{}", target.kind.path(Some(namespace)), target.name);
        (target.kind.object(namespace, &target.name), path)
    });
    addressed.collect()
}

/// Guesses a plural as Kubernetes' own libraries do.
pub fn plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    if singular.ends_with('s') {
        return format!("{singular}es");
    }
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    }
}

/// Adds the owners to the snapshot.
pub(super) fn take_in(intake: &mut Intake, answers: Answers) {
    for (owner, answer) in answers {
        match answer {
            Ok(bytes) => intake.any_objects([String::from_utf8_lossy(&bytes).as_ref()]),
            Err(RequestError::NotFound { .. }) => {}
            Err(error) => {
                let what = owner.kind.to_lowercase();
                let gap = Gap::other(
                    &what,
                    owner.namespace.as_deref(),
                    Some(&owner.name),
                    fetch::reason(&error),
                    &error.to_string(),
                );
                intake.gap(gap);
            }
        }
    }
}

/// Returns the owners that are of no built-in kind, sorted.
fn custom_owners(snapshot: &Snapshot) -> Vec<ObjectRef> {
    let objects = &snapshot.objects;
    let metas = objects
        .deployments
        .iter()
        .map(|item| item.object.meta())
        .chain(objects.stateful_sets.iter().map(|item| item.object.meta()))
        .chain(objects.daemon_sets.iter().map(|item| item.object.meta()))
        .chain(objects.replica_sets.iter().map(|item| item.object.meta()))
        .chain(objects.jobs.iter().map(|item| item.object.meta()))
        .chain(objects.claims.iter().map(|item| item.object.meta()))
        .chain(objects.pods.iter().map(|item| item.object.meta()));
    let owners: BTreeSet<ObjectRef> = metas.flat_map(owners_of).collect();
    owners.into_iter().take(MAX_OWNERS).collect()
}

fn owners_of(meta: &ObjectMeta) -> impl Iterator<Item = ObjectRef> {
    let custom = meta
        .owner_references
        .iter()
        .flatten()
        .filter(|owner| Kind::find(&owner.api_version, &owner.kind).is_none() && owner.api_version.contains('/'));
    custom.map(|owner| crate::scene::pods::owners::reference(owner, meta.namespace.as_deref().unwrap_or_default()))
}
