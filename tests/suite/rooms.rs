//! The rooms call no others than ARCHITECTURE.md says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Reads the row of a room: what it may call.
fn may_call(page: &str, room: &str) -> BTreeSet<String> {
    let start = format!("| `src/{room}` |");
    let row = page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row for {room}"));
    let calls = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
    calls.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Collects what a file takes from other rooms: `collect::client` of `use crate::collect::client::ApiClient`.
fn calls(text: &str, found: &mut BTreeSet<String>) {
    // What tests call is their own affair.
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    for (at, _) in code.match_indices("crate::") {
        let path = &code[at + "crate::".len()..];
        let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len());
        let parts: Vec<&str> = path[..end].split("::").filter(|part| !part.is_empty()).collect();
        let modules = parts.iter().take_while(|part| part.starts_with(|c: char| c.is_ascii_lowercase())).take(2);
        found.insert(modules.copied().collect::<Vec<_>>().join("::"));
    }
}

fn visit(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            visit(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            calls(&fs::read_to_string(path).unwrap(), found);
        }
    }
}

#[test]
fn words_are_made_of_the_report_and_a_client() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let allowed = may_call(&page, "narrate");
    assert!(!allowed.is_empty());
    let mut found = BTreeSet::new();
    visit(&root.join("src/narrate"), &mut found);
    let is_allowed =
        |call: &&String| allowed.iter().any(|room| *call == room || call.starts_with(&format!("{room}::")));
    let strange: Vec<_> = found.iter().filter(|call| !is_allowed(call)).collect();
    assert_eq!(strange, Vec::<&String>::new(), "allowed: {allowed:?}");
}

#[test]
fn no_room_but_the_command_line_calls_the_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(&root).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.path().is_dir() || name == "cli" || name == "narrate" {
            continue;
        }
        let mut found = BTreeSet::new();
        visit(&entry.path(), &mut found);
        assert!(!found.iter().any(|call| call.starts_with("narrate")), "src/{name} calls src/narrate");
    }
}
