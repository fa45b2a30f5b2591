//! What every rule owes: fixtures that fire and stay quiet, docs, a message in the house style, honest references.

#![expect(clippy::disallowed_methods, reason = "the tests read the fixtures")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{ALL, Rule, category};
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::{Finding, Snapshot};
use crate::scene::Scene;

fn fixtures(rule: &Rule, prefix: &str) -> Vec<PathBuf> {
    let name = rule.id.replace('-', "_");
    let families = fs::read_dir(root()).expect("the rules' folder").flatten();
    let folder = families.map(|family| family.path().join(&name)).find(|path| path.is_dir());
    let files = folder.iter().flat_map(|folder| fs::read_dir(folder).expect("the rule's folder").flatten());
    let mut paths: Vec<_> = files.map(|file| file.path()).filter(|path| is_fixture(path, prefix)).collect();
    paths.sort();
    paths
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules")
}

fn is_fixture(path: &Path, prefix: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(prefix) && path.extension().is_some_and(|extension| extension == "yaml")
}

fn load(path: &Path) -> Snapshot {
    let bytes = fs::read(path).expect("a readable fixture");
    let snapshot =
        capture::read(&path.display().to_string(), &bytes, Keep::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(snapshot.gaps, [], "{} has objects that do not parse", path.display());
    snapshot
}

fn findings(rule: &Rule, snapshot: &Snapshot) -> Vec<Finding> {
    (rule.check)(&Scene::new(snapshot))
}

/// One finding as a snapshot shows it.
fn show(finding: &Finding) -> String {
    let subject = &finding.subject;
    let container = subject.container.as_ref().map(|name| format!("[{name}]")).unwrap_or_default();
    let mut text = format!(
        "{}{container} {:?} {:?} {:.2}\n  {}\n",
        subject.object, finding.severity, finding.state, finding.confidence, finding.message
    );
    for evidence in &finding.evidence {
        text.push_str(&format!("  because {} {} = {:?}\n", evidence.object, evidence.path, evidence.value));
    }
    for recommendation in &finding.recommendations {
        text.push_str(&format!(
            "  do {}{}\n",
            recommendation.summary,
            recommendation.command.iter().map(|command| format!(": {command}")).collect::<String>()
        ));
    }
    text
}

#[test]
fn every_rule_fires_on_its_fixtures() {
    for rule in ALL {
        let paths = fixtures(rule, "fires-");
        assert!(!paths.is_empty(), "{} has no fixture fires-*.yaml", rule.id);
        for path in paths {
            let found = findings(rule, &load(&path));
            assert!(!found.is_empty(), "{} finds nothing in {}", rule.id, path.display());
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            insta::with_settings!({ snapshot_path => path.parent().expect("a folder"), prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(stem, found.iter().map(show).collect::<String>());
            });
        }
    }
}

#[test]
fn every_rule_is_quiet_on_its_near_misses() {
    for rule in ALL {
        let paths = fixtures(rule, "quiet-");
        assert!(!paths.is_empty(), "{} has no fixture quiet-*.yaml", rule.id);
        for path in paths {
            let found: Vec<_> = findings(rule, &load(&path)).iter().map(show).collect();
            assert_eq!(found, Vec::<String>::new(), "{} speaks in {}", rule.id, path.display());
        }
    }
}

#[test]
fn every_finding_has_evidence_and_speaks_in_the_house_style() {
    for rule in ALL {
        for path in fixtures(rule, "fires-") {
            for finding in findings(rule, &load(&path)) {
                let message = &finding.message;
                assert!(!finding.evidence.is_empty(), "{}: no evidence for {message:?}", rule.id);
                assert!(
                    !message.starts_with(|first: char| first.is_uppercase()),
                    "{}: {message:?} starts with a capital",
                    rule.id
                );
                assert!(!message.ends_with('.'), "{}: {message:?} ends with a full stop", rule.id);
                assert!(
                    message.contains(finding.subject.object.name.as_str()),
                    "{}: {message:?} does not name its object",
                    rule.id
                );
                assert!((0.0..=1.0).contains(&finding.confidence), "{}: confidence {}", rule.id, finding.confidence);
            }
        }
    }
}

#[test]
fn every_rule_is_documented() {
    for rule in ALL {
        for heading in ["## What it means", "## How it is detected", "## What to do"] {
            assert!(rule.docs.contains(heading), "{} lacks {heading:?}", rule.id);
        }
        assert!(rule.summary.starts_with("detects "), "{}: {:?}", rule.id, rule.summary);
        assert!(!rule.summary.ends_with('.'), "{}: {:?}", rule.id, rule.summary);
    }
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_known_category() {
    let ids: BTreeSet<_> = ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), ALL.len());
    for rule in ALL {
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
        assert!(category::ALL.contains(&rule.category), "{} has the unknown category {}", rule.id, rule.category);
    }
}

#[test]
fn every_rule_lies_in_the_file_of_its_name() {
    let sources: BTreeSet<String> = fs::read_dir(root())
        .expect("the rules' folder")
        .flatten()
        .filter(|family| family.path().is_dir())
        .flat_map(|family| fs::read_dir(family.path()).expect("a family's folder").flatten())
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(".rs").map(|name| name.replace('_', "-")))
        .collect();
    let ids: BTreeSet<String> = ALL.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(sources, ids);
}

#[test]
fn every_explained_rule_exists() {
    for rule in ALL {
        for explained in rule.explained() {
            assert!(super::find(explained).is_some(), "{} explains {explained}, which is no rule", rule.id);
        }
    }
}
