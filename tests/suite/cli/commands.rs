//! The words of every command, as they stand in `cmd/`.

use crate::support::Place;

#[test]
fn commands_say_what_they_said() {
    let place = Place::new();
    let home = place.path().display().to_string();
    let cases = trycmd::TestCases::new();
    cases.register_bin("kubectl-rca", std::path::Path::new(env!("CARGO_BIN_EXE_kubectl-rca")));
    cases
        .env("HOME", home.clone())
        .env("KUBECONFIG", format!("{home}/none"))
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8");
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE", "TERM"] {
        cases.env(variable, "");
    }
    cases.insert_var("[VERSION]", env!("CARGO_PKG_VERSION")).unwrap();
    cases.case("tests/suite/cmd/*.md");
    cases.run();
}

#[test]
fn every_command_has_help() {
    let place = Place::new();
    let help = place.rca("--help").ok().to_owned();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut names: Vec<_> = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    names.retain(|name| !name.is_empty());
    for wanted in ["pod", "namespace", "limits", "capture", "explain", "demo", "version"] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    for name in names {
        for flag in ["--help", "-h"] {
            let run = place.run([name, flag]);
            assert!(run.ok().contains(&format!("Usage: kubectl rca {name}")), "{}", run.stdout);
            assert_eq!(run.stderr, "");
        }
    }
}

#[test]
fn help_fits_a_terminal_of_a_hundred_columns() {
    let place = Place::new().var("COLUMNS", "100");
    for command in
        ["--help", "pod --help", "namespace --help", "limits --help", "capture --help", "explain --help", "demo --help"]
    {
        for line in place.rca(command).ok().lines() {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
    }
}

#[test]
fn every_rule_is_explained() {
    let place = Place::new();
    let list = place.rca("explain").ok().to_owned();
    for rule in kubectl_rca::rules::ALL {
        assert!(list.contains(rule.id), "{} is not listed", rule.id);
    }
    let first = kubectl_rca::rules::ALL[0].id;
    assert!(place.run(["explain", first]).ok().contains("What to do"));
}

#[test]
fn an_unknown_rule_is_met_with_the_nearest() {
    let place = Place::new();
    place.rca("explain oom-kiled").fails(2, "there is no rule \"oom-kiled\"");
    assert!(place.rca("explain oom-kiled").stderr.contains("oom-killed"));
    place.rca("explain zzzzzzzzzzzzzzzz").fails(2, "zzzz");
    place.rca("explain ../../etc/passwd").fails(2, "passwd");
}

#[test]
fn the_demo_runs_without_a_cluster_and_without_colours() {
    let place = Place::new();
    let run = place.rca("demo");
    assert!(run.ok().contains("kubectl rca namespace NAMESPACE"));
    assert!(!run.stdout.contains('\u{1b}'));
    assert_eq!(run.stderr, "");
    let report = place.rca("demo -o json").json();
    assert_eq!((&report["apiVersion"], &report["kind"]), (&"rca/v1alpha1".into(), &"Report".into()));
    assert!(!report["incidents"].as_array().unwrap().is_empty());
    assert_eq!(place.rca("demo -o json").stdout, place.rca("demo -o json").stdout);
}
