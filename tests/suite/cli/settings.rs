//! What the configuration, the environment and an earlier report make of an answer.

use serde_json::{Value, json};

use crate::support::world::crash;
use crate::support::{Api, Place, World};

const CONFIG: &str = ".config/kubectl-rca/config.toml";

fn shop(annotation: Option<&str>) -> World {
    let mut world = World::new();
    world.deployment("cart", 1, crash);
    let pod = world.pods_of("cart").remove(0);
    world.log(&pod, "main", "panic: no such table\n").previous_log(&pod, "main", "panic: no such table\n");
    if let Some(text) = annotation {
        let deployments = world.collections.get_mut("/apis/apps/v1/deployments").unwrap();
        deployments[0]["metadata"]["annotations"] = json!({"kubectl-rca/ignore": text});
    }
    world
}

fn configured(world: &World, config: &str) -> Place {
    let place = Api::serving(world).place();
    place.write(CONFIG, config);
    place
}

fn rule(world: &World) -> String {
    let report = Api::serving(world).place().rca("namespace shop -o json").json();
    report["incidents"][0]["cause"]["rule"].as_str().unwrap().to_owned()
}

fn incidents(report: &Value) -> usize {
    report["incidents"].as_array().unwrap().len()
}

#[test]
fn what_is_ignored_is_told_with_its_reason_and_is_no_trouble() {
    let world = shop(None);
    let rule = rule(&world);
    for object in [
        "object = 'deployment/cart'",
        "object = '*/shop/ca*'",
        "selector = 'app notin (web)'",
        "namespace = 'shop'",
        "",
    ] {
        let place = configured(&world, &format!("[[ignore]]\nrule = '{rule}'\nreason = 'OPS-12'\n{object}\n"));
        let run = place.rca("namespace shop --exit-code -o json");
        let report = run.json();
        assert_eq!(incidents(&report), 0, "{object}: {report:#}");
        assert_eq!(report["ignored"][0]["reason"], "OPS-12");
        assert_eq!(report["ignored"][0]["by"], "config");
        let text = place.rca("namespace shop").ok().to_owned();
        assert!(text.contains("1 ignored") && text.contains("OPS-12"), "{text}");
        assert!(text.contains("nothing else was found wrong"), "{text}");
    }
    for other in ["object = 'deployment/web'", "selector = 'app=web'", "namespace = 'prod'"] {
        let place = configured(&world, &format!("[[ignore]]\nrule = '{rule}'\nreason = 'r'\n{other}\n"));
        assert_eq!(incidents(&place.rca("namespace shop -o json").json()), 1, "{other}");
    }
}

#[test]
fn an_ignore_that_is_over_ignores_nothing_and_says_so() {
    let world = shop(None);
    let place = configured(&world, "[[ignore]]\nrule = '*'\nreason = 'r'\nuntil = 2020-01-01\n");
    let run = place.rca("namespace shop -o json");
    assert_eq!(incidents(&run.json()), 1);
    assert!(run.stderr.contains("the ignore of * ended on 2020-01-01"), "{}", run.stderr);
}

#[test]
fn an_annotation_counts_only_where_the_configuration_lets_it() {
    let world = shop(None);
    let annotated = shop(Some(&format!("other-rule: x\n{}: we know", rule(&world))));
    assert_eq!(incidents(&configured(&annotated, "").rca("namespace shop -o json").json()), 1);
    let report = configured(&annotated, "allow-annotations = true").rca("namespace shop -o json").json();
    assert_eq!((incidents(&report), &report["ignored"][0]["reason"]), (0, &json!("we know")));
    assert_eq!(report["ignored"][0]["by"], "annotation");
    let elsewhere = "[contexts.other]\nallow-annotations = true\n";
    assert_eq!(incidents(&configured(&annotated, elsewhere).rca("namespace shop -o json").json()), 1);
    let here = "[contexts.fake]\nallow-annotations = true\n";
    assert_eq!(incidents(&configured(&annotated, here).rca("namespace shop -o json").json()), 0);
}

