//! `-o`: every output of the same report.

use kubectl_rca::analyse;
use kubectl_rca::collect::capture;
use kubectl_rca::collect::plan::Keep;
use kubectl_rca::model::story::Happening;
use kubectl_rca::policy::Policy;
use serde_json::Value;

use crate::support::Place;

#[test]
fn every_output_tells_of_every_incident() {
    let place = Place::new();
    let report = place.rca("demo -o json").json();
    let incidents = report["incidents"].as_array().unwrap();
    assert!(incidents.len() > 2);
    let told = |format: &str| place.rca(&format!("demo -o {format}")).ok().to_owned();
    let (markdown, html) = (told("markdown"), told("html"));
    for incident in incidents {
        // The words before the first name or sign are the same in all.
        let message = incident["cause"]["message"].as_str().unwrap();
        let start = message.split(['`', '"', '<', '(', '&']).next().unwrap().trim();
        assert!(start.is_empty() || markdown.contains(start), "{start}");
        assert!(start.is_empty() || html.contains(start), "{start}");
        assert!(told("junit").contains(incident["id"].as_str().unwrap()));
    }
    let sarif: Value = serde_json::from_str(&told("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), incidents.len());
}

#[test]
fn a_page_has_its_pictures() {
    let page = Place::new().rca("demo -o html").ok().to_owned();
    for part in ["class=\"timeline\"", "class=\"graph\"", "class=\"cause\"", "class=\"restart\"", "class=\"bars\""] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
}

#[test]
fn outputs_are_the_same_twice() {
    let place = Place::new();
    for format in ["markdown", "html", "junit", "sarif", "jsonpath={.incidents[*].id}"] {
        let line = format!("demo -o {format}");
        assert_eq!(place.rca(&line).ok(), place.rca(&line).ok(), "{format}");
    }
}

#[test]
fn a_template_picks_from_the_report_as_kubectl_would() {
    let place = Place::new();
    let report = place.rca("demo -o json").json();
    let ids: Vec<&str> = report["incidents"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(place.rca("demo -o jsonpath={.incidents[*].id}").ok(), ids.join(" "));
    let lines = place.run(["demo", "-o", "jsonpath={range .incidents[*]}{.id}{\"\\n\"}{end}"]);
    assert_eq!(lines.ok(), ids.join("\n") + "\n");
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/shop.rca");
    let limits = place.rca(&format!("limits --from {capture} -o jsonpath={{.kind}}"));
    assert_eq!(limits.ok(), "Limits");
}

#[test]
fn what_is_no_output_is_told_with_what_is() {
    let place = Place::new();
    place.rca("demo -o go-template={{.}}").fails(2, "the output format \"go-template\" is not supported");
    place.rca("demo -o custom-columns=A:.a").fails(2, "\"custom-columns\" is not supported");
    place.rca("demo -o jsonpath").fails(2, "needs a template");
    place.rca("demo -o jsonpath={.a").fails(2, "invalid jsonpath template");
    place.rca("demo -o xml").fails(2, "invalid value 'xml'");
    place.rca("limits -o html").fails(2, "invalid value 'html'");
}

#[test]
fn the_story_leads_from_what_is_hit_to_the_cause() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/demo/shop.rca")).unwrap();
    let snapshot = capture::read("the demo", &bytes, Keep::default()).unwrap();
    let report = analyse::analyse(&snapshot, &Policy::default());
    let story = analyse::story(&snapshot, &report);
    assert!(story.moments.is_sorted_by_key(|moment| moment.time));
    for what in [Happening::Event, Happening::Warning, Happening::Restart, Happening::Change] {
        assert!(story.moments.iter().any(|moment| moment.what == what), "{what:?}");
    }
    assert!(story.moments.iter().all(|moment| moment.since <= moment.time && moment.time <= report.taken_at));
    assert_eq!(story.dependencies.len(), report.incidents.len());
    let steps: Vec<String> = story.dependencies[0]
        .iter()
        .map(|step| format!("{} {} {}", step.from.short(), step.verb, step.to.short()))
        .collect();
    assert_eq!(steps, ["deployment/checkout calls service/cart", "service/cart selects deployment/cart"]);
}
