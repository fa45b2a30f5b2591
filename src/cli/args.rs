//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::cluster_args::ClusterArgs;
use super::words_args::WordsArgs;
use crate::model::Severity;

const EXAMPLES: &str = "\
Examples:
  # Why is this pod broken?
  kubectl rca pod cart-7d9f8-x2k4q -n shop

  # What is broken in this namespace, and why?
  kubectl rca namespace shop

  # Take a capture, and look at it later or elsewhere
  kubectl rca capture -n shop -o shop.rca
  kubectl rca namespace shop --from shop.rca

  # Try it without a cluster
  kubectl rca demo";

/// Tells why a pod, a workload or a namespace is broken, with the evidence
///
/// It reads, and changes nothing. Nothing leaves the cluster but to this terminal, and to a model that was agreed to.
#[derive(Debug, Parser)]
#[command(name = "kubectl-rca", bin_name = "kubectl rca", version, after_help = EXAMPLES, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Say on stderr what was asked of the server (repeatable)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell why a pod is broken
    #[command(visible_aliases = ["pods", "po"])]
    Pod(PodArgs),
    /// Tell what is broken in a namespace, and why
    #[command(visible_aliases = ["namespaces", "ns"])]
    Namespace(NamespaceArgs),
    /// Write what a diagnosis would read into one file, for `--from`
    Capture(CaptureArgs),
    /// Explain a rule, or list all
    Explain(ExplainArgs),
    /// Diagnose a recorded broken namespace, without a cluster
    Demo(DemoArgs),
    /// Print the version
    Version,
}

/// `pod NAME`.
#[derive(Args, Debug)]
pub struct PodArgs {
    /// Name of the pod, also of one that is gone
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    pub examine: ExamineArgs,
}

/// `namespace [NAME]`.
#[derive(Args, Debug)]
pub struct NamespaceArgs {
    /// Name of the namespace; the current one if there is none
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    #[command(flatten)]
    pub examine: ExamineArgs,
}

/// What all diagnoses share.
#[derive(Args, Debug)]
pub struct ExamineArgs {
    #[command(flatten)]
    pub output: OutputArgs,

    #[command(flatten)]
    pub input: InputArgs,

    /// Read a capture, or the folder of a cluster dump, instead of the cluster
    #[arg(long, value_name = "FILE|FOLDER")]
    pub from: Option<PathBuf>,

    /// Leave out a rule (repeatable)
    #[arg(long, value_name = "RULE")]
    pub skip: Vec<String>,

    /// Exit with 1 if there are incidents at or above `--fail-on`
    #[arg(long)]
    pub exit_code: bool,

    /// Severity from which `--exit-code` counts
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: Severity,

    /// Exit with 5 if something could not be read
    #[arg(long)]
    pub require_complete: bool,

    #[command(flatten)]
    pub words: WordsArgs,
}

/// What to read besides the usual.
#[derive(Args, Clone, Debug)]
pub struct InputArgs {
    /// Read the TLS Secrets that an Ingress or Gateway names, and keep their certificates
    #[arg(long)]
    pub read_tls_secrets: bool,

    /// Read cAdvisor's metrics of suspicious pods through nodes/proxy
    #[arg(long)]
    pub kubelet_metrics: bool,

    /// Ask this Prometheus, instead of the one found in the cluster by the labels of its Service
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub prometheus_url: Option<String>,
}

pub(super) fn web_address(text: &str) -> Result<String, String> {
    let after = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match after {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("an address starts with `http://` or `https://`".to_owned()),
    }
}

/// How to print.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
}

/// The output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For people who want everything
    Wide,
    /// The report, as `rca/v1alpha1`
    Json,
    /// The same as YAML
    Yaml,
    /// The objects to change, a line each
    Name,
}

/// `capture`.
#[derive(Args, Debug)]
pub struct CaptureArgs {
    /// File to write; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    #[command(flatten)]
    pub input: InputArgs,
}

/// `explain [RULE]`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// Id of the rule, as in a report
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
}

/// `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}
