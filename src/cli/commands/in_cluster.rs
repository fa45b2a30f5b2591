//! `--in-cluster`: the same answer, from an agent inside the cluster.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::{examine, manifests};
use crate::cli::agent_args::{AgentArgs, DryRun, IMAGE, Manifests};
use crate::cli::args::ExamineArgs;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::config::Config;
use crate::cli::format::Format;
use crate::cli::settings;
use crate::cli::source::{self, Question};
use crate::cli::ui::Ui;
use crate::cli::words::{self, Setting};
use crate::collect::client::{ApiClient, JSON, Limits};
use crate::collect::kubeconfig::{self, Connection};
use crate::failure::{Exit, Failure};
use crate::job::life::{self, Answer, End, Order, Step};
use crate::job::manifest::{self, NO_UID, PROGRAM, Settings};
use crate::job::preflight;
use crate::job::request::{PROTOCOL, Request, Words};
use crate::job::resources::Resources;
use crate::job::rights::{self, Wanted};
use crate::model::{Kind, Report, Scope, Type};
use crate::policy::{Judged, Policy};
use crate::render::text;

/// Seconds that a model gets for all incidents where no limit is set.
const MODELS_PATIENCE: u64 = 3600;

/// What was asked for: a report, or the objects that would bring it.
pub(super) enum Outcome {
    /// A report, and whether the agent was to put it in words.
    Report(Box<Report>, bool),
    Printed,
}

/// Runs an agent, or prints its objects.
pub(super) fn run(
    cluster: &ClusterArgs,
    args: &ExamineArgs,
    question: &Question,
    mut policy: Policy,
    ui: &mut Ui,
) -> Result<Outcome, Failure> {
    if args.input.kubelet_metrics {
        let message = "--kubelet-metrics takes rights to nodes/proxy, which an agent is not given";
        return Err(Failure::usage(message).hint("without --in-cluster they are read with your own rights"));
    }
    if question.all_namespaces || question.namespaces.len() > 1 {
        return Err(not_one_namespace());
    }
    let connection = kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process())?;
    let scope = Scope { namespaces: question.scope(&connection.namespace)?, targets: Vec::new() };
    let context = connection.context.as_deref();
    settings::apply(&Config::load().unwrap_or_default(), context, Timestamp::now(), &mut policy, ui);
    let runtime = source::runtime()?;
    let outcome = runtime.block_on(async {
        // One round trip for all questions about rights.
        let limits = Limits { concurrency: 32, ..cluster.limits() };
        let client = ApiClient::connect(&connection, &limits).await?;
        let scope = source::resolve(&client, question, scope).await?;
        if scope.targets.iter().any(|target| !target.kind.namespaced()) {
            return Err(not_one_namespace());
        }
        let wanted = wanted(&client, args, &scope, &policy).await?;
        let format = &args.output.output;
        let is_text = matches!(format, Format::Text | Format::Wide);
        let setting = Setting { cluster, args: &args.words, is_text, is_live: true };
        let words = match format {
            Format::Name => None,
            _ => words::inside(setting, context, &client, &wanted.namespace, ui).await,
        };
        let has_words = words.is_some();
        let mut order = order(args, &scope, &policy, &connection, words)?;
        order.rights = rights::namespaced(&wanted);
        if let Some(place) = args.agent.dry_run {
            return dry_run(&client, &order, place, format, ui).await;
        }
        let report = report(&client, order, &policy, format, ui).await?;
        let report = judged(Report { scope, ..report }, &policy);
        Ok(Outcome::Report(Box::new(examine::some_is_there(report)?), has_words))
    });
    runtime.shutdown_background();
    outcome
}

/// Takes out what the user does not want to see, and tells what is new.
fn judged(mut report: Report, policy: &Policy) -> Report {
    let Judged { hidden, incidents, ignored, compared, notes } =
        policy.show(report.taken_at, report.incidents, report.ignored);
    report.notes.extend(notes);
    Report { incidents, ignored, hidden, compared, ..report }
}

fn not_one_namespace() -> Failure {
    Failure::usage("an agent looks at one namespace").hint("kubectl rca namespace NAME --in-cluster")
}

async fn wanted(client: &ApiClient, args: &ExamineArgs, scope: &Scope, policy: &Policy) -> Result<Wanted, Failure> {
    let namespace = scope.namespaces.first().cloned().unwrap_or_default();
    let tls_secrets =
        if args.input.read_tls_secrets { life::tls_secrets(client, &namespace).await? } else { Vec::new() };
    let custom = scope.targets.iter().filter_map(|target| match &target.kind {
        Type::Custom(custom) => Some(custom.clone()),
        Type::Known(_) => None,
    });
    let is_one_pod = matches!(scope.targets.as_slice(), [target] if target.kind == Type::Known(Kind::Pod));
    let (custom, skip) = (custom.collect(), policy.skip.clone());
    Ok(Wanted { namespace, is_one_pod, custom, skip, cluster_scope: false, tls_secrets })
}

