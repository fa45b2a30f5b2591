//! The objects of an agent, as JSON: what is sent is what `--dry-run` prints.
//!
//! They are no types of the API's, as writing those would cost the binary more than all the rest of this room; a test reads
//! each as its type.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Value, json};

use super::resources::Resources;
use super::rights::{self, NODE_LEASES, Right, Wanted};

/// The label that all objects of an agent have, with this program as its value.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub const PROGRAM: &str = "kubectl-rca";
/// The selector of all objects that agents leave, or have.
pub const OURS: &str = "app.kubernetes.io/managed-by=kubectl-rca";
/// The label that tells runs apart.
pub const RUN: &str = "kubectl-rca/run";
/// The name of the container.
pub const CONTAINER: &str = "agent";
/// The account that an administrator makes with `kubectl rca rbac --in-cluster`.
pub const ACCOUNT: &str = "kubectl-rca-agent";

const RBAC: &str = "rbac.authorization.k8s.io";
/// No user of any image, and not root.
const NOBODY: u32 = 65532;
/// Where clients look for the credentials of a pod.
const CREDENTIALS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How an agent is to run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The name of all its objects.
    pub name: String,
    pub namespace: String,
    pub image: String,
    pub pull_policy: Option<String>,
    pub pull_secrets: Vec<String>,
    /// An account that is there already; none makes one.
    pub account: Option<String>,
    pub tolerations: Vec<Toleration>,
    pub node_selector: BTreeMap<String, String>,
    /// After so many seconds it is stopped.
    pub deadline: u64,
    /// So many seconds after its end it is deleted, whatever became of us; none keeps it.
    pub ttl: Option<u64>,
    pub resources: Resources,
    /// What it is asked, as JSON.
    pub request: String,
}

/// A taint that an agent puts up with: `KEY[=VALUE][:EFFECT]`, or `*` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toleration {
    key: String,
    value: Option<String>,
    effect: Option<String>,
}

impl FromStr for Toleration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pair, effect) = text.split_once(':').map_or((text, None), |(pair, effect)| (pair, Some(effect)));
        let (key, value) = pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value)));
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if key.is_empty() || effect.is_some_and(|effect| !known.contains(&effect)) {
            return Err(format!("a toleration is KEY[=VALUE][:EFFECT] with the effect {}", known.join(", ")));
        }
        let key = if key == "*" { "" } else { key };
        Ok(Self { key: key.to_owned(), value: value.map(str::to_owned), effect: effect.map(str::to_owned) })
    }
}

impl Toleration {
    fn manifest(&self) -> Value {
        let mut toleration = json!({"operator": if self.value.is_some() { "Equal" } else { "Exists" }});
        let fields = [
            ("key", Some(&self.key).filter(|key| !key.is_empty())),
            ("value", self.value.as_ref()),
            ("effect", self.effect.as_ref()),
        ];
        for (field, text) in fields {
            if let Some(text) = text {
                toleration[field] = json!(text);
            }
        }
        toleration
    }
}

/// Makes the Job. With an account of its own it starts no pod yet, see [`START`].
pub fn job(settings: &Settings) -> Value {
    let mut spec = json!({
        "parallelism": u8::from(settings.account.is_some()),
        "completions": 1,
        "backoffLimit": 0,
        "activeDeadlineSeconds": settings.deadline,
        "template": {"metadata": template_metadata(settings), "spec": pod(settings)},
    });
    if let Some(ttl) = settings.ttl {
        spec["ttlSecondsAfterFinished"] = json!(ttl);
    }
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(settings, None), "spec": spec})
}

/// The patch that makes the Job start its pod.
pub const START: &str = r#"{"spec":{"parallelism":1}}"#;

