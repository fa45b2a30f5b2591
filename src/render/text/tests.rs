use proptest::prelude::*;

use super::render;
use crate::model::Report;
use crate::render::look::{Look, columns};
use crate::render::sample;

const LOOK: Look = Look { width: 80, color: false, wide: false, unicode: true };

fn assert_looks(name: &str, report: &Report, look: &Look) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, render(report, look));
    });
}

/// Takes our own colours away.
fn colorless(text: &str) -> String {
    let codes = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    codes.replace_all(text, "").into_owned()
}

fn commands(report: &Report) -> Vec<String> {
    let incidents = report.incidents.iter();
    let mut commands: Vec<String> = incidents
        .flat_map(|incident| {
            let advice = incident.cause.recommendations.iter().filter_map(|advice| advice.command.clone());
            advice.chain(incident.next.iter().cloned()).collect::<Vec<_>>()
        })
        .collect();
    commands.extend(report.gaps.iter().map(crate::render::gap::hint));
    commands
}

/// The first line that is wider than the terminal and no command.
fn too_wide(report: &Report, look: &Look) -> Option<String> {
    let commands = commands(report);
    let text = colorless(&render(report, look));
    let is_command = |line: &str| commands.iter().any(|command| command == line.trim_start());
    text.lines().find(|line| columns(line) > look.columns() && !is_command(line)).map(str::to_owned)
}

#[test]
fn a_night_on_call_at_every_width() {
    for width in [60, 80, 120, 200] {
        assert_looks(&format!("text-{width}"), &sample::rich(), &Look { width, ..LOOK });
    }
}

#[test]
fn wide_hides_nothing() {
    assert_looks("text-wide", &sample::rich(), &Look { width: 100, wide: true, ..LOOK });
}

#[test]
fn ascii_and_colour() {
    assert_looks("text-ascii", &sample::rich(), &Look { unicode: false, ..LOOK });
    assert_looks("text-color", &sample::rich(), &Look { color: true, ..LOOK });
}

#[test]
fn ascii_is_ascii() {
    assert!(render(&sample::rich(), &Look { unicode: false, ..LOOK }).is_ascii());
}

#[test]
fn colour_changes_nothing_else() {
    for wide in [false, true] {
        let look = Look { wide, ..LOOK };
        assert_eq!(colorless(&render(&sample::rich(), &Look { color: true, ..look })), render(&sample::rich(), &look));
    }
}

#[test]
fn nothing_wrong_is_one_line() {
    let text = render(&sample::healthy(), &Look { width: 200, ..LOOK });
    insta::assert_snapshot!(text, @"nothing is wrong in namespace shop (context prod): examined 12 pods, 4 workloads, 3 services, 57 events by 92 rules at 12:00:00Z");
}

#[test]
fn what_could_not_be_read_is_not_called_healthy() {
    assert_looks("text-partial", &sample::partial(), &LOOK);
    assert!(!render(&sample::partial(), &LOOK).contains("nothing is wrong"));
}

#[test]
fn commands_are_never_broken() {
    let report = sample::rich();
    let text = render(&report, &Look { width: 60, wide: true, ..LOOK });
    for command in commands(&report).iter().filter(|command| command.starts_with("kubectl")) {
        assert!(text.lines().any(|line| line.trim_start() == command), "{command}");
    }
}

#[test]
fn a_command_that_would_deceive_is_not_shown() {
    let mut report = sample::rich();
    let advice = &mut report.incidents[0].cause.recommendations;
    advice[0].command = Some("kubectl get 'a\u{1b}[2Kb'".to_owned());
    advice[1].command = Some("kubectl apply -f - <<E\na: 1\nE".to_owned());
    let text = render(&report, &LOOK);
    assert!(!text.contains("[2K"));
    assert!(text.contains("\nkubectl apply -f - <<E\na: 1\nE\n"));
}

#[test]
fn many_hits_are_counted() {
    let mut report = sample::rich();
    let affected = &mut report.incidents[0].affected;
    let pod = affected.iter().find(|object| object.kind == "Pod").unwrap().clone();
    affected.extend(
        (0..900).map(|number| crate::model::ObjectRef { name: format!("{}-{number}", pod.name), ..pod.clone() }),
    );
    affected.sort();
    let text = render(&report, &LOOK);
    insta::assert_snapshot!(text.lines().skip_while(|line| !line.contains("hits:")).take(2).collect::<Vec<_>>().join("\n"), @r"
    hits: 903 pods: cart-7d9f8c6b5-m8s2p, cart-7d9f8c6b5-m8s2p-0,
          cart-7d9f8c6b5-m8s2p-1, cart-7d9f8c6b5-m8s2p-10 and 899 more
    ");
}

#[test]
fn many_observations_are_cut_but_counted() {
    let mut report = sample::rich();
    let evidence = sample::evidence(&mut report);
    let all: Vec<_> = evidence.iter().cycle().take(11).cloned().collect();
    *evidence = all;
    assert!(render(&report, &LOOK).contains("and 5 more observations"));
    assert!(!render(&report, &Look { wide: true, ..LOOK }).contains("more observations"));
}

/// Text as strangers write it: control characters, wide and combining ones, words without end.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\u{9f}]{1,5}",
        "[日本語👩🏽‍👧\u{301}\u{200d}\u{fe0f}]{1,30}",
        "[a-z/._-]{60,200}",
        "( |[a-z]{1,9}|\n|\t|\r){1,30}",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_line_fits_whatever_is_said(text in nasty(), width in 40_usize..210, bits in 0_u8..8) {
        let look = Look { width, color: bits & 1 > 0, wide: bits & 2 > 0, unicode: bits & 4 > 0 };
        prop_assert_eq!(too_wide(&sample::saying(&text), &look), None);
    }

    #[test]
    fn nothing_reaches_the_terminal_but_lines_and_our_colours(text in nasty(), bits in 0_u8..8) {
        let look = Look { width: 80, color: bits & 1 > 0, wide: bits & 2 > 0, unicode: bits & 4 > 0 };
        let text = colorless(&render(&sample::saying(&text), &look));
        prop_assert_eq!(text.chars().find(|c| c.is_control() && *c != '\n'), None);
    }
}
