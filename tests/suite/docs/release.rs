//! What is released is what krew offers and the documents name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_platform_of_the_manifest_is_built_by_the_workflow() {
    let manifest = read("krew-manifest.yaml");
    let value = |line: &str, key: &str| line.trim().strip_prefix(key).map(str::to_owned);
    let systems = manifest.lines().filter_map(|line| value(line, "os: "));
    let machines = manifest.lines().filter_map(|line| value(line, "arch: "));
    let offered: BTreeSet<String> =
        systems.zip(machines).map(|(system, machine)| format!("{system}_{machine}")).collect();
    let workflow = read(".github/workflows/release.yml");
    let targets = workflow.lines().filter_map(|line| line.split_once("{target: ")?.1.split(',').next());
    let built: BTreeSet<String> = targets.map(platform).collect();
    assert_eq!(offered, built);
    assert_eq!(offered.len(), 6);
    for platform in &offered {
        assert!(manifest.contains(&format!("_{platform}.")), "no archive for {platform}");
    }
}

fn platform(target: &str) -> String {
    let system = ["linux", "darwin", "windows"].into_iter().find(|system| target.contains(system)).unwrap();
    let machine = if target.starts_with("aarch64") { "arm64" } else { "amd64" };
    format!("{system}_{machine}")
}

#[test]
fn workflows_use_the_toolchain_of_the_manifest() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    for workflow in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let text = read(workflow);
        let installs: Vec<&str> = text.lines().filter(|line| line.contains("toolchain install")).collect();
        assert!(!installs.is_empty());
        assert!(installs.iter().all(|line| line.contains(&format!("install {version} "))), "{installs:?}");
        assert!(text.contains("permissions: {}"), "{workflow} asks for more than it needs");
    }
}
