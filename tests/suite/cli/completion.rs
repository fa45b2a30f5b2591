//! Completion, as kubectl asks for it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::http::Answer;
use crate::support::{Api, Place, Run, World};

const BINARY: &str = env!("CARGO_BIN_EXE_kubectl-rca");

/// How long an answer may take: an optimised program without and with a cluster, and ten times as long for this one.
const AT_ONCE: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(1);

fn shop() -> World {
    let mut world = World::new();
    world.deployment("cart", 2, |_| ()).deployment("web", 1, |_| ());
    world
}

#[track_caller]
fn words(run: &Run) -> (Vec<String>, String) {
    let mut lines: Vec<String> = run.ok().lines().map(str::to_owned).collect();
    let directive = lines.pop().unwrap();
    assert_eq!(run.stderr, "", "the words of a shell are no place for complaints");
    (lines.into_iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect(), directive)
}

fn complete(place: &Place, typed: &[&str]) -> Vec<String> {
    let (found, directive) = words(&place.run([&["__complete"], typed].concat()));
    assert_eq!(directive, ":4");
    found
}

#[test]
fn the_program_answers_by_its_other_name() {
    let place = Place::new();
    symlink(BINARY, place.path().join("kubectl_complete-rca")).unwrap();
    let output = Command::new(place.path().join("kubectl_complete-rca")).args(["pod", "--all-n"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("--all-namespaces\t") && text.ends_with("\n:4\n"), "{text}");
}

#[test]
fn names_come_from_the_cluster() {
    let place = Api::serving(&shop()).place();
    assert_eq!(complete(&place, &["deploy", "-n", "shop", ""]), ["cart", "web"]);
    assert_eq!(complete(&place, &["deploy", "cart", "-n", "shop", ""]), ["web"]);
    assert_eq!(complete(&place, &["-n", "shop", "deploy/c"]), ["deploy/cart"]);
    assert_eq!(complete(&place, &["namespace", "sh"]), ["shop"]);
    assert_eq!(complete(&place, &["pod", "-n", "sh"]), ["shop"]);
    assert_eq!(complete(&place, &["pod", "--namespace=sh"]), ["shop"]);
    assert_eq!(complete(&place, &["deploy", "cart", "-n", "shop", "-c", ""]), ["main"]);
    assert_eq!(complete(&place, &["limits", "deploy", "-n", "shop", "w"]), ["web"]);
    assert_eq!(complete(&place, &["--context", ""]), ["fake"]);
}

#[test]
fn what_was_asked_lately_is_not_asked_again() {
    let api = Api::serving(&shop());
    let place = api.place();
    complete(&place, &["deploy", "-n", "shop", ""]);
    let before = api.seen().len();
    assert_eq!(complete(&place, &["deploy", "-n", "shop", "c"]), ["cart"]);
    assert_eq!(api.seen().len(), before);
}

#[test]
fn nobody_waits_for_a_server_that_hangs() {
    let api = Api::but(&shop(), |_, _| Some(Answer::never()));
    let run = api.place().run(["__complete", "pod", "-n", "shop", ""]);
    assert_eq!(run.ok(), ":4\n");
    assert!(run.took < SOON, "{:?}", run.took);
    let run = Place::facing("http://127.0.0.1:1").run(["__complete", "pod", ""]);
    assert_eq!(run.ok(), ":4\n");
    let run = Place::new().run(["__complete", ""]);
    assert!(run.ok().contains("namespace\t"));
    assert!(run.took < AT_ONCE, "{:?}", run.took);
}

#[test]
fn names_that_would_steer_a_terminal_are_left_out() {
    let mut world = World::new();
    for name in ["good", "b\u{1b}[31mad", "two words"] {
        world.add_at(
            "/api/v1/pods",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}}),
        );
    }
    assert_eq!(complete(&Api::serving(&world).place(), &["pod", "-n", "shop", ""]), ["good"]);
}

#[test]
fn the_scripts_are_those_of_the_folder() {
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in [("bash", "kubectl-rca.bash"), ("zsh", "_kubectl-rca"), ("fish", "kubectl-rca.fish")] {
        assert_eq!(place.rca(&format!("completion {shell}")).ok(), fs::read_to_string(folder.join(file)).unwrap());
    }
}

#[test]
fn the_helper_can_be_a_script() {
    let place = Place::new();
    fs::create_dir(place.path().join("bin")).unwrap();
    symlink(BINARY, place.path().join("bin/kubectl-rca")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/kubectl_complete-rca");
    let path = format!("{}:/usr/bin:/bin", place.path().join("bin").display());
    let output = Command::new(script).args(["explain", "oom-k"]).env("PATH", path).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("oom-killed\t"));
}

#[test]
fn bash_completes_by_the_script() {
    let place = Place::new();
    fs::create_dir(place.path().join("bin")).unwrap();
    symlink(BINARY, place.path().join("bin/kubectl-rca")).unwrap();
    let script = |words: &str| {
        format!(
            "source <(kubectl-rca completion bash); COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             _kubectl_rca; echo \"${{COMPREPLY[*]}}\""
        )
    };
    let path = format!("{}:/usr/bin:/bin", place.path().join("bin").display());
    for (typed, expected) in [
        ("kubectl-rca expl", "explain"),
        ("kubectl-rca explain oom-k", "oom-killed"),
        ("kubectl-rca namespace --output = js", "json jsonpath="),
        ("kubectl-rca pod --all-n", "--all-namespaces"),
    ] {
        let output = Command::new("bash").args(["-c", &script(typed)]).env("PATH", &path).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), expected, "{typed}");
    }
}

#[test]
fn the_helper_is_installed_beside_the_plugin() {
    let place = Place::new();
    let bin = place.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(BINARY, bin.join("kubectl-rca")).unwrap();
    let place = place.var("PATH", &bin.display().to_string());
    for _ in 0..2 {
        let run = place.rca("completion install");
        run.ok();
        assert_eq!(fs::read_link(bin.join("kubectl_complete-rca")).unwrap(), Path::new("kubectl-rca"));
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
    let output = Command::new(bin.join("kubectl_complete-rca")).arg("expl").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("explain\t"));
    fs::create_dir(place.path().join("elsewhere")).unwrap();
    assert!(place.rca("completion install --dir elsewhere").stderr.contains("is not on the PATH"));
}

#[test]
fn a_file_that_is_not_ours_stays() {
    let place = Place::new();
    place.write("bin/kubectl_complete-rca", "mine");
    place.rca("completion install --dir bin").fails(2, "is there already");
    place.rca("completion install --dir nowhere").fails(2, "is no folder");
    assert_eq!(fs::read_to_string(place.path().join("bin/kubectl_complete-rca")).unwrap(), "mine");
}
