//! Patches and commands that set the amounts of a workload's containers.

use serde_json::{Map, Value, json};

use crate::model::Kind;
use crate::model::limits::Field;
use crate::recommend::owner;
use crate::render::quote;
use crate::scene::{Role, Scene, Workload};

/// New amounts of one container; `None` takes one away.
#[derive(Clone, Debug)]
pub struct Edit<'s> {
    pub name: &'s str,
    pub role: Role,
    pub fields: Vec<(Field, Option<String>)>,
}

/// Returns the list of a pod's spec in which such a container stands.
pub fn list(role: Role) -> &'static str {
    if role == Role::App { "containers" } else { "initContainers" }
}

/// Returns the strategic merge patch; `None` where nothing changes, or nothing can be changed in this object.
pub fn patch(scene: &Scene<'_>, workload: &Workload<'_>, edits: &[Edit<'_>]) -> Option<Value> {
    let edits = || edits.iter().filter(|edit| owner::has(workload, edit.name));
    let root = owner::root(scene, workload, edits().next()?.role)?;
    let mut lists = Map::new();
    for edit in edits() {
        let entry = json!({"name": edit.name, "resources": resources(edit)});
        let list = lists.entry(list(edit.role)).or_insert_with(|| json!([]));
        list.as_array_mut()?.push(entry);
    }
    Some(root.rsplit('.').fold(Value::Object(lists), |inner, field| json!({field: inner})))
}

fn resources(edit: &Edit<'_>) -> Value {
    let mut resources = Map::new();
    for (field, amount) in &edit.fields {
        let list = resources.entry(field.list()).or_insert_with(|| json!({}));
        list[field.resource()] = amount.clone().map_or(Value::Null, Value::String);
    }
    Value::Object(resources)
}

/// Returns the commands that apply the edits: `kubectl set resources` a container, or one patch where that cannot say it.
pub fn commands(scene: &Scene<'_>, workload: &Workload<'_>, edits: &[Edit<'_>]) -> Vec<String> {
    let Some(patch) = patch(scene, workload, edits) else { return Vec::new() };
    let object = &workload.object;
    let is_pod = object.is(Kind::Pod);
    let takes_away = edits.iter().any(|edit| edit.fields.iter().any(|(_, amount)| amount.is_none()));
    if !is_pod && !takes_away {
        let own = edits.iter().filter(|edit| owner::has(workload, edit.name));
        return own.map(|edit| set_resources(workload, edit)).collect();
    }
    let (kind, patch) = (object.kind.to_lowercase(), patch.to_string());
    let mut words = vec!["kubectl", "-n", object.namespace(), "patch", &kind, &object.name];
    words.extend(is_pod.then_some(["--subresource", "resize"]).into_iter().flatten());
    words.extend(["-p", &patch]);
    vec![quote::command(&words)]
}

fn set_resources(workload: &Workload<'_>, edit: &Edit<'_>) -> String {
    let target = workload.object.short();
    let flags = ["limits", "requests"].map(|list| {
        let fields = edit.fields.iter().filter(|(field, _)| field.list() == list);
        let pairs: Vec<String> =
            fields.filter_map(|(field, amount)| Some(format!("{}={}", field.resource(), amount.as_ref()?))).collect();
        (!pairs.is_empty()).then(|| format!("--{list}={}", pairs.join(",")))
    });
    let mut words = vec!["kubectl", "-n", workload.namespace(), "set", "resources", &target, "-c", edit.name];
    words.extend(flags.iter().flatten().map(String::as_str));
    quote::command(&words)
}
