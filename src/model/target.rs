//! What the user asked about by name.

use serde::{Deserialize, Serialize};

use super::{Kind, ObjectRef};

/// A type that is not in the table of kinds, as discovery or a recording tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomType {
    pub api_version: String,
    pub kind: String,
    /// As in URLs: `widgets`.
    pub plural: String,
    pub namespaced: bool,
}

/// The type of something that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Type {
    Known(Kind),
    Custom(CustomType),
}

impl Type {
    /// Makes the type of these words: one of the table if they name one.
    pub fn new(custom: CustomType) -> Self {
        Kind::find(&custom.api_version, &custom.kind).map_or(Self::Custom(custom), Self::Known)
    }

    /// Returns the kind, if it is one of the table.
    pub fn known(&self) -> Option<Kind> {
        match self {
            Self::Known(kind) => Some(*kind),
            Self::Custom(_) => None,
        }
    }

    /// Returns the kind as in manifests: `Deployment`.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(kind) => kind.name(),
            Self::Custom(custom) => &custom.kind,
        }
    }

    /// Returns the word that a person types: `deployment`.
    pub fn word(&self) -> String {
        self.name().to_lowercase()
    }

    /// Returns the resource as in URLs: `deployments`.
    pub fn plural(&self) -> &str {
        match self {
            Self::Known(kind) => kind.plural(),
            Self::Custom(custom) => &custom.plural,
        }
    }

    /// Returns the API version as in manifests: `apps/v1`.
    pub fn api_version(&self) -> &str {
        match self {
            Self::Known(kind) => kind.api_version(),
            Self::Custom(custom) => &custom.api_version,
        }
    }

    /// Returns the resource with its group, as the server's messages name it: `deployments.apps`, `pods`.
    pub fn resource(&self) -> String {
        match self.api_version().split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural()),
            None => self.plural().to_owned(),
        }
    }

    /// Returns whether objects of it live in a namespace.
    pub fn namespaced(&self) -> bool {
        match self {
            Self::Known(kind) => kind.namespaced(),
            Self::Custom(custom) => custom.namespaced,
        }
    }

    /// Returns the path of the collection, of one namespace or of all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version().contains('/') { "/apis" } else { "/api" };
        let root = format!("{root}/{}", self.api_version());
        match namespace.filter(|_| self.namespaced()) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural()),
            None => format!("{root}/{}", self.plural()),
        }
    }

    /// Returns the address of an object of it.
    pub fn object(&self, namespace: &str, name: &str) -> ObjectRef {
        let namespace = Some(namespace).filter(|_| self.namespaced());
        ObjectRef::parse(self.api_version(), self.name(), namespace, name)
    }
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Self {
        Self::Known(kind)
    }
}

/// An object that the user named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub kind: Type,
    pub name: String,
    /// Where it lives, if that is not the one namespace of the scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Target {
    /// Names an object in the namespace of the scope.
    pub fn new(kind: impl Into<Type>, name: &str) -> Self {
        Self { kind: kind.into(), name: name.to_owned(), namespace: None }
    }

    /// Returns `pod/cart-0`.
    pub fn words(&self) -> String {
        format!("{}/{}", self.kind.word(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_type_has_the_paths_of_its_group() {
        let widget = CustomType {
            api_version: "example.com/v1".to_owned(),
            kind: "Widget".to_owned(),
            plural: "widgets".to_owned(),
            namespaced: true,
        };
        let widget = Type::new(widget);
        assert_eq!(widget.path(Some("shop")), "/apis/example.com/v1/namespaces/shop/widgets");
        assert_eq!(widget.path(None), "/apis/example.com/v1/widgets");
        assert_eq!(widget.resource(), "widgets.example.com");
        assert_eq!(Target::new(widget, "a").words(), "widget/a");
        assert_eq!(Type::from(Kind::Pod).path(Some("shop")), Kind::Pod.path(Some("shop")));
    }

    #[test]
    fn a_type_of_the_table_is_known_by_its_words() {
        let deployment = CustomType {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            plural: "deployments".to_owned(),
            namespaced: true,
        };
        assert_eq!(Type::new(deployment), Type::Known(Kind::Deployment));
    }
}
