//! A model puts the report in words, and can do no harm.

mod consent;
mod reach;
mod servers;

use serde_json::Value;

use crate::support::report::is_same;
use crate::support::world::crash;
use crate::support::{Api, Ollama, Place, World};

/// A namespace in which something is broken that is worth words.
fn broken() -> World {
    let mut world = World::new();
    world.deployment("cart", 2, crash);
    for pod in world.pods_of("cart") {
        let log = "starting\nfatal: environment variable DB_HOST is not set\n";
        world.log(&pod, "main", log).previous_log(&pod, "main", log);
    }
    world
}

/// Surroundings in which nothing but the fake servers can be met.
fn place(api: &Api) -> Place {
    // A real Ollama on this machine is none of the tests' business.
    api.place().var("OLLAMA_HOST", "127.0.0.1:9")
}

/// Takes the words out of a report.
fn without_words(mut report: Value) -> Value {
    for incident in report["incidents"].as_array_mut().into_iter().flatten() {
        incident.as_object_mut().unwrap().remove("narrative");
    }
    report
}

#[test]
fn an_honest_model_speaks_below_the_report() {
    let (api, ollama) = (Api::serving(&broken()), Ollama::honest());
    let place = place(&api);
    let plain = place.rca("namespace shop --llm off").ok().to_owned();
    let run = place.rca(&format!("namespace shop --llm on --ollama-url {}", ollama.url()));
    let (report, words) = run.ok().split_once("\nin words: ").expect("words");
    let head = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    assert_eq!(head(report), head(&plain));
    assert!(words.starts_with("deployment/shop/cart (by ollama/fake:1b, checked)\n"), "{words}");
    assert!(words.contains("DB_HOST"), "{words}");
    assert_eq!(run.stderr, "");
}

#[test]
fn words_stand_in_the_contract_and_nothing_else_changes() {
    let (api, ollama) = (Api::serving(&broken()), Ollama::honest());
    let place = place(&api);
    let report = place.rca(&format!("namespace shop --llm on -o json --ollama-url {}", ollama.url())).json();
    let narrative = &report["incidents"][0]["narrative"];
    assert_eq!(narrative["by"], "ollama/fake:1b");
    let sentences = narrative["sentences"].as_array().unwrap();
    assert!(!sentences.is_empty());
    assert!(sentences.iter().all(|one| one["text"].is_string() && !one["evidence"].as_array().unwrap().is_empty()));
    let plain = place.rca("namespace shop --llm off -o json").json();
    let timeless = |report| crate::support::report::timeless(without_words(report));
    assert_eq!(timeless(report), timeless(plain));
}

#[test]
fn the_same_question_costs_no_second_call() {
    let (api, ollama) = (Api::serving(&broken()), Ollama::honest());
    let place = place(&api);
    place.rca("capture -n shop -o shop.rca").ok();
    let line = format!("namespace shop --from shop.rca --llm on -o json --ollama-url {}", ollama.url());
    let first = place.rca(&line).json();
    let asked = ollama.chats().len();
    assert!(asked > 0);
    is_same(&format!("{:#}", place.rca(&line).json()), &format!("{first:#}"), "the second");
    assert_eq!(ollama.chats().len(), asked);
    assert_eq!(place.names(".cache/kubectl-rca/words").len(), asked);
}

#[test]
fn a_request_asks_for_one_incident_and_can_be_repeated() {
    let (api, ollama) = (Api::serving(&broken()), Ollama::honest());
    place(&api).rca(&format!("namespace shop --llm on -o json --ollama-url {}", ollama.url())).json();
    for call in ollama.chats() {
        let body = call.json();
        assert_eq!(body["options"]["temperature"], 0);
        assert!(body["options"]["seed"].is_number() && body["options"]["num_ctx"] == 4096);
        assert_eq!(body["truncate"], false);
        assert_eq!(body["format"]["type"], "object");
        assert_eq!(body["model"], "fake:1b");
        assert!(body["messages"].to_string().len() < 6_000, "{}", body["messages"]);
    }
}

#[test]
fn siblings_share_a_call() {
    let mut world = World::new();
    for name in ["cart", "search", "basket"] {
        world.deployment(name, 1, crash);
    }
    let log = "fatal: environment variable DB_HOST is not set\n";
    for name in ["cart", "search", "basket"] {
        for pod in world.pods_of(name) {
            world.log(&pod, "main", log).previous_log(&pod, "main", log);
        }
    }
    let (api, ollama) = (Api::serving(&world), Ollama::honest());
    let report = place(&api).rca(&format!("namespace shop --llm on -o json --ollama-url {}", ollama.url())).json();
    let incidents = report["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 3, "{report:#}");
    for incident in incidents {
        assert_eq!(incident["narrative"]["by"], "ollama/fake:1b");
        let name = incident["cause"]["subject"]["name"].as_str().unwrap();
        assert!(incident["narrative"]["sentences"][0]["text"].as_str().unwrap().contains(name), "{incident:#}");
    }
    assert_eq!(ollama.chats().len(), 1);
}

#[test]
fn nobody_is_asked_unless_somebody_wants_it() {
    let (api, ollama) = (Api::serving(&broken()), Ollama::honest());
    let place = api.place().var("OLLAMA_HOST", &ollama.host()).var("RCA_OLLAMA_URL", &ollama.url());
    for format in ["text", "json", "yaml", "wide", "name"] {
        let run = place.rca(&format!("namespace shop -o {format}"));
        assert!(!run.ok().contains("in words") && !run.stdout.contains("narrative"), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
    place.rca("namespace shop -o name --llm on").ok();
    let before = api.seen().len();
    place.rca("namespace shop -o json").ok();
    let plain = api.seen().len() - before;
    place.rca("namespace shop -o json --llm off").ok();
    assert_eq!(api.seen().len() - before, 2 * plain, "the cluster is asked no more either");
    assert!(ollama.calls().is_empty(), "{:?}", ollama.calls());
}

#[test]
fn a_healthy_namespace_needs_no_words() {
    let (api, ollama) = (Api::serving(&World::new()), Ollama::honest());
    let run = place(&api).rca(&format!("namespace shop --llm require -o json --ollama-url {}", ollama.url()));
    run.json();
    assert!(ollama.calls().is_empty());
}

#[test]
fn require_fails_after_the_report() {
    let api = Api::serving(&broken());
    let place = place(&api);
    let run = place.rca("namespace shop --llm require -o json --ollama-url http://127.0.0.1:9");
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(serde_json::from_str::<Value>(&run.stdout).is_ok());
    assert!(run.stderr.contains("error: no model's words"), "{}", run.stderr);
    let liar =
        Ollama::saying(|_| "{\"sentences\":[{\"text\":\"Everything is fine.\",\"evidence\":[\"E1\"]}]}".to_owned());
    let run = place.rca(&format!("namespace shop --llm require -o json --ollama-url {}", liar.url()));
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["incidents"][0]["narrative"]["by"], "template");
    assert_eq!(report["incidents"][0]["narrative"]["struck"], 1);
}
