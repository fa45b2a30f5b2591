//! From the JSON of one object to its pruned form.
//!
//! `managedFields` are distilled or skipped while they are parsed, as they are up to half of the bytes, and
//! `last-applied-configuration` is dropped, as it repeats values, a Secret's too.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::json::{Json, Key, Map};
use crate::model::{Change, Kind};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object without what nobody reads.
#[derive(Debug)]
pub(super) struct Pruned<'j> {
    pub value: Json<'j>,
    pub changes: Vec<Change>,
}

/// Parses one object and prunes it on the way.
///
/// # Errors
/// When it is not a JSON object.
pub(super) fn prune(json: &str, kind: Option<Kind>) -> Result<Pruned<'_>, serde_json::Error> {
    let mut changes = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let top = Top { changes: keeps_changes(kind).then_some(&mut changes) };
    let mut value = Json::Object(top.deserialize(&mut deserializer)?);
    deserializer.end()?;
    if kind == Some(Kind::Secret) {
        strip_secret(&mut value, &changes);
    }
    Ok(Pruned { value, changes })
}

/// Puts the distilled changes back, so that a capture can be read again.
pub(super) fn with_changes<'j>(value: &Json<'j>, changes: &[Change]) -> Json<'j> {
    let mut value = value.clone();
    if !changes.is_empty()
        && let Some(Json::Object(metadata)) = value.as_object_mut().and_then(|object| object.get_mut("metadata"))
        && let Ok(changes) = serde_json::to_value(changes)
    {
        metadata.push("managedFields", changes.into());
    }
    value
}

/// Returns whether people write objects of this kind: of the others, only controllers' writes would be learnt.
fn keeps_changes(kind: Option<Kind>) -> bool {
    use Kind::{EndpointSlice, Endpoints, Event, Lease, Pod, ReplicaSet};
    !matches!(kind, Some(Pod | Event | EndpointSlice | Endpoints | Lease | ReplicaSet))
}

/// Replaces a Secret's values by its keys, wherever these are told.
fn strip_secret(value: &mut Json<'_>, changes: &[Change]) {
    let Some(object) = value.as_object_mut() else { return };
    let data = object.remove("data");
    let plain = object.remove("stringData");
    if object.get("keys").is_some() {
        return;
    }
    let mut keys = data.as_ref().and_then(keys_of);
    if let Some(more) = plain.as_ref().and_then(keys_of) {
        keys.get_or_insert_default().extend(more);
    }
    let tracked = || (!changes.is_empty()).then(|| changes.iter().flat_map(secret_keys).collect());
    if let Some(keys) = keys.or_else(tracked) {
        object.push("keys", Json::Array(keys.into_iter().map(Json::from).collect()));
    }
}

fn keys_of(value: &Json<'_>) -> Option<Vec<String>> {
    match value {
        Json::Object(map) => Some(map.0.iter().map(|(key, _)| key.clone().into_owned()).collect()),
        _ => None,
    }
}

fn secret_keys(change: &Change) -> Vec<String> {
    let key = |path: &String| {
        let rest = path.strip_prefix("data.").or_else(|| path.strip_prefix("stringData."))?;
        Some(rest.to_owned())
    };
    change.paths.iter().filter_map(key).collect()
}

/// The object itself.
struct Top<'c> {
    /// Where to put distilled changes; `None` skips them unparsed.
    changes: Option<&'c mut Vec<Change>>,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = Map<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Map<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a Kubernetes object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::default();
        while let Some(Key(key)) = access.next_key()? {
            let value = match &*key {
                "metadata" => access.next_value_seed(Metadata { changes: self.changes.as_deref_mut() })?,
                _ => access.next_value()?,
            };
            object.push(key, value);
        }
        Ok(object)
    }
}

/// The object's `metadata`.
struct Metadata<'c> {
    changes: Option<&'c mut Vec<Change>>,
}

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = Json<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the metadata of a Kubernetes object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut metadata = Map::default();
        while let Some(Key(key)) = access.next_key()? {
            if key == "managedFields" {
                match self.changes.as_deref_mut() {
                    Some(changes) => changes.extend(distil(&access.next_value()?)),
                    None => _ = access.next_value::<IgnoredAny>()?,
                }
                continue;
            }
            let mut value: Json<'_> = access.next_value()?;
            if key == "annotations"
                && let Some(annotations) = value.as_object_mut()
            {
                annotations.remove(LAST_APPLIED);
            }
            metadata.push(key, value);
        }
        Ok(Json::Object(metadata))
    }
}

fn distil(entries: &Value) -> Vec<Change> {
    Vec::<Value>::deserialize(entries).unwrap_or_default().iter().filter_map(Change::distil).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_keeps_its_keys_and_loses_its_values() {
        let json = r#"{"kind":"Secret","metadata":{"name":"db"},"data":{"password":"aHVudGVyMg=="}}"#;
        let pruned = prune(json, Some(Kind::Secret)).expect("valid");
        assert_eq!(pruned.value.get("keys"), Some(&serde_json::json!(["password"]).into()));
        assert!(!format!("{:?}", pruned.value).contains("aHVudGVyMg"));
    }

    #[test]
    fn the_keys_of_a_secret_are_known_from_its_metadata_alone() {
        let json = r#"{"metadata":{"name":"db","managedFields":[{"manager":"kubectl","operation":"Update",
            "fieldsV1":{"f:data":{".":{},"f:tls.crt":{}}}}]}}"#;
        let pruned = prune(json, Some(Kind::Secret)).expect("valid");
        assert_eq!(pruned.value.get("keys"), Some(&serde_json::json!(["tls.crt"]).into()));
    }

    #[test]
    fn managed_fields_and_the_last_applied_configuration_are_dropped() {
        let json = r#"{"metadata":{"name":"x","managedFields":[{"manager":"m","operation":"Update"}],
            "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","keep":"1"}}}"#;
        let pruned = prune(json, Some(Kind::Deployment)).expect("valid");
        let metadata = serde_json::to_value(pruned.value.get("metadata")).expect("JSON");
        assert_eq!(metadata, serde_json::json!({"name":"x","annotations":{"keep":"1"}}));
        assert_eq!(pruned.changes.len(), 1);
    }
}
