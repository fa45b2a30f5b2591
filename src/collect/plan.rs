//! What is to be read.

use crate::model::Scope;
use crate::redact::Personal;

/// What the answer is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// What is broken, and why: what is suspicious is read in depth.
    #[default]
    Diagnosis,
    /// How much is asked for: usage, its history and autoscalers' advice are read of all containers.
    Amounts,
    /// Whatever may be asked of a capture.
    Everything,
}

/// How is kept what was read, from a cluster or a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Keep the pruned JSON, for a capture.
    pub raw: bool,
    /// What is replaced besides secrets.
    pub personal: Personal,
}

impl Keep {
    /// Keeps the pruned JSON too.
    pub const RAW: Self = Self { raw: true, personal: Personal { emails: false, addresses: false } };
}

/// What is to be read from a live cluster.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub scope: Scope,
    /// The kubeconfig context, for the report.
    pub context: Option<String>,
    pub keep: Keep,
    /// Read the TLS Secrets that an Ingress or Gateway in scope names, and keep the certificates.
    pub read_tls_secrets: bool,
    pub purpose: Purpose,
    /// Read cAdvisor's lines for the suspicious pods through the nodes' proxy.
    pub kubelet_metrics: bool,
    /// The address of a Prometheus, instead of the one found by the labels of its Service.
    pub prometheus_url: Option<String>,
}

impl Plan {
    /// Returns whether amounts are asked about.
    pub fn is_about_amounts(&self) -> bool {
        self.purpose != Purpose::Diagnosis
    }

    /// Returns whether the logs of healthy containers are read as samples.
    pub fn samples_logs(&self) -> bool {
        self.purpose != Purpose::Amounts
    }
}
