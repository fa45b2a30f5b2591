//! What is to be read.

use crate::model::Scope;

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

/// What is to be read from a live cluster.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub scope: Scope,
    /// The kubeconfig context, for the report.
    pub context: Option<String>,
    /// Keep the pruned JSON, for a capture.
    pub keep_raw: bool,
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
