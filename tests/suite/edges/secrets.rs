//! Secrets are not asked for, and those that are told are not told on.

use std::io::Read as _;

use serde_json::json;

use crate::support::world::{SHOP, crash, object};
use crate::support::{Api, Place, World};

/// What must not be found anywhere, one word for each place in which it is hidden.
const CANARIES: [&str; 9] = [
    "canary-Data-1a",
    "canary-String-2b",
    "canary-Applied-3c",
    "canary-Env-4d",
    "canary-Config-5e",
    "canary-Url-6f",
    "canary-Bearer-7g",
    "canary-Arg-8h",
    "canary-Event-9i",
];

fn hidden() -> World {
    let [data, string, applied, env, config, url, bearer, arg, event] = CANARIES;
    let applied = json!({"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":\"{applied}\"}}")});
    let mut world = World::new();
    world.deployment("cart", 2, |pod| {
        let container = &mut pod["spec"]["containers"][0];
        container["env"] = json!([{"name": "DB_PASSWORD", "value": env},
            {"name": "DSN", "value": format!("postgres://app:{url}@db:5432/shop")}]);
        container["args"] = json!(["--token", arg, format!("--api-key={arg}")]);
        pod["metadata"]["annotations"] = applied.clone();
        crash(pod);
    });
    for path in ["/apis/apps/v1/deployments", "/apis/apps/v1/replicasets"] {
        for workload in world.collections.get_mut(path).unwrap() {
            workload["metadata"]["annotations"] = applied.clone();
            workload["spec"]["template"]["spec"]["containers"][0]["env"] =
                json!([{"name": "DB_PASSWORD", "value": env}]);
        }
    }
    let mut secret = object("v1", "Secret", "db");
    secret["metadata"]["annotations"] = applied.clone();
    secret["data"] = json!({"password": data});
    secret["stringData"] = json!({"more": string});
    secret["type"] = "Opaque".into();
    world.add(secret);
    let mut map = object("v1", "ConfigMap", "settings");
    map["data"] =
        json!({"password": config, "app.yaml": format!("db:\n  password: {config}\n  url: http://u:{url}@h/\n")});
    world.add(map);
    for pod in world.pods_of("cart") {
        let log = format!(
            "GET /x Authorization: Bearer {bearer}\nfatal: cannot open postgres://app:{url}@db:5432/shop\npassword={env}\n"
        );
        world.log(&pod, "main", log.clone()).previous_log(&pod, "main", log);
        world.event(
            "Pod",
            &pod,
            "Unhealthy",
            &format!("probe failed: http://u:{event}@10.0.0.1/healthz token={event}"),
        );
    }
    world
}

#[track_caller]
fn is_free_of_canaries(text: &str, what: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{what} tells {canary}");
    }
    assert!(!text.contains("last-applied-configuration"), "{what} holds last-applied-configuration");
}

fn unpack(place: &Place, name: &str) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(place.path().join(name)).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn no_output_tells_a_secret() {
    let place = Api::serving(&hidden()).place();
    let pod = "pod cart-7d9f8c6b5d-x0000 -n shop";
    for line in ["namespace shop", "namespace -A", pod] {
        for format in ["json", "yaml", "text", "wide", "name"] {
            let run = place.rca(&format!("{line} -v -o {format} --kubelet-metrics --read-tls-secrets"));
            is_free_of_canaries(run.ok(), &format!("{line} -o {format}"));
            is_free_of_canaries(&run.stderr, "stderr");
        }
    }
}

#[test]
fn no_prompt_tells_a_secret() {
    let (api, ollama) = (Api::serving(&hidden()), crate::support::Ollama::honest());
    let place = api.place().var("OLLAMA_HOST", "127.0.0.1:9");
    let run = place.rca(&format!("namespace shop -vv --llm on -o json --ollama-url {}", ollama.url()));
    is_free_of_canaries(run.ok(), "the report with words");
    is_free_of_canaries(&run.stderr, "stderr");
    assert!(!ollama.chats().is_empty());
    for call in ollama.calls() {
        is_free_of_canaries(&call.body, "the prompt");
    }
}

#[test]
fn no_capture_tells_a_secret() {
    let place = Api::serving(&hidden()).place();
    place.rca("capture -n shop -o shop.rca").ok();
    let text = unpack(&place, "shop.rca");
    assert!(text.contains("\"settings\"") && text.contains("<secret:"), "it holds what was read");
    is_free_of_canaries(&text, "the capture");
}

#[test]
fn a_dump_that_tells_secrets_is_not_told_on() {
    let place = Place::new();
    let world = hidden();
    for (path, objects) in &world.collections {
        let kind = path.rsplit('/').next().unwrap();
        let list = json!({"kind": "List", "items": objects}).to_string();
        place.write(&format!("dump/{SHOP}/{kind}.json"), list);
    }
    for format in ["json", "text", "wide"] {
        is_free_of_canaries(place.rca(&format!("namespace shop --from dump -o {format}")).ok(), format);
    }
}

#[test]
fn secrets_are_asked_for_without_their_values() {
    let api = Api::serving(&hidden());
    let place = api.place();
    place.rca("namespace shop").ok();
    place.rca("namespace -A").ok();
    place.rca("pod cart-7d9f8c6b5d-x0000 -n shop").ok();
    place.rca("capture -n shop -o x.rca").ok();
    let seen = api.seen();
    let asked: Vec<_> = seen.iter().filter(|seen| seen.request.path.contains("/secrets")).collect();
    assert!(!asked.is_empty());
    for seen in asked {
        let accept = &seen.request.accept;
        assert!(accept.contains("as=PartialObjectMetadata"), "{} with {accept}", seen.request.path);
        assert!(!accept.contains(','), "{accept} allows the whole object as a second choice");
    }
}

#[test]
fn only_the_named_tls_secrets_are_read_and_only_when_asked_to() {
    let mut world = hidden();
    let mut ingress = object("networking.k8s.io/v1", "Ingress", "web");
    ingress["spec"] = json!({"tls": [{"hosts": ["shop.test"], "secretName": "shop-tls"}]});
    world.add(ingress);
    let mut secret = object("v1", "Secret", "shop-tls");
    secret["data"] = json!({"tls.crt": "bm90IGEgY2VydA==", "tls.key": "Y2FuYXJ5LURhdGEtMWE="});
    world.add(secret);
    let plain = |flags: &str| {
        let api = Api::serving(&world);
        let place = api.place();
        place.rca(&format!("capture -n shop -o x.rca {flags}")).ok();
        is_free_of_canaries(&unpack(&place, "x.rca"), "the capture");
        let secrets = api.seen().into_iter().filter(|seen| seen.request.path.contains("/secrets"));
        let whole = secrets.filter(|seen| !seen.request.accept.contains("PartialObjectMetadata"));
        whole.map(|seen| seen.request.path).collect::<Vec<_>>()
    };
    assert_eq!(plain(""), Vec::<String>::new());
    assert_eq!(plain("--read-tls-secrets"), ["/api/v1/namespaces/shop/secrets/shop-tls"]);
}

#[test]
fn the_token_is_sent_to_the_server_and_told_to_nobody() {
    let api = Api::serving(&hidden());
    let place = Place::with_kubeconfig(&crate::support::program::kubeconfig(&api.url(), "{token: canary-Data-1a}", ""));
    let run = place.rca("namespace shop -vvv");
    is_free_of_canaries(run.ok(), "stdout");
    is_free_of_canaries(&run.stderr, "stderr");
    assert!(api.seen().iter().all(|seen| seen.request.authorization == "Bearer canary-Data-1a"));
}