fn template_metadata(settings: &Settings) -> Value {
    let mut labels = labels(settings);
    // A side-car would outlive the agent, and the Job never end.
    labels["sidecar.istio.io/inject"] = json!("false");
    let annotations = json!({"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled",
        "kuma.io/sidecar-injection": "disabled", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"});
    json!({"labels": labels, "annotations": annotations})
}

fn pod(settings: &Settings) -> Value {
    let mut selector = json!({"kubernetes.io/os": "linux"});
    for (key, value) in &settings.node_selector {
        selector[key] = json!(value);
    }
    let mut pod = json!({
        "restartPolicy": "Never",
        "serviceAccountName": settings.account.as_deref().unwrap_or(&settings.name),
        // The one token below, and none that lives longer.
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 2,
        "nodeSelector": selector,
        "securityContext": {"runAsNonRoot": true, "runAsUser": NOBODY, "runAsGroup": NOBODY, "fsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container(settings)],
        "volumes": [{"name": "credentials", "projected": {"defaultMode": 0o440, "sources": [
            // Bound to the pod; ten minutes is the shortest that the API grants.
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]}}],
    });
    if !settings.tolerations.is_empty() {
        pod["tolerations"] = settings.tolerations.iter().map(Toleration::manifest).collect();
    }
    if !settings.pull_secrets.is_empty() {
        pod["imagePullSecrets"] = settings.pull_secrets.iter().map(|name| json!({"name": name})).collect();
    }
    pod
}

fn container(settings: &Settings) -> Value {
    let mut container = json!({
        "name": CONTAINER,
        "image": settings.image,
        "args": ["agent", "--request", settings.request],
        "resources": settings.resources.manifest(),
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "credentials", "mountPath": CREDENTIALS, "readOnly": true}],
    });
    if let Some(policy) = &settings.pull_policy {
        container["imagePullPolicy"] = json!(policy);
    }
    container
}

/// The uid that owners have in `--dry-run=client`, where nobody gives them one.
pub const NO_UID: &str = "00000000-0000-0000-0000-000000000000";

/// Makes what the Job owns: the account, the Role, and the binding between them, in this order.
pub fn owned(settings: &Settings, uid: &str, rights: &[Right]) -> [Value; 3] {
    let owner = Some(uid);
    let metadata = metadata(settings, owner);
    let name = &settings.name;
    let binding = binding("RoleBinding", &metadata, "Role", name, name, &settings.namespace);
    [account(&metadata), role("Role", &metadata, rights), binding]
}

fn metadata(settings: &Settings, owner: Option<&str>) -> Value {
    let mut metadata = json!({"name": settings.name, "namespace": settings.namespace, "labels": labels(settings)});
    if let Some(uid) = owner {
        // Neither `controller` nor `blockOwnerDeletion`: some clusters want more rights for these.
        metadata["ownerReferences"] =
            json!([{"apiVersion": "batch/v1", "kind": "Job", "name": settings.name, "uid": uid}]);
    }
    metadata
}

fn labels(settings: &Settings) -> Value {
    json!({"app.kubernetes.io/name": PROGRAM, "app.kubernetes.io/component": CONTAINER, MANAGED_BY: PROGRAM, RUN: settings.name})
}

fn account(metadata: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": false})
}

fn role(kind: &str, metadata: &Value, rights: &[Right]) -> Value {
    json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata, "rules": rights::policy_rules(rights)})
}

fn binding(kind: &str, metadata: &Value, role_kind: &str, role: &str, account: &str, namespace: &str) -> Value {
    json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]})
}

