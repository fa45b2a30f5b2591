//! The change of a heap flag, where the container's own spec sets it.

use serde_json::{Map, Value, json};

use crate::model::Kind;
use crate::model::sizing::FieldChange;
use crate::render::quote;
use crate::scene::{ContainerView, Role};

/// A flag, as it stands in a word and as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    pub before: String,
    pub after: String,
}

/// The change of one container's flag.
#[derive(Debug)]
pub struct FlagChange {
    pub changes: Vec<FieldChange>,
    pub patch: Value,
    pub command: String,
}

/// Returns how a flag is changed; `None` where it comes from elsewhere, or the object cannot be changed.
pub fn change(container: ContainerView<'_>, flag: &Flag) -> Option<FlagChange> {
    let object = &container.pod.workload().object;
    let root = container.pod.workload().template_path().filter(|_| !object.is(Kind::Job) && !object.is(Kind::Pod))?;
    let list = if container.role == Role::App { "containers" } else { "initContainers" };
    let mut fields = Map::new();
    let mut changes = Vec::new();
    let path = format!("{root}.{list}[{}]", container.name());
    let mut changed = |path: String, before: &str| {
        let after = before.replace(&flag.before, &flag.after);
        changes.push(FieldChange { path, before: Some(before.to_owned()), after: after.clone() });
        after
    };
    for (name, words) in [("command", &container.spec.command), ("args", &container.spec.args)] {
        let words = words.as_deref().unwrap_or_default();
        if words.iter().any(|word| holds(word, flag)) {
            // A list without keys is replaced as a whole.
            let list = words.iter().enumerate().map(|(index, word)| {
                if holds(word, flag) { changed(format!("{path}.{name}[{index}]"), word) } else { word.clone() }
            });
            fields.insert(name.to_owned(), list.collect());
        }
    }
    let variables = container.spec.env.iter().flatten();
    let variables = variables.filter_map(|variable| Some((&variable.name, variable.value.as_deref()?)));
    let env: Vec<Value> = variables
        .filter(|(_, value)| holds(value, flag))
        .map(|(name, value)| json!({"name": name, "value": changed(format!("{path}.env[{name}].value"), value)}))
        .collect();
    if !env.is_empty() {
        fields.insert("env".to_owned(), env.into());
    }
    if fields.is_empty() {
        return None;
    }
    fields.insert("name".to_owned(), container.name().into());
    let inner = json!({list: [fields]});
    let patch = root.rsplit('.').fold(inner, |inner, field| json!({field: inner}));
    let target = object.short();
    let command = quote::command(&["kubectl", "-n", object.namespace(), "patch", &target, "-p", &patch.to_string()]);
    Some(FlagChange { changes, patch, command })
}

/// Returns whether a text has the flag as a word of its own.
fn holds(text: &str, flag: &Flag) -> bool {
    text.split(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'')).any(|word| word == flag.before)
}
