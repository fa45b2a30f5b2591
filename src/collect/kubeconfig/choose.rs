//! Chooses context, cluster and user, with the command line's words laid over the kubeconfig's.

use std::collections::HashMap;
use std::path::Path;

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};

use super::Overrides;
use crate::failure::Failure;

/// How alike two names have to be (Jaro-Winkler) for the one to be suggested for the other.
const ALIKE: f64 = 0.75;

/// The entries of a kubeconfig that a connection is made of.
pub(super) struct Chosen {
    pub(super) context: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) cluster: Cluster,
    pub(super) user: AuthInfo,
}

/// Chooses the entries that the flags name, else those of the current context.
pub(super) fn choose(config: &Kubeconfig, overrides: &Overrides) -> Result<Chosen, Failure> {
    let name = overrides.context.as_ref().or(config.current_context.as_ref()).filter(|name| !name.is_empty());
    let context = match name {
        Some(name) => find_context(config, name)?,
        None if overrides.server.is_some() || overrides.cluster.is_some() => Context::default(),
        None => return Err(no_current_context()),
    };
    let mut cluster = find_cluster(config, &context, overrides)?;
    let mut user = find_user(config, &context, overrides)?;
    override_cluster(&mut cluster, overrides);
    override_user(&mut user, overrides);
    Ok(Chosen { context: name.cloned(), namespace: context.namespace, cluster, user })
}

fn no_current_context() -> Failure {
    Failure::unreachable("no current context is set")
        .hint("see the contexts with `kubectl config get-contexts`")
        .hint("choose one with `--context NAME`, or for good with `kubectl config use-context NAME`")
}

fn find_context(config: &Kubeconfig, name: &str) -> Result<Context, Failure> {
    let found = config.contexts.iter().find(|named| named.name == name);
    found.map(|named| named.context.clone().unwrap_or_default()).ok_or_else(|| {
        let names = config.contexts.iter().map(|named| named.name.as_str());
        does_not_exist("context", name, names).hint("see the contexts with `kubectl config get-contexts`")
    })
}

fn find_cluster(config: &Kubeconfig, context: &Context, overrides: &Overrides) -> Result<Cluster, Failure> {
    let name = overrides.cluster.as_ref().unwrap_or(&context.cluster);
    let found = config.clusters.iter().find(|named| &named.name == name).and_then(|named| named.cluster.clone());
    match found {
        Some(cluster) => Ok(cluster),
        None if overrides.cluster.is_none() && overrides.server.is_some() => Ok(Cluster::default()),
        None => {
            let names = config.clusters.iter().map(|named| named.name.as_str());
            Err(does_not_exist("cluster", name, names).hint("see the clusters with `kubectl config get-clusters`"))
        }
    }
}

/// Finds the user; like client-go, lets a context name one that is not there, but not a flag.
fn find_user(config: &Kubeconfig, context: &Context, overrides: &Overrides) -> Result<AuthInfo, Failure> {
    let Some(name) = overrides.user.as_ref().or(context.user.as_ref()) else { return Ok(AuthInfo::default()) };
    let found = config.auth_infos.iter().find(|named| &named.name == name);
    if found.is_none() && overrides.user.is_some() {
        let names = config.auth_infos.iter().map(|named| named.name.as_str());
        return Err(does_not_exist("user", name, names).hint("see the users with `kubectl config get-users`"));
    }
    Ok(found.and_then(|named| named.auth_info.clone()).unwrap_or_default())
}

fn does_not_exist<'a>(kind: &str, name: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let failure = Failure::unreachable(format!("{kind} \"{name}\" does not exist"));
    match nearest(name, names).as_slice() {
        [] => failure,
        near => failure.hint(format!("did you mean `{}`?", near.join("` or `"))),
    }
}

/// Returns the up to three names that are most like the given one, the most alike first.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = names
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(alike, other)| *alike >= ALIKE || (!name.is_empty() && other.contains(name)))
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

/// Lays the flags over a cluster by client-go's rules: a flag about trust replaces all that the kubeconfig says about trust.
pub(super) fn override_cluster(cluster: &mut Cluster, overrides: &Overrides) {
    let insecure = overrides.insecure_skip_tls_verify.unwrap_or(false);
    if insecure || overrides.certificate_authority.is_some() {
        cluster.insecure_skip_tls_verify = overrides.insecure_skip_tls_verify;
        cluster.certificate_authority = overrides.certificate_authority.as_deref().map(text);
        cluster.certificate_authority_data = None;
    }
    if overrides.tls_server_name.is_some() || overrides.server.is_some() {
        cluster.tls_server_name.clone_from(&overrides.tls_server_name);
    }
    replace(&mut cluster.server, overrides.server.as_ref());
    replace(&mut cluster.disable_compression, overrides.disable_compression.as_ref());
}

/// Lays the flags over a user: a token or a certificate replaces the user's other credentials of that sort.
pub(super) fn override_user(user: &mut AuthInfo, overrides: &Overrides) {
    if let Some(token) = &overrides.token {
        *user = AuthInfo { token: Some(token.reveal().to_owned().into()), ..without_login(user) };
    }
    replace(&mut user.username, overrides.username.as_ref());
    if let Some(password) = &overrides.password {
        user.password = Some(password.reveal().to_owned().into());
    }
    if let Some(path) = &overrides.client_certificate {
        user.client_certificate = Some(text(path));
        user.client_certificate_data = None;
    }
    if let Some(path) = &overrides.client_key {
        user.client_key = Some(text(path));
        user.client_key_data = None;
    }
    override_impersonation(user, overrides);
}

/// Returns the user without the ways to log in that a token given by hand replaces.
fn without_login(user: &AuthInfo) -> AuthInfo {
    AuthInfo { username: None, password: None, token_file: None, exec: None, auth_provider: None, ..user.clone() }
}

fn override_impersonation(user: &mut AuthInfo, overrides: &Overrides) {
    replace(&mut user.impersonate, overrides.impersonate_user.as_ref());
    replace(&mut user.impersonate_uid, overrides.impersonate_uid.as_ref());
    if !overrides.impersonate_groups.is_empty() {
        user.impersonate_groups = Some(overrides.impersonate_groups.clone());
    }
    if !overrides.impersonate_extra.is_empty() {
        let mut extra: HashMap<String, Vec<String>> = HashMap::new();
        for (key, value) in &overrides.impersonate_extra {
            extra.entry(key.clone()).or_default().push(value.clone());
        }
        user.impersonate_user_extra = Some(extra);
    }
}

fn replace<T: Clone>(value: &mut Option<T>, by: Option<&T>) {
    if let Some(by) = by {
        *value = Some(by.clone());
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
