//! What an agent may do: computed from what the rules need or use and from what the collector asks for, and nothing else.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::CustomType;
use crate::model::Kind;
use crate::rules;

/// The Leases of the kubelets, which tell whether a node's kubelet still lives.
pub const NODE_LEASES: &str = "kube-node-lease";

/// What is read for every answer, whichever rules are left out: the scene is made of these, and amounts are checked against them.
const ALWAYS: &[Kind] = &[
    Kind::Pod,
    Kind::Event,
    Kind::ReplicationController,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::HorizontalPodAutoscaler,
    Kind::ResourceQuota,
    Kind::LimitRange,
];

/// What is asked for by name, too, when one pod is examined: what it is made by, and what it refers to.
const NAMED: &[Kind] = &[
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::ConfigMap,
    Kind::ServiceAccount,
    Kind::PersistentVolumeClaim,
    Kind::Node,
    Kind::PersistentVolume,
    Kind::PriorityClass,
];

/// What rules look at and nobody asks for in the namespace: Secrets, which RBAC cannot allow by their names alone; Leases, which
/// the kubelets keep elsewhere; Endpoints, which slices tell.
const NOT_ASKED_FOR: &[Kind] = &[Kind::Secret, Kind::Lease, Kind::Endpoints];

/// What an agent is to look at.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub namespace: String,
    /// Whether one pod is asked about, which is read with what it refers to.
    pub is_one_pod: bool,
    /// The types of the objects that are asked about and are of no kind in the table.
    pub custom: Vec<CustomType>,
    /// Ids of rules that are left out.
    pub skip: BTreeSet<String>,
    /// Also what has no namespace.
    pub cluster_scope: bool,
    /// The TLS Secrets that may be read.
    pub tls_secrets: Vec<String>,
}

/// One thing that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    pub group: &'static str,
    /// `pods`, `pods/log`.
    pub resource: &'static str,
    pub verbs: &'static [&'static str],
    /// Objects that it is limited to; none for all.
    pub names: Vec<String>,
    /// Whether an agent without it is worth starting: not every cluster has this kind, nor every administrator this right.
    pub is_optional: bool,
}

impl Right {
    /// Makes a right to all objects of a resource.
    pub(super) fn new(group: &'static str, resource: &'static str, verbs: &'static [&'static str]) -> Self {
        Self { group, resource, verbs, names: Vec::new(), is_optional: false }
    }

    fn only(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names = names.into_iter().collect();
        self
    }

    fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }
}

/// Returns what is read in the namespace.
pub fn namespaced(wanted: &Wanted) -> Vec<Right> {
    let kinds = kinds(wanted).into_iter().filter(|kind| kind.namespaced());
    let mut rights = vec![
        Right::new("", "namespaces", &["get"]).only([wanted.namespace.clone()]),
        Right::new("", "pods/log", &["get"]),
        // The templates before the last change, after a container was killed for want of memory.
        Right::new("apps", "controllerrevisions", &["list"]),
        Right::new("autoscaling.k8s.io", "verticalpodautoscalers", &["list"]).optional(),
        Right::new("metrics.k8s.io", "pods", &["list"]).optional(),
    ];
    rights.extend(kinds.filter(|kind| !NOT_ASKED_FOR.contains(kind)).map(|kind| of_kind(kind, wanted)));
    rights.extend(wanted.custom.iter().map(of_custom));
    if !wanted.tls_secrets.is_empty() {
        rights.push(Right::new("", "secrets", &["get"]).only(wanted.tls_secrets.iter().cloned()));
    }
    rights
}

/// Returns what is read outside of namespaces.
pub fn cluster_scoped(wanted: &Wanted) -> Vec<Right> {
    let kinds = kinds(wanted).into_iter().filter(|kind| !kind.namespaced());
    kinds.map(|kind| of_kind(kind, wanted)).collect()
}

fn of_kind(kind: Kind, wanted: &Wanted) -> Right {
    let by_name = wanted.is_one_pod && NAMED.contains(&kind);
    Right::new(kind.group(), kind.plural(), if by_name { &["get", "list"] } else { &["list"] })
}

fn of_custom(custom: &CustomType) -> Right {
    let group = custom.api_version.split_once('/').map_or("", |(group, _)| group);
    // The words of the few types that are asked about live as long as the program.
    Right::new(group.to_owned().leak(), custom.plural.clone().leak(), &["get"])
}

/// Returns the kinds that rules need or use, in the order of the table.
fn kinds(wanted: &Wanted) -> Vec<Kind> {
    let rules = rules::ALL.iter().filter(|rule| !wanted.skip.contains(rule.id));
    let told: BTreeSet<Kind> = rules.flat_map(|rule| rule.needs.iter().chain(rule.uses)).copied().collect();
    Kind::ALL.iter().copied().filter(|kind| told.contains(kind) || ALWAYS.contains(kind)).collect()
}

