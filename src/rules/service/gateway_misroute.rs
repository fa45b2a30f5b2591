//! A route leads to another Service than its path says.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::services::routes::{Route, Router, routers};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "gateway-misroute",
    category: "gateway_misroute",
    summary: "detects routes whose path names one Service while they lead to another",
    docs: "\
## What it means
A gateway sends a path to the wrong Service: its callers get answers that make no sense, mostly 404, though everything runs.

## How it is detected
In an Ingress, an HTTPRoute or a ConfigMap with routes of nginx or Spring Cloud Gateway, most paths name the Service to \
which they lead; one path names an existing Service to which no route leads at all, and leads to another one. It is a \
conclusion from names, so it is less sure than others.

## What to do
Compare the route with its history and correct its target; the gateway may have to be restarted to read it.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::ConfigMap],
    uses: &[Kind::Ingress],
    explains: &[&["dependency-unreachable", "log-error-running", "log-trend"]],
    check,
};

/// So many other routes must follow the convention that a path names its Service.
const CONVENTION: usize = 2;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    routers(scene).iter().flat_map(|router| misroutes(scene, router)).collect()
}

fn misroutes(scene: &Scene<'_>, router: &Router) -> Vec<Finding> {
    let names = by_key(scene, router.object.namespace());
    let reached: BTreeSet<&str> = router.routes.iter().map(|route| route.service.as_str()).collect();
    let meant = |route: &Route| keys(&route.path).into_iter().find_map(|key| names.get(&key).copied());
    let known = |route: &&Route| names.values().any(|name| *name == route.service);
    let regular = router.routes.iter().filter(|route| meant(route) == Some(route.service.as_str())).count();
    if regular < CONVENTION {
        return Vec::new();
    }
    let wrong = router.routes.iter().filter(known).filter_map(|route| Some((route, meant(route)?)));
    let wrong =
        wrong.filter(|(route, meant)| *meant != route.service && !reached.contains(meant) && !names_itself(route));
    wrong.map(|(route, meant)| finding(router, route, meant, regular)).collect()
}

/// Returns whether the path also speaks of the Service to which it leads.
fn names_itself(route: &Route) -> bool {
    let path = normal(&route.path);
    route
        .service
        .split('-')
        .any(|part| part.len() > 3 && !matches!(part, "service" | "server") && path.contains(&normal(part)))
}

/// Returns the Services of a namespace by what a path would call them; ambiguous words are left out.
fn by_key<'s>(scene: &'s Scene<'_>, namespace: &str) -> BTreeMap<String, &'s str> {
    let services: Vec<&str> =
        scene.snapshot.objects.services.in_namespace(namespace).map(|service| service.object.name()).collect();
    let prefix = common_prefix(&services);
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in services {
        let bare = prefix.and_then(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        found.entry(key(bare)).or_default().push(name);
    }
    found
        .into_iter()
        .filter(|(key, names)| names.len() == 1 && key.len() > 2)
        .filter_map(|(key, names)| Some((key, *names.first()?)))
        .collect()
}

/// Returns the first word that most Services share: `shop-` of `shop-cart`, `shop-mail`.
fn common_prefix<'s>(services: &[&'s str]) -> Option<&'s str> {
    let first = services.iter().filter_map(|name| name.split_inclusive('-').next().filter(|part| part.ends_with('-')));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    first.for_each(|part| *counts.entry(part).or_default() += 1);
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .filter(|(_, count)| *count > 2 && *count * 2 > services.len())
        .map(|(part, _)| part)
}

fn normal(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|symbol| symbol.to_ascii_lowercase()).collect()
}

/// Returns a word without what varies: `orderservice`, `order-service` and `orders` are `order`.
fn key(word: &str) -> String {
    let word = normal(word);
    let bare = word.strip_suffix("service").or_else(|| word.strip_suffix("svc")).unwrap_or(&word);
    bare.strip_suffix('s').filter(|bare| bare.len() > 2).unwrap_or(bare).to_owned()
}

fn keys(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(key).collect()
}

fn finding(router: &Router, route: &Route, meant: &str, regular: usize) -> Finding {
    let object = &router.object;
    let message = format!(
        "{} leads path `{}` to service `{}`, not to `{meant}`, which the path names and no route reaches",
        object.short(),
        route.path,
        route.service
    );
    let command = quote::command(&["kubectl", "edit", &object.short(), "-n", object.namespace()]);
    RULE.finding(object.clone(), message)
        .key(route.path.as_str())
        .confidence(if regular > 4 { 0.85 } else { 0.7 })
        .because(object.clone(), route.at.clone(), format!("{} -> {}", route.path, route.service))
        .affects(ObjectRef::new(Kind::Service, object.namespace(), meant))
        .mentions(ObjectRef::new(Kind::Service, object.namespace(), &route.service))
        .recommend(
            Recommendation::new(
                "edit-object",
                format!("lead `{}` to service {meant}, if its path means what it says", route.path),
            )
            .command(command),
        )
}
