//! From an API server to a snapshot, in a bounded number of requests.
//!
//! A first phase lists each kind once, a second asks for what the first showed to be needed. The number of requests depends
//! on the kinds, not on the objects, save pages and the logs of suspicious containers.

mod amounts;
mod cgroups;
mod extras;
mod fetch;
mod logs;
mod monitoring;
mod namespace;
mod owners;
mod pod;
pub mod sampling;
mod suspicion;
mod usage;

use jiff::Timestamp;

pub use self::owners::plural;
use super::client::{ApiClient, JSON, Pages, RequestError};
use super::plan::Plan;
use crate::failure::Failure;
use crate::model::{Kind, Snapshot, Target, Type};

/// Reads what the plan says.
///
/// # Errors
/// When the server cannot be reached or refuses everything, or the namespace does not exist.
pub async fn collect(client: &ApiClient, plan: &Plan) -> Result<Snapshot, Failure> {
    let mut snapshot = match plan.scope.targets.as_slice() {
        [Target { kind: Type::Known(Kind::Pod), name, namespace: None }] => pod::collect(client, plan, name).await?,
        _ => namespace::collect(client, plan).await?,
    };
    snapshot.taken_at = moment(&snapshot);
    Ok(snapshot)
}

/// Starts the lists that examining a namespace starts with, for whoever wants to know what they cost by themselves.
pub fn first_lists(client: &ApiClient, namespace: &str) -> Vec<Pages> {
    namespace::lists(&[namespace.to_owned()]).iter().map(|list| list.download(client)).collect()
}

/// Returns the present moment; if the server's clock is ahead of ours, the newest that it told.
fn moment(snapshot: &Snapshot) -> Timestamp {
    let beats = snapshot.objects.events.iter().filter_map(|event| event.last_timestamp.as_ref());
    let newest = beats.map(|time| time.0).max();
    let leases = snapshot.objects.leases.iter().filter_map(|lease| lease.spec.as_ref()?.renew_time.as_ref());
    Timestamp::now()
        .max(newest.unwrap_or(Timestamp::MIN))
        .max(leases.map(|time| time.0).max().unwrap_or(Timestamp::MIN))
}

/// Asks for the server's version: the first request, which tells whether any other is worth sending.
///
/// # Errors
/// When the server does not answer.
pub async fn version(client: &ApiClient) -> Result<Option<String>, RequestError> {
    let bytes = client.get_bytes("/version", &[], JSON).await?;
    let version: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(version["gitVersion"].as_str().map(str::to_owned))
}
