//! Streams that are closed, full or watched.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::support::{Api, Place, World};

#[test]
fn a_reader_that_had_enough_is_no_failure() {
    let place = Place::new();
    for args in [&["demo"][..], &["demo", "-o", "json"], &["explain"], &["--help"], &["version"]] {
        let mut child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        _ = stdout.read(&mut [0]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
    }
}

/// Runs a line of shell in which `rca` is the program.
fn shell(place: &Place, line: &str) -> (Option<i32>, String) {
    let script = format!("rca() {{ {} \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_kubectl-rca"));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).env_clear().env("HOME", place.path()).env("PATH", "/usr/bin:/bin");
    let output = command.current_dir(place.path()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn closed_streams_crash_nothing() {
    let place = Place::new();
    for (line, code) in [
        ("rca demo >&-", 0),
        ("rca demo -o json >&- 2>&-", 0),
        ("rca --help >&-", 0),
        ("rca nonsense 2>&-", 2),
        ("rca namespace --from nowhere 2>&-", 3),
        ("rca demo <&- >/dev/null", 0),
    ] {
        let (status, stderr) = shell(&place, line);
        assert_eq!(status, Some(code), "{line}: {stderr}");
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let place = Place::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = place.command(["demo"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: cannot write to stdout: No space left"), "{stderr}");
}

#[test]
fn colours_are_for_terminals_only() {
    let place = Place::new().var("TERM", "xterm-256color").var("COLORTERM", "truecolor");
    for line in ["demo", "explain", "explain oom-killed", "--help", "nonsense"] {
        let run = place.rca(line);
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{line}: {run:?}");
    }
}

#[test]
fn what_was_asked_is_said_on_stderr_when_wanted() {
    let api = Api::serving(&World::new());
    let run = api.place().rca("namespace shop -v");
    run.ok();
    assert!(run.stderr.contains(" requests, "), "{}", run.stderr);
    assert!(!run.stdout.contains(" requests, "));
}

#[test]
fn an_interrupted_run_says_so_and_leaves_nothing() {
    let api =
        Api::but(&World::new(), |request, _| request.path.ends_with("/pods").then(crate::support::http::Answer::never));
    let place = api.place();
    let child = place.command(["capture", "-n", "shop", "-o", "x.rca"]).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let id = child.id().to_string();
    assert!(Command::new("/bin/kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: interrupted"));
    assert_eq!(place.names("."), ["kubeconfig"]);
}
