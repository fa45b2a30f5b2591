//! Finds, reads and merges kubeconfig files.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};

use super::Env;
use crate::failure::Failure;

/// Reads the kubeconfig: the explicit file, else those of `KUBECONFIG`, else `~/.kube/config`.
///
/// Returns none if there is none; only an explicit file must exist.
pub(super) fn load(explicit: Option<&Path>, env: &Env) -> Result<Option<Kubeconfig>, Failure> {
    if let Some(path) = explicit {
        return read(path).map(Some);
    }
    let mut merged: Option<Kubeconfig> = None;
    for path in candidates(env).iter().filter(|path| path.exists()) {
        let next = read(path)?;
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(|error| cannot_load(path, &error))?,
        });
    }
    Ok(merged)
}

/// Explains that there is no kubeconfig, and where it was looked for.
pub(super) fn nothing_found(env: &Env) -> Failure {
    let places: Vec<_> = candidates(env).iter().map(|path| path.display().to_string()).collect();
    let message = if places.is_empty() {
        "no kubeconfig found: neither `KUBECONFIG` nor a home directory is set".to_owned()
    } else {
        format!("no kubeconfig found: `{}` does not exist", places.join("`, `"))
    };
    Failure::unreachable(message)
        .hint("name a kubeconfig with `--kubeconfig FILE` or the variable `KUBECONFIG`")
        .hint("or read a saved snapshot instead of a cluster")
}

fn candidates(env: &Env) -> Vec<PathBuf> {
    let listed: Vec<_> = env.var("KUBECONFIG").into_iter().flat_map(std::env::split_paths).collect();
    let listed: Vec<_> = listed.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    match &env.home {
        Some(home) if listed.is_empty() => vec![home.join(".kube").join("config")],
        _ => listed,
    }
}

fn read(path: &Path) -> Result<Kubeconfig, Failure> {
    let mut config = Kubeconfig::read_from(path).map_err(|error| cannot_load(path, &error))?;
    normalise(&mut config);
    Ok(config)
}

/// Words what is wrong with a file, without quoting from it: it holds credentials.
fn cannot_load(path: &Path, error: &KubeconfigError) -> Failure {
    let file = path.display();
    match error {
        KubeconfigError::ReadConfig(cause, _) if cause.kind() == std::io::ErrorKind::NotFound => {
            Failure::unreachable(format!("kubeconfig `{file}` does not exist"))
        }
        KubeconfigError::ReadConfig(cause, _) => {
            Failure::unreachable(format!("kubeconfig `{file}` cannot be read: {cause}"))
        }
        KubeconfigError::Parse(cause) => {
            let place = cause.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
            let text = cause.without_snippet().to_string();
            let what = what_is_wrong(&text);
            Failure::unreachable(format!("kubeconfig `{file}{place}` cannot be parsed: {what}"))
                .hint(format!("see `kubectl config view --kubeconfig {file}`"))
        }
        other => Failure::unreachable(format!("kubeconfig `{file}` cannot be used: {other}")),
    }
}

/// Takes the message out of an error that also repeats the place.
fn what_is_wrong(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(" at line ").map_or(line, |(what, _)| what)
}

/// Makes empty strings absent, as they are to client-go, and takes the line breaks out of base64.
fn normalise(config: &mut Kubeconfig) {
    drop_empty(&mut config.current_context);
    config.contexts.iter_mut().filter_map(|named| named.context.as_mut()).for_each(|context| {
        drop_empty(&mut context.namespace);
        drop_empty(&mut context.user);
    });
    config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()).for_each(normalise_cluster);
    config.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()).for_each(normalise_user);
}

fn normalise_cluster(cluster: &mut Cluster) {
    if let Some(data) = &mut cluster.certificate_authority_data {
        data.retain(|c| !c.is_whitespace());
    }
    drop_empty(&mut cluster.server);
    drop_empty(&mut cluster.certificate_authority);
    drop_empty(&mut cluster.certificate_authority_data);
    drop_empty(&mut cluster.proxy_url);
    drop_empty(&mut cluster.tls_server_name);
}

fn normalise_user(user: &mut AuthInfo) {
    if let Some(data) = &mut user.client_certificate_data {
        data.retain(|c| !c.is_whitespace());
    }
    drop_empty(&mut user.username);
    drop_empty(&mut user.token_file);
    drop_empty(&mut user.client_certificate);
    drop_empty(&mut user.client_certificate_data);
    drop_empty(&mut user.client_key);
    drop_empty(&mut user.impersonate);
    drop_empty(&mut user.impersonate_uid);
}

fn drop_empty(text: &mut Option<String>) {
    text.take_if(|text| text.is_empty());
}
