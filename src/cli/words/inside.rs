//! The model that an agent inside the cluster may ask: a Service that was named or agreed to, by its address.

use serde_json::Value;

use super::reach::{self, Named};
use super::{Setting, mode};
use crate::cli::config::Config;
use crate::cli::ui::Ui;
use crate::cli::words_args::Mode;
use crate::collect::client::{ApiClient, JSON};
use crate::job::request::Words;
use crate::model::Kind;
use crate::narrate::reach as services;
use crate::narrate::transport::Trouble;

/// Finds it. None leaves the words to this process: an address is reached from here, and nobody else is asked unasked.
pub(in crate::cli) async fn model(
    setting: Setting<'_>,
    context: Option<&str>,
    api: &ApiClient,
    current: &str,
    ui: &mut Ui,
) -> Option<Words> {
    // What is wrong with it is told when the words are made from here.
    let config = Config::load().unwrap_or_default();
    let mode = mode(setting, &config, context, ui);
    if mode == Mode::Off {
        return None;
    }
    let context = context.unwrap_or_default();
    let (namespace, name) = match reach::named(setting, &config, context) {
        Named::Service(namespace, name) => (namespace, name),
        Named::Nothing if mode != Mode::Auto => (None, None),
        Named::Nothing | Named::Address(..) => return None,
    };
    let (namespace, name) = match place(api, current, namespace, name).await {
        Ok(place) => place,
        Err(Trouble(why)) => {
            ui.verbose(&format!("no model for the agent: {why}"));
            return None;
        }
    };
    let ollama_url = address(api, &namespace, &name).await?;
    ui.verbose(&format!("the agent asks service {namespace}/{name} at {ollama_url}"));
    let model = setting.args.model.clone().or_else(|| config.text(context, "model").map(str::to_owned));
    let patience = setting.args.llm_timeout.0.map(|limit| limit.as_secs().max(1));
    Some(Words { ollama_url, model, patience })
}

async fn place(
    api: &ApiClient,
    current: &str,
    namespace: Option<String>,
    name: Option<String>,
) -> Result<(String, String), Trouble> {
    match (namespace, name) {
        (namespace, Some(name)) => Ok((namespace.unwrap_or_else(|| current.to_owned()), name)),
        (wanted, None) => {
            let found = services::discover(api, wanted.as_deref().unwrap_or(current)).await?;
            let mut fitting =
                found.into_iter().filter(|one| wanted.as_ref().is_none_or(|place| one.namespace == *place));
            let none = || Trouble("no service in the cluster looks like an Ollama".to_owned());
            fitting.next().map(|service| (service.namespace, service.name)).ok_or_else(none)
        }
    }
}

/// Returns the address of a Service by number, so that nothing inside has to resolve a name.
async fn address(api: &ApiClient, namespace: &str, name: &str) -> Option<String> {
    let path = format!("{}/{name}", Kind::Service.path(Some(namespace)));
    let bytes = api.get_bytes(&path, &[], JSON).await.ok()?;
    url(&serde_json::from_slice(&bytes).ok()?)
}

fn url(service: &Value) -> Option<String> {
    let ip = service["spec"]["clusterIP"].as_str().filter(|ip| !ip.is_empty() && *ip != "None")?;
    let ports = service["spec"]["ports"].as_array()?;
    let is_ollamas = |port: &&Value| port["port"] == 11434 || port["targetPort"] == 11434 || port["name"] == "http";
    let port = ports.iter().find(is_ollamas).or(ports.first())?["port"].as_u64()?;
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    Some(format!("http://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::url;

    #[test]
    fn a_service_is_called_by_number() {
        let spec = json!({"spec": {"clusterIP": "10.96.3.4", "ports": [{"port": 9090}, {"port": 80, "name": "http"}]}});
        assert_eq!(url(&spec).as_deref(), Some("http://10.96.3.4:80"));
        let six = json!({"spec": {"clusterIP": "fd00::1", "ports": [{"port": 11434}]}});
        assert_eq!(url(&six).as_deref(), Some("http://[fd00::1]:11434"));
        assert_eq!(url(&json!({"spec": {"clusterIP": "None", "ports": [{"port": 1}]}})), None);
    }
}
