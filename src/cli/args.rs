//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::agent_args::{AgentArgs, CleanupArgs, RbacArgs, RequestArgs};
use super::cluster_args::ClusterArgs;
use super::format::{Format, FormatParser};
use super::words_args::WordsArgs;
use crate::model::{Kind, Severity};

const EXAMPLES: &str = "\
Examples:
  # Why is this pod broken?
  kubectl rca pod cart-7d9f8-x2k4q -n shop

  # Why is this workload, or this Service, broken?
  kubectl rca deploy/cart svc/cart -n shop

  # Why are the pods of this application broken?
  kubectl rca pods -l app=cart -n shop

  # And this object of a type that only this server knows?
  kubectl rca httproute/web -n shop

  # What is broken in this namespace, and why?
  kubectl rca namespace shop

  # What should these workloads ask for, and what do they waste?
  kubectl rca limits -n shop

  # Take a capture, and look at it later or elsewhere
  kubectl rca capture -n shop -o shop.rca
  kubectl rca namespace shop --from shop.rca

  # What is new since this morning?
  kubectl rca namespace shop -o json > morning.json
  kubectl rca namespace shop --baseline morning.json

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

    /// Say on stderr what was asked of the server (repeatable, or a level as kubectl's: `-v=6` is all)
    #[arg(short, long, visible_alias = "v", global = true, action = clap::ArgAction::Append, num_args = 0..=1, require_equals = true,
        default_missing_value = "1", value_name = "LEVEL")]
    pub verbose: Vec<u8>,

    /// Print without colours, as with `NO_COLOR`
    #[arg(long, global = true)]
    pub no_color: bool,
}

impl Cli {
    /// Returns how much is to be told: 0, 1 or more.
    pub fn verbosity(&self) -> u8 {
        match self.verbose.as_slice() {
            // kubectl's levels below 6 tell little.
            [level] if *level >= 6 => 2,
            [level] => (*level).min(1),
            several => several.iter().fold(0, |sum, level| sum.saturating_add(*level)),
        }
    }
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
    /// Print the rights that a diagnosis takes, for `kubectl apply -f -`
    Rbac(RbacArgs),
    /// Delete what agents of `--in-cluster` left behind
    Cleanup(CleanupArgs),
    /// What runs inside the cluster
    #[command(hide = true)]
    Agent(RequestArgs),
    /// Explain a rule, or list all
    Explain(ExplainArgs),
    /// Diagnose a recorded broken namespace, without a cluster
    Demo(DemoArgs),
    /// Print a script that completes words in a shell, or install what kubectl asks
    Completion(CompletionArgs),
    /// Show what is configured
    Config(ConfigArgs),
    /// Print the versions of this program, of its report and of the server
    Version(VersionArgs),
}

/// `TYPE NAME...`.
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
    /// Tell what is wrong with a node, and what follows from it
    #[command(visible_aliases = ["nodes", "no"])]
    Node(ObjectArgs),
    /// Tell why an object of any type is broken, as the server knows it: `httproute/web`, `deploy/cart svc/cart`
    #[command(
        name = "TYPE",
        hide = true,
        override_usage = "kubectl rca TYPE NAME... [OPTIONS]\n       kubectl rca TYPE/NAME... [OPTIONS]"
    )]
    Any(ObjectArgs),
}

impl ObjectCommand {
    /// Returns the kind of the objects that are asked about, if one was named as a command, and what was said of them.
    pub fn parts(&self) -> (Option<Kind>, &ObjectArgs) {
        match self {
            Self::Pod(args) => (Some(Kind::Pod), args),
            Self::Deployment(args) => (Some(Kind::Deployment), args),
            Self::StatefulSet(args) => (Some(Kind::StatefulSet), args),
            Self::DaemonSet(args) => (Some(Kind::DaemonSet), args),
            Self::ReplicaSet(args) => (Some(Kind::ReplicaSet), args),
            Self::ReplicationController(args) => (Some(Kind::ReplicationController), args),
            Self::Job(args) => (Some(Kind::Job), args),
            Self::CronJob(args) => (Some(Kind::CronJob), args),
            Self::Service(args) => (Some(Kind::Service), args),
            Self::Ingress(args) => (Some(Kind::Ingress), args),
            Self::PersistentVolumeClaim(args) => (Some(Kind::PersistentVolumeClaim), args),
            Self::HorizontalPodAutoscaler(args) => (Some(Kind::HorizontalPodAutoscaler), args),
            Self::Node(args) => (Some(Kind::Node), args),
            Self::Any(args) => (None, args),
        }
    }
}

