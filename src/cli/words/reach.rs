//! Whom to ask: what was given, what was agreed to, what runs on this machine, what the cluster has.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::{Duration, Instant};

use super::Setting;
use crate::cli::config::Config;
use crate::cli::ui::Ui;
use crate::cli::words_args::Mode;
use crate::collect::client::ApiClient;
use crate::collect::kubeconfig;
use crate::model::Report;
use crate::narrate::reach::{self, PATIENCE};
use crate::narrate::talk::{Dialect, Server};
use crate::narrate::transport::{Service, Trouble};

/// A server that answered.
pub(super) struct Found {
    pub(super) server: Server,
    /// The model that was named for it.
    pub(super) model: Option<String>,
    pub(super) took: Duration,
}

/// What flags, environment and configuration name; one thing, and nothing else is tried then.
pub(super) enum Named {
    Address(String, Dialect),
    Service(Option<String>, Option<String>),
    Nothing,
}

/// Where a search ended.
enum Sight {
    Server(Server),
    /// Looks like one, but nobody agreed to it.
    Guess(ApiClient, Service),
}

/// Finds a server that may be asked. An empty trouble says that there is none and none was asked for.
pub(super) fn find(
    setting: Setting<'_>,
    mode: Mode,
    mut config: Config,
    report: &Report,
    runtime: &tokio::runtime::Runtime,
    ui: &mut Ui,
) -> Result<Found, Trouble> {
    let started = Instant::now();
    let context = report.context.clone().unwrap_or_default();
    let model = setting.args.model.clone().or_else(|| config.text(&context, "model").map(str::to_owned));
    let named = named(setting, &config, &context);
    let is_wanted = !matches!((&named, mode), (Named::Nothing, Mode::Auto));
    let allow_remote = setting.args.allow_remote_llm || config.is_on(&context, "allow-remote-llm");
    let search = async {
        let late = || Trouble(format!("no model answered within {} s", PATIENCE.as_secs()));
        let search = search(setting, named, allow_remote, mode);
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| Err(late()))
    };
    let sight = runtime.block_on(search);
    let sight = sight.map_err(|trouble| if is_wanted { trouble } else { Trouble(String::new()) })?;
    let found = |server| Found { server, model, took: started.elapsed() };
    match sight {
        Sight::Server(server) => Ok(found(server)),
        Sight::Guess(api, service) => {
            if !agrees(&service, &context, &mut config, ui) {
                return Err(Trouble(String::new()));
            }
            runtime.block_on(reach::service(&api, &service)).map(found)
        }
    }
}

pub(super) fn named(setting: Setting<'_>, config: &Config, context: &str) -> Named {
    let args = setting.args;
    let dialect = |api: Option<&str>| if api == Some("openai") { Dialect::OpenAi } else { Dialect::Ollama };
    let text = |key| config.text(context, key).map(str::to_owned);
    if let Some(url) = &args.llm_url {
        return Named::Address(url.clone(), args.llm_api.map(Dialect::from).unwrap_or_default());
    }
    if let Some(url) = &args.ollama_url {
        return Named::Address(url.clone(), Dialect::Ollama);
    }
    if args.ollama_service.is_some() || args.ollama_namespace.is_some() {
        return Named::Service(args.ollama_namespace.clone(), args.ollama_service.clone());
    }
    if let Some(url) = text("llm-url") {
        return Named::Address(url, dialect(config.text(context, "llm-api")));
    }
    if let Some(url) = text("ollama-url") {
        return Named::Address(url, Dialect::Ollama);
    }
    match (text("ollama-namespace"), text("ollama-service")) {
        (None, None) => Named::Nothing,
        (namespace, service) => Named::Service(namespace, service),
    }
}

