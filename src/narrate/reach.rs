//! Finds a model's server and the way to it, within three seconds.

use std::time::Duration;

use serde_json::Value;

use super::talk::{Dialect, Model, Server};
use super::transport::{Route, Service, Trouble};
use crate::collect::client::{ApiClient, JSON, RequestError};

/// For everything until the server has shown that it is one.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Ollama's own port.
const PORT: u16 = 11434;

/// Where to look when not all namespaces may be listed.
const USUAL: [&str; 4] = ["ollama", "ai", "llm", "default"];

/// Models that word things well, best first; what is not listed comes after, the larger first.
const TASTE: &[&str] = &[
    "qwen3", "qwen2.5", "llama3.1", "llama3.2", "llama3.3", "llama3", "gemma3", "gemma2", "mistral", "phi4", "phi3",
    "granite", "smollm2",
];

/// Larger ones take a machine longer than a person waits.
const UNWIELDY: u64 = 16 << 30;

/// Goes to an address, and checks who is there.
pub async fn address(url: &str, dialect: Dialect, allow_remote: bool) -> Result<Server, Trouble> {
    within(async {
        // OpenAI's addresses are written with and without the version.
        let base = url.trim_end_matches('/').trim_end_matches("/v1");
        verified(Server { route: Route::to(base, allow_remote).await?, dialect }).await
    })
    .await
}

/// Goes to a Service: by a port-forward, else through the API server's proxy.
pub async fn service(api: &ApiClient, service: &Service) -> Result<Server, Trouble> {
    within(async {
        let server = |route| Server { route, dialect: Dialect::Ollama };
        let forward = server(Route::Forward { api: api.clone(), service: service.clone() });
        let Err(first) = verified(forward.clone()).await else { return Ok(forward) };
        let proxy = server(Route::Proxy { api: api.clone(), service: service.clone() });
        let Err(second) = verified(proxy.clone()).await else { return Ok(proxy) };
        Err(Trouble(format!("{first}; {second}")))
    })
    .await
}

/// Looks for Services that look like Ollama, likeliest first. What it finds is a guess: anybody may call a Service so.
pub async fn discover(api: &ApiClient, current: &str) -> Result<Vec<Service>, Trouble> {
    within(async {
        let labelled = api.get_bytes("/api/v1/services", &[("labelSelector", "app.kubernetes.io/name=ollama")], JSON);
        let all = api.get_bytes("/api/v1/services", &[("limit", "500")], JSON);
        let (labelled, all) = tokio::join!(labelled, all);
        let mut lists = Vec::new();
        let mut forbidden = false;
        for list in [labelled, all] {
            match list {
                Ok(list) => lists.push(list),
                Err(RequestError::Forbidden { .. }) => forbidden = true,
                Err(error) => return Err(Trouble::new(error)),
            }
        }
        if forbidden && lists.is_empty() {
            let places = USUAL.iter().copied().filter(|place| *place != current).chain([current]);
            let asked = places.map(|place| async move {
                api.get_bytes(&format!("/api/v1/namespaces/{place}/services"), &[("limit", "500")], JSON).await
            });
            lists.extend(futures::future::join_all(asked).await.into_iter().flatten());
        }
        let mut found: Vec<(u8, Service)> = lists.iter().flat_map(|list| candidates(list)).collect();
        found.sort();
        found.dedup();
        Ok(found.into_iter().map(|(_, service)| service).collect())
    })
    .await
}

/// Reads the one Service that was named.
pub async fn named(api: &ApiClient, namespace: &str, name: &str) -> Result<Service, Trouble> {
    within(async {
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
        let bytes = api.get_bytes(&path, &[], JSON).await.map_err(Trouble::new)?;
        let object: Value = serde_json::from_slice(&bytes).map_err(Trouble::new)?;
        read(&object).ok_or_else(|| Trouble(format!("service {namespace}/{name} selects no pods")))
    })
    .await
}

async fn within<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let late = || Trouble(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

async fn verified(server: Server) -> Result<Server, Trouble> {
    server.verify().await.map(|()| server)
}

fn candidates(list: &[u8]) -> Vec<(u8, Service)> {
    let list: Value = serde_json::from_slice(list).unwrap_or_default();
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|object| Some((likeness(object)?, read(object)?))).collect()
}