/// Makes what an administrator applies once: roles, and for agents the account and the bindings.
///
/// Their label is another than that of runs: what is meant to stay is no leftover.
pub fn provision(wanted: &Wanted, is_for_agents: bool) -> Vec<Value> {
    let namespace = &wanted.namespace;
    let name = if is_for_agents { ACCOUNT } else { PROGRAM };
    let meta = |name: &str, namespace: Option<&str>| {
        let mut meta = json!({"name": name, "labels": {"app.kubernetes.io/name": PROGRAM, "app.kubernetes.io/component": "rights"}});
        if let Some(namespace) = namespace {
            meta["namespace"] = json!(namespace);
        }
        meta
    };
    let mut objects = Vec::new();
    if is_for_agents {
        objects.push(account(&meta(name, Some(namespace))));
    }
    let mut add = |kind: &str, name: &str, place: Option<&str>, rights: &[Right]| {
        let meta = meta(name, place);
        objects.push(role(kind, &meta, rights));
        if is_for_agents {
            objects.push(binding(&format!("{kind}Binding"), &meta, kind, name, ACCOUNT, namespace));
        }
    };
    add("Role", name, Some(namespace), &rights::namespaced(wanted));
    if wanted.cluster_scope {
        // What is not in the namespace has its name, as several namespaces may have agents.
        let name = format!("{name}-{namespace}");
        add("Role", &name, Some(NODE_LEASES), &[Right::new("coordination.k8s.io", "leases", &["list"])]);
        add("ClusterRole", &name, None, &rights::cluster_scoped(wanted));
    }
    objects
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::ServiceAccount;
    use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    fn settings() -> Settings {
        Settings {
            name: "kubectl-rca-x7k2q".to_owned(),
            namespace: "shop".to_owned(),
            image: "rca:1".to_owned(),
            pull_policy: Some("Never".to_owned()),
            pull_secrets: vec!["registry".to_owned()],
            tolerations: vec!["dedicated=infra:NoSchedule".parse().unwrap(), "*".parse().unwrap()],
            node_selector: BTreeMap::from([("disk".to_owned(), "ssd".to_owned())]),
            deadline: 120,
            ttl: Some(60),
            request: "{}".to_owned(),
            ..Settings::default()
        }
    }

    fn wanted() -> Wanted {
        Wanted { namespace: "shop".to_owned(), cluster_scope: true, ..Wanted::default() }
    }

    /// Checks that a type of the API reads all of it: what it does not know would not come back.
    fn is_read_as<T: DeserializeOwned + Serialize>(object: &Value) {
        let typed: T = serde_json::from_value(object.clone()).unwrap();
        let mut back = serde_json::to_value(&typed).unwrap();
        back["apiVersion"] = object["apiVersion"].clone();
        assert_eq!(back, *object);
    }

    #[test]
    fn every_field_is_one_of_the_api() {
        let settings = settings();
        is_read_as::<Job>(&job(&settings));
        let [account, role, binding] = owned(&settings, "u-1", &rights::namespaced(&wanted()));
        is_read_as::<ServiceAccount>(&account);
        is_read_as::<Role>(&role);
        is_read_as::<RoleBinding>(&binding);
        for object in provision(&wanted(), true) {
            match object["kind"].as_str().unwrap() {
                "ServiceAccount" => is_read_as::<ServiceAccount>(&object),
                "Role" => is_read_as::<Role>(&object),
                "RoleBinding" => is_read_as::<RoleBinding>(&object),
                "ClusterRole" => is_read_as::<ClusterRole>(&object),
                "ClusterRoleBinding" => is_read_as::<ClusterRoleBinding>(&object),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_job_is_never_suspended_and_ends_by_itself() {
        let job = job(&settings());
        let spec = &job["spec"];
        assert_eq!(spec.get("suspend"), None, "the deadline of a suspended Job does not run");
        assert_eq!((&spec["activeDeadlineSeconds"], &spec["ttlSecondsAfterFinished"]), (&json!(120), &json!(60)));
        assert_eq!((&spec["backoffLimit"], &spec["parallelism"]), (&json!(0), &json!(0)));
        let given = super::job(&Settings { account: Some("given".to_owned()), ttl: None, ..settings() });
        assert_eq!(given["spec"]["parallelism"], 1);
        assert_eq!(given["spec"]["template"]["spec"]["serviceAccountName"], "given");
        assert_eq!(given["spec"].get("ttlSecondsAfterFinished"), None);
    }

    #[test]
    fn a_pod_meets_the_restricted_standard() {
        let job = job(&settings());
        let pod = &job["spec"]["template"]["spec"];
        let (of_pod, of_container) = (&pod["securityContext"], &pod["containers"][0]["securityContext"]);
        assert_eq!(of_pod["runAsNonRoot"], true);
        assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(of_container["allowPrivilegeEscalation"], false);
        assert_eq!(of_container["capabilities"]["drop"], json!(["ALL"]));
        assert_eq!(of_container["readOnlyRootFilesystem"], true);
        assert_eq!(pod["automountServiceAccountToken"], false);
    }

    #[test]
    fn all_objects_are_owned_and_labelled() {
        let settings = settings();
        for object in owned(&settings, "u-1", &[]) {
            assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "u-1");
            assert_eq!(object["metadata"]["ownerReferences"][0].get("blockOwnerDeletion"), None);
            assert_eq!(object["metadata"]["labels"][MANAGED_BY], PROGRAM);
        }
        assert!(provision(&wanted(), true).iter().all(|object| object["metadata"]["labels"].get(MANAGED_BY).is_none()));
    }

    #[test]
    fn tolerations_are_read() {
        let manifest = |text: &str| text.parse::<Toleration>().map(|toleration| toleration.manifest());
        assert_eq!(manifest("gpu"), Ok(json!({"operator": "Exists", "key": "gpu"})));
        assert_eq!(manifest("*"), Ok(json!({"operator": "Exists"})));
        assert_eq!(
            manifest("a=b:NoExecute"),
            Ok(json!({"operator": "Equal", "key": "a", "value": "b", "effect": "NoExecute"}))
        );
        assert!(manifest("").is_err() && manifest("a:Never").is_err() && manifest("=b").is_err());
    }
}
