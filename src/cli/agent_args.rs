//! The flags that say how an agent runs inside the cluster.

use clap::{Args, ValueEnum};

use crate::job::manifest::Toleration;

/// The image that an agent runs if none is named; nodes have it, or pull it from where their names lead.
pub const IMAGE: &str = concat!("kubectl-rca/agent:", env!("CARGO_PKG_VERSION"));

/// Whether and how an agent runs inside the cluster.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Inside the cluster")]
pub struct AgentArgs {
    /// Look from inside the cluster: a Job with the least rights, of which nothing is left
    #[arg(long, conflicts_with_all = ["from", "watch"])]
    pub in_cluster: bool,

    /// The agent's image
    #[arg(long, value_name = "IMAGE", env = "RCA_IMAGE", hide_env_values = true, default_value = IMAGE)]
    pub image: String,

    /// When the node pulls the image: `Always`, `IfNotPresent` or `Never`
    #[arg(long, value_name = "POLICY", requires = "in_cluster", value_parser = ["Always", "IfNotPresent", "Never"])]
    pub image_pull_policy: Option<String>,

    /// Secret to pull the image with (repeatable)
    #[arg(long, value_name = "SECRET", requires = "in_cluster")]
    pub image_pull_secret: Vec<String>,

    /// Use this account, as `kubectl rca rbac --in-cluster` makes it, and make none
    #[arg(long, value_name = "NAME", requires = "in_cluster")]
    pub service_account: Option<String>,

    /// Taint that the agent tolerates (repeatable)
    #[arg(long, value_name = "KEY[=VALUE][:EFFECT]", requires = "in_cluster")]
    pub toleration: Vec<Toleration>,

    /// Label of the node that the agent runs on (repeatable)
    #[arg(long, value_name = "KEY=VALUE", requires = "in_cluster", value_parser = super::cluster_args::key_and_value)]
    pub node_selector: Vec<(String, String)>,

    /// How long the agent may live, like `2m`
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = super::cluster_args::duration)]
    pub agent_timeout: std::time::Duration,

    /// How long the agent's objects may outlive it if they could not be deleted
    #[arg(long, value_name = "DURATION", default_value = "1m", hide = true, value_parser = super::cluster_args::duration)]
    pub agent_ttl: std::time::Duration,

    /// Leave the agent's objects there
    #[arg(long, requires = "in_cluster")]
    pub keep: bool,

    /// Print the agent's objects and make none
    #[arg(long, value_name = "WHERE", requires = "in_cluster", num_args = 0..=1, require_equals = true,
        default_missing_value = "client")]
    pub dry_run: Option<DryRun>,
}

/// How objects that are not made are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Not at all: as they would be sent
    Client,
    /// By the server: as it would keep them
    Server,
}

/// `rbac`.
#[derive(Args, Debug)]
pub struct RbacArgs {
    /// For agents: with the account and the bindings
    #[arg(long)]
    pub in_cluster: bool,

    /// Also what has no namespace, such as nodes and volumes
    #[arg(long)]
    pub cluster_scope: bool,

    /// Also the TLS Secrets that the namespace's Ingresses name now
    #[arg(long)]
    pub read_tls_secrets: bool,

    /// Leave out what only this rule needs (repeatable)
    #[arg(long, value_name = "RULE")]
    pub skip: Vec<String>,

    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    pub output: Manifests,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Manifests {
    Yaml,
    Json,
}

/// `cleanup`.
#[derive(Args, Debug)]
pub struct CleanupArgs {
    /// Also agents that still run, whoever started them
    #[arg(long)]
    pub all: bool,
}

/// `agent`: what runs inside the cluster.
#[derive(Args, Debug)]
pub struct RequestArgs {
    /// What is asked, as JSON
    #[arg(long, value_name = "JSON")]
    pub request: String,
}
