//! `limits`: what workloads ask for, use, and should ask for.

use crate::analyse;
use crate::cli::args::{LimitsArgs, SortBy};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::commands::patches;
use crate::cli::format::Format;
use crate::cli::source::{self, Question};
use crate::cli::types;
use crate::cli::ui::Ui;
use crate::collect::plan::Purpose;
use crate::failure::{Exit, Failure};
use crate::model::Kind;
use crate::model::limits::Limits;
use crate::recommend::limits::order::Order;
use crate::recommend::limits::wanted::Wanted;
use crate::render;

/// The kinds that can be named: those that make containers.
const KINDS: [Kind; 8] = [
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::CronJob,
    Kind::Job,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::Pod,
];

/// Runs `limits`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &LimitsArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let wanted = wanted(args.target.as_deref(), args.name.as_deref())?;
    if let (true, Some(name)) = (cluster.all_namespaces, &wanted.name) {
        return Err(Failure::usage("a workload cannot be named across all namespaces")
            .hint(format!("kubectl rca limits {} -n NAMESPACE", wanted.words().unwrap_or_else(|| name.clone()))));
    }
    if let Some(folder) = &args.patch_dir {
        patches::check(folder)?;
    }
    let question = Question {
        namespaces: cluster.namespaces(),
        all_namespaces: cluster.all_namespaces,
        purpose: Purpose::Amounts,
        sample: args.sample,
        ..Question::default()
    };
    let snapshot = match &args.from {
        Some(path) => source::from_path(path, &question, &args.input)?,
        None => source::from_cluster(cluster, &question, &args.input, ui)?,
    };
    let place = snapshot.scope.namespaces.first().cloned();
    let limits =
        analyse::limits(&snapshot, &wanted, order(args.sort)).map_err(|near| not_found(&wanted, place, &near))?;
    ui.data(&print(&limits, &args.output.output, ui)?)?;
    if let Some(folder) = &args.patch_dir {
        patches::write(folder, &limits, ui)?;
    }
    let is_partial = ui.partial_sight(&limits.gaps);
    Ok(if args.require_complete && is_partial { Exit::Incomplete } else { Exit::Examined })
}

fn order(sort: SortBy) -> Order {
    match sort {
        SortBy::Risk => Order::Risk,
        SortBy::Waste => Order::Waste,
        SortBy::Memory => Order::Memory,
        SortBy::Cpu => Order::Cpu,
        SortBy::Name => Order::Name,
    }
}

/// Reads `TYPE/NAME`, `TYPE NAME` or `TYPE`.
fn wanted(target: Option<&str>, name: Option<&str>) -> Result<Wanted, Failure> {
    let Some(target) = target else { return Ok(Wanted::default()) };
    let (word, name) = match (target.split_once('/'), name) {
        (Some((_, _)), Some(name)) => {
            return Err(Failure::usage(format!("two names are given, \"{target}\" and \"{name}\""))
                .hint(format!("kubectl rca limits {target}")));
        }
        (Some((word, name)), None) => (word, Some(name)),
        (None, name) => (target, name),
    };
    let kind = types::find(word).filter(|kind| KINDS.contains(kind)).ok_or_else(|| no_such_type(word, name))?;
    if let Some(name) = name {
        source::check_name(&kind.name().to_lowercase(), name)?;
    }
    Ok(Wanted { kind: Some(kind), name: name.map(str::to_owned) })
}

fn no_such_type(word: &str, name: Option<&str>) -> Failure {
    let types = "deployment, statefulset, daemonset, cronjob, job, replicaset, replicationcontroller and pod";
    let failure = Failure::usage(format!("\"{word}\" is no type of workload")).hint(format!("the types are {types}"));
    // A name alone is the likely slip.
    if name.is_none() { failure.hint(format!("kubectl rca limits deployment/{word}")) } else { failure }
}

fn not_found(wanted: &Wanted, place: Option<String>, near: &[String]) -> Failure {
    let (kind, name) = (wanted.kind.map_or("workloads", Kind::plural), wanted.name.as_deref().unwrap_or_default());
    let place = place.unwrap_or_default();
    let failure = Failure::not_found(format!("{kind} \"{name}\" not found in namespace \"{place}\""));
    match near {
        [] => failure.hint(format!("kubectl get {kind} -n {place}")),
        near => failure.hint(format!("did you mean {}?", near.join(" or "))),
    }
}

fn print(limits: &Limits, format: &Format, ui: &Ui) -> Result<Vec<u8>, Failure> {
    let bug = |error: anyhow::Error| Failure::bug(format!("rendering the limits: {error}"));
    match format {
        Format::Text => Ok(render::text::limits::render(limits, &ui.look(false)).into_bytes()),
        Format::Wide => Ok(render::text::limits::render(limits, &ui.look(true)).into_bytes()),
        Format::Json => render::json::limits::render(limits).map_err(bug),
        Format::Yaml => render::yaml::limits(limits).map_err(bug),
        Format::Name => Ok(render::name::limits(limits).into_bytes()),
        Format::JsonPath(template) => {
            let value = serde_json::to_value(render::json::limits::dto(limits)).map_err(|error| bug(error.into()))?;
            Ok(template.render(&value).into_bytes())
        }
        // The parser of `-o` takes none of these for amounts.
        Format::Markdown | Format::Junit | Format::Sarif | Format::Html => {
            Err(Failure::usage("limits are printed as text, wide, json, yaml, name or jsonpath")
                .hint("kubectl rca limits -o wide"))
        }
    }
}
