//! `pod` and `namespace`: collect, analyse, print.

use std::mem::ManuallyDrop;
use std::path::Path;
use std::time::Instant;

use super::in_cluster;
use crate::analyse::{analyse, story};
use crate::cli::args::{ExamineArgs, NamespaceArgs, ObjectArgs, ObjectCommand};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::commands::watch;
use crate::cli::config::Config;
use crate::cli::format::Format;
use crate::cli::source::{self, Question};
use crate::cli::targets::{self, Wish};
use crate::cli::ui::Ui;
use crate::cli::words::{self, Outcome, Setting};
use crate::cli::{picker, settings, types};
use crate::diagnose::target::Fate;
use crate::failure::{Exit, Failure};
use crate::model::{Incident, Kind, Report, Snapshot, Story, Target};
use crate::policy::{Baseline, Policy, View};
use crate::render;
use crate::rules;

/// Runs `TYPE NAME...`.
pub(in crate::cli) fn object(cluster: &ClusterArgs, command: &ObjectCommand, ui: &mut Ui) -> Result<Exit, Failure> {
    let (kind, args) = command.parts();
    let mut wish = Wish::read(kind, args)?;
    if wish.selector.is_none() && wish.asked.iter().all(|asked| asked.names.is_empty()) {
        let kind = kind.filter(|_| ui.can_ask()).ok_or_else(|| nothing_named(kind, &args.names))?;
        wish = Wish::of(kind, vec![choose(cluster, args, kind, ui)?]);
    }
    if cluster.all_namespaces {
        targets::check_across(&wish)?;
    }
    let view = View { container: args.container.clone(), ..view(&args.examine) };
    let question = question(cluster, cluster.namespaces(), wish);
    examine(cluster, &args.examine, &question, view, ui)
}

/// Runs `namespace [NAME...]`.
pub(in crate::cli) fn namespace(cluster: &ClusterArgs, args: &NamespaceArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let flag = cluster.namespaces();
    if let (Some(name), Some(flag)) = (args.names.iter().find(|name| !flag.contains(name)), flag.first()) {
        return Err(Failure::usage(format!("two namespaces are named, \"{name}\" and \"{flag}\""))
            .hint(format!("kubectl rca namespace {name}")));
    }
    if let (Some(name), true) = (args.names.first(), cluster.all_namespaces) {
        return Err(Failure::usage(format!("namespace \"{name}\" cannot be named together with --all-namespaces"))
            .hint("kubectl rca namespace -A"));
    }
    let mut namespaces = if args.names.is_empty() { flag } else { args.names.clone() };
    namespaces.sort();
    namespaces.dedup();
    examine(cluster, &args.examine, &question(cluster, namespaces, Wish::default()), view(&args.examine), ui)
}

/// Lets the user choose one of a namespace.
fn choose(cluster: &ClusterArgs, args: &ObjectArgs, kind: Kind, ui: &mut Ui) -> Result<String, Failure> {
    let whole = Question { namespaces: cluster.namespaces(), ..Question::default() };
    let snapshot = collect(cluster, &args.examine, &whole, ui)?;
    let report = analyse(&snapshot, &Policy::default());
    picker::pick(kind, &snapshot, &report, ui)
}

fn question(cluster: &ClusterArgs, namespaces: Vec<String>, wish: Wish) -> Question {
    Question { namespaces, all_namespaces: cluster.all_namespaces, wish, ..Question::default() }
}

fn view(args: &ExamineArgs) -> View {
    let since = args.since.and_then(|since| jiff::SignedDuration::try_from(since).ok());
    View { container: None, since, min_severity: args.min_severity }
}

/// Words what is missing as the parser does, or that there is no such command.
fn nothing_named(kind: Option<Kind>, words: &[String]) -> Failure {
    let Some(kind) = kind else {
        let word = words.first().map(String::as_str).unwrap_or_default();
        let failure = Failure::usage(format!("unrecognized subcommand '{word}'"));
        let failure = match types::alike(word, &[]).as_slice() {
            [] => failure,
            near => failure.hint(format!("did you mean '{}'?", near.join("' or '"))),
        };
        return failure
            .hint(format!("kubectl rca {} NAME, if that is a type", if word.is_empty() { "TYPE" } else { word }))
            .hint("kubectl rca --help");
    };
    let word = kind.name().to_lowercase();
    Failure::usage("the following required arguments were not provided: <NAME>")
        .hint(format!("kubectl rca {word} NAME"))
        .hint(format!("kubectl rca {word} -l SELECTOR"))
}

fn examine(
    cluster: &ClusterArgs,
    args: &ExamineArgs,
    question: &Question,
    view: View,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let policy = Policy { skip: known_rules(&args.skip)?, view, baseline, ..Policy::default() };
    if args.watch {
        return watch::run(args, ui, |ui| Ok(look(cluster, args, question, &policy, ui)?.report));
    }
    let (seen, has_words) = if args.agent.in_cluster {
        match in_cluster::run(cluster, args, question, policy, ui)? {
            in_cluster::Outcome::Report(report, has_words) => (Seen { report: *report, story: None }, has_words),
            in_cluster::Outcome::Printed => return Ok(Exit::Examined),
        }
    } else {
        (look(cluster, args, question, &policy, ui)?, false)
    };
    tell(cluster, args, seen, has_words, ui)
}

