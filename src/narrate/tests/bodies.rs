//! Reports of all sorts: what the rules say about their own fixtures, and a recorded namespace.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::analyse::analyse;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::Report;
use crate::narrate::prompt::worth_words;
use crate::policy::Policy;
use crate::render::sample;

static REPORTS: LazyLock<Vec<Report>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("demo/shop.rca")];
    fixtures(&root.join("src/rules"), &mut paths);
    paths.sort();
    let mut reports: Vec<Report> = paths.iter().map(|path| report(path)).collect();
    reports.push(sample::rich());
    reports
});

/// Returns all reports that have something to put in words.
pub(super) fn reports() -> impl Iterator<Item = &'static Report> {
    REPORTS.iter().filter(|report| !worth_words(report).is_empty())
}

/// Returns all incidents that are worth words, as the report and the place in it.
pub(super) fn incidents() -> impl Iterator<Item = (&'static Report, usize)> {
    reports().flat_map(|report| worth_words(report).into_iter().map(move |index| (report, index)))
}

fn fixtures(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            fixtures(&path, paths);
        } else if name.starts_with("fires-") && name.ends_with(".yaml") {
            paths.push(path);
        }
    }
}

fn report(path: &Path) -> Report {
    let bytes = fs::read(path).expect("a readable fixture");
    let snapshot = capture::read(&path.display().to_string(), &bytes, Keep::default()).expect("a snapshot");
    analyse(&snapshot, &Policy::default())
}
