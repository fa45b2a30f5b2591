//! Objects of one kind, sorted, with what is known of their completeness.

use std::ops::Deref;

use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::value::RawValue;

use super::objects::Custom;
use super::{Change, Coverage, Lookup, SecretKeys};

/// Gives the metadata of anything that is stored.
pub trait HasMeta {
    /// Returns the object's metadata.
    fn meta(&self) -> &ObjectMeta;

    /// Returns the name, or the empty string.
    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Returns the namespace, or the empty string.
    fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }
}

impl<T: Metadata<Ty = ObjectMeta>> HasMeta for T {
    fn meta(&self) -> &ObjectMeta {
        self.metadata()
    }
}

impl HasMeta for SecretKeys {
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl HasMeta for Custom {
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
}

/// An object with what its pruning left over.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    pub object: T,
    /// The distilled `managedFields`.
    pub changes: Vec<Change>,
    /// The pruned and redacted JSON, unknown fields too; kept only for a capture.
    pub raw: Option<Box<RawValue>>,
}

impl<T> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

/// The objects of one kind, sorted by namespace and name.
#[derive(Clone, Debug)]
pub struct Store<T> {
    items: Vec<Stored<T>>,
    pub coverage: Coverage,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { items: Vec::new(), coverage: Coverage::default() }
    }
}

impl<T: HasMeta> Store<T> {
    /// Adds an object; call [`Store::sort`] when all are in.
    pub fn push(&mut self, item: Stored<T>) {
        self.items.push(item);
    }

    /// Adds the objects of another store, and where they were looked for; call [`Store::sort`] when all are in.
    pub fn append(&mut self, mut other: Self) {
        self.items.append(&mut other.items);
        self.coverage.append(other.coverage);
    }

    /// Sorts, and drops objects that were read twice.
    pub fn sort(&mut self) {
        if let Some(order) = order_of(&self.items.iter().map(|item| key(&item.object)).collect::<Vec<_>>()) {
            let mut items: Vec<_> = std::mem::take(&mut self.items).into_iter().map(Some).collect();
            self.items = order.into_iter().filter_map(|index| items[index].take()).collect();
        }
        self.items.shrink_to_fit();
    }

    /// Iterates in order of namespace and name.
    pub fn iter(&self) -> std::slice::Iter<'_, Stored<T>> {
        self.items.iter()
    }

    /// Iterates over the objects of one namespace.
    pub fn in_namespace(&self, namespace: &str) -> std::slice::Iter<'_, Stored<T>> {
        let start = self.items.partition_point(|item| item.object.namespace() < namespace);
        let end = self.items.partition_point(|item| item.object.namespace() <= namespace);
        self.items[start..end].iter()
    }

    /// Finds an object by its address, and tells absence from ignorance.
    pub fn look_up(&self, namespace: &str, name: &str) -> Lookup<&Stored<T>> {
        match self.get(namespace, name) {
            Some(item) => Lookup::Found(item),
            None if self.coverage.covers(namespace, name) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// Finds an object by its address; use [`Store::look_up`] where absence matters.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Stored<T>> {
        let start = self.items.partition_point(|item| key(&item.object) < (namespace, name, ""));
        self.items.get(start).filter(|item| item.object.namespace() == namespace && item.object.name() == name)
    }

    /// Changes the object of this address, if it is there; the store may be unsorted.
    pub fn update(&mut self, namespace: &str, name: &str, change: impl FnOnce(&mut T)) {
        let found =
            self.items.iter_mut().find(|item| item.object.namespace() == namespace && item.object.name() == name);
        if let Some(item) = found {
            change(&mut item.object);
        }
    }

    /// Drops the objects that are not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.items.retain(|item| keep(&item.object));
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<'a, T: HasMeta> IntoIterator for &'a Store<T> {
    type Item = &'a Stored<T>;
    type IntoIter = std::slice::Iter<'a, Stored<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

type Key<'o> = (&'o str, &'o str, &'o str);

/// Returns which objects to keep in which order; `None` if they are in order already, as a server sends them.
///
/// Sorting the keys serves all kinds with one sort, and moves each object once.
fn order_of(keys: &[Key<'_>]) -> Option<Vec<usize>> {
    if keys.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|index| keys[*index]);
    order.dedup_by_key(|index| keys[*index]);
    Some(order)
}

/// Orders by namespace, name and, as custom objects of several kinds share a store, uid.
fn key<T: HasMeta>(object: &T) -> Key<'_> {
    (object.namespace(), object.name(), object.meta().uid.as_deref().unwrap_or_default())
}
