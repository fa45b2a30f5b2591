//! The flags that say which cluster to talk to, and as whom: the names and the meaning are kubectl's.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args};

use crate::collect::client::Limits;
use crate::collect::kubeconfig::{Overrides, Secret};

/// Which cluster to talk to, as whom, and how.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster options")]
pub struct ClusterArgs {
    /// Path to the kubeconfig file to use
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Name of the kubeconfig context to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,

    /// Name of the kubeconfig cluster to use
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,

    /// Name of the kubeconfig user to use
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,

    /// Namespace to look at
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// Look at all namespaces, even if `--namespace` is given
    #[arg(short = 'A', long, global = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_value = "false", default_missing_value = "true", hide_default_value = true, hide_possible_values = true,
        value_name = "BOOL")]
    pub all_namespaces: bool,

    /// User name to impersonate, a regular user or a service account
    #[arg(long = "as", global = true, value_name = "USER")]
    pub impersonate_user: Option<String>,

    /// Group to impersonate (repeatable)
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub impersonate_groups: Vec<String>,

    /// UID to impersonate
    #[arg(long = "as-uid", global = true, value_name = "UID")]
    pub impersonate_uid: Option<String>,

    /// User extra to impersonate (repeatable)
    #[arg(long = "as-user-extra", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub impersonate_extra: Vec<(String, String)>,

    /// Address and port of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub server: Option<String>,

    /// User name for basic authentication
    #[arg(long, global = true, value_name = "NAME", hide = true)]
    pub username: Option<String>,

    /// Password for basic authentication
    #[arg(long, global = true, value_name = "PASSWORD", hide = true)]
    pub password: Option<Secret>,

    /// Bearer token to authenticate with
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<Secret>,

    /// Name that the server's certificate must be valid for, instead of the host's
    #[arg(long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,

    /// Path to the certificate of the authority that signed the server's
    #[arg(long, global = true, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,

    /// Path to a client certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub client_certificate: Option<PathBuf>,

    /// Path to the key of the client certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub client_key: Option<PathBuf>,

    /// Do not check the server's certificate: the connection is not secure
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        hide_possible_values = true, value_name = "BOOL")]
    pub insecure_skip_tls_verify: Option<bool>,

    /// How long to wait for a single request, like `1s`, `2m` or `3h`; `0` waits for as long as the server takes
    #[arg(long, global = true, default_value = "0", value_name = "DURATION")]
    pub request_timeout: RequestTimeout,

    /// Ask the server not to compress its answers
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        hide_possible_values = true, value_name = "BOOL")]
    pub disable_compression: Option<bool>,

    /// Folder for what is kept for a short while, such as the names that completion shows
    #[arg(long, global = true, value_name = "DIR", env = "KUBECACHEDIR", hide_env_values = true)]
    pub cache_dir: Option<PathBuf>,

    /// Fail if the server warns
    #[arg(long, global = true)]
    pub warnings_as_errors: bool,
}

impl ClusterArgs {
    /// Returns what the flags override in the kubeconfig.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone(),
            impersonate_user: self.impersonate_user.clone(),
            impersonate_groups: self.impersonate_groups.clone(),
            impersonate_uid: self.impersonate_uid.clone(),
            impersonate_extra: self.impersonate_extra.clone(),
            server: self.server.clone(),
            username: self.username.clone(),
            password: self.password.clone(),
            token: self.token.clone(),
            tls_server_name: self.tls_server_name.clone(),
            certificate_authority: self.certificate_authority.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            disable_compression: self.disable_compression,
        }
    }

    /// Returns the namespace that was named; an empty one is none, as to kubectl.
    pub fn namespaces(&self) -> Vec<String> {
        self.namespace.iter().filter(|name| !name.is_empty()).cloned().collect()
    }

    /// Returns whether no flag says which cluster is meant.
    pub fn names_nothing(&self) -> bool {
        self.kubeconfig.is_none() && self.context.is_none() && self.cluster.is_none() && self.server.is_none()
    }

    /// Returns the default limits with the timeout that the flags ask for.
    pub fn limits(&self) -> Limits {
        Limits { request_timeout: self.request_timeout.0, ..Limits::default() }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not of the form `key=value`")),
    }
}

