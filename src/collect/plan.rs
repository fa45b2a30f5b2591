//! What is to be read.

use crate::model::Scope;

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
    /// Amounts are asked about: usage, its history and autoscalers' advice are read of all containers.
    pub limits: bool,
    /// Read cAdvisor's lines for the suspicious pods through the nodes' proxy.
    pub kubelet_metrics: bool,
    /// The address of a Prometheus, instead of the one found by the labels of its Service.
    pub prometheus_url: Option<String>,
}
