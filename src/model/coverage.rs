//! Where a kind was read completely, so that absence can be told from not having looked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The answer to a look-up of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It exists.
    Found(T),
    /// It was looked for and does not exist.
    Absent,
    /// Nobody looked, or it was not allowed to.
    Unknown,
}

impl<T> Lookup<T> {
    /// Returns the object if it was found.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(object) => Some(object),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Returns whether it was looked for and is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// Where objects of one kind were looked for successfully.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The whole cluster.
    #[serde(default)]
    pub everywhere: bool,
    /// Namespaces listed completely.
    #[serde(default)]
    pub namespaces: BTreeSet<String>,
    /// Single objects asked for by name, as (namespace, name).
    #[serde(default)]
    pub names: BTreeSet<(String, String)>,
}

impl Coverage {
    /// Notes that a namespace was listed completely; `None` is the whole cluster.
    pub fn add_list(&mut self, namespace: Option<&str>) {
        match namespace {
            Some(namespace) => _ = self.namespaces.insert(namespace.to_owned()),
            None => self.everywhere = true,
        }
    }

    /// Notes that one object was asked for by its name.
    pub fn add_name(&mut self, namespace: &str, name: &str) {
        self.names.insert((namespace.to_owned(), name.to_owned()));
    }

    /// Adds what was looked for elsewhere.
    pub fn append(&mut self, mut other: Self) {
        self.everywhere |= other.everywhere;
        self.namespaces.append(&mut other.namespaces);
        self.names.append(&mut other.names);
    }

    /// Returns whether all objects of this namespace are known.
    pub fn lists(&self, namespace: &str) -> bool {
        self.everywhere || self.namespaces.contains(namespace)
    }

    /// Returns whether this object would be known if it existed.
    pub fn covers(&self, namespace: &str, name: &str) -> bool {
        self.lists(namespace) || self.names.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// Returns whether nothing was looked for.
    pub fn is_empty(&self) -> bool {
        !self.everywhere && self.namespaces.is_empty() && self.names.is_empty()
    }
}
