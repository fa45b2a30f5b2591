//! `agent`: the same pipeline inside the cluster; its answer is a frame in the log.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::analyse::analyse;
use crate::cli::agent_args::RequestArgs;
use crate::cli::cluster_args::{ClusterArgs, RequestTimeout};
use crate::cli::source;
use crate::cli::ui::Ui;
use crate::cli::words::{self, Setting};
use crate::cli::words_args::{Mode, WordsArgs};
use crate::collect::client::{ApiClient, Limits, RequestError};
use crate::collect::plan::{Keep, Plan};
use crate::collect::{kubeconfig, live};
use crate::failure::{Exit, Failure};
use crate::job::frame::{self, Content, Part, Refusal};
use crate::job::request::{PROTOCOL, Request, Words};
use crate::job::signals::Signals;
use crate::job::{own, preflight};
use crate::model::{Report, Scope};
use crate::policy::Policy;
use crate::redact::Personal;
use crate::render::json;
use crate::render::json::read::Beside;

/// How long the API server may take to answer the first question, and to know of a binding that was just made.
const PATIENCE: Duration = Duration::from_secs(7);

/// Runs `agent`. Whatever comes of it is told by the frame; the exit code says only that there is one.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &RequestArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let answer = read(&args.request).and_then(|request| Ok((look_once(cluster, &request)?, request.words)));
    let (mut report, words) = match answer {
        Ok(answer) => answer,
        Err(failure) => return refuse(failure, ui),
    };
    say(Part::Report, &report, ui)?;
    if let Some(wanted) = words {
        put_in_words(cluster, &mut report, wanted, ui);
        say(Part::Words, &report, ui)?;
    }
    Ok(Exit::Examined)
}

fn say(part: Part, report: &Report, ui: &mut Ui) -> Result<Exit, Failure> {
    let document = serde_json::to_string(&json::dto(report));
    let document = document.map_err(|error| Failure::bug(format!("writing the report: {error}")))?;
    print(frame::write(part, Content::Report, &document, Beside::of(report)), ui)
}

fn refuse(Failure { exit, message, hints }: Failure, ui: &mut Ui) -> Result<Exit, Failure> {
    let refusal = serde_json::to_string(&Refusal { exit: exit as u8, message, hints });
    let refusal = refusal.map_err(|error| Failure::bug(format!("writing the failure: {error}")))?;
    print(frame::write(Part::Report, Content::Failure, &refusal, Beside::default()), ui)
}

fn print(frame: anyhow::Result<String>, ui: &mut Ui) -> Result<Exit, Failure> {
    ui.data(frame.map_err(|error| Failure::bug(format!("writing the answer: {error}")))?.as_bytes())?;
    Ok(Exit::Examined)
}

fn look_once(cluster: &ClusterArgs, request: &Request) -> Result<Report, Failure> {
    let connection = kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process())?;
    let runtime = source::runtime()?;
    let report = runtime.block_on(async {
        // The first process of a container dies of no signal that it does not listen to.
        let mut signals = Signals::new();
        let limits = Limits { retry_budget: Duration::from_secs(5), concurrency: 24, ..Limits::default() };
        let client = ApiClient::connect(&connection, &limits).await?;
        tokio::select! {
            report = look(&client, request) => report,
            () = signals.next() => Err(Failure::new(Exit::Interrupted, "the agent was stopped")),
        }
    });
    runtime.shutdown_background();
    report
}

fn put_in_words(cluster: &ClusterArgs, report: &mut Report, wanted: Words, ui: &mut Ui) {
    let args = WordsArgs {
        llm: Some(Mode::On),
        ollama_url: Some(wanted.ollama_url),
        model: wanted.model,
        llm_timeout: RequestTimeout(wanted.patience.map(Duration::from_secs)),
        ..WordsArgs::default()
    };
    words::add(Setting { cluster, args: &args, is_text: false, is_live: false }, report, ui);
}

/// Reads the request; one of another version is answered too, as the header of the answer tells ours.
fn read(text: &str) -> Result<Request, Failure> {
    let unreadable = |error: serde_json::Error| Failure::usage(format!("the request cannot be read: {error}"));
    let document: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
    if document["protocol"] != PROTOCOL {
        let message = format!("the request has protocol {}, and this agent {PROTOCOL}", document["protocol"]);
        return Err(Failure::usage(message).hint("name an image of this version with --image or RCA_IMAGE"));
    }
    serde_json::from_value(document).map_err(unreadable)
}

async fn look(client: &ApiClient, request: &Request) -> Result<Report, Failure> {
    until_allowed(client, &request.namespace).await?;
    let personal = Personal { emails: request.redact_emails, addresses: request.redact_addresses };
    let plan = Plan {
        keep: Keep { raw: false, personal },
        scope: Scope { namespaces: vec![request.namespace.clone()], targets: request.targets.clone() },
        context: request.context.clone(),
        read_tls_secrets: request.read_tls_secrets,
        prometheus_url: request.prometheus_url.clone(),
        ..Plan::default()
    };
    let mut snapshot = live::collect(client, &plan).await?;
    own::forget(&mut snapshot, &request.run);
    let policy = Policy {
        skip: request.skip.clone(),
        severities: request.severities.clone(),
        ignores: request.ignores.clone(),
        allow_annotations: request.allow_annotations,
        // What is shown, and what is new, is decided where somebody looks at it.
        ..Policy::default()
    };
    Ok(analyse(&snapshot, &policy))
}

/// Waits until the server knows of the agent's rights.
async fn until_allowed(client: &ApiClient, namespace: &str) -> Result<(), Failure> {
    let started = Instant::now();
    let mut is_refused = false;
    loop {
        let left = PATIENCE.saturating_sub(started.elapsed());
        let asked = timeout(left, preflight::may_list_pods(client, namespace)).await;
        match asked.unwrap_or(Err(RequestError::Timeout)) {
            Ok(true) => return Ok(()),
            Ok(false) if started.elapsed() < PATIENCE => {
                is_refused = true;
                sleep(Duration::from_millis(100)).await;
            }
            Ok(false) => return Err(not_allowed(namespace)),
            // It did answer: time is up, and it is not the server that is silent.
            Err(RequestError::Timeout) if is_refused => return Err(not_allowed(namespace)),
            Err(RequestError::Unreachable { .. }) if started.elapsed() < PATIENCE => {
                sleep(Duration::from_millis(200)).await;
            }
            Err(error) => return Err(cut_off(client, namespace, &error)),
        }
    }
}

fn not_allowed(namespace: &str) -> Failure {
    Failure::unreachable(format!("its account may not list pods in namespace \"{namespace}\""))
        .hint(format!("kubectl rca rbac --in-cluster -n {namespace} -o yaml | kubectl apply -f -"))
}

fn cut_off(client: &ApiClient, namespace: &str, error: &RequestError) -> Failure {
    let message = format!("it cannot reach the API server at {}: {error}", client.server());
    Failure::unreachable(message)
        .hint(format!("see whether a policy closes egress: kubectl get networkpolicies -n {namespace}"))
        .hint("without --in-cluster the same is read from here")
}