fn order(
    args: &ExamineArgs,
    scope: &Scope,
    policy: &Policy,
    connection: &Connection,
    words: Option<Words>,
) -> Result<Order, Failure> {
    let AgentArgs { agent_timeout, agent_ttl, .. } = args.agent;
    let agent = args.agent.clone();
    let namespace = scope.namespaces.first().cloned().unwrap_or_default();
    let name = format!("{PROGRAM}-{}", suffix());
    // A model takes its time after the answer is found.
    let for_words = words.as_ref().map_or(0, |words| words.patience.unwrap_or(MODELS_PATIENCE));
    let personal = source::personal(&args.input);
    let request = Request {
        protocol: PROTOCOL,
        run: name.clone(),
        namespace: namespace.clone(),
        targets: scope.targets.clone(),
        skip: policy.skip.clone(),
        severities: policy.severities.clone(),
        ignores: policy.ignores.clone(),
        allow_annotations: policy.allow_annotations,
        read_tls_secrets: args.input.read_tls_secrets,
        redact_emails: personal.emails,
        redact_addresses: personal.addresses,
        prometheus_url: args.input.prometheus_url.clone(),
        context: connection.context.clone(),
        words,
    };
    let request = serde_json::to_string(&request);
    let settings = Settings {
        name,
        namespace,
        // A variable that is set to nothing names none.
        image: if agent.image.is_empty() { IMAGE.to_owned() } else { agent.image },
        pull_policy: agent.image_pull_policy,
        pull_secrets: agent.image_pull_secret,
        account: agent.service_account,
        tolerations: agent.toleration,
        node_selector: agent.node_selector.into_iter().collect(),
        deadline: whole_seconds(agent_timeout) + for_words,
        ttl: (!agent.keep).then_some(whole_seconds(agent_ttl)),
        resources: Resources::default(),
        request: request.map_err(|error| Failure::bug(format!("writing the request: {error}")))?,
    };
    Ok(Order { settings, rights: Vec::new(), keep: agent.keep, has_words: for_words > 0 })
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().max(1)
}

/// Returns a word of its own for each run, so that two at once do not meet.
fn suffix() -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut random = RandomState::new().hash_one(std::process::id());
    let letters = (0..8).map(|_| {
        let letter = LETTERS[usize::try_from(random % LETTERS.len() as u64).unwrap_or_default()];
        random /= LETTERS.len() as u64;
        char::from(letter)
    });
    letters.collect()
}

async fn dry_run(
    client: &ApiClient,
    order: &Order,
    place: DryRun,
    format: &Format,
    ui: &mut Ui,
) -> Result<Outcome, Failure> {
    let objects: Vec<Value> = match place {
        DryRun::Client => {
            let owned = manifest::owned(&order.settings, NO_UID, &order.rights);
            let owned = owned.into_iter().filter(|_| order.settings.account.is_none());
            std::iter::once(manifest::job(&order.settings)).chain(owned).collect()
        }
        DryRun::Server => life::dry_run(client, order).await.map_err(|error| {
            Failure::new(Exit::Agent, format!("the server refuses the agent: {error}"))
                .hint("--dry-run=client shows what would be sent")
        })?,
    };
    let format = if *format == Format::Json { Manifests::Json } else { Manifests::Yaml };
    ui.data(&manifests::write(&objects, format)?)?;
    Ok(Outcome::Printed)
}

async fn report(
    client: &ApiClient,
    mut order: Order,
    policy: &Policy,
    format: &Format,
    ui: &mut Ui,
) -> Result<Report, Failure> {
    let started = Instant::now();
    let namespace = order.settings.namespace.clone();
    let rights = async {
        if order.settings.account.is_some() {
            preflight::with_given_account(client, &namespace).await.map(|()| Vec::new())
        } else {
            preflight::with_account(client, &namespace, &order.rights).await
        }
    };
    let path = Kind::LimitRange.path(Some(&namespace));
    let (rights, ranges) = tokio::join!(rights, client.get_bytes(&path, &[], JSON));
    order.rights = rights?;
    // Who may not read them asks for what fits most.
    let ranges: Value = ranges.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    order.settings.resources = Resources::default().within(&ranges);
    ui.verbose(&format!("{} ms to see what you may do", started.elapsed().as_millis()));
    let mut tell = |step: Step<'_>| match step {
        Step::Says(text) => {
            ui.spin(text, started.elapsed());
            ui.verbose(&format!("{text} ({} ms)", started.elapsed().as_millis()));
        }
        // Nobody waits for a model to see what is wrong.
        Step::Report(report) => show(judged(report.clone(), policy), format, ui),
    };
    let ended = life::run(client, &order, &mut tell).await;
    ui.still();
    if order.keep {
        let Settings { name, namespace, .. } = &order.settings;
        ui.note(&format!(
            "kept: kubectl get job,pod,serviceaccount,role,rolebinding -n {namespace} -l {}={name}",
            manifest::RUN
        ));
    }
    match ended {
        Ok(Answer { report, said }) => {
            let warnings = said.iter().filter_map(|line| line.strip_prefix("warning: "));
            warnings.for_each(|warning| ui.warning(warning));
            Ok(report)
        }
        Err(End { failure, diagnosis }) => {
            if let Some(report) = diagnosis {
                text::render(&report, &ui.look(false)).lines().for_each(|line| ui.verbose(line));
            }
            Err(failure)
        }
    }
}

/// Prints a report before its words are there, where it is text.
fn show(report: Report, format: &Format, ui: &mut Ui) {
    let is_text = matches!(format, Format::Text | Format::Wide);
    let Some(report) = examine::some_is_there(report).ok().filter(|_| is_text) else { return };
    ui.still();
    // What cannot be written now cannot be written later either, which is told then.
    _ = examine::print(&report, None, format, ui).and_then(|text| ui.data(&text));
}
