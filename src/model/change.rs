//! Who changed what and when: `managedFields`, distilled.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One manager's last write to an object, as server-side apply tracks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The program: `kubectl-edit`, `helm`, `kube-controller-manager`.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<String>,
    /// Leaf paths that the manager owns: `spec.template.spec.containers[main].image`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// Paths kept of one manager; objects with more fields than that are not read path by path.
const MAX_PATHS: usize = 256;

impl Change {
    /// Distils one entry of `metadata.managedFields`, raw or already distilled.
    pub fn distil(entry: &Value) -> Option<Self> {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut paths = Vec::new();
        if let Some(fields) = entry.get("fieldsV1") {
            walk(fields, &mut String::new(), &mut paths);
        } else if let Some(distilled) = entry.get("paths").and_then(Value::as_array) {
            paths.extend(distilled.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        Some(Self {
            manager: text("manager")?,
            operation: text("operation").unwrap_or_default(),
            time: text("time").and_then(|time| time.parse().ok()),
            subresource: text("subresource").filter(|name| !name.is_empty()),
            paths,
        })
    }
}

/// Collects the leaves of a `FieldsV1` tree: `f:` is a field, `k:` an item by key, `v:` an item by value.
fn walk(fields: &Value, path: &mut String, paths: &mut Vec<String>) {
    let Some(children) = fields.as_object() else { return };
    let mut leaf = true;
    for (key, child) in children {
        if key == "." {
            continue;
        }
        leaf = false;
        let length = path.len();
        push_step(path, key);
        walk(child, path, paths);
        path.truncate(length);
    }
    let worth_keeping = path.starts_with("spec") || path.starts_with("data") || path.starts_with("stringData");
    if leaf && worth_keeping && paths.len() < MAX_PATHS {
        paths.push(path.clone());
    }
}

fn push_step(path: &mut String, key: &str) {
    match key.split_once(':') {
        Some(("f", field)) if path.is_empty() => path.push_str(field),
        Some(("f", field)) => {
            path.push('.');
            path.push_str(field);
        }
        Some((_, item)) => {
            let name = serde_json::from_str::<Value>(item).ok().and_then(|keys| item_name(&keys));
            path.push('[');
            path.push_str(name.as_deref().unwrap_or(item));
            path.push(']');
        }
        None => path.push_str(key),
    }
}

/// Returns the name of a list item: `main` for `{"name":"main"}`, `80/TCP` for a port's two keys.
fn item_name(keys: &Value) -> Option<String> {
    let Value::Object(keys) = keys else { return Some(plain(keys)) };
    let names: Vec<String> = keys.values().map(plain).collect();
    (!names.is_empty()).then(|| names.join("/"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn leaves_become_paths_that_people_write() {
        let entry = json!({"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"main\"}": {".": {}, "f:image": {}}}, "f:finalizers": {"v:\"x\"": {}}}}});
        let change = Change::distil(&entry).expect("an entry");
        assert_eq!(change.paths, ["spec.containers[main].image", "spec.finalizers[x]"]);
        let again = Change::distil(&serde_json::to_value(&change).expect("serialises"));
        assert_eq!(again, Some(change));
    }
}
