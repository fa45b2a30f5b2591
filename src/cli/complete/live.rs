//! What the cluster knows, within a third of a second: from what was kept lately, else asked for.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::line::Line;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::types;
use crate::collect::client::{ApiClient, JSON};
use crate::collect::discovery::{self, Resource};
use crate::collect::kubeconfig::{self, Connection, Env};
use crate::model::Type;

/// A person who presses Tab does not wait for longer.
const PATIENCE: Duration = Duration::from_millis(250);
/// Names change; types do not while somebody types.
const NAMES_LAST: Duration = Duration::from_secs(10);
const TYPES_LAST: Duration = Duration::from_mins(10);

/// The cluster that a line is about.
pub(super) struct Live {
    cluster: ClusterArgs,
    connection: Option<Connection>,
}

impl Live {
    pub(super) fn new(line: &Line) -> Self {
        let connection = kubeconfig::resolve(&line.cluster.overrides(), &Env::from_process()).ok();
        Self { cluster: line.cluster.clone(), connection }
    }

    /// Returns the names of all objects of a type in the namespace that is meant.
    pub(super) fn names(&self, of: &Type) -> Vec<String> {
        let Some(connection) = &self.connection else { return Vec::new() };
        let namespace = (!self.cluster.all_namespaces).then(|| connection.namespace.clone());
        let path = of.path(namespace.as_deref());
        let of = of.clone();
        self.kept(&path, NAMES_LAST, async move |client| {
            let places = discovery::places(&client, &of, namespace.as_deref(), None).await.ok()?;
            Some(places.into_iter().map(|(_, name)| name).collect())
        })
    }

    /// Returns the types of the server.
    pub(super) fn types(&self) -> Vec<Resource> {
        self.kept("/apis", TYPES_LAST, async |client| discovery::read(&client).await.ok())
    }

    /// Finds the type of a word.
    pub(super) fn type_of(&self, word: &str) -> Option<Type> {
        let known = types::find(word).map(Type::Known);
        known
            .or_else(|| discovery::find(&discovery::built_in(), word).map(Resource::of_type))
            .or_else(|| discovery::find(&self.types(), word).map(Resource::of_type))
    }

    /// Returns the names of the containers of an object.
    pub(super) fn containers(&self, target: Option<&(String, String)>) -> Vec<String> {
        let (Some((word, name)), Some(connection)) = (target, &self.connection) else { return Vec::new() };
        let Some(of) = self.type_of(word) else { return Vec::new() };
        let path = format!("{}/{name}", of.path(Some(&connection.namespace)));
        let asked = path.clone();
        self.kept(&path, NAMES_LAST, async move |client| {
            let bytes = client.get_bytes(&asked, &[], JSON).await.ok()?;
            Some(containers(&serde_json::from_slice(&bytes).ok()?))
        })
    }

    /// Returns what was kept lately, else what the server says in time, else what was kept longer ago.
    fn kept<T, W>(&self, path: &str, lasts: Duration, ask: W) -> Vec<T>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        W: AsyncFnOnce(ApiClient) -> Option<Vec<T>> + Send + 'static,
    {
        let Some(connection) = self.connection.clone() else { return Vec::new() };
        let file = self.file(&connection, path);
        let (old, age) = file.as_deref().and_then(read).unwrap_or((Vec::new(), Duration::MAX));
        if age <= lasts {
            return old;
        }
        let (sender, answer) = mpsc::channel();
        let limits = self.cluster.limits();
        thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let found = runtime.block_on(async { ask(ApiClient::connect(&connection, &limits).await.ok()?).await });
            // Nobody listens any more if it took too long; then the next try finds it kept.
            if let (Some(found), Some(file)) = (&found, &file) {
                write(file, found);
            }
            _ = sender.send(found);
        });
        answer.recv_timeout(PATIENCE).ok().flatten().unwrap_or(old)
    }

    /// Returns where an answer is kept: a file for each server, user and question.
    fn file(&self, connection: &Connection, path: &str) -> Option<PathBuf> {
        let folder =
            self.cluster.cache_dir.clone().or_else(|| Some(std::env::home_dir()?.join(".kube").join("cache")))?;
        let who = &connection.config.auth_info;
        let about = format!(
            "{} {:?} {:?} {:?} {path}",
            connection.config.cluster_url, connection.context, self.cluster.user, who.impersonate
        );
        let digest: String = Sha256::digest(about).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Some(folder.join("rca").join(format!("{digest}.json")))
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Option<(Vec<T>, Duration)> {
    let written = std::fs::metadata(file).ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    let kept = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    Some((kept, age))
}

/// Keeps an answer; that it cannot be kept only costs time.
fn write<T: Serialize>(file: &Path, found: &[T]) {
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let (Ok(()), Ok(bytes)) = (folder, serde_json::to_vec(found)) {
        _ = crate::cli::files::write_whole(file, &bytes);
    }
}

/// Returns the names of an object's containers, of its own or of its template.
fn containers(object: &Value) -> Vec<String> {
    let specs = ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    let specs = specs.iter().filter_map(|path| object.pointer(path));
    let lists = specs.flat_map(|spec| [&spec["containers"], &spec["initContainers"]]);
    let all = lists.filter_map(Value::as_array).flatten();
    all.filter_map(|container| container["name"].as_str().map(str::to_owned)).collect()
}

pub(super) fn contexts(line: &Line) -> Vec<String> {
    kubeconfig::names(&line.cluster.overrides(), &Env::from_process()).contexts
}

pub(super) fn clusters(line: &Line) -> Vec<String> {
    kubeconfig::names(&line.cluster.overrides(), &Env::from_process()).clusters
}

pub(super) fn users(line: &Line) -> Vec<String> {
    kubeconfig::names(&line.cluster.overrides(), &Env::from_process()).users
}
