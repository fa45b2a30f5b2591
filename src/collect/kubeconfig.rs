//! Finds out which cluster to talk to and as whom, as kubectl does.
//!
//! kube-rs has its own inference, which differs from kubectl's: a missing file in `KUBECONFIG` is an error to it, `NO_PROXY` is matched
//! against the proxy instead of the server, and any broken kubeconfig makes it fall back to the service account of the pod it may run in.

mod choose;
mod config;
mod files;
mod proxy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::failure::Failure;

/// The environment variables that say how to reach a cluster.
const VARIABLES: [&str; 10] = [
    "KUBECONFIG",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "POD_NAMESPACE",
];

/// What the process' surroundings say about clusters, taken once so that nothing else looks at them.
#[derive(Clone, Debug)]
pub struct Env {
    /// Values of the environment variables that are set.
    pub vars: BTreeMap<String, String>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// Where a pod finds the credentials of its service account.
    pub service_account: PathBuf,
}

impl Env {
    /// Reads the surroundings of this process.
    pub fn from_process() -> Self {
        let value = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        Self {
            vars: VARIABLES.into_iter().filter_map(value).collect(),
            home: std::env::home_dir(),
            service_account: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
        }
    }

    /// Returns the value of a variable that is set to something.
    fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns whether the process runs in a pod with a service account, by the same signs as client-go.
    fn is_in_cluster(&self) -> bool {
        self.var("KUBERNETES_SERVICE_HOST").is_some()
            && self.var("KUBERNETES_SERVICE_PORT").is_some()
            && self.service_account.join("token").is_file()
    }

    /// Returns the namespace of the pod that the process runs in.
    fn pod_namespace(&self) -> Option<String> {
        if let Some(namespace) = self.var("POD_NAMESPACE") {
            return Some(namespace.to_owned());
        }
        let text = std::fs::read_to_string(self.service_account.join("namespace")).ok()?;
        Some(text.trim().to_owned()).filter(|namespace| !namespace.is_empty())
    }
}

/// Text that no debug output may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

/// What the command line says about the cluster: each value beats the kubeconfig's.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub namespace: Option<String>,
    pub impersonate_user: Option<String>,
    pub impersonate_groups: Vec<String>,
    pub impersonate_uid: Option<String>,
    pub impersonate_extra: Vec<(String, String)>,
    pub server: Option<String>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub token: Option<Secret>,
    pub tls_server_name: Option<String>,
    pub certificate_authority: Option<PathBuf>,
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub insecure_skip_tls_verify: Option<bool>,
    pub disable_compression: Option<bool>,
}

/// Everything that is needed to talk to a cluster.
#[derive(Clone, Debug)]
pub struct Connection {
    /// How to connect.
    pub config: kube::Config,
    /// Name of the context; none in a pod, and with nothing but `--server`.
    pub context: Option<String>,
    /// The namespace that commands look at when no other is named.
    pub namespace: String,
}

/// Returns whether there is a kubeconfig, or a pod's service account.
pub fn is_there(env: &Env) -> bool {
    env.is_in_cluster() || !matches!(files::load(None, env), Ok(None))
}

/// The names in a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub contexts: Vec<String>,
    pub clusters: Vec<String>,
    pub users: Vec<String>,
}

/// Returns the names in the kubeconfig; none where it cannot be read.
pub fn names(overrides: &Overrides, env: &Env) -> Names {
    let config = files::load(overrides.kubeconfig.as_deref(), env).ok().flatten().unwrap_or_default();
    Names {
        contexts: config.contexts.into_iter().map(|named| named.name).collect(),
        clusters: config.clusters.into_iter().map(|named| named.name).collect(),
        users: config.auth_infos.into_iter().map(|named| named.name).collect(),
    }
}

/// Resolves flags, kubeconfig files and environment to a connection, without talking to the cluster.
///
/// Fails with exit code 3 if there is no kubeconfig, no current context, a name that does not exist or a file that cannot be read.
pub fn resolve(overrides: &Overrides, env: &Env) -> Result<Connection, Failure> {
    try_resolve(overrides, env).map_err(|failure| match failure.hints.as_slice() {
        [] => failure.hint("see what the kubeconfig says with `kubectl config view --minify`"),
        _ => failure,
    })
}

fn try_resolve(overrides: &Overrides, env: &Env) -> Result<Connection, Failure> {
    let found = files::load(overrides.kubeconfig.as_deref(), env)?;
    if found.is_none() && overrides.server.is_none() && env.is_in_cluster() {
        return in_cluster(overrides, env);
    }
    if found.is_none() && overrides.server.is_none() {
        return Err(files::nothing_found(env));
    }
    let chosen = choose::choose(&found.unwrap_or_default(), overrides)?;
    let namespace = namespace(chosen.namespace.as_deref(), overrides, env);
    let mut config = config::build(&chosen.cluster, chosen.user, env)?;
    config.default_namespace.clone_from(&namespace);
    Ok(Connection { config, context: chosen.context, namespace })
}

fn in_cluster(overrides: &Overrides, env: &Env) -> Result<Connection, Failure> {
    let (mut cluster, mut user) = config::service_account(env);
    choose::override_cluster(&mut cluster, overrides);
    choose::override_user(&mut user, overrides);
    let namespace = namespace(None, overrides, env);
    let mut config = config::build(&cluster, user, env)?;
    config.default_namespace.clone_from(&namespace);
    Ok(Connection { config, context: None, namespace })
}

/// Picks the namespace: the flag's, the context's, the pod's, `default`.
fn namespace(of_context: Option<&str>, overrides: &Overrides, env: &Env) -> String {
    let named = overrides.namespace.as_deref().or(of_context).filter(|name| !name.is_empty());
    if let Some(name) = named {
        return name.to_owned();
    }
    let of_pod = if env.is_in_cluster() { env.pod_namespace() } else { None };
    of_pod.unwrap_or_else(|| "default".to_owned())
}
