//! A server that plays a cluster, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kubectl_rca::model::Kind;
use serde_json::{Value, json};

use super::http::{self, Answer, Handler, Request};
use super::program::Place;
use super::world::World;

/// A request that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) request: Request,
    pub(crate) from: Duration,
    /// None while it is under way.
    pub(crate) to: Option<Duration>,
}

impl Seen {
    /// Tells whether it asked for a later page of a list.
    pub(crate) fn is_page(&self) -> bool {
        self.request.param("continue").is_some()
    }

    pub(crate) fn is_log(&self) -> bool {
        self.request.path.ends_with("/log")
    }
}

/// Answers instead of the world, if it wants to. The number counts the requests for this path before.
type Whim = Box<dyn Fn(&Request, usize) -> Option<Answer> + Send + Sync>;

struct State {
    world: World,
    whim: Whim,
    delay: Duration,
    started: Instant,
    seen: Mutex<Vec<Seen>>,
}

/// A server that plays a cluster.
pub(crate) struct Api {
    address: SocketAddr,
    state: Arc<State>,
}

impl Api {
    /// Serves a world.
    pub(crate) fn serving(world: &World) -> Self {
        Self::with(world, Duration::ZERO, |_, _| None)
    }

    /// Serves a world, and takes its time for each answer.
    pub(crate) fn slowly(world: &World, delay: Duration) -> Self {
        Self::with(world, delay, |_, _| None)
    }

    /// Serves a world, but for what the whim has an answer to.
    pub(crate) fn but(world: &World, whim: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static) -> Self {
        Self::with(world, Duration::ZERO, whim)
    }

    fn with(
        world: &World,
        delay: Duration,
        whim: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let started = Instant::now();
        let (world, whim, seen) = (world.clone(), Box::new(whim), Mutex::default());
        let state = Arc::new(State { world, whim, delay, started, seen });
        Self { address: http::listen(Arc::clone(&state) as Arc<dyn Handler>), state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes surroundings in which this is the cluster.
    pub(crate) fn place(&self) -> Place {
        Place::facing(&self.url())
    }

    /// Returns the requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Returns how many requests were made save pages and logs.
    pub(crate) fn count(&self) -> usize {
        self.seen().iter().filter(|seen| !seen.is_page() && !seen.is_log()).count()
    }

    /// Returns the most requests of which each began when the one before had ended.
    pub(crate) fn round_trips(&self) -> usize {
        let mut spans: Vec<_> = self.seen().into_iter().filter_map(|seen| Some((seen.to?, seen.from))).collect();
        spans.sort();
        let mut last = Duration::ZERO;
        let mut chain = 0;
        for (to, from) in spans {
            if from >= last {
                chain += 1;
                last = to;
            }
        }
        chain
    }
}

impl Handler for State {
    fn answer(&self, request: &Request) -> Answer {
        let before = {
            let mut seen = self.seen.lock().unwrap();
            let before = seen.iter().filter(|other| other.request.path == request.path).count();
            seen.push(Seen { request: request.clone(), from: self.started.elapsed(), to: None });
            before
        };
        let answer = (self.whim)(request, before).unwrap_or_else(|| self.world.answer(request));
        let delay = answer.delay.max(self.delay);
        answer.after(delay)
    }

    fn sending(&self, request: &Request) {
        let mut seen = self.seen.lock().unwrap();
        let mine = |other: &&mut Seen| {
            other.to.is_none() && other.request.path == request.path && other.request.query == request.query
        };
        if let Some(seen) = seen.iter_mut().find(mine) {
            seen.to = Some(self.started.elapsed());
        }
    }
}

impl World {
    /// Answers as an API server would that holds these objects.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        if path == "/version" {
            return Answer::ok(json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0"}).to_string());
        }
        if let Some(pod) = path.strip_suffix("/log") {
            return self.log_of(pod, request);
        }
        let (collection, namespace, name) = split(path);
        let metadata_only = request.accept.contains("PartialObjectMetadata");
        let objects = self.collections.get(&collection);
        if objects.is_none() && !Kind::ALL.iter().any(|kind| kind.path(None) == collection) {
            return Answer::new(404, "404 page not found\n");
        }
        let in_place = objects
            .into_iter()
            .flatten()
            .filter(|object| namespace.as_deref().is_none_or(|namespace| object["metadata"]["namespace"] == namespace));
        let shown =
            |object: &Value| if metadata_only { json!({"metadata": object["metadata"]}) } else { object.clone() };
        match name {
            Some(name) => match in_place.clone().find(|object| object["metadata"]["name"] == name) {
                Some(object) => Answer::ok(shown(object).to_string()),
                None => Answer::status(404, "NotFound", &format!("{collection} \"{name}\" not found"), Some(&name)),
            },
            None => page(in_place.filter(|object| selected(object, request)).map(shown).collect(), request),
        }
    }

    fn log_of(&self, pod: &str, request: &Request) -> Answer {
        let (_, namespace, name) = split(pod);
        let container = request.param("container").unwrap_or_default();
        let previous = if request.param("previous").is_some() { "/previous" } else { "" };
        let key = format!("{}/{}/{container}{previous}", namespace.unwrap_or_default(), name.unwrap_or_default());
        match self.logs.get(&key) {
            Some(log) => Answer::ok(log.clone()),
            None => Answer::status(400, "BadRequest", "previous terminated container not found", None),
        }
    }
}

/// Splits a path into the collection in all namespaces, the namespace and the name.
fn split(path: &str) -> (String, Option<String>, Option<String>) {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let root = if parts[0] == "api" { 2 } else { 3 };
    let (group, rest) = parts.split_at(root.min(parts.len()));
    let (namespace, rest) = match rest {
        ["namespaces", namespace, kind, rest @ ..] => (Some(*namespace), [&[*kind], rest].concat()),
        rest => (None, rest.to_vec()),
    };
    let collection = format!("/{}/{}", group.join("/"), rest.first().copied().unwrap_or_default());
    (collection, namespace.map(str::to_owned), rest.get(1).map(|name| (*name).to_owned()))
}

fn selected(object: &Value, request: &Request) -> bool {
    let field = |pair: &str| {
        let (path, wanted) = pair.split_once('=').unwrap_or((pair, ""));
        let found = path.split('.').fold(object, |value, key| &value[key]);
        found == wanted
    };
    let label = |pair: &str| {
        let (key, wanted) = pair.split_once('=').unwrap_or((pair, ""));
        object["metadata"]["labels"][key] == wanted
    };
    request.param("fieldSelector").is_none_or(|selector| selector.split(',').all(field))
        && request.param("labelSelector").is_none_or(|selector| selector.split(',').all(label))
}

/// Answers with a page of a list; the token is the number of the first object.
fn page(objects: Vec<Value>, request: &Request) -> Answer {
    let limit: usize = request.param("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let start: usize = request.param("continue").and_then(|token| token.parse().ok()).unwrap_or_default();
    let end = start.saturating_add(limit).min(objects.len());
    let token = if end < objects.len() { end.to_string() } else { String::new() };
    let metadata = json!({"resourceVersion": "1", "continue": token}).to_string();
    // In Kubernetes' JSON the metadata stand before the items; a map would sort them behind.
    let items: Vec<String> = objects[start.min(end)..end].iter().map(ToString::to_string).collect();
    Answer::ok(format!(
        "{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{metadata},\"items\":[{}]}}",
        items.join(",")
    ))
}