/// Writes rights as the rules of a Role, with one rule for what differs by the resource alone.
pub fn policy_rules(rights: &[Right]) -> Vec<Value> {
    let mut groups: Vec<(&Right, Vec<&str>)> = Vec::new();
    for right in rights {
        let same = |(first, _): &&mut (&Right, Vec<&str>)| {
            (first.group, first.verbs, &first.names) == (right.group, right.verbs, &right.names)
        };
        match groups.iter_mut().find(same) {
            Some((_, resources)) => resources.push(right.resource),
            None => groups.push((right, vec![right.resource])),
        }
    }
    groups.iter().map(|(right, resources)| policy_rule(right, resources)).collect()
}

fn policy_rule(right: &Right, resources: &[&str]) -> Value {
    let mut rule = json!({"apiGroups": [right.group], "resources": resources, "verbs": right.verbs});
    if !right.names.is_empty() {
        rule["resourceNames"] = json!(right.names);
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Wanted {
        Wanted { namespace: "shop".to_owned(), ..Wanted::default() }
    }

    fn find<'r>(rights: &'r [Right], resource: &str) -> Option<&'r Right> {
        rights.iter().find(|right| right.resource == resource)
    }

    #[test]
    fn nothing_is_written_or_watched() {
        for is_one_pod in [false, true] {
            let wanted = Wanted { is_one_pod, tls_secrets: vec!["tls".to_owned()], ..shop() };
            for right in namespaced(&wanted).iter().chain(&cluster_scoped(&wanted)) {
                assert!(right.verbs.iter().all(|verb| ["get", "list"].contains(verb)), "{right:?}");
                assert!(![right.group, right.resource].contains(&"*"), "{right:?}");
            }
        }
    }

    #[test]
    fn what_every_rule_needs_is_covered_save_what_nobody_asks_for() {
        let wanted = shop();
        let (inside, outside) = (namespaced(&wanted), cluster_scoped(&wanted));
        let kinds = rules::ALL.iter().flat_map(|rule| rule.needs.iter().chain(rule.uses));
        for kind in kinds.filter(|kind| !NOT_ASKED_FOR.contains(kind)) {
            let rights = if kind.namespaced() { &inside } else { &outside };
            let mut same = rights.iter().filter(|right| (right.group, right.resource) == (kind.group(), kind.plural()));
            assert!(same.any(|right| right.verbs.contains(&"list")), "{kind:?}");
        }
    }

    #[test]
    fn secrets_are_read_by_name_and_only_if_wanted() {
        assert_eq!(find(&namespaced(&shop()), "secrets"), None);
        let rights = namespaced(&Wanted { tls_secrets: vec!["shop-tls".to_owned()], ..shop() });
        let secrets = find(&rights, "secrets").unwrap();
        assert_eq!((secrets.verbs, secrets.names.as_slice()), (&["get"][..], &["shop-tls".to_owned()][..]));
    }

    #[test]
    fn a_rule_that_is_left_out_takes_its_rights_along() {
        assert!(find(&namespaced(&shop()), "poddisruptionbudgets").is_some());
        let users = rules::ALL.iter().filter(|rule| {
            rule.needs.contains(&Kind::PodDisruptionBudget) || rule.uses.contains(&Kind::PodDisruptionBudget)
        });
        let wanted = Wanted { skip: users.map(|rule| rule.id.to_owned()).collect(), ..shop() };
        assert_eq!(find(&namespaced(&wanted), "poddisruptionbudgets"), None);
        assert!(find(&namespaced(&wanted), "pods").is_some());
    }

    #[test]
    fn what_a_pod_refers_to_is_asked_for_by_name() {
        let rights = namespaced(&Wanted { is_one_pod: true, ..shop() });
        assert_eq!(find(&rights, "configmaps").unwrap().verbs, ["get", "list"]);
        assert_eq!(find(&rights, "services").unwrap().verbs, ["list"]);
        assert_eq!(find(&namespaced(&shop()), "configmaps").unwrap().verbs, ["list"]);
    }

    #[test]
    fn an_object_of_any_type_is_read() {
        let custom = CustomType {
            api_version: "example.com/v1".to_owned(),
            kind: "Widget".to_owned(),
            plural: "widgets".to_owned(),
            namespaced: true,
        };
        let rights = namespaced(&Wanted { custom: vec![custom], ..shop() });
        let widgets = find(&rights, "widgets").unwrap();
        assert_eq!((widgets.group, widgets.verbs), ("example.com", &["get"][..]));
    }

    #[test]
    fn rules_of_a_role_are_few() {
        let rules = policy_rules(&namespaced(&shop()));
        assert_eq!(
            rules[0],
            json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"], "resourceNames": ["shop"]})
        );
        assert!(rules.len() < 20, "{rules:#?}");
    }
}
