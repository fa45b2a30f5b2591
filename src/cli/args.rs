//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::cluster_args::ClusterArgs;
use super::format::{Format, FormatParser};
use super::words_args::WordsArgs;
use crate::model::{Kind, Severity};

const EXAMPLES: &str = "\
Examples:
  # Why is this pod broken?
  kubectl rca pod cart-7d9f8-x2k4q -n shop

  # Why is this workload, or this Service, broken?
  kubectl rca deploy/cart -n shop

  # What is broken in this namespace, and why?
  kubectl rca namespace shop

  # What should these workloads ask for, and what do they waste?
  kubectl rca limits -n shop

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
    #[command(flatten)]
    Object(ObjectCommand),
    /// Tell what is broken in a namespace, and why
    #[command(visible_aliases = ["namespaces", "ns"])]
    Namespace(NamespaceArgs),
    /// Tell what workloads ask for, use, and should ask for
    ///
    /// `limits` is also kubectl's short name of LimitRange: `kubectl get limits` lists those, and `kubectl rca limits` is this
    /// command. What a LimitRange, quotas, nodes and autoscalers allow is checked for every number.
    ///
    /// Who is killed for want of memory is told the same as by `kubectl rca namespace`. A healthy workload is never told to
    /// raise its memory, and to ask for less only from samples of a day or more.
    Limits(LimitsArgs),
    /// Write what a diagnosis would read into one file, for `--from`
    Capture(CaptureArgs),
    /// Explain a rule, or list all
    Explain(ExplainArgs),
    /// Diagnose a recorded broken namespace, without a cluster
    Demo(DemoArgs),
    /// Print the version
    Version,
}

/// `TYPE NAME`.
#[derive(Debug, Subcommand)]
pub enum ObjectCommand {
    /// Tell why a pod is broken
    #[command(visible_aliases = ["pods", "po"])]
    Pod(ObjectArgs),
    /// Tell why a Deployment is broken
    #[command(visible_aliases = ["deployments", "deploy"])]
    Deployment(ObjectArgs),
    /// Tell why a StatefulSet is broken
    #[command(name = "statefulset", visible_aliases = ["statefulsets", "sts"])]
    StatefulSet(ObjectArgs),
    /// Tell why a DaemonSet is broken
    #[command(name = "daemonset", visible_aliases = ["daemonsets", "ds"])]
    DaemonSet(ObjectArgs),
    /// Tell why a ReplicaSet is broken
    #[command(name = "replicaset", visible_aliases = ["replicasets", "rs"])]
    ReplicaSet(ObjectArgs),
    #[command(about = "Tell why a ReplicationController is broken", name = "replicationcontroller", visible_aliases = ["replicationcontrollers", "rc"])]
    ReplicationController(ObjectArgs),
    /// Tell why a Job failed or hangs
    #[command(visible_aliases = ["jobs"])]
    Job(ObjectArgs),
    /// Tell why a CronJob does not do its work
    #[command(name = "cronjob", visible_aliases = ["cronjobs", "cj"])]
    CronJob(ObjectArgs),
    /// Tell why a Service does not answer
    #[command(visible_aliases = ["services", "svc"])]
    Service(ObjectArgs),
    /// Tell why an Ingress leads nowhere
    #[command(visible_aliases = ["ingresses", "ing"])]
    Ingress(ObjectArgs),
    #[command(about = "Tell why a PersistentVolumeClaim is not bound or mounted", name = "persistentvolumeclaim", visible_aliases = ["persistentvolumeclaims", "pvc"])]
    PersistentVolumeClaim(ObjectArgs),
    #[command(about = "Tell why a HorizontalPodAutoscaler does not scale", name = "horizontalpodautoscaler", visible_aliases = ["horizontalpodautoscalers", "hpa"])]
    HorizontalPodAutoscaler(ObjectArgs),
}

