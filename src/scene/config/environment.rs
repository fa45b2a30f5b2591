//! The environment of a container: which variables it gets, and from where.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, EnvVarSource};

use crate::model::{Kind, Lookup, ObjectRef};
use crate::scene::ContainerView;

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source<'s> {
    /// It stands in the spec.
    Literal(&'s str),
    /// A ConfigMap's key; its value if the ConfigMap was read.
    ConfigMap { name: &'s str, key: &'s str, value: Option<&'s str> },
    /// A Secret's key.
    Secret { name: &'s str, key: &'s str },
    /// A field of the pod or a resource of a container.
    Field,
}

/// A variable that a container gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable<'s> {
    pub name: Cow<'s, str>,
    pub source: Source<'s>,
    /// Where the container's spec says so: `spec.containers[main].env[DB_HOST]`.
    pub path: String,
}

impl<'s> Variable<'s> {
    /// Returns the value, if it is known.
    pub fn value(&self) -> Option<&'s str> {
        match self.source {
            Source::Literal(value) => Some(value),
            Source::ConfigMap { value, .. } => value,
            Source::Secret { .. } | Source::Field => None,
        }
    }

    /// Returns where a person changes it: `configmap/settings`, `secret/db`, or nothing for the spec itself.
    pub fn origin(&self) -> Option<String> {
        match self.source {
            Source::ConfigMap { name, .. } => Some(format!("configmap/{name}")),
            Source::Secret { name, .. } => Some(format!("secret/{name}")),
            Source::Literal(_) | Source::Field => None,
        }
    }

    /// Returns the object that holds the value, in the container's namespace.
    pub fn object(&self, container: ContainerView<'_>) -> ObjectRef {
        match self.source {
            Source::ConfigMap { name, .. } => ObjectRef::new(Kind::ConfigMap, container.pod.namespace(), name),
            Source::Secret { name, .. } => ObjectRef::new(Kind::Secret, container.pod.namespace(), name),
            Source::Literal(_) | Source::Field => container.pod_ref(),
        }
    }

    /// Returns what to quote: the value if it is known, else where it comes from.
    pub fn shown(&self) -> String {
        match (&self.source, self.value()) {
            (_, Some(value)) => value.chars().take(200).collect(),
            (Source::Secret { name, key }, None) => format!("key {key} of secret {name}"),
            (Source::ConfigMap { name, key, .. }, None) => format!("key {key} of configmap {name}"),
            _ => "a field".to_owned(),
        }
    }
}

/// All variables of a container, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Environment<'s> {
    /// In the order of the spec; what `env` says overrides what `envFrom` says.
    pub variables: Vec<Variable<'s>>,
    /// Whether all sources could be read: then what is not here is not set, unless the image sets it.
    pub complete: bool,
}

impl<'s> Environment<'s> {
    /// Reads a container's environment.
    pub fn of(container: ContainerView<'s>) -> Self {
        let mut environment = Self { variables: Vec::new(), complete: true };
        for variable in container.spec.env.iter().flatten() {
            environment.add(container, variable);
        }
        for source in container.spec.env_from.iter().flatten() {
            environment.add_all(container, source);
        }
        environment
    }

    /// Finds a variable.
    pub fn get(&self, name: &str) -> Option<&Variable<'s>> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    fn add(&mut self, container: ContainerView<'s>, variable: &'s EnvVar) {
        let path = container.spec_path(&format!("env[{}]", variable.name));
        let literal = variable.value.as_deref().unwrap_or_default();
        let source =
            variable.value_from.as_ref().map_or(Some(Source::Literal(literal)), |from| source(container, from));
        let Some(source) = source else { return };
        self.variables.push(Variable { name: Cow::Borrowed(&variable.name), source, path });
    }

    fn add_all(&mut self, container: ContainerView<'s>, from: &'s EnvFromSource) {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        let objects = &container.pod.scene.snapshot.objects;
        let namespace = container.pod.namespace();
        if let Some(map) = &from.config_map_ref {
            let path = container.spec_path(&format!("envFrom[{}]", map.name));
            match objects.config_maps.look_up(namespace, &map.name) {
                Lookup::Found(found) => {
                    for (key, value) in found.object.data.iter().flatten() {
                        let source = Source::ConfigMap { name: &map.name, key, value: Some(value) };
                        self.push(prefix, key, source, &path);
                    }
                }
                Lookup::Absent => {}
                Lookup::Unknown => self.complete = false,
            }
        }
        if let Some(secret) = &from.secret_ref {
            let path = container.spec_path(&format!("envFrom[{}]", secret.name));
            match objects.secrets.look_up(namespace, &secret.name) {
                Lookup::Found(found) if found.object.keys.is_some() => {
                    for key in found.object.keys.iter().flatten() {
                        self.push(prefix, key, Source::Secret { name: &secret.name, key }, &path);
                    }
                }
                Lookup::Absent => {}
                Lookup::Found(_) | Lookup::Unknown => self.complete = false,
            }
        }
    }

    fn push(&mut self, prefix: &str, key: &'s str, source: Source<'s>, path: &str) {
        let name = if prefix.is_empty() { Cow::Borrowed(key) } else { Cow::Owned(format!("{prefix}{key}")) };
        if self.get(&name).is_none() {
            self.variables.push(Variable { name, source, path: path.to_owned() });
        }
    }
}

/// Returns where a value comes from; `None` for an optional reference to what does not exist.
fn source<'s>(container: ContainerView<'s>, from: &'s EnvVarSource) -> Option<Source<'s>> {
    let objects = &container.pod.scene.snapshot.objects;
    let namespace = container.pod.namespace();
    if let Some(key) = &from.config_map_key_ref {
        let found = objects.config_maps.look_up(namespace, &key.name);
        let value = found.found().and_then(|map| map.object.data.as_ref()?.get(&key.key)).map(String::as_str);
        let absent = found.is_absent() || (found.found().is_some() && value.is_none());
        return (!absent).then_some(Source::ConfigMap { name: &key.name, key: &key.key, value });
    }
    if let Some(key) = &from.secret_key_ref {
        let found = objects.secrets.look_up(namespace, &key.name);
        let lacks =
            found.found().and_then(|secret| secret.object.keys.as_ref()).is_some_and(|keys| !keys.contains(&key.key));
        return (!found.is_absent() && !lacks).then_some(Source::Secret { name: &key.name, key: &key.key });
    }
    Some(Source::Field)
}
