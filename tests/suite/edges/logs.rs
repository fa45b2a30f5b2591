//! Logs are anything: bytes, nothing, or late.

use std::time::Duration;

use crate::support::http::Answer;
use crate::support::report::gap_reasons;
use crate::support::world::crash;
use crate::support::{Api, World};

fn crashing(deployments: usize) -> World {
    let mut world = World::new();
    for index in 0..deployments {
        world.deployment(&format!("app{index}"), 1, crash);
    }
    world
}

#[test]
fn a_log_of_any_bytes_is_read() {
    let all_bytes: Vec<u8> = (0..=255).cycle().take(9000).collect();
    let long_line = vec![b'x'; 600_000];
    let endless_json = b"{\"a\":".repeat(20_000);
    let escapes = b"\x1b]0;owned\x07\x1b[2J\x1b[31mfatal: \xff\xfe no\r\nsuch\x00file\x1b[0m\n".to_vec();
    for log in [all_bytes, long_line, endless_json, escapes, Vec::new(), b"\n\n\n".to_vec()] {
        let mut world = crashing(1);
        let pod = world.pods_of("app0")[0].clone();
        world.log(&pod, "main", log.clone()).previous_log(&pod, "main", log);
        let place = Api::serving(&world).place();
        for format in ["json", "yaml", "text", "wide", "name"] {
            let run = place.rca(&format!("namespace shop -o {format}"));
            let strange = |c: char| c.is_control() && c != '\n';
            assert!(!run.ok().contains(strange), "{format} prints control characters: {:?}", run.stdout);
        }
    }
}

#[test]
fn slow_logs_do_not_keep_the_answer() {
    let api = Api::but(&crashing(30), |request, _| request.path.ends_with("/log").then(Answer::never));
    let run = api.place().rca("namespace shop -o json --request-timeout 2s");
    assert!(gap_reasons(&run.json(), "pods/log").contains(&"timeout".to_owned()));
    assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
}

#[test]
fn a_dead_kubelet_costs_one_time_limit_for_all_of_its_logs() {
    let api = Api::but(&crashing(30), |request, _| request.path.ends_with("/log").then(Answer::never));
    let run = api.place().rca("namespace shop -o json");
    assert!(gap_reasons(&run.json(), "pods/log").contains(&"timeout".to_owned()));
    assert!(run.took < Duration::from_secs(30), "{:?}", run.took);
}

#[test]
fn a_log_that_breaks_off_is_a_gap() {
    let api = Api::but(&crashing(1), |request, _| {
        request.path.ends_with("/log").then(|| Answer::ok("panic: something\n".repeat(50)).cut_after(40))
    });
    let report = api.place().rca("namespace shop -o json").json();
    assert!(gap_reasons(&report, "pods/log").contains(&"truncated".to_owned()), "{}", report["gaps"]);
}
