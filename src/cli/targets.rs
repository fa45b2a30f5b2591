//! Which objects are meant: `pod a b`, `deploy/a svc/b`, `pods,svc a`, `pods -l app=cart`, by kubectl's rules.

use std::collections::BTreeSet;

use super::args::ObjectArgs;
use super::source::check_name;
use super::types;
use crate::collect::client::ApiClient;
use crate::collect::discovery::{self, Resource};
use crate::failure::{Exit, Failure};
use crate::model::objects::Custom;
use crate::model::{Kind, Snapshot, Target, Type};
use crate::scene::services::selector;

/// A type as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// One that every server has.
    Known(Kind),
    /// One that the server, or the recording, has to know.
    Other(String),
}

impl Word {
    fn new(word: &str) -> Self {
        types::find(word).map_or_else(|| Self::Other(word.to_owned()), Self::Known)
    }

    fn text(&self) -> String {
        match self {
            Self::Known(kind) => kind.name().to_lowercase(),
            Self::Other(word) => word.clone(),
        }
    }
}

/// What was asked about: names of a type, or everything of it that a selector finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) word: Word,
    pub(super) names: Vec<String>,
}

/// All that was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) asked: Vec<Asked>,
    pub(super) selector: Option<String>,
}

impl Wish {
    /// Reads the words behind a command, or the command's own where it is a type of any sort.
    pub(super) fn read(kind: Option<Kind>, args: &ObjectArgs) -> Result<Self, Failure> {
        let asked = match kind {
            Some(kind) => vec![Asked { word: Word::Known(kind), names: args.names.clone() }],
            None if args.names.iter().any(|word| word.contains('/')) => slashed(&args.names)?,
            None => listed(&args.names),
        };
        if args.selector.is_some() && asked.iter().any(|asked| !asked.names.is_empty()) {
            return Err(Failure::usage("name cannot be provided when a selector is specified")
                .hint("kubectl rca TYPE NAME")
                .hint("kubectl rca TYPE -l SELECTOR"));
        }
        let wish = Self { asked, selector: args.selector.clone() };
        wish.check()?;
        Ok(wish)
    }

    /// Names objects of a kind.
    pub(super) fn of(kind: Kind, names: Vec<String>) -> Self {
        Self { asked: vec![Asked { word: Word::Known(kind), names }], selector: None }
    }

    /// Returns whether nothing was named: whole namespaces are meant.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Returns whether one pod is meant, which is read by itself.
    pub(super) fn is_one_pod(&self) -> bool {
        matches!(self.asked.as_slice(), [Asked { word: Word::Known(Kind::Pod), names }] if names.len() == 1)
    }

    fn check(&self) -> Result<(), Failure> {
        for Asked { word, names } in &self.asked {
            names.iter().try_for_each(|name| check_object_name(&word.text(), name))?;
        }
        Ok(())
    }
}

/// kubectl's words.
const ONE_FORM: &str =
    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form";

/// Reads `deploy/a svc/b`: either all words have a slash, or none.
fn slashed(words: &[String]) -> Result<Vec<Asked>, Failure> {
    let refused =
        |message: &str| Err(Failure::usage(message).hint("kubectl rca TYPE NAME").hint("kubectl rca TYPE/NAME"));
    let mut asked = Vec::new();
    for word in words {
        let Some((of, name)) = word.split_once('/') else {
            return refused(ONE_FORM);
        };
        if of.is_empty() || name.is_empty() || of.contains(',') {
            return refused("arguments in resource/name form must have a single resource and name");
        }
        if name.contains('/') {
            return refused("arguments in resource/name form may not have more than one slash");
        }
        asked.push(Asked { word: Word::new(of), names: vec![name.to_owned()] });
    }
    Ok(asked)
}

/// Reads `pods,svc a b`.
fn listed(words: &[String]) -> Vec<Asked> {
    let Some((of, names)) = words.split_first() else { return Vec::new() };
    let of = of.split(',').filter(|word| !word.is_empty());
    of.map(|word| Asked { word: Word::new(word), names: names.to_vec() }).collect()
}

fn check_object_name(of: &str, name: &str) -> Result<(), Failure> {
    if !name.contains('/') {
        return check_name(of, name);
    }
    Err(Failure::usage(format!("invalid {of} name {name:?}: {ONE_FORM}")).hint("kubectl rca TYPE/NAME"))
}

/// Finds what was asked about in a cluster.
pub(super) async fn resolve(
    client: &ApiClient,
    wish: &Wish,
    namespaces: &[String],
    named_namespaces: bool,
) -> Result<Vec<Target>, Failure> {
    let is_other = |asked: &Asked| matches!(asked.word, Word::Other(_));
    let resources = if wish.asked.iter().any(is_other) {
        discovery::read(client)
            .await
            .map_err(|error| unanswered(error.into_failure("the types of the server"), wish))?
    } else {
        Vec::new()
    };
    let mut targets = Vec::new();
    for asked in &wish.asked {
        let of = type_of(&asked.word, &resources, "the server doesn't have a resource type")?;
        across(&of, &asked.names, namespaces)?;
        let Some(selector) = &wish.selector else {
            targets.extend(asked.names.iter().map(|name| Target::new(of.clone(), name)));
            continue;
        };
        let everywhere = namespaces.is_empty() || (!of.namespaced() && !named_namespaces);
        let namespace = if everywhere { None } else { namespaces.first().map(String::as_str) };
        let places = discovery::places(client, &of, namespace, Some(selector)).await;
        let places = places.map_err(|error| error.into_failure(&of.resource()))?;
        targets.extend(places.into_iter().map(|(place, name)| found(&of, place, &name, namespaces)));
    }
    distinct(targets, wish, namespaces)
}

