//! Every command of ours that stands in README or docs is run, against a server that plays a cluster.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::world::{crash, object, running_pod};
use crate::support::{Api, Place, World};

/// What only a real cluster can do, and where that is tested: pods that run (`tests/suite/cluster`).
const ELSEWHERE: &[&str] = &["namespace shop --in-cluster"];

/// One command of a page.
struct Command {
    page: String,
    line: usize,
    text: String,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = ["", "docs"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap().flatten())
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// Finds the commands in blocks of code, and those in lines of prose that leave nothing to be filled in.
fn commands(path: &Path) -> Vec<Command> {
    let text = fs::read_to_string(path).unwrap().replace("\\\n", " ");
    let page = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for (line, content) in text.lines().enumerate() {
        let is_indented = block.is_none() && content.starts_with("    kubectl rca ");
        let content = content.trim();
        if let Some(language) = content.strip_prefix("```") {
            block = block.is_none().then(|| language.to_owned());
            continue;
        }
        let texts: Vec<String> = match block.as_deref() {
            // What a command prints, or a picture of it.
            Some("text") => Vec::new(),
            Some("console") => content.strip_prefix("$ ").map(str::to_owned).into_iter().collect(),
            Some(_) => content.find("kubectl rca ").map(|at| content[at..].to_owned()).into_iter().collect(),
            None if is_indented => vec![content.to_owned()],
            None => content.split('`').skip(1).step_by(2).filter(|code| is_complete(code)).map(mentioned).collect(),
        };
        let ours = texts.into_iter().filter(|text| text.starts_with("kubectl rca "));
        found.extend(ours.map(|text| Command { page: page.clone(), line: line + 1, text: command_only(&text) }));
    }
    found
}

/// Whether nothing has to be filled in: `kubectl rca limits`, but not `kubectl rca explain RULE`.
fn is_complete(code: &str) -> bool {
    let is_blank = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '/' || c == '_');
    !code.contains(['[', '…', '|', '<']) && !code.contains("...") && !code.split([' ', '/']).any(is_blank)
}

/// A command that is only named, without arguments, has to be there.
fn mentioned(code: &str) -> String {
    if code.split(' ').count() == 3 { format!("{code} --help") } else { code.to_owned() }
}

/// Leaves out what is a comment or goes to another program.
fn command_only(text: &str) -> String {
    let text = text.split(" # ").next().unwrap_or_default();
    let text = text.split(" | ").next().unwrap_or_default();
    // Two minutes of watching are not what is tested.
    text.replace("--sample 2m", "--sample 1s").trim().to_owned()
}

fn world() -> World {
    let mut world = World::new();
    world.deployment("cart", 3, crash).deployment("web", 2, |_| ());
    world.add(running_pod("cart-7d9f8-x2k4q"));
    let mut service = object("v1", "Service", "cart");
    service["spec"] = json!({"selector": {"app": "cart"}, "ports": [{"port": 80}], "clusterIP": "10.96.0.9"});
    world.add(service);
    world
}

/// Makes surroundings in which `kubectl rca` is the program, as kubectl would run it.
fn place(api: &Api) -> Place {
    let place = api.place();
    let kubectl =
        format!("#!/bin/sh\n[ \"$1\" = rca ] || exit 97\nshift\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_kubectl-rca"));
    let kubectl = place.write("bin/kubectl", kubectl);
    fs::set_permissions(kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    // What is installed beside the plugin is installed there.
    symlink(env!("CARGO_BIN_EXE_kubectl-rca"), place.path().join("bin/kubectl-rca")).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/shop.rca");
    place.write("shop.rca", fs::read(demo).unwrap());
    place
}

#[test]
fn every_command_in_the_documents_runs() {
    let api = Api::serving(&world());
    let place = place(&api);
    let path = format!("{}:/usr/bin:/bin", place.path().join("bin").display());
    let mut failures = Vec::new();
    let mut count = 0;
    for command in pages().iter().flat_map(|page| commands(page)) {
        if ELSEWHERE.iter().any(|part| command.text.contains(part)) {
            continue;
        }
        count += 1;
        let mut shell = std::process::Command::new("timeout");
        shell.args(["60", "sh", "-c", &command.text]).env_clear().env("PATH", &path).env("HOME", place.path());
        shell.env("KUBECONFIG", place.path().join("kubeconfig")).env("GITHUB_STEP_SUMMARY", "summary.md");
        shell.current_dir(place.path());
        let output = shell.output().unwrap();
        // Whether it found something is not the question.
        if !matches!(output.status.code(), Some(0 | 1 | 5 | 7)) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            failures.push(format!(
                "{}:{}: {}: {:?}\n{said}",
                command.page,
                command.line,
                command.text,
                output.status.code()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 20, "only {count} commands were found");
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap_or(root).join(file) };
            let is_there = target.exists() && (anchor.is_empty() || headings(&target).contains(&anchor.to_owned()));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// The anchors that a page has for its headings.
fn headings(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    titles.map(anchor).collect()
}
