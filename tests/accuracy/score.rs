//! Which answers to the recorded states are right, as the bodies' own scripts tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::body::{Case, unpacked};

/// What was said to one recorded state, and whether it is right.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) case: Case,
    /// The part of the body, of which another part may have given the counts: `cloudopsbench/boutique`, `scenarios`.
    pub(super) body: String,
    /// What it is: the root cause or category.
    pub(super) label: String,
    pub(super) right: bool,
    /// The first incident above `info`: rule and confidence; `None` if there is none.
    pub(super) said: Option<(String, f64)>,
}

/// Runs both bodies with the program, as far as they are there.
pub(super) fn answers() -> Vec<Answer> {
    let Some(shared) = super::body::shared() else { return Vec::new() };
    let out = super::body::cache().join("answers");
    fs::create_dir_all(&out).unwrap();
    let mut answers = cloudopsbench(&shared.join("cloudopsbench"), &out.join("cloudopsbench"));
    answers.extend(scenarios(&shared.join("scenarios"), &out.join("scenarios")));
    answers
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-rca");

fn cloudopsbench(body: &Path, out: &Path) -> Vec<Answer> {
    let Some(cases) = unpacked(&body.join("cases.tar.zst"), "cases") else { return Vec::new() };
    let names = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accuracy/NAMES.tsv");
    let labels = body.join("labels.tsv");
    let mut run = Command::new(body.join("run.py"));
    run.arg(PROGRAM).arg(&cases).arg(&labels).arg(names).arg("--out").arg(out);
    save(run, &out.with_extension("txt"));
    let wrong: BTreeSet<String> = rows(&out.join("wrong.tsv")).into_iter().map(|row| row["case"].clone()).collect();
    rows(&labels)
        .into_iter()
        .map(|row| {
            let name = &row["case"];
            let report = format!("{name}.json");
            Answer {
                case: Case::recorded(name, cases.join(name), &row["namespace"]),
                body: format!("cloudopsbench/{}", row["system"]),
                label: row["root_cause"].clone(),
                right: !wrong.contains(name),
                said: said(&json(&out.join(report))),
            }
        })
        .collect()
}

fn scenarios(body: &Path, out: &Path) -> Vec<Answer> {
    let Some(recorded) = unpacked(&body.join("recorded.tar.zst"), "recorded") else { return Vec::new() };
    let graded = out.with_extension("tsv");
    let mut run = Command::new(body.join("replay.py"));
    run.arg("--scenarios").arg(body).arg("--recorded").arg(&recorded).arg("--rca").arg(PROGRAM);
    run.arg("--reports").arg(out).arg("--tsv").arg(&graded);
    save(run, &out.with_extension("txt"));
    rows(&graded)
        .into_iter()
        .map(|row| {
            let name = &row["id"];
            let about = json(&body.join("open").join(name).join("scenario.json"));
            let namespace = about["namespace"].as_str().unwrap_or_default();
            Answer {
                case: Case::recorded(name, recorded.join(name), namespace),
                body: "scenarios".to_owned(),
                label: row["category"].clone(),
                right: row["top1"] == "1",
                said: said(&json(&out.join(name).join("rca.json"))["incidents"]),
            }
        })
        .collect()
}

/// Runs a body's script and keeps what it prints; what is newer than the program is still right.
fn save(mut run: Command, file: &Path) {
    let made = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    if made(file) > made(Path::new(PROGRAM)) {
        return;
    }
    let output = run.output().unwrap_or_else(|error| panic!("{run:?}: {error}"));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{run:?}: {words}");
    fs::write(file, output.stdout).unwrap();
}

fn said(incidents: &Value) -> Option<(String, f64)> {
    let first = incidents.as_array()?.iter().find(|incident| incident["severity"] != "info")?;
    Some((first["cause"]["rule"].as_str()?.to_owned(), first["confidence"].as_f64()?))
}

fn json(path: &PathBuf) -> Value {
    fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Reads a table whose first line names the columns.
pub(super) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let row =
        |line: &str| head.iter().map(|name| (*name).to_owned()).zip(line.split('\t').map(str::to_owned)).collect();
    lines.map(row).collect()
}
