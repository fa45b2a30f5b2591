//! The bodies of cases: the rules' own fixtures, and the recorded states of other people's faults.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use kubectl_rca::collect::plan::Keep;
use kubectl_rca::collect::{capture, folder};
use kubectl_rca::model::Snapshot;

use super::document::Document;

/// One recorded or made-up state.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    path: PathBuf,
    /// Of a folder: the namespace that is asked about.
    namespace: Option<String>,
}

impl Case {
    pub(super) fn load(&self) -> Document {
        let snapshot = match &self.namespace {
            Some(namespace) => recorded(&self.path, namespace),
            None => capture::read_file(&self.path, Keep::RAW).unwrap_or_else(|error| panic!("{error}")),
        };
        Document::of(&snapshot)
    }
}

fn recorded(path: &Path, namespace: &str) -> Snapshot {
    let mut snapshot = folder::read(path, Keep::RAW).unwrap_or_else(|error| panic!("{error}"));
    snapshot.scope.namespaces = vec![namespace.to_owned()];
    folder::note_absent_kinds(&mut snapshot);
    snapshot
}

/// Returns the fixtures that make a rule speak.
pub(super) fn fixtures() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let folders = |path: PathBuf| entries(&path).into_iter().filter(|path| path.is_dir());
    let files = folders(root.clone()).flat_map(folders).flat_map(|rule| entries(&rule));
    let cases = files.filter(|path| is_firing(path)).map(|path| {
        let name = path.strip_prefix(&root).unwrap().with_extension("").display().to_string();
        Case { name, path, namespace: None }
    });
    cases.collect()
}

fn is_firing(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("fires-") && name.ends_with(".yaml")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

impl Case {
    pub(super) fn recorded(name: &str, path: PathBuf, namespace: &str) -> Self {
        Self { name: name.to_owned(), path, namespace: Some(namespace.to_owned()) }
    }
}

/// Returns the folder that holds the recorded bodies: `RCA_SHARED`, or `shared` beside the repository.
pub(super) fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|parent| parent.join("shared"));
    env::var_os("RCA_SHARED").map(PathBuf::from).or_else(beside).filter(|folder| folder.is_dir())
}

/// Returns the folder where bodies are unpacked and answers are kept.
pub(super) fn cache() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(env::temp_dir);
    cache.join("kubectl-rca/bodies")
}

/// Unpacks an archive once, and returns the folder of this name in it; `None` if there is no archive.
pub(super) fn unpacked(archive: &Path, inner: &str) -> Option<PathBuf> {
    let size = fs::metadata(archive).ok()?.len();
    let home = cache().join(format!("{inner}-{size}"));
    if home.join(inner).is_dir() {
        return Some(home.join(inner));
    }
    // Beside its place first, so that what was interrupted is not taken for whole.
    let partial = home.with_extension("partial");
    _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).unwrap();
    let tar = Command::new("tar").arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(&partial).status().unwrap();
    assert!(tar.success(), "cannot unpack {}", archive.display());
    fs::rename(&partial, &home).unwrap();
    Some(home.join(inner))
}
