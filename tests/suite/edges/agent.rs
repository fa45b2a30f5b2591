//! Agents and those who start them, face to face with a server that plays the cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kubectl_rca::job::frame::{self, Content, Part, Reader, Refusal};
use kubectl_rca::render::json::read::Beside;
use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::world::{SHOP, crash};
use crate::support::{Api, Ollama, World};

const REVIEW: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

fn broken() -> World {
    let mut world = World::new();
    world.deployment("web", 1, crash);
    world
}

fn allowed(is_allowed: bool) -> Answer {
    Answer::new(201, json!({"status": {"allowed": is_allowed}}).to_string())
}

/// Runs what runs inside the cluster, and returns what its frame holds.
fn inside(api: &Api, part: Part, request: Value) -> (Content, Value) {
    let run = api.place().run(["agent", "--request", &request.to_string()]);
    let mut reader = Reader::new(part);
    run.ok().lines().for_each(|line| reader.line(line));
    let (header, answer) = reader.finish().unwrap();
    (header.content, serde_json::from_str(&answer).unwrap())
}

fn question() -> Value {
    json!({"protocol": 1, "run": "kubectl-rca-x", "namespace": SHOP})
}

#[test]
fn an_agent_prints_the_report_in_a_frame_once_it_is_allowed_to_look() {
    let api = Api::but(&broken(), |request, before| (request.path == REVIEW).then(|| allowed(before >= 3)));
    let (content, report) = inside(&api, Part::Report, question());
    assert_eq!(content, Content::Report);
    let here = Api::serving(&broken()).place().rca("namespace shop -o json").json();
    assert_eq!(report["incidents"][0]["id"], here["incidents"][0]["id"], "{report:#}");
}

#[test]
fn an_agent_that_is_not_allowed_or_answered_says_so() {
    for (answer, words) in [(allowed(false), "may not list pods"), (Answer::never(), "cannot reach the API server")] {
        let api = Api::but(&broken(), move |request, _| (request.path == REVIEW).then(|| answer.clone()));
        let (content, refusal) = inside(&api, Part::Report, question());
        assert_eq!(content, Content::Failure);
        assert!(refusal["message"].as_str().unwrap().contains(words), "{refusal}");
    }
}

#[test]
fn an_agent_of_another_protocol_says_so() {
    let api = Api::serving(&broken());
    let (content, refusal) = inside(&api, Part::Report, json!({"protocol": 7, "new": true}));
    assert_eq!(content, Content::Failure);
    assert!(refusal["message"].as_str().unwrap().contains("protocol 7"), "{refusal}");
    assert_eq!(api.seen().len(), 0);
}

#[test]
fn an_agent_puts_it_in_words_by_the_model_that_it_is_given() {
    let (api, model) =
        (Api::but(&broken(), |request, _| (request.path == REVIEW).then(|| allowed(true))), Ollama::honest());
    let words = json!({"ollamaUrl": model.url(), "patience": 30});
    let mut asked = question();
    asked["words"] = words;
    let (content, report) = inside(&api, Part::Words, asked);
    assert_eq!(content, Content::Report);
    assert!(report["incidents"][0]["narrative"]["by"].as_str().unwrap().starts_with("ollama/"), "{report:#}");
}

/// Plays a cluster in which a Job becomes a pod that has printed this log; it is deleted with its Job.
fn cluster(logs: Vec<Answer>, is_allowed: fn(&Request) -> bool) -> (Api, Arc<AtomicBool>) {
    let deleted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&deleted);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-pod", "namespace": SHOP},
        "status": {"phase": "Running", "containerStatuses": [{"name": "agent", "state": {"running": {}}}]}});
    let api = Api::but(&broken(), move |request, before| {
        let path = request.path.as_str();
        Some(match (request.method.as_str(), path.rsplit('/').next().unwrap_or_default()) {
            ("POST", "selfsubjectaccessreviews") => allowed(is_allowed(request)),
            ("POST", "jobs") => Answer::new(201, json!({"metadata": {"name": "x", "uid": "u"}}).to_string()),
            ("POST" | "PATCH", _) => Answer::new(201, "{}"),
            ("DELETE", _) => {
                seen.store(true, Ordering::Relaxed);
                Answer::ok("{}")
            }
            ("GET", "pods") if request.param("watch").is_some() => {
                Answer::ok(format!("{}\n", json!({"type": "ADDED", "object": pod})))
            }
            ("GET", "log") => logs.get(before).or(logs.last()).cloned().unwrap_or_default(),
            ("GET", name) if name.starts_with("kubectl-rca-") => {
                Answer::ok(json!({"metadata": {"name": name}}).to_string())
            }
            ("GET", "agent-pod") => Answer::ok(pod.to_string()),
            _ => return None,
        })
    });
    (api, deleted)
}

fn framed() -> String {
    let report = Api::serving(&broken()).place().rca("namespace shop -o json").json();
    frame::write(Part::Report, Content::Report, &report.to_string(), Beside::default()).unwrap()
}

#[test]
fn a_log_that_breaks_off_is_read_again() {
    let frame = framed();
    let broken_off = |bytes: usize| Answer::ok(frame.clone()).cut_after(bytes);
    let (api, deleted) = cluster(
        vec![
            broken_off(40),
            broken_off(frame.len() / 2),
            broken_off(frame.len() - 90),
            Answer::ok(format!("warning: slow\n{frame}")),
        ],
        |_| true,
    );
    let run = api.place().rca("namespace shop --in-cluster -o json");
    assert_eq!(run.json()["incidents"][0]["cause"]["subject"]["name"], "web");
    assert!(run.stderr.contains("warning: slow"), "{}", run.stderr);
    assert!(deleted.load(Ordering::Relaxed));
    let text =
        cluster(vec![Answer::ok(framed())], |_| true).0.place().rca("namespace shop --in-cluster").ok().to_owned();
    assert!(text.contains("deployment/shop/web"), "{text}");
}

#[test]
fn an_agent_of_another_version_is_refused_with_both() {
    let other = framed().replace("\"protocol\":1", "\"protocol\":2").replace(env!("CARGO_PKG_VERSION"), "9.8.7");
    let (api, deleted) = cluster(vec![Answer::ok(other)], |_| true);
    let run = api.place().rca("namespace shop --in-cluster");
    run.fails(6, "version 9.8.7");
    assert!(run.stderr.contains(env!("CARGO_PKG_VERSION")), "{}", run.stderr);
    assert!(deleted.load(Ordering::Relaxed));
}

#[test]
fn what_the_agent_could_not_find_is_not_found() {
    let refusal = Refusal { exit: 4, message: "pods \"x\" not found".to_owned(), hints: vec!["look again".to_owned()] };
    let refusal = serde_json::to_string(&refusal).unwrap();
    let frame = frame::write(Part::Report, Content::Failure, &refusal, Beside::default()).unwrap();
    let (api, deleted) = cluster(vec![Answer::ok(frame)], |_| true);
    api.place().rca("pod x -n shop --in-cluster").fails(4, "pods \"x\" not found");
    assert!(deleted.load(Ordering::Relaxed));
}

#[test]
fn who_may_not_start_one_makes_nothing() {
    let (api, _) = cluster(Vec::new(), |_| false);
    let run = api.place().rca("namespace shop --in-cluster");
    run.fails(6, "you may not start an agent in namespace \"shop\"");
    let written = |seen: &&crate::support::api::Seen| seen.request.method != "GET" && seen.request.path != REVIEW;
    assert_eq!(api.seen().iter().filter(written).count(), 0);
    assert!(run.took < Duration::from_secs(20));
}
