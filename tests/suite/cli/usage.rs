//! Command lines that make no sense.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::support::Place;

#[test]
fn flags_and_values_that_do_not_exist_are_refused() {
    let place = Place::new();
    place.rca("namespace shop --nonsense").fails(2, "--nonsense");
    place.rca("namespace shop -o xml").fails(2, "xml");
    place.rca("namespace shop --fail-on awful").fails(2, "awful");
    place.rca("namespace shop --request-timeout soon").fails(2, "timeout");
    place.rca("namespace shop --as-user-extra novalue").fails(2, "novalue");
    place.rca("namespace shop --exit-code=7").fails(2, "--exit-code");
    place.rca("frobnicate").fails(2, "frobnicate");
    place.rca("pod").fails(2, "<NAME>");
    place.rca("capture").fails(2, "--output");
    place.rca("version now").fails(2, "now");
    place.rca("demo -o xml").fails(2, "xml");
}

#[test]
fn what_was_probably_meant_is_said() {
    let place = Place::new();
    assert!(place.rca("namespac shop").stderr.contains("'namespace'"));
    assert!(place.rca("namespace shop -o jsn").stderr.contains("'json'"));
    assert!(place.rca("namespace --skip oom-kiled").stderr.contains("oom-killed"));
}

#[test]
fn rules_that_do_not_exist_cannot_be_skipped() {
    Place::new().rca("namespace shop --skip nonsense-rule").fails(2, "nonsense-rule");
}

#[test]
fn names_that_no_object_can_have_are_refused_before_anything_is_asked() {
    let place = Place::new();
    let long = "x".repeat(254);
    let names = [
        "", "../x", "a/b", "pod/../x", "A", "a b", "a%2fb", "a?x=1", "a#b", "ä", ".", "..", ".hidden", "-\u{7}", &long,
    ];
    for name in names {
        place.run(["pod", "-n", "shop", "--", name]).fails(2, "invalid pod name");
        place.run(["namespace", "--server", "http://127.0.0.1:1", "--", name]).fails(2, "invalid namespace name");
    }
    place
        .run(["pod", "x", "--server", "http://127.0.0.1:1", "-n", "../kube-system"])
        .fails(2, "invalid namespace name");
    place.run(["capture", "-o", "x", "--server", "http://127.0.0.1:1", "-n", "a/b"]).fails(2, "invalid namespace name");
}

#[test]
fn names_are_not_obeyed_by_the_terminal() {
    let run = Place::new().run(["pod", "a\u{1b}[31m\nerror: x"]);
    run.fails(2, "invalid pod name");
}

#[test]
fn arguments_that_are_not_text_are_refused() {
    let bytes = OsStr::from_bytes(b"caf\xff");
    Place::new().run([OsStr::new("pod"), bytes]).fails(2, "");
    Place::new().run([OsStr::new("namespace"), OsStr::new("--from"), bytes]).fails(3, "cannot read");
}

#[test]
fn contradictions_are_refused() {
    let place = Place::new();
    place.rca("pod cart -A").fails(2, "across all namespaces");
    place.rca("namespace shop -A").fails(2, "--all-namespaces");
    place.rca("namespace shop -n cart").fails(2, "two namespaces");
}

#[test]
fn nothing_at_all_is_met_with_help() {
    let run = Place::new().run([""; 0]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("Usage: kubectl rca"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}