impl ObjectCommand {
    /// Returns the kind of the object that is asked about, and what was said of it.
    pub fn parts(&self) -> (Kind, &ObjectArgs) {
        match self {
            Self::Pod(args) => (Kind::Pod, args),
            Self::Deployment(args) => (Kind::Deployment, args),
            Self::StatefulSet(args) => (Kind::StatefulSet, args),
            Self::DaemonSet(args) => (Kind::DaemonSet, args),
            Self::ReplicaSet(args) => (Kind::ReplicaSet, args),
            Self::ReplicationController(args) => (Kind::ReplicationController, args),
            Self::Job(args) => (Kind::Job, args),
            Self::CronJob(args) => (Kind::CronJob, args),
            Self::Service(args) => (Kind::Service, args),
            Self::Ingress(args) => (Kind::Ingress, args),
            Self::PersistentVolumeClaim(args) => (Kind::PersistentVolumeClaim, args),
            Self::HorizontalPodAutoscaler(args) => (Kind::HorizontalPodAutoscaler, args),
        }
    }
}

/// `NAME`.
#[derive(Args, Debug)]
pub struct ObjectArgs {
    /// Name of the object, also of a pod that is gone
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

    /// Replace these too, besides secrets: a diagnosis may need them (comma-separated)
    #[arg(long, value_name = "WHAT", env = "RCA_REDACT", hide_env_values = true, value_delimiter = ',')]
    pub redact: Vec<Redact>,
}

/// What is replaced by placeholders only when asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Redact {
    /// E-mail addresses
    Emails,
    /// IP addresses of hosts and pods
    Ips,
}

pub(super) fn web_address(text: &str) -> Result<String, String> {
    let after = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match after {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("an address starts with `http://` or `https://`".to_owned()),
    }
}

/// How to print a report.
#[derive(Args, Clone, Debug)]
pub struct OutputArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = FormatParser::of_reports())]
    pub output: Format,
}

/// How to print amounts.
#[derive(Args, Clone, Debug)]
pub struct AmountsOutputArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = FormatParser::of_amounts())]
    pub output: Format,
}

const LIMITS_EXAMPLES: &str = "\
Examples:
  # All workloads of a namespace, what is most at stake first
  kubectl rca limits -n shop

  # One of them, watched for two minutes
  kubectl rca limits deployment/cart -n shop --sample 2m

  # What the cluster pays for and does not use
  kubectl rca limits -A --sort waste

  # Patches for kustomize, one a workload
  kubectl rca limits -n shop --patch-dir patches";

/// `limits [TYPE/NAME | TYPE NAME]`.
#[derive(Args, Debug)]
#[command(after_help = LIMITS_EXAMPLES)]
pub struct LimitsArgs {
    /// Type of the workloads, or one as `TYPE/NAME`; all workloads if there is none
    #[arg(value_name = "TYPE[/NAME]")]
    pub target: Option<String>,

    /// Name of one workload of the type
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    #[command(flatten)]
    pub output: AmountsOutputArgs,

    #[command(flatten)]
    pub input: InputArgs,

    /// Read a capture, or the folder of a cluster dump, instead of the cluster
    #[arg(long, value_name = "FILE|FOLDER")]
    pub from: Option<PathBuf>,

    /// What comes first
    #[arg(long, value_name = "ORDER", default_value = "risk")]
    pub sort: SortBy,

    /// Watch the usage for so long before judging, like `2m`; Ctrl-C ends it early and uses what was seen
    #[arg(long, value_name = "DURATION", value_parser = super::cluster_args::duration, conflicts_with = "from")]
    pub sample: Option<std::time::Duration>,

    /// Write a kustomize patch for each workload that is to be changed into this folder
    #[arg(long, value_name = "DIR")]
    pub patch_dir: Option<PathBuf>,

    /// Exit with 5 if something could not be read
    #[arg(long)]
    pub require_complete: bool,
}

/// The orders of `limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// What is most at stake, then the most unused
    Risk,
    /// The most requested and not used
    Waste,
    /// The most memory that is asked for
    Memory,
    /// The most CPU that is asked for
    Cpu,
    /// By namespace and name
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
