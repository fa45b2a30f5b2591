//! The address of an object.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Kind;

/// The address of one object, also of a custom kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// As in manifests: `v1`, `apps/v1`.
    pub api_version: String,
    pub kind: String,
    /// `None` for what is cluster-scoped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
}

impl ObjectRef {
    /// Makes the address of an object of a built-in kind; the namespace is dropped for cluster-scoped kinds.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            api_version: kind.api_version().to_owned(),
            kind: kind.name().to_owned(),
            namespace: kind.namespaced().then(|| namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Makes the address of an object whose kind is only known by its words, as in owner references.
    /// A built-in kind gets its canonical API version, so that `apps/v1beta1` and `apps/v1` meet.
    pub fn parse(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        if let Some(known) = Kind::find(api_version, kind) {
            return Self::new(known, namespace.unwrap_or_default(), name);
        }
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// Returns whether it is of this built-in kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind.name() && self.api_version == kind.api_version()
    }

    /// Returns the namespace, or the empty string.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// Returns `deployment/cart`, as messages and kubectl name an object.
    pub fn short(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// Prints `deployment/shop/cart`, or `node/worker-1` where there is no namespace.
impl fmt::Display for ObjectRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.to_lowercase();
        match &self.namespace {
            Some(namespace) => write!(out, "{kind}/{namespace}/{}", self.name),
            None => write!(out, "{kind}/{}", self.name),
        }
    }
}
