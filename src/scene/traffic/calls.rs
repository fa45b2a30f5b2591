//! Who calls whom, as env, args and ConfigMaps say.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};

use crate::model::{Kind, ObjectRef};
use crate::scene::{Scene, Workload};

/// An address that a workload is configured with, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call<'a> {
    /// The index of the caller among the scene's workloads.
    pub caller: usize,
    /// The container that is configured so.
    pub container: &'a str,
    /// The host as written.
    pub host: &'a str,
    /// The Service that the host means, if its form is that of one: (namespace, name).
    pub service: (String, String),
    pub port: Option<u16>,
    /// The object that says so and the path in it.
    pub object: ObjectRef,
    pub path: String,
    pub value: &'a str,
}

/// Finds all addresses in env values, command lines and ConfigMaps that workloads use.
pub(in crate::scene) fn find<'a>(scene: &Scene<'a>) -> Vec<Call<'a>> {
    let mut calls = Vec::new();
    for (caller, workload) in scene.workloads.iter().enumerate() {
        let Some(template) = workload.template else { continue };
        let mut search = Search { scene, workload, caller, calls: &mut calls };
        search.template(template);
    }
    calls.sort();
    calls.dedup();
    calls
}

struct Search<'s, 'a> {
    scene: &'s Scene<'a>,
    workload: &'s Workload<'a>,
    caller: usize,
    calls: &'s mut Vec<Call<'a>>,
}

impl<'a> Search<'_, 'a> {
    fn template(&mut self, template: &'a PodSpec) {
        let containers = template.containers.iter().chain(template.init_containers.iter().flatten());
        for container in containers {
            for variable in container.env.iter().flatten() {
                self.variable(container, variable);
            }
            for word in container.command.iter().chain(container.args.iter()).flatten() {
                self.value(container, &self.workload.object.clone(), &path(container, "args"), word, false);
            }
            self.config_maps(template, container);
        }
    }

    fn variable(&mut self, container: &'a Container, variable: &'a EnvVar) {
        if let Some(value) = variable.value.as_deref() {
            let object = self.workload.object.clone();
            let path = path(container, &format!("env[{}].value", variable.name));
            self.value(container, &object, &path, value, names_a_host(&variable.name));
            return;
        }
        let Some(key) = variable.value_from.as_ref().and_then(|from| from.config_map_key_ref.as_ref()) else { return };
        self.config_map(container, &key.name, Some(&key.key), names_a_host(&variable.name));
    }

    fn config_maps(&mut self, template: &'a PodSpec, container: &'a Container) {
        let mut names = BTreeSet::new();
        for source in container.env_from.iter().flatten().filter_map(|from| from.config_map_ref.as_ref()) {
            names.insert(source.name.as_str());
        }
        let mounted = |name: &str| container.volume_mounts.iter().flatten().any(|mount| mount.name == name);
        for volume in template.volumes.iter().flatten().filter(|volume| mounted(&volume.name)) {
            names.extend(volume.config_map.iter().map(|source| source.name.as_str()));
        }
        for name in names {
            self.config_map(container, name, None, false);
        }
    }

    fn config_map(&mut self, container: &'a Container, name: &str, key: Option<&str>, hosty: bool) {
        let namespace = self.workload.namespace();
        let Some(map) = self.scene.snapshot.objects.config_maps.get(namespace, name) else { return };
        let object = ObjectRef::new(Kind::ConfigMap, namespace, name);
        for (entry, value) in map.object.data.iter().flatten().filter(|(entry, _)| key.is_none_or(|key| key == *entry))
        {
            self.value(container, &object, &format!("data[{entry}]"), value, hosty || names_a_host(entry));
        }
    }

    /// Reads one value: a bare host counts where the name of the variable says that it is one.
    fn value(&mut self, container: &'a Container, object: &ObjectRef, path: &str, value: &'a str, hosty: bool) {
        for (host, port, after_scheme) in hosts(value) {
            let Some(service) = service_of(host, self.workload.namespace()) else { continue };
            let qualified = host.contains(".svc");
            let known = self.scene.snapshot.objects.services.get(&service.0, &service.1).is_some();
            if !(qualified || port.is_some() || after_scheme || hosty) || (!known && !qualified && host.contains('.')) {
                continue;
            }
            let (object, path) = (object.clone(), path.to_owned());
            self.calls.push(Call {
                caller: self.caller,
                container: &container.name,
                host,
                service,
                port,
                object,
                path,
                value,
            });
        }
    }
}

fn path(container: &Container, field: &str) -> String {
    format!("spec.template.spec.containers[{}].{field}", container.name)
}

/// Returns whether a variable's name says that it holds an address.
fn names_a_host(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "BROKER", "DSN"].iter().any(|word| upper.contains(word))
}

/// Iterates over what may be a host in a value: (host, port, whether `://` or `@` stands before it).
pub fn hosts(value: &str) -> impl Iterator<Item = (&str, Option<u16>, bool)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let bytes = value.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if !is_word(bytes[at]) {
                at += 1;
                continue;
            }
            let start = at;
            at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
            let word = value[start..at].trim_end_matches('.');
            let (before, rest) = (&value[..start], &value[at..]);
            if rest.starts_with("://") {
                at = start_of_host(value, at + "://".len());
                continue;
            }
            let plain = !before.ends_with(['/', '_', '$', '{']) || before.ends_with("://");
            if plain && is_host(word) {
                return Some((word, port_after(&value[at..]), before.ends_with("://") || before.ends_with('@')));
            }
        }
        None
    })
}

/// Returns where the host of a URL begins: after the user and password, if there are any.
fn start_of_host(value: &str, authority: usize) -> usize {
    let rest = &value[authority..];
    let end =
        rest.find(|char: char| char.is_whitespace() || matches!(char, '/' | '"' | '\'' | '?')).unwrap_or(rest.len());
    rest[..end].rfind('@').map_or(authority, |sign| authority + sign + 1)
}

fn port_after(rest: &str) -> Option<u16> {
    let digits = rest.strip_prefix(':')?;
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    digits[..end].parse().ok().filter(|port| *port > 0)
}

/// Returns whether a word has the form of a DNS name that is no number and no IP address.
fn is_host(word: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    word.split('.').all(label) && word.bytes().any(|byte| byte.is_ascii_lowercase()) && word != "localhost"
}

/// Returns the Service that a host of this form means from within a namespace: `db`, `db.shop`, `db.shop.svc`,
/// `db.shop.svc.cluster.local`.
pub fn service_of(host: &str, namespace: &str) -> Option<(String, String)> {
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [name] => Some((namespace.to_owned(), (*name).to_owned())),
        [name, other] | [name, other, "svc", ..] => Some(((*other).to_owned(), (*name).to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_urls_pairs_and_dsns() {
        let found = |value| hosts(value).map(|(host, port, _)| (host, port)).collect::<Vec<_>>();
        assert_eq!(found("http://cart.shop.svc:8080/a/b"), [("cart.shop.svc", Some(8080))]);
        assert_eq!(found("redis:6379"), [("redis", Some(6379))]);
        assert_eq!(found("postgres://u:p@db/x"), [("db", None)]);
        assert_eq!(found("amqp://u:5672@queue:5671,other:5671"), [("queue", Some(5671)), ("other", Some(5671))]);
        assert_eq!(found("10.0.0.1:80"), []);
    }
}