async fn search(setting: Setting<'_>, named: Named, allow_remote: bool, mode: Mode) -> Result<Sight, Trouble> {
    match named {
        Named::Address(url, dialect) => {
            let reached = reach::address(&url, dialect, allow_remote).await;
            let hint = "; --allow-remote-llm sends the facts there all the same";
            let trouble = |Trouble(why): Trouble| {
                let hint = if why.contains("private networks") { hint } else { "" };
                Trouble(format!("{why}{hint}"))
            };
            reached.map(Sight::Server).map_err(trouble)
        }
        Named::Service(namespace, name) => {
            let (api, current) = connect(setting).await?;
            let namespace =
                namespace.unwrap_or_else(|| if name.is_some() { current.clone() } else { "ollama".to_owned() });
            let service = if let Some(name) = name {
                reach::named(&api, &namespace, &name).await?
            } else {
                let all = reach::discover(&api, &namespace).await?;
                let there = all.into_iter().find(|service| service.namespace == namespace);
                there.ok_or_else(|| Trouble(format!("namespace {namespace} has no service that looks like Ollama")))?
            };
            reach::service(&api, &service).await.map(Sight::Server)
        }
        Named::Nothing => {
            if let Ok(server) = reach::address(&local(), Dialect::Ollama, false).await {
                return Ok(Sight::Server(server));
            }
            in_cluster(setting, mode).await
        }
    }
}

/// Ollama's own variable for where it listens; another host's is none of ours to use unasked.
fn local() -> String {
    let given = std::env::var("OLLAMA_HOST").unwrap_or_default();
    let host = given.trim_start_matches("http://").trim_end_matches('/');
    let is_local = ["127.", "localhost", "[::1]", "0.0.0.0"].iter().any(|local| host.starts_with(local));
    let host = if is_local { host.replacen("0.0.0.0", "127.0.0.1", 1) } else { "127.0.0.1".to_owned() };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    if has_port { format!("http://{host}") } else { format!("http://{host}:11434") }
}

async fn in_cluster(setting: Setting<'_>, mode: Mode) -> Result<Sight, Trouble> {
    if !setting.is_live {
        return Err(Trouble("no Ollama on this machine, and no cluster to look in".to_owned()));
    }
    let (api, current) = connect(setting).await?;
    let found = reach::discover(&api, &current).await?;
    let none = || Trouble("no Ollama on this machine, and no service in the cluster looks like one".to_owned());
    if mode == Mode::Auto {
        return found.into_iter().next().map(|service| Sight::Guess(api, service)).ok_or_else(none);
    }
    let mut trouble = none();
    for service in found {
        match reach::service(&api, &service).await {
            Ok(server) => return Ok(Sight::Server(server)),
            Err(Trouble(why)) => trouble = Trouble(format!("service {service}: {why}")),
        }
    }
    Err(trouble)
}

async fn connect(setting: Setting<'_>) -> Result<(ApiClient, String), Trouble> {
    let told = |failure: crate::failure::Failure| Trouble(failure.message);
    if !setting.is_live {
        return Err(Trouble("a recording has no cluster to look for a service in".to_owned()));
    }
    let connection =
        kubeconfig::resolve(&setting.cluster.overrides(), &kubeconfig::Env::from_process()).map_err(told)?;
    let api = ApiClient::connect(&connection, &setting.cluster.limits()).await.map_err(told)?;
    Ok((api, connection.namespace))
}

/// Offers what was found in one line, and asks where somebody can answer.
fn agrees(service: &Service, context: &str, config: &mut Config, ui: &mut Ui) -> bool {
    let offer = format!("service {service} looks like an Ollama, which could put this in words");
    if !std::io::stdin().is_terminal() {
        ui.note(&format!("{offer}; --llm on sends the report's facts there"));
        return false;
    }
    ui.ask(&format!("{offer}. Send the report's facts there? [t]his time, [a]lways for context {context}, [n]ever: "));
    let mut line = String::new();
    // Nobody there is no consent.
    _ = std::io::stdin().lock().read_line(&mut line);
    let decision: &[(&str, &str)] = match line.trim().to_lowercase().as_str() {
        "t" | "this" | "this time" => return true,
        "a" | "always" => &[("llm", "on"), ("ollama-namespace", &service.namespace), ("ollama-service", &service.name)],
        "n" | "never" => &[("llm", "off")],
        _ => return false,
    };
    if context.is_empty() {
        ui.warning("there is no context to keep that for");
    } else if let Err(trouble) = config.keep(context, decision) {
        ui.warning(&trouble);
    }
    decision[0].1 == "on"
}
