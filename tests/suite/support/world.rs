//! What a made-up cluster holds.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kubectl_rca::model::Kind;
use serde_json::{Value, json};

/// The namespace that most tests are about.
pub(crate) const SHOP: &str = "shop";

/// Objects by the path of their collection (`/api/v1/pods`), and logs by `namespace/pod/container` (`.../previous`).
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) collections: BTreeMap<String, Vec<Value>>,
    pub(crate) logs: BTreeMap<String, Vec<u8>>,
}

impl World {
    /// Makes a cluster with a node and the namespaces `shop` and `default`.
    pub(crate) fn new() -> Self {
        let mut world = Self::default();
        world.add(node("node-1"));
        for name in [SHOP, "default", "kube-system", "kube-node-lease"] {
            world.add(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": name},
                "status": {"phase": "Active"}}));
        }
        world
    }

    /// Adds an object of a built-in kind.
    pub(crate) fn add(&mut self, object: Value) -> &mut Self {
        let word = |key: &str| object[key].as_str().unwrap_or_default();
        let kind = Kind::find(word("apiVersion"), word("kind")).expect("a built-in kind");
        self.add_at(&kind.path(None), object)
    }

    /// Adds an object to a collection.
    pub(crate) fn add_at(&mut self, path: &str, object: Value) -> &mut Self {
        self.collections.entry(path.to_owned()).or_default().push(object);
        self
    }

    /// Adds the log of a container in `shop`.
    pub(crate) fn log(&mut self, pod: &str, container: &str, text: impl Into<Vec<u8>>) -> &mut Self {
        self.logs.insert(format!("{SHOP}/{pod}/{container}"), text.into());
        self
    }

    /// Adds the log of a container's last run in `shop`.
    pub(crate) fn previous_log(&mut self, pod: &str, container: &str, text: impl Into<Vec<u8>>) -> &mut Self {
        self.logs.insert(format!("{SHOP}/{pod}/{container}/previous"), text.into());
        self
    }

    /// Adds a Deployment with its `ReplicaSet` and as many pods as `pod` is asked to change.
    pub(crate) fn deployment(&mut self, name: &str, replicas: usize, pod: impl Fn(&mut Value)) -> &mut Self {
        let labels = json!({"app": name});
        let spec = json!({"containers": [{"name": "main", "image": "busybox:1.36", "resources": {}}]});
        let template = json!({"metadata": {"labels": labels}, "spec": spec});
        let mut deployment = object("apps/v1", "Deployment", name);
        deployment["spec"] =
            json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, "strategy": {}});
        deployment["status"] = json!({"replicas": replicas, "observedGeneration": 1, "updatedReplicas": replicas});
        self.add(deployment);
        let set = format!("{name}-7d9f8c6b5d");
        let mut replica_set = object("apps/v1", "ReplicaSet", &set);
        replica_set["metadata"]["ownerReferences"] = owner("apps/v1", "Deployment", name);
        replica_set["spec"] = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template});
        replica_set["status"] = json!({"replicas": replicas});
        self.add(replica_set);
        for index in 0..replicas {
            let mut made = running_pod(&format!("{set}-{}", five(index)));
            made["metadata"]["labels"] = json!({"app": name, "pod-template-hash": "7d9f8c6b5d"});
            made["metadata"]["ownerReferences"] = owner("apps/v1", "ReplicaSet", &set);
            pod(&mut made);
            self.add(made);
        }
        self
    }

    /// Adds an event about an object in `shop`.
    pub(crate) fn event(&mut self, kind: &str, name: &str, reason: &str, message: &str) -> &mut Self {
        let mut event = object("v1", "Event", &format!("{name}.{}", reason.to_lowercase()));
        event["involvedObject"] = json!({"kind": kind, "namespace": SHOP, "name": name, "uid": uid(kind, name)});
        event["reason"] = reason.into();
        event["message"] = message.into();
        event["type"] = "Warning".into();
        event["count"] = 7.into();
        event["firstTimestamp"] = ago(3030).into();
        event["lastTimestamp"] = ago(40).into();
        self.add(event)
    }

    /// Returns the names of the pods that a Deployment made.
    pub(crate) fn pods_of(&self, deployment: &str) -> Vec<String> {
        let pods = self.collections["/api/v1/pods"].iter();
        let names = pods.filter_map(|pod| pod["metadata"]["name"].as_str());
        names.filter(|name| name.starts_with(&format!("{deployment}-"))).map(str::to_owned).collect()
    }

    /// Puts the objects of each collection in another order.
    pub(crate) fn shuffle(&mut self, seed: u64) -> &mut Self {
        let mut dice = Dice(seed);
        self.collections.values_mut().for_each(|objects| dice.shuffle(objects));
        self
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.roll(last + 1));
        }
    }
}