/// How long a single request may take, in kubectl's words: whole seconds, or a Go duration; `0` sets no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestTimeout(pub Option<Duration>);

impl FromStr for RequestTimeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole_seconds = text.parse::<u64>().map(Duration::from_secs).ok();
        let timeout = whole_seconds.or_else(|| go_duration(text)).ok_or(
            "a timeout is a number of seconds, or a number followed by a unit of time (like `1s`, `2m` or `3h`)",
        )?;
        Ok(Self((!timeout.is_zero()).then_some(timeout)))
    }
}

/// Reads how long something is to take: a Go duration that is not zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let words = "a duration is a number followed by a unit of time (like `30s`, `2m` or `1h`)";
    go_duration(text).filter(|duration| !duration.is_zero()).ok_or_else(|| words.to_owned())
}

/// Reads a duration as Go writes it, such as `1h30m`, `1.5s` or `500ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let seconds = number.parse::<f64>().ok()? * unit_in_seconds(&after[..unit_end])?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = &after[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

fn unit_in_seconds(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        "us" | "µs" | "μs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        cluster: ClusterArgs,
    }

    fn parse(args: &[&str]) -> ClusterArgs {
        Cli::try_parse_from([&["rca"], args].concat()).unwrap().cluster
    }

    fn timeout(text: &str) -> Option<Duration> {
        text.parse::<RequestTimeout>().unwrap().0
    }

    #[test]
    fn request_timeout_reads_what_kubectl_reads() {
        assert_eq!(timeout("0"), None);
        assert_eq!(timeout("0s"), None);
        assert_eq!(timeout("7"), Some(Duration::from_secs(7)));
        assert_eq!(timeout("1s"), Some(Duration::from_secs(1)));
        assert_eq!(timeout("3h"), Some(Duration::from_hours(3)));
        assert_eq!(timeout("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(timeout("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(timeout("500ms"), Some(Duration::from_millis(500)));
    }

    #[test]
    fn request_timeout_refuses_what_is_no_duration() {
        for text in ["", "soon", "-1", "1x", "s", "1s2", "9999999999999999999h"] {
            assert!(text.parse::<RequestTimeout>().is_err(), "{text}");
        }
    }

    #[test]
    fn flags_have_the_names_of_kubectl() {
        let args = parse(&[
            "-n=shop",
            "-A",
            "--as=jane",
            "--as-group=a",
            "--as-group=b",
            "--as-uid=7",
            "--as-user-extra=k=v=w",
            "-s=https://api",
            "--token=t",
            "--insecure-skip-tls-verify",
            "--disable-compression=false",
        ]);
        let overrides = args.overrides();
        assert!(args.all_namespaces);
        assert_eq!(overrides.namespace.as_deref(), Some("shop"));
        assert_eq!(overrides.impersonate_groups, ["a", "b"]);
        assert_eq!(overrides.impersonate_extra, [("k".to_owned(), "v=w".to_owned())]);
        assert_eq!(overrides.insecure_skip_tls_verify, Some(true));
        assert_eq!(overrides.disable_compression, Some(false));
    }

    #[test]
    fn all_namespaces_can_be_denied() {
        assert!(!parse(&["--all-namespaces=false"]).all_namespaces);
        assert!(!parse(&[]).all_namespaces);
        assert_eq!(parse(&["-An", "shop"]).namespace.as_deref(), Some("shop"));
    }

    #[test]
    fn extra_without_a_key_is_refused() {
        assert!(Cli::try_parse_from(["rca", "--as-user-extra", "novalue"]).is_err());
    }

    #[test]
    fn a_token_is_not_printed_by_debug() {
        assert!(!format!("{:?}", parse(&["--token=hunter2"])).contains("hunter2"));
    }
}