/// Prints a report, wherever it was made; `has_words` if that was also the place to put it in words.
fn tell(
    cluster: &ClusterArgs,
    args: &ExamineArgs,
    Seen { mut report, story }: Seen,
    has_words: bool,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let missing = missing(&report);
    let words = put_in_words(cluster, args, &mut report, story.as_ref(), has_words, ui)?;
    if let Some(peak) = peak_memory() {
        ui.verbose(&format!("{peak} of memory at the peak"));
    }
    let is_partial = ui.partial_sight(&report.gaps);
    if words == Outcome::Missed {
        return Err(words::missed());
    }
    // As kubectl does: what is there is told, and what is not is an error.
    for failure in &missing {
        ui.failure(failure);
    }
    Ok(missing.first().map_or_else(|| exit(&report, is_partial, args), |failure| failure.exit))
}

/// What a look gives.
struct Seen {
    report: Report,
    /// Only where it is drawn.
    story: Option<Story>,
}

/// Reads what was asked about, and judges it; fails when none of it is there.
fn look(
    cluster: &ClusterArgs,
    args: &ExamineArgs,
    question: &Question,
    policy: &Policy,
    ui: &mut Ui,
) -> Result<Seen, Failure> {
    // The program ends soon: to give back a million strings one by one would only hold it up.
    let snapshot = ManuallyDrop::new(collect(cluster, args, question, ui)?);
    let mut policy = policy.clone();
    // A file that cannot be read was warned of before.
    let config = Config::load().unwrap_or_default();
    settings::apply(&config, snapshot.context.as_deref(), snapshot.taken_at, &mut policy, ui);
    let started = Instant::now();
    let report = analyse(&snapshot, &policy);
    ui.verbose(&format!("{} secrets replaced by placeholders", snapshot.redacted));
    ui.verbose(&format!("{} us to analyse", started.elapsed().as_micros()));
    let story = story_for(&args.output.output, &snapshot, &report);
    if args.watch {
        drop(ManuallyDrop::into_inner(snapshot));
    }
    Ok(Seen { report: some_is_there(report)?, story })
}

/// Fails when nothing of what was named exists.
pub(super) fn some_is_there(report: Report) -> Result<Report, Failure> {
    let mut missing = missing(&report);
    if !missing.is_empty() && missing.len() == report.fates.len() {
        return Err(missing.swap_remove(0));
    }
    Ok(report)
}

fn collect(cluster: &ClusterArgs, args: &ExamineArgs, question: &Question, ui: &mut Ui) -> Result<Snapshot, Failure> {
    match &args.from {
        Some(path) => source::from_path(path, question, &args.input),
        None => source::from_cluster(cluster, question, &args.input, ui),
    }
}

/// Reads an earlier report.
fn read_baseline(path: &Path) -> Result<Baseline, Failure> {
    let refused = |why: String| {
        Failure::unreachable(format!("cannot read the baseline {}: {why}", path.display()))
            .hint("kubectl rca namespace NAME -o json > FILE")
    };
    let text = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    Baseline::parse(&text).map_err(refused)
}

/// Prints the report, and what a model makes of it: below text, within data. Names need no words.
fn put_in_words(
    cluster: &ClusterArgs,
    args: &ExamineArgs,
    report: &mut Report,
    story: Option<&Story>,
    has_words: bool,
    ui: &mut Ui,
) -> Result<Outcome, Failure> {
    let format = &args.output.output;
    let is_text = matches!(format, Format::Text | Format::Wide);
    // With words from inside it was printed before they came.
    if is_text && !has_words || *format == Format::Name {
        ui.data(&print(report, story, format, ui)?)?;
    }
    if *format == Format::Name {
        return Ok(Outcome::NotNeeded);
    }
    let setting = Setting { cluster, args: &args.words, is_text, is_live: args.from.is_none() };
    let outcome = if has_words { words::added_inside(&args.words, report) } else { words::add(setting, report, ui) };
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

pub(super) fn known_rules(ids: &[String]) -> Result<std::collections::BTreeSet<String>, Failure> {
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

/// Returns a failure for each object that was named and does not exist.
fn missing(report: &Report) -> Vec<Failure> {
    let fates = report.scope.targets.iter().zip(&report.fates);
    let never = fates.filter_map(|(target, fate)| match fate {
        Fate::Never { nearest } => Some(no_such_object(report, target, nearest)),
        Fate::Present | Fate::Gone { .. } | Fate::Unknown => None,
    });
    never.collect()
}

fn no_such_object(report: &Report, target: &Target, nearest: &[String]) -> Failure {
    let (resource, name) = (target.kind.resource(), &target.name);
    let plural = if target.kind.known().is_some() { target.kind.plural() } else { &resource };
    let place = target.namespace.as_ref().or(report.scope.namespaces.first()).filter(|_| target.kind.namespaced());
    let within = place.map(|place| format!(" in namespace \"{place}\"")).unwrap_or_default();
    let failure = Failure::not_found(format!("{plural} \"{name}\" not found{within}"));
    if nearest.is_empty() {
        let flag = place.map(|place| format!(" -n {place}")).unwrap_or_default();
        return failure.hint(format!("kubectl get {plural}{flag}"));
    }
    failure.hint(format!("did you mean {}?", nearest.join(" or ")))
}

fn exit(report: &Report, is_partial: bool, args: &ExamineArgs) -> Exit {
    if args.require_complete && is_partial {
        return Exit::Incomplete;
    }
    let known = report.compared.as_ref().map(|compared| &compared.known);
    let counts = |incident: &&Incident| known.is_none_or(|known| !known.contains(&incident.id));
    let worst = report.incidents.iter().filter(counts).map(|incident| incident.severity).max();
    if args.exit_code && worst >= Some(args.fail_on) {
        return Exit::Incidents;
    }
    Exit::Examined
}