/// Finds what was asked about in a recording.
pub(super) fn resolve_recorded(
    snapshot: &Snapshot,
    wish: &Wish,
    namespaces: &[String],
) -> Result<Vec<Target>, Failure> {
    let mut resources = discovery::built_in();
    resources.extend(snapshot.objects.custom.iter().map(|item| recorded_type(&item.api_version, &item.kind, item)));
    let labels =
        wish.selector.as_deref().map(|text| selector::parse(text).ok_or_else(|| no_selector(text))).transpose()?;
    let mut targets = Vec::new();
    for asked in &wish.asked {
        let of = type_of(&asked.word, &resources, "the recording doesn't have a resource type")?;
        let Some(labels) = &labels else {
            targets.extend(asked.names.iter().map(|name| Target::new(of.clone(), name)));
            continue;
        };
        for meta in snapshot.objects.metas_of(&of) {
            let place = meta.namespace.clone().unwrap_or_default();
            let in_scope = !of.namespaced() || namespaces.is_empty() || namespaces.contains(&place);
            if in_scope && selector::matches(labels, meta.labels.as_ref()) {
                targets.push(found(&of, place, meta.name.as_deref().unwrap_or_default(), namespaces));
            }
        }
    }
    distinct(targets, wish, namespaces)
}

/// Returns the namespaces in which objects of a name lie in a recording, told by themselves or by their events.
pub(super) fn recorded_places(snapshot: &Snapshot, target: &Target) -> Vec<String> {
    let metas = snapshot.objects.metas_of(&target.kind).into_iter();
    let there = metas.filter(|meta| meta.name.as_ref() == Some(&target.name)).filter_map(|meta| meta.namespace.clone());
    let events = snapshot.objects.events.iter().map(|event| &event.object.involved_object);
    let told = events.filter_map(|about| {
        let is_it = about.kind.as_deref() == Some(target.kind.name()) && about.name.as_ref() == Some(&target.name);
        about.namespace.clone().filter(|_| is_it)
    });
    there.chain(told).collect::<BTreeSet<_>>().into_iter().collect()
}

fn recorded_type(api_version: &str, kind: &str, item: &Custom) -> Resource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let singular = kind.to_lowercase();
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: crate::collect::live::plural(kind),
        singular,
        short_names: Vec::new(),
        namespaced: item.metadata.namespace.is_some(),
    }
}

/// Notes where an object was found, if the scope does not say it.
fn found(of: &Type, place: String, name: &str, namespaces: &[String]) -> Target {
    let is_elsewhere = of.namespaced() && namespaces.first() != Some(&place);
    Target { namespace: is_elsewhere.then_some(place), ..Target::new(of.clone(), name) }
}

/// Returns each target once; a selector that finds nothing is told, as kubectl tells it.
fn distinct(targets: Vec<Target>, wish: &Wish, namespaces: &[String]) -> Result<Vec<Target>, Failure> {
    let mut seen = BTreeSet::new();
    let targets: Vec<Target> = targets.into_iter().filter(|target| seen.insert(target.clone())).collect();
    if !targets.is_empty() || wish.is_empty() {
        return Ok(targets);
    }
    let place = namespaces.first().map(|namespace| format!(" in {namespace} namespace")).unwrap_or_default();
    Err(Failure::new(Exit::Examined, format!("No resources found{place}")))
}

fn type_of(word: &Word, resources: &[Resource], complaint: &str) -> Result<Type, Failure> {
    match word {
        Word::Known(kind) => Ok(Type::Known(*kind)),
        Word::Other(word) => discovery::find(resources, word).map(Resource::of_type).ok_or_else(|| {
            let failure = Failure::usage(format!("{complaint} \"{word}\""));
            near(failure, word, resources).hint("kubectl api-resources")
        }),
    }
}

/// Suggests the commands and types that are most like a word.
fn near(failure: Failure, word: &str, resources: &[Resource]) -> Failure {
    let words = resources.iter().flat_map(|resource| [resource.plural.as_str(), &resource.singular]);
    match types::alike(word, &words.collect::<Vec<_>>()).as_slice() {
        [] => failure,
        near => failure.hint(format!("did you mean '{}'?", near.join("' or '"))),
    }
}

/// Says what the words may have meant where nobody can be asked about types.
pub(super) fn unanswered(failure: Failure, wish: &Wish) -> Failure {
    let others = wish.asked.iter().filter_map(|asked| match &asked.word {
        Word::Other(word) => Some(word),
        Word::Known(_) => None,
    });
    others.fold(failure, |failure, word| near(failure, word, &[]))
}

/// Fails when an object of a namespace is named and the namespace is not.
fn across(of: &Type, names: &[String], namespaces: &[String]) -> Result<(), Failure> {
    let Some(name) = names.first().filter(|_| of.namespaced() && namespaces.is_empty()) else { return Ok(()) };
    let word = of.word();
    Err(Failure::usage(format!("a {word} cannot be named across all namespaces"))
        .hint(format!("kubectl rca {word} {name} -n NAMESPACE")))
}

/// The same before anything is asked, for types that every server has.
pub(super) fn check_across(wish: &Wish) -> Result<(), Failure> {
    wish.asked.iter().try_for_each(|asked| match &asked.word {
        Word::Known(kind) => across(&Type::Known(*kind), &asked.names, &[]),
        Word::Other(_) => Ok(()),
    })
}

/// Returns whether no target lives in a namespace.
pub(super) fn are_clusters(targets: &[Target]) -> bool {
    !targets.is_empty() && targets.iter().all(|target| !target.kind.namespaced())
}

fn no_selector(text: &str) -> Failure {
    Failure::usage(format!("unable to parse the selector \"{text}\"")).hint("kubectl rca pods -l app=cart,tier!=db")
}