/// `NAME...`, or a selector.
#[derive(Args, Debug)]
pub struct ObjectArgs {
    /// Names of the objects, also of a pod that is gone
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// All objects with these labels, instead of names: `app=cart,tier!=db`
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,

    /// Leave out what concerns only other containers than this one
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<String>,

    #[command(flatten)]
    pub examine: ExamineArgs,
}

/// `namespace [NAME...]`.
#[derive(Args, Debug)]
pub struct NamespaceArgs {
    /// Names of the namespaces; the current one if there is none
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

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

    /// Leave out what is over for longer than this, like `30m` or `2h`
    #[arg(long, value_name = "DURATION", value_parser = super::cluster_args::duration)]
    pub since: Option<std::time::Duration>,

    /// Leave out incidents below this severity
    #[arg(long, value_name = "SEVERITY")]
    pub min_severity: Option<Severity>,

    /// Tell what is new since an earlier report (`-o json`); `--exit-code` then counts only that
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Look again and again, and print what changed
    #[arg(short, long, conflicts_with = "from")]
    pub watch: bool,

    /// How long to wait before looking again
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = super::cluster_args::duration)]
    pub watch_interval: std::time::Duration,

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
    pub agent: AgentArgs,

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

/// `completion`.
#[derive(Args, Debug)]
pub struct CompletionArgs {
    #[command(subcommand)]
    pub shell: CompletionCommand,
}

const INSTALL: &str = "\
Examples:
  # Let kubectl complete `kubectl rca pod <TAB>`
  kubectl rca completion install

  # Complete `kubectl-rca` in this shell too
  source <(kubectl rca completion bash)";

/// `completion bash|zsh|fish|install`.
#[derive(Debug, Subcommand)]
pub enum CompletionCommand {
    /// Print the script for bash
    Bash,
    /// Print the script for zsh
    Zsh,
    /// Print the script for fish
    Fish,
    /// Put `kubectl_complete-rca` beside the plugin, which kubectl asks for words
    #[command(after_help = INSTALL)]
    Install(InstallArgs),
}

/// `completion install`.
#[derive(Args, Debug)]
pub struct InstallArgs {
    /// Folder to put it into, which has to be on the PATH; that of the plugin if there is none
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `config`.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

const CONFIG: &str = "\
The file is ~/.config/kubectl-rca/config.toml, or in $XDG_CONFIG_HOME:

  [defaults]                      # any flag that says how, not what
  output = \"wide\"

  [severity]                      # instead of a rule's own
  hpa-no-metrics = \"info\"

  [[ignore]]                      # known and accepted; told as \"ignored\"
  rule = \"pdb-blocks-eviction\"    # `*` stands for any text
  object = \"deployment/shop/cart\" # or kind/name; also: selector, namespace
  reason = \"one replica by design, OPS-12\"
  until = 2026-12-31              # trouble again from then on

  [contexts.prod]                 # the same for one context of the kubeconfig
  allow-annotations = true        # honour `kubectl-rca/ignore: \"rule: reason\"` on objects

RCA_* sets a flag too: RCA_OUTPUT=wide. What is typed comes first, then the environment, then the file.";

/// `config view`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration file, and the flags that the environment sets
    #[command(after_help = CONFIG)]
    View,
}

/// `version`.
#[derive(Args, Debug)]
pub struct VersionArgs {
    /// Do not ask the server
    #[arg(long)]
    pub client: bool,

    /// Output format
    #[arg(short, long, value_name = "FORMAT", value_enum)]
    pub output: Option<VersionFormat>,
}

/// The formats of `version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VersionFormat {
    Json,
    Yaml,
}

/// `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}
