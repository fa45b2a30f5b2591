//! Finds, reads and merges kubeconfig files.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};
use serde_json::Value;

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
            Some(first) => first.merge(next).map_err(|error| cannot_use(path, &error))?,
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

/// Reads a file; several documents in it are merged.
///
/// YAML becomes JSON first, as client-go does it: so one reader of YAML serves all types.
fn read(path: &Path) -> Result<Kubeconfig, Failure> {
    let text = std::fs::read(path)
        .map_err(|error| cannot_read(path, &error))
        .and_then(|bytes| text_of(&bytes).ok_or_else(|| cannot_parse(path, "", "it is neither UTF-8 nor UTF-16")))?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|error| {
        let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
        cannot_parse(path, &place, what_is_wrong(&error.without_snippet().to_string()))
    })?;
    let mut merged = Kubeconfig::default();
    for document in documents {
        let config = serde_json::from_value(document).map_err(|error| cannot_parse(path, "", &expected(&error)))?;
        merged = merged.merge(config).map_err(|error| cannot_use(path, &error))?;
    }
    make_absolute(&mut merged, path.parent().unwrap_or(Path::new("")));
    normalise(&mut merged);
    Ok(merged)
}

/// Decodes a file, which Windows may have written as UTF-16.
fn text_of(bytes: &[u8]) -> Option<String> {
    let wide = |decode: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| decode([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => wide(u16::from_be_bytes, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8(rest.to_vec()).ok(),
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    let file = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => Failure::unreachable(format!("kubeconfig `{file}` does not exist")),
        _ => Failure::unreachable(format!("kubeconfig `{file}` cannot be read: {error}")),
    }
}

/// Words what is wrong with a file, without quoting from it: it holds credentials.
fn cannot_parse(path: &Path, place: &str, what: &str) -> Failure {
    let file = path.display();
    Failure::unreachable(format!("kubeconfig `{file}{place}` cannot be parsed: {what}"))
        .hint(format!("see `kubectl config view --kubeconfig {file}`"))
}

fn cannot_use(path: &Path, error: &KubeconfigError) -> Failure {
    Failure::unreachable(format!("kubeconfig `{}` cannot be used: {error}", path.display()))
}

/// Takes the message out of an error that also repeats the place.
fn what_is_wrong(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(" at line ").map_or(line, |(what, _)| what)
}

/// Says what was expected, and not what stands there instead.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(", expected ").map_or_else(|| text.clone(), |(_, expected)| format!("expected {expected}"))
}

/// Paths in a kubeconfig are relative to its folder; a command without a separator is looked for in `PATH`.
fn make_absolute(config: &mut Kubeconfig, folder: &Path) {
    let absolute = |path: &mut Option<String>| {
        if let Some(path) = path.as_mut().filter(|path| !path.is_empty() && Path::new(path.as_str()).is_relative()) {
            *path = folder.join(path.as_str()).display().to_string();
        }
    };
    for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        absolute(&mut cluster.certificate_authority);
    }
    for user in config.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        absolute(&mut user.client_certificate);
        absolute(&mut user.client_key);
        absolute(&mut user.token_file);
        if let Some(exec) = &mut user.exec
            && exec.command.as_ref().is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
        {
            absolute(&mut exec.command);
        }
    }
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
