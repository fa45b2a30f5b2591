//! What a ServiceAccount may do, as Roles and bindings say.

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::scene::Scene;

/// A request to the API as its refusal words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The ServiceAccount, as (namespace, name).
    pub account: (String, String),
    pub verb: String,
    /// The resource with its subresource: `pods/log`.
    pub resource: String,
    /// Empty for the core group; `None` if it is not known.
    pub group: Option<String>,
    /// `None` for the whole cluster.
    pub namespace: Option<String>,
}

/// A role that is bound to a ServiceAccount, and the binding that does so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub role: ObjectRef,
    pub binding: ObjectRef,
}

impl Request {
    /// Returns whether a rule allows it.
    pub fn is_allowed_by(&self, rule: &PolicyRule) -> bool {
        let any = |values: Option<&Vec<String>>, wanted: &str| {
            values.is_some_and(|values| values.iter().any(|value| value == "*" || value == wanted))
        };
        let group = self.group.as_deref().is_none_or(|group| any(rule.api_groups.as_ref(), group));
        let verb = rule.verbs.iter().any(|verb| verb == "*" || *verb == self.verb);
        let named = rule.resource_names.as_ref().is_some_and(|names| !names.is_empty());
        group && verb && any(rule.resources.as_ref(), &self.resource) && !named
    }

    fn is_for(&self, subject: &Subject, binding_namespace: &str) -> bool {
        let (namespace, name) = &self.account;
        match subject.kind.as_str() {
            "ServiceAccount" => {
                subject.name == *name && subject.namespace.as_deref().unwrap_or(binding_namespace) == namespace
            }
            "User" => subject.name == format!("system:serviceaccount:{namespace}:{name}"),
            "Group" => {
                subject.name == "system:authenticated"
                    || subject.name == "system:serviceaccounts"
                    || subject.name == format!("system:serviceaccounts:{namespace}")
            }
            _ => false,
        }
    }
}

/// Returns whether all roles and bindings that could allow a request were read.
pub fn is_known(scene: &Scene<'_>, request: &Request) -> bool {
    let namespaced = request
        .namespace
        .as_deref()
        .is_none_or(|namespace| scene.knows(Kind::Role, namespace) && scene.knows(Kind::RoleBinding, namespace));
    namespaced && scene.knows(Kind::ClusterRole, "") && scene.knows(Kind::ClusterRoleBinding, "")
}

/// Returns the roles that are bound to the ServiceAccount where the request goes, those made for it first.
pub fn bound(scene: &Scene<'_>, request: &Request) -> Vec<Bound> {
    let objects = &scene.snapshot.objects;
    let mut found = Vec::new();
    if let Some(namespace) = request.namespace.as_deref() {
        for binding in objects.role_bindings.in_namespace(namespace) {
            if binding.subjects.iter().flatten().any(|subject| request.is_for(subject, namespace)) {
                let object = ObjectRef::new(Kind::RoleBinding, namespace, binding.object.name());
                found.push(Bound { role: role_of(&binding.role_ref, namespace), binding: object });
            }
        }
    }
    for binding in &objects.cluster_role_bindings {
        let own = |subject: &&Subject| request.is_for(subject, "") && subject.kind != "Group";
        let any = binding.subjects.iter().flatten().any(|subject| request.is_for(subject, ""));
        if any {
            let object = ObjectRef::new(Kind::ClusterRoleBinding, "", binding.object.name());
            let bound = Bound { role: role_of(&binding.role_ref, ""), binding: object };
            // What everybody may do is nobody's role to change.
            let is_own = binding.subjects.iter().flatten().any(|subject| own(&subject));
            if is_own || allows(scene, request, &bound.role) {
                found.push(bound);
            }
        }
    }
    found
}

fn role_of(reference: &RoleRef, namespace: &str) -> ObjectRef {
    let kind = if reference.kind == "Role" { Kind::Role } else { Kind::ClusterRole };
    ObjectRef::new(kind, namespace, &reference.name)
}

/// Returns whether a role's rules allow a request; a role that was not read allows nothing.
pub fn allows(scene: &Scene<'_>, request: &Request, role: &ObjectRef) -> bool {
    rules(scene, role).is_some_and(|rules| rules.iter().any(|rule| request.is_allowed_by(rule)))
}

/// Returns the rules of a role, if it was read.
pub fn rules<'s>(scene: &'s Scene<'_>, role: &ObjectRef) -> Option<&'s [PolicyRule]> {
    let objects = &scene.snapshot.objects;
    if role.is(Kind::Role) {
        return objects.roles.get(role.namespace(), &role.name).map(|role| role.rules.as_deref().unwrap_or_default());
    }
    objects.cluster_roles.get("", &role.name).map(|role| role.rules.as_deref().unwrap_or_default())
}

/// Finds a Role of the namespace that would allow a request, bound or not.
pub fn role_that_allows(scene: &Scene<'_>, request: &Request) -> Option<ObjectRef> {
    let namespace = request.namespace.as_deref()?;
    let roles = scene.snapshot.objects.roles.in_namespace(namespace);
    let mut allowing = roles.filter(|role| role.rules.iter().flatten().any(|rule| request.is_allowed_by(rule)));
    allowing.next().map(|role| ObjectRef::new(Kind::Role, namespace, role.object.name()))
}
