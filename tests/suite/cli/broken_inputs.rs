//! Files for `--from` that hold no capture.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::world::crash;
use crate::support::{Api, Place, World};

/// More than any of these should take, and far less than the bombs would.
const MEMORY: u64 = 600 << 20;

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A capture as the program wrote it.
fn capture() -> Vec<u8> {
    let mut world = World::new();
    world.deployment("cart", 3, crash);
    let place = Api::serving(&world).place();
    place.rca("capture -n shop -o shop.rca").ok();
    fs::read(place.path().join("shop.rca")).unwrap()
}

#[track_caller]
fn is_refused(content: &[u8], message: &str) {
    let place = Place::new();
    place.write("input", content);
    place.rca("namespace --from input").fails(3, message);
    place.rca("pod x -n shop --from input -o json").fails(3, message);
    assert_eq!(place.names("."), ["input"]);
}

#[test]
fn a_capture_is_read() {
    let place = Place::new();
    place.write("shop.rca", capture());
    place.rca("namespace --from shop.rca").ok();
}

#[test]
fn files_that_are_not_there_or_closed_are_refused() {
    let place = Place::new();
    place.write("file", "");
    place.rca("namespace --from nowhere.rca").fails(3, "cannot read nowhere.rca: No such file");
    place.rca("namespace --from file/inner").fails(3, "cannot read file/inner: Not a directory");
    let long = "x".repeat(5000);
    place.run(["namespace", "--from", &long]).fails(3, "cannot read");
}

#[test]
fn files_of_another_kind_are_refused() {
    is_refused(b"", "it is empty");
    is_refused(b" \n\n", "it is empty");
    is_refused(br#"{"apiVersion":"v1","kind":"PodList","items":[]}"#, "it is a `PodList` of `v1`");
    is_refused(br#"{"apiVersion":"rca/v9","kind":"Snapshot"}"#, "it is a `Snapshot` of `rca/v9`");
    is_refused(br#"{"a":1}"#, "not a capture");
    is_refused(b"[]", "not a capture");
    is_refused(b"{", "not a capture");
    is_refused(b"null", "not a capture");
    is_refused(b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n", "not a capture");
    is_refused(b"a: [\n", "not a capture");
    is_refused(b"just words\n", "not a capture");
    is_refused(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\xff\xfe", "it is not text");
    is_refused(&(0..=255).cycle().take(100_000).collect::<Vec<u8>>(), "it is not text");
    is_refused(&gz(b""), "it is empty");
    is_refused(&gz(b"\xff\xfe\xfd"), "it is not text");
}

#[test]
fn reports_are_no_captures() {
    let place = Place::new();
    let report = place.rca("demo -o json").ok().to_owned();
    is_refused(report.as_bytes(), "it is a `Report`");
}

#[test]
fn captures_that_were_cut_off_are_refused() {
    let whole = capture();
    for length in [3, 10, 11, 100, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        is_refused(&whole[..length], "damaged or cut off");
    }
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&whole[..]), &mut text).unwrap();
    for length in [1, 50, text.len() / 2, text.len() - 1] {
        is_refused(&text[..length], "not a capture");
        is_refused(&gz(&text[..length]), "not a capture");
    }
}

#[test]
fn captures_with_flipped_bits_crash_nothing() {
    let whole = capture();
    for index in (0..whole.len()).step_by(whole.len() / 23) {
        let mut damaged = whole.clone();
        damaged[index] ^= 0x55;
        let place = Place::new();
        place.write("input", damaged);
        let run = place.rca("namespace --from input");
        assert!(matches!(run.code, Some(0 | 3)), "{run:?}");
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
}

#[test]
fn nests_and_aliases_without_end_are_refused() {
    is_refused("[".repeat(1_000_000).as_bytes(), "not a capture");
    is_refused(format!("{{\"a\":{}", "[".repeat(1_000_000)).as_bytes(), "not a capture");
    let open = r#"{"apiVersion":"rca/v1alpha1","kind":"Snapshot","takenAt":"2026-01-01T00:00:00Z","objects":["#;
    is_refused(format!("{open}{}", "[".repeat(1_000_000)).as_bytes(), "not a capture");
    is_refused(format!("a: {}", "{a: ".repeat(100_000)).as_bytes(), "not a capture");
    let mut laughs = "a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{},", level - 1).repeat(9);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(',')));
    }
    is_refused(laughs.as_bytes(), "not a capture");
}

#[test]
fn objects_of_strange_shapes_in_a_capture_are_gaps() {
    let place = Place::new();
    let objects = r#"[null,7,[],{},"x",{"kind":"Pod"},{"apiVersion":"v1","kind":"Pod","metadata":7},
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad"},"spec":{"containers":7}},
        {"apiVersion":"x/v1","kind":"Odd","metadata":{"name":"o"}}]"#;
    let document = format!(
        r#"{{"apiVersion":"rca/v1alpha1","kind":"Snapshot","takenAt":"2026-01-01T00:00:00Z","scope":{{"namespaces":["shop"]}},"objects":{objects}}}"#
    );
    place.write("odd.json", document);
    let report = place.rca("namespace --from odd.json -o json").json();
    let gaps = report["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["name"] == "bad" && gap["reason"] == "invalid"), "{gaps:?}");
}

/// Runs the program under a limit of memory, as `ulimit -v` sets it.
#[track_caller]
fn is_refused_quickly(path: &str, place: &Place, message: &str) {
    let program = env!("CARGO_BIN_EXE_kubectl-rca");
    let script = format!("ulimit -v {}; exec {program} namespace --from {path}", MEMORY / 1024);
    let started = std::time::Instant::now();
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", &script]).current_dir(place.path()).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains(message), "{stderr}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn bombs_do_not_go_off() {
    let place = Place::new();
    let bomb = |byte: u8, megabytes: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..megabytes {
            encoder.write_all(&vec![byte; 1 << 20]).unwrap();
        }
        encoder.finish().unwrap()
    };
    place.write("zeros.gz", bomb(0, 200));
    is_refused_quickly("zeros.gz", &place, "it is not text");
    place.write("blanks.gz", bomb(b' ', 300));
    is_refused_quickly("blanks.gz", &place, "unpack to more than");
    place.write("brackets.gz", bomb(b'[', 100));
    is_refused_quickly("brackets.gz", &place, "");
}

#[test]
fn a_large_file_of_zeros_fails_quickly() {
    let place = Place::new();
    let file = fs::File::create(place.path().join("zeros")).unwrap();
    file.set_len(200 << 20).unwrap();
    drop(file);
    is_refused_quickly("zeros", &place, "it is not text");
}

#[test]
fn a_device_without_an_end_fails() {
    let place = Place::new();
    is_refused_quickly("/dev/zero", &place, "");
    is_refused_quickly("/dev/null", &place, "it is empty");
}

#[test]
fn a_namespace_that_a_capture_does_not_hold_is_said_so() {
    let place = Place::new();
    place.write("shop.rca", capture());
    place.rca("namespace nowhere --from shop.rca").fails(4, "\"nowhere\"");
    place.rca("namespace shp --from shop.rca").fails(4, "\"shp\"");
    assert!(place.rca("namespace shp --from shop.rca").stderr.contains("shop"));
    place.rca("pod no-such-pod -n shop --from shop.rca").fails(4, "no-such-pod");
    place.rca("pod no-such-pod -n nowhere --from shop.rca").fails(4, "nowhere");
}
