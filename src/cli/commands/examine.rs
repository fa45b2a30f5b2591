//! `pod` and `namespace`: collect, analyse, print.

use std::mem::ManuallyDrop;
use std::time::Instant;

use crate::analyse::{analyse, story};
use crate::cli::args::{ExamineArgs, NamespaceArgs, ObjectCommand};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::format::Format;
use crate::cli::source::{self, Question};
use crate::cli::types;
use crate::cli::ui::Ui;
use crate::cli::words::{self, Outcome, Setting};
use crate::diagnose::target::Fate;
use crate::failure::{Exit, Failure};
use crate::model::{Report, Snapshot, Story, Target};
use crate::policy::Policy;
use crate::render;
use crate::rules;

/// Runs `TYPE NAME`.
pub(in crate::cli) fn object(cluster: &ClusterArgs, command: &ObjectCommand, ui: &mut Ui) -> Result<Exit, Failure> {
    let (kind, args) = command.parts();
    let word = kind.name().to_lowercase();
    let name = match args.name.split_once('/') {
        Some((other, name)) if types::find(other) == Some(kind) => name,
        _ => &args.name,
    };
    source::check_name(&word, name)?;
    if cluster.all_namespaces {
        return Err(Failure::usage(format!("a {word} cannot be named across all namespaces"))
            .hint(format!("kubectl rca {word} {name} -n NAMESPACE")));
    }
    let target = Some(Target { kind, name: name.to_owned() });
    let namespace = cluster.namespace.clone().filter(|name| !name.is_empty());
    examine(cluster, &args.examine, &Question { namespace, target, ..Question::default() }, ui)
}

/// Runs `namespace [NAME]`.
pub(in crate::cli) fn namespace(cluster: &ClusterArgs, args: &NamespaceArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let flag = cluster.namespace.as_ref().filter(|name| !name.is_empty());
    if let (Some(name), Some(flag)) = (&args.name, flag)
        && name != flag
    {
        return Err(Failure::usage(format!("two namespaces are named, \"{name}\" and \"{flag}\""))
            .hint(format!("kubectl rca namespace {name}")));
    }
    if let (Some(name), true) = (&args.name, cluster.all_namespaces) {
        return Err(Failure::usage(format!("namespace \"{name}\" cannot be named together with --all-namespaces"))
            .hint("kubectl rca namespace -A"));
    }
    let namespace = args.name.clone().or_else(|| flag.cloned());
    let all_namespaces = cluster.all_namespaces;
    examine(cluster, &args.examine, &Question { namespace, all_namespaces, ..Question::default() }, ui)
}

fn examine(cluster: &ClusterArgs, args: &ExamineArgs, question: &Question, ui: &mut Ui) -> Result<Exit, Failure> {
    let policy = Policy { skip: known_rules(&args.skip)? };
    let snapshot = match &args.from {
        Some(path) => source::from_path(path, question, &args.input)?,
        None => source::from_cluster(cluster, question, &args.input, ui)?,
    };
    // The program ends soon: to give back a million strings one by one would only hold it up.
    let snapshot = ManuallyDrop::new(snapshot);
    let started = Instant::now();
    let mut report = analyse(&snapshot, &policy);
    ui.verbose(&format!("{} secrets replaced by placeholders", snapshot.redacted));
    ui.verbose(&format!("{} us to analyse", started.elapsed().as_micros()));
    if let Fate::Never { nearest } = &report.fate {
        return Err(no_such_object(&report, nearest));
    }
    let story = story_for(&args.output.output, &snapshot, &report);
    let words = put_in_words(cluster, args, &mut report, story.as_ref(), ui)?;
    if let Some(peak) = peak_memory() {
        ui.verbose(&format!("{peak} of memory at the peak"));
    }
    let is_partial = ui.partial_sight(&report.gaps);
    if words == Outcome::Missed {
        return Err(words::missed());
    }
    Ok(exit(&report, is_partial, args))
}

/// Prints the report, and what a model makes of it: below text, within data. Names need no words.
fn put_in_words(
    cluster: &ClusterArgs,
    args: &ExamineArgs,
    report: &mut Report,
    story: Option<&Story>,
    ui: &mut Ui,
) -> Result<Outcome, Failure> {
    let format = &args.output.output;
    let is_text = matches!(format, Format::Text | Format::Wide);
    if is_text || *format == Format::Name {
        ui.data(&print(report, story, format, ui)?)?;
    }
    if *format == Format::Name {
        return Ok(Outcome::NotNeeded);
    }
    let setting = Setting { cluster, args: &args.words, is_text, is_live: args.from.is_none() };
    let outcome = words::add(setting, report, ui);
    if is_text {
        ui.data(render::text::words(report, &ui.look(*format == Format::Wide)).as_bytes())?;
    } else {
        ui.data(&print(report, story, format, ui)?)?;
    }
    Ok(outcome)
}

/// Returns the peak of the process's resident memory, where the system tells it: `84212 kB`.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix("VmHWM:")?.trim().to_owned()))
}

fn known_rules(ids: &[String]) -> Result<std::collections::BTreeSet<String>, Failure> {
    if let Some(unknown) = ids.iter().find(|id| rules::find(id).is_none()) {
        return Err(super::explain::no_such_rule(unknown));
    }
    Ok(ids.iter().cloned().collect())
}

/// Tells the story where it is drawn.
pub(super) fn story_for(format: &Format, snapshot: &Snapshot, report: &Report) -> Option<Story> {
    (*format == Format::Html).then(|| story(snapshot, report))
}

/// Renders a report.
pub(super) fn print(report: &Report, story: Option<&Story>, format: &Format, ui: &Ui) -> Result<Vec<u8>, Failure> {
    let bug = |error: anyhow::Error| Failure::bug(format!("rendering the report: {error}"));
    match format {
        Format::Text => Ok(render::text::render(report, &ui.look(false)).into_bytes()),
        Format::Wide => Ok(render::text::render(report, &ui.look(true)).into_bytes()),
        Format::Json => render::json::render(report).map_err(bug),
        Format::Yaml => render::yaml::render(report).map_err(bug),
        Format::Name => Ok(render::name::render(report).into_bytes()),
        Format::Markdown => Ok(render::markdown::render(report).into_bytes()),
        Format::Junit => Ok(render::junit::render(report).into_bytes()),
        Format::Sarif => render::sarif::render(report).map_err(bug),
        Format::Html => Ok(render::html::render(report, story).into_bytes()),
        Format::JsonPath(template) => {
            let value = serde_json::to_value(render::json::dto(report)).map_err(|error| bug(error.into()))?;
            Ok(template.render(&value).into_bytes())
        }
    }
}

fn no_such_object(report: &Report, nearest: &[String]) -> Failure {
    let target = report.scope.target.as_ref();
    let (kinds, name) = target.map(|target| (target.kind.plural(), target.name.as_str())).unwrap_or_default();
    let place = report.scope.namespaces.first().map(String::as_str).unwrap_or_default();
    let failure = Failure::not_found(format!("{kinds} \"{name}\" not found in namespace \"{place}\""));
    if nearest.is_empty() {
        return failure.hint(format!("kubectl get {kinds} -n {place}"));
    }
    failure.hint(format!("did you mean {}?", nearest.join(" or ")))
}

fn exit(report: &Report, is_partial: bool, args: &ExamineArgs) -> Exit {
    if args.require_complete && is_partial {
        return Exit::Incomplete;
    }
    let worst = report.incidents.iter().map(|incident| incident.severity).max();
    if args.exit_code && worst >= Some(args.fail_on) {
        return Exit::Incidents;
    }
    Exit::Examined
}
