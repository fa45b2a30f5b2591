//! From arguments to a snapshot: the live cluster, or a file.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use super::args::{InputArgs, Redact};
use super::cluster_args::ClusterArgs;
use super::targets::{self, Wish};
use super::ui::Ui;
use crate::collect::client::{ApiClient, Limits};
use crate::collect::live::sampling::{self, Sampled};
use crate::collect::plan::{Keep, Plan, Purpose};
use crate::collect::{capture, folder, kubeconfig, live};
use crate::failure::{Exit, Failure};
use crate::model::{Kind, Scope, Snapshot, Target};
use crate::redact::Personal;

/// How many requests may be under way at once when one pod is asked about: more than it needs.
const FOR_ONE_POD: usize = 32;

/// What the user asked about, before it is known where it lies.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    /// The namespaces that were named; else the current one.
    pub(super) namespaces: Vec<String>,
    pub(super) all_namespaces: bool,
    pub(super) wish: Wish,
    pub(super) keep_raw: bool,
    pub(super) purpose: Purpose,
    /// Watch the usage for so long first.
    pub(super) sample: Option<Duration>,
}

/// Reads the cluster.
pub(super) fn from_cluster(
    cluster: &ClusterArgs,
    question: &Question,
    input: &InputArgs,
    ui: &mut Ui,
) -> Result<Snapshot, Failure> {
    let started = Instant::now();
    let connection = kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process());
    let connection = connection.map_err(|failure| targets::unanswered(failure, &question.wish))?;
    let mut plan = Plan {
        scope: Scope { namespaces: question.scope(&connection.namespace)?, targets: Vec::new() },
        context: connection.context.clone(),
        keep: keep(question, input),
        purpose: question.purpose,
        read_tls_secrets: input.read_tls_secrets,
        kubelet_metrics: input.kubelet_metrics,
        prometheus_url: input.prometheus_url.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::bug(format!("starting the runtime: {error}")))?;
    let result = runtime.block_on(async {
        let client = ApiClient::connect(&connection, &limits(cluster, question)).await?;
        plan.scope = unless_interrupted(resolve(&client, question, plan.scope)).await?;
        let plan = plan;
        let mut snapshot = unless_interrupted(live::collect(&client, &plan)).await?;
        if let Some(duration) = question.sample {
            let sampled = watch(&client, &plan, &snapshot, duration, ui).await;
            // What happened meanwhile, such as a kill, is part of the answer.
            snapshot = unless_interrupted(live::collect(&client, &plan)).await?;
            sampled.into_snapshot(&mut snapshot);
        }
        Ok((client.stats(), client.warnings(), snapshot))
    });
    // A request to a server that hangs must not keep the answer back.
    runtime.shutdown_background();
    let (stats, warnings, snapshot) = result?;
    for warning in &warnings {
        ui.warning(warning);
    }
    if let (true, number @ 1..) = (cluster.warnings_as_errors, warnings.len()) {
        let word = if number == 1 { "warning" } else { "warnings" };
        return Err(Failure::unreachable(format!("{number} {word} received")).hint("leave out `--warnings-as-errors`"));
    }
    let retries = stats.retries;
    ui.verbose(&format!(
        "{} requests, {} bytes, {retries} retries, {} ms to collect",
        stats.requests,
        stats.bytes,
        started.elapsed().as_millis()
    ));
    Ok(snapshot)
}

impl Question {
    /// Returns the namespaces to look at; none are all.
    fn scope(&self, current: &str) -> Result<Vec<String>, Failure> {
        let namespaces = match self.namespaces.as_slice() {
            _ if self.all_namespaces => Vec::new(),
            [] => vec![current.to_owned()],
            named => named.to_vec(),
        };
        namespaces.iter().try_for_each(|name| check_name("namespace", name))?;
        Ok(namespaces)
    }
}

/// Finds the objects that are meant. What lives in no namespace may hit any, unless one was named.
async fn resolve(client: &ApiClient, question: &Question, scope: Scope) -> Result<Scope, Failure> {
    let is_named = !question.namespaces.is_empty();
    let targets = targets::resolve(client, &question.wish, &scope.namespaces, is_named).await?;
    let namespaces = if !is_named && targets::are_clusters(&targets) { Vec::new() } else { scope.namespaces };
    Ok(Scope { namespaces, targets })
}

async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::new(Exit::Interrupted, "interrupted")),
    }
}

/// Watches the usage, and tells how far that has come.
async fn watch(client: &ApiClient, plan: &Plan, snapshot: &Snapshot, duration: Duration, ui: &mut Ui) -> Sampled {
    let sampled = sampling::watch(client, plan, snapshot, duration, &mut |progress| ui.progress(progress)).await;
    ui.progress_ends();
    if let Some(why) = &sampled.refused {
        ui.warning(&format!("there is nothing to sample: {why}"));
        if !plan.kubelet_metrics {
            ui.hint("with rights to nodes/proxy, --kubelet-metrics asks the kubelets instead of metrics-server");
        }
    }
    if sampled.early {
        ui.note("sampling was ended early; what was seen until then is used");
    }
    sampled
}

/// Returns the limits that fit the question: what one pod refers to is asked for in one go.
fn limits(cluster: &ClusterArgs, question: &Question) -> Limits {
    let limits = cluster.limits();
    if question.wish.is_one_pod() { Limits { concurrency: FOR_ONE_POD, ..limits } } else { limits }
}

fn keep(question: &Question, input: &InputArgs) -> Keep {
    let personal =
        Personal { emails: input.redact.contains(&Redact::Emails), addresses: input.redact.contains(&Redact::Ips) };
    Keep { raw: question.keep_raw, personal }
}

