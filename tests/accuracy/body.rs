//! The bodies of cases: the rules' own fixtures, and the recorded states of other people's faults.

use std::fs;
use std::path::{Path, PathBuf};

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
            None => capture::read_file(&self.path, true).unwrap_or_else(|error| panic!("{error}")),
        };
        Document::of(&snapshot)
    }
}

fn recorded(path: &Path, namespace: &str) -> Snapshot {
    let mut snapshot = folder::read(path, true).unwrap_or_else(|error| panic!("{error}"));
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
