//! What an agent is asked.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Severity, Target};
use crate::policy::Ignore;

/// The version of how this program and its agent speak with each other. It grows with every change that the other has to know.
pub const PROTOCOL: u32 = 1;

/// A question, as an argument of the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Request {
    pub protocol: u32,
    /// The label of the run: what has it is no part of the answer.
    pub run: String,
    pub namespace: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Ids of rules to leave out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skip: BTreeSet<String>,
    /// Severities instead of the rules' own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, Severity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<Ignore>,
    #[serde(default)]
    pub allow_annotations: bool,
    #[serde(default)]
    pub read_tls_secrets: bool,
    #[serde(default)]
    pub redact_emails: bool,
    #[serde(default)]
    pub redact_addresses: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus_url: Option<String>,
    /// The kubeconfig context, for the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The model that is to put it in words, if one was agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Words>,
}

/// A model by its address: an agent looks for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Words {
    /// The address of an Ollama, by number, as a Service of the cluster needs no DNS then.
    pub ollama_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Seconds for all incidents together; none for as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
}
