//! Which path leads to which Service, as Ingresses, HTTPRoutes and gateways' configuration say.

use crate::scene::pattern::Pattern;
use serde_json::Value;

use crate::model::objects::Custom;
use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::scene::Scene;

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path as written: `/api/cart/**`.
    pub path: String,
    /// The name of the Service that it leads to.
    pub service: String,
    /// Where in the object it stands.
    pub at: String,
}

/// All routes of one object.
#[derive(Clone, Debug)]
pub struct Router {
    pub object: ObjectRef,
    pub routes: Vec<Route>,
}

/// Returns the objects in scope that hold routes, in a stable order.
pub fn routers(scene: &Scene<'_>) -> Vec<Router> {
    let objects = &scene.snapshot.objects;
    let ingresses = objects.ingresses.iter().map(|ingress| {
        let paths = ingress
            .spec
            .iter()
            .flat_map(|spec| spec.rules.iter().flatten())
            .flat_map(|rule| rule.http.iter().flat_map(|http| &http.paths));
        let routes = paths.filter_map(|path| {
            let (from, service) = (path.path.clone()?, path.backend.service.as_ref()?.name.clone());
            Some(Route { at: format!("spec.rules[{from}]"), path: from, service })
        });
        Router {
            object: ObjectRef::new(Kind::Ingress, ingress.object.namespace(), ingress.object.name()),
            routes: routes.collect(),
        }
    });
    let maps = objects.config_maps.iter().map(|map| {
        let entries = map.object.data.iter().flatten();
        let routes = entries.flat_map(|(key, text)| {
            in_text(text).into_iter().map(move |(path, service, line)| Route {
                path,
                service,
                at: format!("data[{key}]:{line}"),
            })
        });
        Router {
            object: ObjectRef::new(Kind::ConfigMap, map.object.namespace(), map.object.name()),
            routes: routes.collect(),
        }
    });
    let custom =
        objects.custom.iter().filter(|object| object.kind == "HTTPRoute").map(|route| http_route(&route.object));
    let all = ingresses.chain(maps).chain(custom);
    all.filter(|router| !router.routes.is_empty() && scene.snapshot.scope.includes(router.object.namespace())).collect()
}

fn http_route(route: &Custom) -> Router {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut routes = Vec::new();
    for rule in list(&route.spec, "rules") {
        let backends = list(&rule, "backendRefs");
        let Some(service) = backends.first().and_then(|backend| backend.get("name")?.as_str()) else { continue };
        for path in list(&rule, "matches").iter().filter_map(|matched| matched.pointer("/path/value")?.as_str()) {
            routes.push(Route {
                path: path.to_owned(),
                service: service.to_owned(),
                at: format!("spec.rules[{path}].backendRefs"),
            });
        }
    }
    Router { object: ObjectRef::parse(&route.api_version, &route.kind, Some(route.namespace()), route.name()), routes }
}

static LOCATION: Pattern = Pattern::new(r"^\s*location\s+(?:[=~^*]+\s+)?(/\S*)\s*\{");
static PROXY: Pattern = Pattern::new(r"^\s*proxy_pass\s+https?://([0-9A-Za-z_.-]+)");
static URI: Pattern = Pattern::new(r"^\s*(?:- )?uri:\s*\S*?//(?:\$\{[0-9A-Za-z_]+:)?([0-9A-Za-z_.-]+)");
static PREDICATE: Pattern = Pattern::new(r"^\s*-\s*Path=([^\s,]+)");

/// Reads nginx's `location` with `proxy_pass` and Spring Cloud Gateway's `uri` with `Path=`: (path, service, line).
fn in_text(text: &str) -> Vec<(String, String, usize)> {
    if !text.contains("proxy_pass") && !text.contains("Path=") {
        return Vec::new();
    }
    let (mut path, mut host): (Option<String>, Option<String>) = (None, None);
    let mut routes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let capture = |pattern: &Pattern| Some(pattern.captures(line)?.get(1)?.as_str().to_owned());
        if line.trim_start().starts_with("- id:") {
            (path, host) = (None, None);
        }
        path = capture(&LOCATION).or_else(|| capture(&PREDICATE)).or(path);
        host = capture(&PROXY).or_else(|| capture(&URI)).or(host);
        if let (Some(from), Some(to)) = (&path, &host) {
            let service = to.split('.').next().unwrap_or_default().to_owned();
            routes.push((from.clone(), service, index + 1));
            (path, host) = (None, None);
        }
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_and_spring_routes_are_read() {
        let nginx = "location /cart/ {\n  proxy_pass http://cart.shop.svc:80/;\n}\nlocation = /mail {\n  proxy_pass http://mail;\n}\n";
        let found = |text| in_text(text).into_iter().map(|(path, service, _)| (path, service)).collect::<Vec<_>>();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(found(nginx), [pair("/cart/", "cart"), pair("/mail", "mail")]);
        let spring = "- id: a\n  uri: lb://${CART_HOST:cart}\n  predicates:\n    - Path=/cart/**\n- id: b\n  predicates:\n    - Path=/mail/**\n  uri: http://mail:80\n";
        assert_eq!(found(spring), [pair("/cart/**", "cart"), pair("/mail/**", "mail")]);
    }
}