#[test]
fn severities_can_be_set() {
    let world = shop(None);
    let place = configured(&world, &format!("[severity]\n{} = 'critical'\n", rule(&world)));
    assert_eq!(place.rca("namespace shop -o json").json()["incidents"][0]["severity"], "critical");
}

#[test]
fn flags_are_taken_from_the_line_then_the_environment_then_the_file() {
    let world = shop(None);
    let place = configured(&world, "[defaults]\noutput = 'name'\nexit-code = true\n").var("RCA_FAIL_ON", "info");
    let run = place.rca("namespace shop");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "deployment.apps/cart\n"), "{}", run.stderr);
    assert!(place.rca("namespace shop -o json").stdout.starts_with('{'));
    let place = place.var("RCA_OUTPUT", "json");
    assert!(place.rca("namespace shop").stdout.starts_with('{'));
    let place = place.var("RCA_EXIT_CODE", "false");
    assert_eq!(place.rca("namespace shop").code, Some(0));
    let place = place.var("RCA_OUTPUT", "nonsense");
    let run = place.rca("namespace shop -o name");
    assert_eq!(run.stderr, "", "what is typed hides what is set");
    assert!(place.rca("namespace shop").stderr.contains("RCA_OUTPUT is not used"));
}

#[test]
fn defaults_may_hold_for_one_context() {
    let place =
        configured(&shop(None), "[contexts.fake.defaults]\noutput = 'name'\n[contexts.x.defaults]\noutput = 'json'\n");
    assert_eq!(place.rca("namespace shop").ok(), "deployment.apps/cart\n");
}

#[test]
fn a_configuration_that_makes_no_sense_is_warned_of_once() {
    let place = configured(&shop(None), "[defaults\n");
    let run = place.rca("namespace shop -o name");
    assert_eq!(run.ok(), "deployment.apps/cart\n");
    assert_eq!(run.stderr.matches("is no TOML").count(), 1, "{}", run.stderr);
    let place = configured(&shop(None), "[[ignore]]\nrule = '*'\n");
    assert!(place.rca("namespace shop").stderr.contains("has no `reason`"));
    place.rca("config view").ok();
}

#[test]
fn the_configuration_can_be_looked_at() {
    let place = Place::new().var("RCA_OUTPUT", "wide");
    place.write(CONFIG, "[defaults]\nfail-on = 'warning'\n");
    let text = place.rca("config view").ok().to_owned();
    assert!(
        text.contains("config.toml") && text.contains("fail-on = 'warning'") && text.contains("# RCA_OUTPUT=wide"),
        "{text}"
    );
}

#[test]
fn a_baseline_tells_what_is_new() {
    let mut world = shop(None);
    let before = Api::serving(&world).place().rca("namespace shop -o json").ok().to_owned();
    world.deployment("web", 1, crash);
    let pod = world.pods_of("web").remove(0);
    world.log(&pod, "main", "panic: y\n").previous_log(&pod, "main", "panic: y\n");
    let place = Api::serving(&world).place();
    place.write("before.json", &before);
    let report = place.rca("namespace shop --baseline before.json -o json").json();
    let counts = |key: &str| report["baseline"][key].as_array().unwrap().len();
    assert_eq!((counts("new"), counts("known"), counts("gone")), (1, 1, 0), "{report:#}");
    let text = place.rca("namespace shop --baseline before.json").ok().to_owned();
    assert!(text.contains("1 new incident, 1 known"), "{text}");
    let place = Api::serving(&shop(None)).place();
    place.write("before.json", &before);
    assert_eq!(place.rca("namespace shop --baseline before.json --exit-code").code, Some(0), "nothing is new");
    assert_eq!(place.rca("namespace shop --exit-code").code, Some(1));
    let place = Api::serving(&World::new()).place();
    place.write("before.json", &before);
    assert!(place.rca("namespace shop --baseline before.json").ok().contains("gone since the baseline"));
}

#[test]
fn a_baseline_has_to_be_a_report() {
    let place = Place::new();
    place.rca("namespace shop --baseline nowhere.json").fails(3, "nowhere.json");
    place.write("x.json", "{}");
    place.rca("namespace shop --baseline x.json").fails(3, "x.json");
}