/// Reads a capture or a folder, and narrows it to the question.
pub(super) fn from_path(path: &Path, question: &Question, input: &InputArgs) -> Result<Snapshot, Failure> {
    let name = path.display().to_string();
    let is_folder = path.is_dir();
    let keep = keep(question, input);
    let mut snapshot = if is_folder { folder::read(path, keep)? } else { capture::read_file(path, keep)? };
    if question.all_namespaces {
        snapshot.scope.namespaces = Vec::new();
    } else if !question.namespaces.is_empty() {
        for namespace in &question.namespaces {
            check_name("namespace", namespace)?;
            check_recorded(&snapshot, namespace, &name)?;
        }
        snapshot.scope.namespaces.clone_from(&question.namespaces);
    }
    if !question.wish.is_empty() || !question.namespaces.is_empty() || question.all_namespaces {
        let place = if question.all_namespaces { &[] } else { snapshot.scope.namespaces.as_slice() };
        snapshot.scope.targets = targets::resolve_recorded(&snapshot, &question.wish, place)?;
    }
    if question.namespaces.is_empty() && !question.all_namespaces && snapshot.scope.namespaces.len() != 1 {
        find_places(&mut snapshot)?;
    }
    if is_folder {
        folder::note_absent_kinds(&mut snapshot);
    }
    Ok(snapshot)
}

/// Narrows a recording of several namespaces to those that hold the targets.
fn find_places(snapshot: &mut Snapshot) -> Result<(), Failure> {
    let mut targets = std::mem::take(&mut snapshot.scope.targets);
    let mut places = BTreeSet::new();
    for target in targets.iter_mut().filter(|target| target.kind.namespaced()) {
        let place = target.namespace.take().map_or_else(|| place_of(snapshot, target), Ok)?;
        places.insert(place.clone());
        target.namespace = Some(place);
    }
    if let [place] = places.iter().collect::<Vec<_>>().as_slice() {
        targets.iter_mut().for_each(|target| _ = target.namespace.take_if(|namespace| namespace == *place));
    }
    if !places.is_empty() {
        snapshot.scope.namespaces = places.into_iter().collect();
    }
    snapshot.scope.targets = targets;
    Ok(())
}

/// Finds the one namespace of a recording that holds the target.
fn place_of(snapshot: &Snapshot, target: &Target) -> Result<String, Failure> {
    let (word, plural, name) = (target.kind.word(), target.kind.plural(), &target.name);
    match targets::recorded_places(snapshot, target).as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::not_found(format!("{plural} \"{name}\" not found in any namespace of the recording"))
            .hint(format!("kubectl rca {word} {name} --from FILE -n NAMESPACE"))),
        several => Err(Failure::usage(format!("{word} \"{name}\" is in the namespaces {}", several.join(", ")))
            .hint(format!("kubectl rca {word} {name} --from FILE -n {}", several[0]))),
    }
}

/// Fails when a recording holds nothing of a namespace: that would look healthy.
fn check_recorded(snapshot: &Snapshot, namespace: &str, file: &str) -> Result<(), Failure> {
    let lists = |kind: &Kind| snapshot.objects.coverage(*kind).namespaces.contains(namespace);
    let names = |kind: &Kind| snapshot.objects.coverage(*kind).names.iter().any(|(place, _)| place == namespace);
    let exists = snapshot.objects.namespaces.get("", namespace).is_some();
    if exists || holds_objects(snapshot, namespace) || Kind::ALL.iter().any(|kind| lists(kind) || names(kind)) {
        return Ok(());
    }
    let recorded = &snapshot.objects.pods.coverage.namespaces;
    let near: Vec<&str> =
        recorded.iter().filter(|name| strsim::damerau_levenshtein(name, namespace) <= 3).map(String::as_str).collect();
    let failure = Failure::not_found(format!("namespace \"{namespace}\" is not in {file}"));
    Err(match (near.as_slice(), recorded.len()) {
        ([], 0) => failure.hint("see what it holds with: kubectl rca namespace --from FILE"),
        ([], _) => {
            failure.hint(format!("it holds {}", recorded.iter().take(8).cloned().collect::<Vec<_>>().join(", ")))
        }
        (near, _) => failure.hint(format!("did you mean {}?", near.join(" or "))),
    })
}

/// Returns whether anything in a namespace was recorded; where all are, an empty one is one that is not.
fn holds_objects(snapshot: &Snapshot, namespace: &str) -> bool {
    let objects = &snapshot.objects;
    objects.pods.in_namespace(namespace).len() > 0
        || objects.events.in_namespace(namespace).len() > 0
        || objects.services.in_namespace(namespace).len() > 0
        || objects.config_maps.in_namespace(namespace).len() > 0
        || objects.deployments.in_namespace(namespace).len() > 0
        || objects.stateful_sets.in_namespace(namespace).len() > 0
        || objects.daemon_sets.in_namespace(namespace).len() > 0
        || objects.replica_sets.in_namespace(namespace).len() > 0
        || objects.jobs.in_namespace(namespace).len() > 0
}

/// Fails when a name cannot be that of an object; it goes into a URL.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), Failure> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    if !name.is_empty() && name.len() <= 253 && name.bytes().all(allowed) && !name.starts_with('.') {
        return Ok(());
    }
    let message = format!("invalid {what} name {name:?}: it may hold lower-case letters, digits, `-` and `.`");
    Err(Failure::usage(message).hint(format!("kubectl get {what}s")))
}