/// Says how much a Service looks like Ollama, less being more; `None` if it does not.
fn likeness(object: &Value) -> Option<u8> {
    let labels = &object["metadata"]["labels"];
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let is_labelled = ["app.kubernetes.io/name", "app", "name"].iter().any(|label| labels[*label] == "ollama");
    let mut ports = object["spec"]["ports"].as_array().into_iter().flatten();
    let has_port = ports.any(|port| port["port"] == PORT || port["targetPort"] == PORT);
    // A user interface for it has the name, too.
    let is_interface = name.contains("webui") && !name.ends_with("ollama");
    match (is_labelled, has_port, name.contains("ollama")) {
        _ if is_interface => None,
        (true, true, _) => Some(0),
        (_, true, true) => Some(1),
        (true, _, _) => Some(2),
        (_, true, _) => Some(3),
        (_, _, true) => Some(4),
        _ => None,
    }
}

/// Reads a Service that leads to pods of the cluster; one without a selector may lead anywhere.
fn read(object: &Value) -> Option<Service> {
    let (meta, spec) = (&object["metadata"], &object["spec"]);
    let selector =
        spec["selector"].as_object().filter(|selector| !selector.is_empty() && spec["type"] != "ExternalName")?;
    let selector: Vec<String> =
        selector.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    let ports = spec["ports"].as_array()?;
    let is_usual = |port: &&Value| port["port"] == PORT || port["targetPort"] == PORT || port["name"] == "http";
    let port = ports.iter().find(is_usual).or(ports.first())?;
    let number = u16::try_from(port["port"].as_u64()?).ok()?;
    let target = match &port["targetPort"] {
        Value::String(name) => name.clone(),
        Value::Number(target) => target.to_string(),
        _ => number.to_string(),
    };
    Some(Service {
        namespace: meta["namespace"].as_str()?.to_owned(),
        name: meta["name"].as_str()?.to_owned(),
        port: number,
        target,
        selector: selector.join(","),
    })
}

/// Chooses a model: one that is loaded, else the best that is installed.
pub fn choose(models: &[Model]) -> Option<&Model> {
    let cannot_write =
        |name: &str| ["embed", "minilm", "bge-", "rerank", "whisper", "clip"].iter().any(|word| name.contains(word));
    let able = models.iter().filter(|model| !cannot_write(&model.name));
    let family = |model: &Model| {
        let name = model.name.rsplit('/').next().unwrap_or_default();
        TASTE.iter().position(|family| name.starts_with(family)).unwrap_or(TASTE.len())
    };
    able.min_by_key(|model| {
        (!model.is_loaded, model.bytes > UNWIELDY, family(model), u64::MAX - model.bytes, model.name.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn service(name: &str, label: &str, port: u16) -> Value {
        json!({"metadata": {"name": name, "namespace": "n", "labels": {"app": label}},
            "spec": {"selector": {"app": "x"}, "ports": [{"port": port, "targetPort": "http"}]}})
    }

    #[test]
    fn ollama_is_known_by_label_name_or_port() {
        let like = |name, label, port| likeness(&service(name, label, port));
        assert_eq!(like("llm", "ollama", PORT), Some(0));
        assert_eq!(like("my-ollama", "x", PORT), Some(1));
        assert_eq!(like("llm", "ollama", 80), Some(2));
        assert_eq!(like("llm", "x", PORT), Some(3));
        assert_eq!(like("my-ollama", "x", 80), Some(4));
        assert_eq!(like("llm", "x", 80), None);
        assert_eq!(like("ollama-webui", "x", 80), None);
        assert_eq!(like("open-webui-ollama", "x", PORT), Some(1));
    }

    #[test]
    fn a_service_without_pods_is_none() {
        let mut object = service("ollama", "ollama", 80);
        assert_eq!(read(&object).unwrap().target, "http");
        object["spec"]["selector"] = json!({});
        assert_eq!(read(&object), None);
        object["spec"] = json!({"type": "ExternalName", "externalName": "evil.example", "ports": [{"port": 80}], "selector": {"a": "b"}});
        assert_eq!(read(&object), None);
    }

    #[test]
    fn a_loaded_model_comes_before_a_better_one() {
        let model =
            |name: &str, gigabytes: u64, is_loaded| Model { name: name.to_owned(), bytes: gigabytes << 30, is_loaded };
        let installed = [
            model("nomic-embed-text", 1, true),
            model("smollm2:135m", 1, false),
            model("qwen2.5:7b", 5, false),
            model("qwen2.5:72b", 47, false),
        ];
        assert_eq!(choose(&installed).unwrap().name, "qwen2.5:7b");
        let mut loaded = installed.clone();
        loaded[1].is_loaded = true;
        assert_eq!(choose(&loaded).unwrap().name, "smollm2:135m");
        assert_eq!(choose(&installed[..1]), None);
    }
}
