//! Places where a capture can and cannot be written.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::process::Command;

use crate::support::{Api, World};

#[test]
fn places_that_cannot_be_written_are_refused_before_the_cluster_is_asked() {
    let api = Api::serving(&World::new());
    let place = api.place();
    place.write("folder/keep", "");
    let before = place.names(".");
    for (output, code, message) in [
        ("nowhere/x.rca", 2, "its folder does not exist"),
        ("folder", 2, "it is a folder"),
        ("folder/", 2, "it is a folder"),
        ("kubeconfig/x.rca", 2, "its folder does not exist"),
        ("", 2, "--output"),
        ("/proc/x.rca", 3, "cannot write \"/proc/x.rca\""),
        ("/sys/x.rca", 3, "cannot write \"/sys/x.rca\""),
    ] {
        place.run(["capture", "-n", "shop", "-o", output]).fails(code, message);
        assert_eq!(place.names("."), before, "{output:?} left something");
        assert_eq!(place.names("folder"), ["keep"]);
    }
    assert_eq!(api.seen().len(), 0, "the cluster was asked");
}

#[test]
fn a_capture_replaces_the_one_before() {
    let api = Api::serving(&World::new());
    let place = api.place();
    place.write("x.rca", "old");
    let run = place.rca("capture -n shop -o x.rca");
    assert_eq!(run.ok(), "");
    assert!(run.stderr.contains("kubectl rca namespace --from x.rca"), "{}", run.stderr);
    place.rca("namespace --from x.rca").ok();
    assert_eq!(place.names("."), ["kubeconfig", "x.rca"]);
}

#[test]
fn a_capture_that_fails_leaves_the_one_before() {
    let place = Api::serving(&World::new()).place();
    place.write("x.rca", "old");
    place.rca("capture -n nowhere -o x.rca").fails(4, "nowhere");
    assert_eq!(fs::read_to_string(place.path().join("x.rca")).unwrap(), "old");
    assert_eq!(place.names("."), ["kubeconfig", "x.rca"]);
}

#[test]
fn a_capture_goes_to_stdout() {
    let api = Api::serving(&World::new());
    let place = api.place();
    let output = place.command(["capture", "-n", "shop", "-o", "-"]).output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.starts_with(&[0x1f, 0x8b]));
    place.write("piped.rca", output.stdout);
    place.rca("namespace --from piped.rca").ok();
}

#[test]
fn a_link_stays_a_link() {
    let place = Api::serving(&World::new()).place();
    place.write("real.rca", "old");
    std::os::unix::fs::symlink("real.rca", place.path().join("link.rca")).unwrap();
    place.rca("capture -n shop -o link.rca").ok();
    assert!(fs::symlink_metadata(place.path().join("link.rca")).unwrap().is_symlink());
    place.rca("namespace --from real.rca").ok();
}

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    let place = Api::serving(&World::new()).place();
    let pipe = place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            fs::File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        })
    };
    let run = place.rca("capture -n shop -o pipe");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(), "the pipe was replaced");
    run.ok();
    assert!(reader.join().unwrap().starts_with(&[0x1f, 0x8b]));
}