/// Returns a time so many seconds ago. Take half minutes, so that words such as `for 50m` last as long as a test.
pub(crate) fn ago(seconds: i64) -> String {
    let now = Timestamp::now() - SignedDuration::from_secs(seconds);
    format!("{}Z", now.strftime("%Y-%m-%dT%H:%M:%S"))
}

pub(crate) fn uid(kind: &str, name: &str) -> String {
    format!("uid-{}-{name}", kind.to_lowercase())
}

/// Makes an object in `shop`, or one of the cluster if its kind is such.
pub(crate) fn object(api_version: &str, kind: &str, name: &str) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "uid": uid(kind, name), "creationTimestamp": ago(7230), "generation": 1}});
    if Kind::find(api_version, kind).is_none_or(Kind::namespaced) {
        object["metadata"]["namespace"] = SHOP.into();
    }
    object
}

pub(crate) fn owner(api_version: &str, kind: &str, name: &str) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid(kind, name), "controller": true}])
}

pub(crate) fn node(name: &str) -> Value {
    let mut node = object("v1", "Node", name);
    let resources = json!({"cpu": "4", "memory": "8Gi", "pods": "110"});
    node["metadata"]["labels"] = json!({"kubernetes.io/hostname": name, "kubernetes.io/arch": "amd64"});
    node["spec"] = json!({});
    node["status"] = json!({"allocatable": resources, "capacity": resources, "nodeInfo": {},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok",
            "lastHeartbeatTime": ago(20), "lastTransitionTime": ago(7230)}]});
    for key in [
        "machineID",
        "systemUUID",
        "bootID",
        "kernelVersion",
        "osImage",
        "containerRuntimeVersion",
        "kubeletVersion",
        "kubeProxyVersion",
        "operatingSystem",
        "architecture",
    ] {
        node["status"]["nodeInfo"][key] = "x".into();
    }
    node
}

/// Makes a pod in which all is well.
pub(crate) fn running_pod(name: &str) -> Value {
    let mut pod = object("v1", "Pod", name);
    pod["spec"] = json!({"nodeName": "node-1", "serviceAccountName": "default", "restartPolicy": "Always",
        "containers": [{"name": "main", "image": "busybox:1.36", "resources": {}}]});
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": ago(7230)});
    pod["status"] = json!({"phase": "Running", "startTime": ago(7230), "podIP": "10.0.0.7",
        "conditions": [condition("PodScheduled"), condition("Initialized"), condition("ContainersReady"), condition("Ready")],
        "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "image": "busybox:1.36", "imageID": "x",
            "started": true, "state": {"running": {"startedAt": ago(7230)}}}]});
    pod
}

/// Makes a pod's container crash again and again.
pub(crate) fn crash(pod: &mut Value) {
    pod["status"]["conditions"][2]["status"] = "False".into();
    pod["status"]["conditions"][3]["status"] = "False".into();
    pod["status"]["containerStatuses"][0] = json!({"name": "main", "ready": false, "restartCount": 7, "image": "busybox:1.36",
        "imageID": "x", "started": false,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": ago(45), "finishedAt": ago(44)}}});
}

/// Makes a pod wait for a node.
pub(crate) fn unschedule(pod: &mut Value) {
    pod["spec"].as_object_mut().unwrap().remove("nodeName");
    pod["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "lastTransitionTime": ago(630),
        "message": "0/1 nodes are available: 1 Insufficient cpu."}]});
}

/// Writes a number with five letters and digits, as pods' names end.
pub(crate) fn five(index: usize) -> String {
    format!("x{index:04}")
}
