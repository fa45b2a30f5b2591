//! The state that is cured, and where to put one's hands.

use std::collections::BTreeSet;

use kubectl_rca::model::{Incident, ObjectRef};
use serde_json::{Value, json};

use crate::accuracy::document::{Document, word};

/// A state with the incident that is to be cured.
#[derive(Debug)]
pub(super) struct Patient<'p> {
    pub(super) document: &'p mut Document,
    pub(super) incident: &'p Incident,
}

/// Kind, namespace and name.
pub(super) type Key = (String, String, String);

pub(super) fn key(object: &Value) -> Key {
    let part = |pointer| word(object, pointer).to_owned();
    (part("/kind"), part("/metadata/namespace"), part("/metadata/name"))
}

pub(super) fn key_of(object: &ObjectRef) -> Key {
    (object.kind.clone(), object.namespace().to_owned(), object.name.clone())
}

/// Returns whether an object is the one of this key, without making a key of it.
pub(super) fn is(object: &Value, wanted: &Key) -> bool {
    let part = |pointer| word(object, pointer);
    part("/metadata/name") == wanted.2 && part("/kind") == wanted.0 && part("/metadata/namespace") == wanted.1
}

/// Returns a list of an object, or nothing.
pub(super) fn list<'v>(object: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn list_mut<'v>(object: &'v mut Value, pointer: &str) -> impl Iterator<Item = &'v mut Value> {
    object.pointer_mut(pointer).and_then(Value::as_array_mut).into_iter().flatten()
}

pub(super) fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}

/// Returns all containers of a pod's spec, init containers too.
pub(super) fn containers(spec: &mut Value) -> Vec<&mut Value> {
    let Some(fields) = spec.as_object_mut() else { return Vec::new() };
    let lists = fields.iter_mut().filter(|(name, _)| *name == "containers" || *name == "initContainers");
    lists.filter_map(|(_, list)| list.as_array_mut()).flatten().collect()
}

/// Returns whether labels meet a selector that is a plain map.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().filter(|wanted| !wanted.is_empty());
    wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| labels[name] == *value))
}

impl Patient<'_> {
    pub(super) fn subject(&self) -> Key {
        key_of(&self.incident.cause.subject.object)
    }

    /// Returns the namespace in which things happen.
    pub(super) fn place(&self) -> String {
        let subject = &self.incident.cause.subject.object;
        if subject.kind == "Namespace" {
            return subject.name.clone();
        }
        let places = std::iter::once(subject).chain(&self.incident.affected).map(ObjectRef::namespace);
        places.filter(|place| !place.is_empty()).map(str::to_owned).next().unwrap_or_default()
    }

    pub(super) fn each(&mut self, kind: &str, change: impl FnMut(&mut Value)) {
        self.document.objects_mut().iter_mut().filter(|object| object["kind"] == kind).for_each(change);
    }

    /// Changes the objects of a kind in the incident's namespace.
    pub(super) fn each_here(&mut self, kind: &str, mut change: impl FnMut(&mut Value)) {
        let place = self.place();
        self.each(kind, |object| {
            if word(object, "/metadata/namespace") == place {
                change(object);
            }
        });
    }

    pub(super) fn find(&self, wanted: &Key) -> Option<&Value> {
        self.document.objects().iter().find(|object| is(object, wanted))
    }

    pub(super) fn with(&mut self, wanted: &Key, change: impl FnOnce(&mut Value)) {
        if let Some(object) = self.document.objects_mut().iter_mut().find(|object| is(object, wanted)) {
            change(object);
        }
    }

    pub(super) fn delete(&mut self, doomed: impl Fn(&Value) -> bool) {
        self.document.objects_mut().retain(|object| !doomed(object));
    }

    pub(super) fn has(&self, kind: &str, place: &str, name: &str) -> bool {
        self.find(&(kind.to_owned(), place.to_owned(), name.to_owned())).is_some()
    }

    /// Adds an object, with its identity.
    pub(super) fn add(&mut self, api_version: &str, kind: &str, place: &str, name: &str, fields: Value) {
        let mut object = json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "creationTimestamp": self.document.ago(7200)}});
        if !place.is_empty() {
            object["metadata"]["namespace"] = place.into();
        }
        for (field, value) in fields.as_object().into_iter().flatten() {
            object[field] = value.clone();
        }
        self.document.objects_mut().push(object);
    }

    /// Returns the object that made this one, and so on up to the one that a person wrote.
    pub(super) fn owner(&self, object: &Key) -> Key {
        let mut top = object.clone();
        while let Some(reference) = self.find(&top).and_then(|object| list(object, "/metadata/ownerReferences").next())
        {
            let next = (word(reference, "/kind").to_owned(), top.1.clone(), word(reference, "/name").to_owned());
            if self.find(&next).is_none() {
                return self.deployment_of(&next).unwrap_or(top);
            }
            top = next;
        }
        top
    }

    /// Returns the Deployment of a `ReplicaSet` that was not recorded.
    fn deployment_of(&self, set: &Key) -> Option<Key> {
        let (name, _) = set.2.rsplit_once('-')?;
        let deployment = ("Deployment".to_owned(), set.1.clone(), name.to_owned());
        (set.0 == "ReplicaSet" && self.find(&deployment).is_some()).then_some(deployment)
    }

    /// Returns a workload and all that it made.
    pub(super) fn family(&self, top: &Key) -> BTreeSet<Key> {
        let members = self.document.objects().iter().filter(|object| word(object, "/metadata/namespace") == top.1);
        let candidates =
            members.filter(|object| object["metadata"].get("ownerReferences").is_some() || is(object, top));
        candidates.map(key).filter(|member| member == top || self.owner(member) == *top).collect()
    }

    /// Changes the spec of the pods of the incident's workload, wherever it is written down.
    pub(super) fn each_spec(&mut self, change: impl FnMut(&mut Value)) {
        let subject = self.subject();
        let top = self.owner(&subject);
        let mut tops = vec![top];
        if !matches!(
            subject.0.as_str(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob" | "Pod"
        ) {
            tops.extend(self.incident.affected.iter().map(|object| self.owner(&key_of(object))));
        }
        let family: BTreeSet<Key> = tops.iter().flat_map(|top| self.family(top)).collect();
        self.specs_of(&family, change);
    }

    pub(super) fn specs_of(&mut self, family: &BTreeSet<Key>, mut change: impl FnMut(&mut Value)) {
        for object in self.document.objects_mut().iter_mut().filter(|object| family.contains(&key(object))) {
            let pointer = match object["kind"].as_str().unwrap_or_default() {
                "Pod" => "/spec",
                "CronJob" => "/spec/jobTemplate/spec/template/spec",
                _ => "/spec/template/spec",
            };
            if let Some(spec) = object.pointer_mut(pointer) {
                change(spec);
            }
        }
    }

    /// Changes all containers of the incident's workload.
    pub(super) fn each_container(&mut self, mut change: impl FnMut(&mut Value)) {
        self.each_spec(|spec| containers(spec).into_iter().for_each(&mut change));
    }

    pub(super) fn drop_events(&mut self, about: impl Fn(&str, &str) -> bool) {
        self.delete(|object| {
            object["kind"] == "Event"
                && about(word(object, "/involvedObject/kind"), word(object, "/involvedObject/name"))
        });
    }
}
