//! Secrets as the plugin knows them: names and keys, never values.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

/// A Secret without its values.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeys {
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// `kubernetes.io/tls`, `kubernetes.io/dockerconfigjson`, `Opaque`; unknown when only metadata was read.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// The keys of `data`; `None` when nothing tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<BTreeSet<String>>,
    /// The PEM certificate of a TLS Secret, only with `--read-tls-secrets`; never its private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}
