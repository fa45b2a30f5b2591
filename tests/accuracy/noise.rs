//! Noise: hundreds of objects that have nothing to do with anything, old events and chatty logs change nothing.

use kubectl_rca::model::Report;
use serde_json::{Value, json};

use super::Tally;
use super::document::{Document, word};
use super::verdict;

/// How many objects are added; of each lot, there are seven.
const OBJECTS: usize = 500;

pub(super) fn try_all(document: &Document, report: &Report) -> Tally {
    let mut tally = Tally::default();
    let inside = document.namespaces().into_iter().next();
    let places = [Some("elsewhere".to_owned()), inside].into_iter().flatten();
    let mut noisy = document.clone();
    let places: Vec<String> = places.collect();
    for place in &places {
        add(&mut noisy, place, OBJECTS / places.len());
    }
    tally.check(verdict::difference(report, &noisy.report()));
    tally
}

fn add(document: &mut Document, place: &str, count: usize) {
    let node =
        document.objects().iter().find(|object| object["kind"] == "Node").map(|node| word(node, "/metadata/name"));
    let node = node.unwrap_or("worker-1").to_owned();
    for index in 0..count / 7 {
        let lot = Lot { document, place, node: &node, name: format!("bystander-{index:03}"), index };
        let (objects, log) = lot.make();
        document.objects_mut().extend(objects);
        document.logs_mut().extend(log);
    }
}

/// Things that belong together and are well.
struct Lot<'d> {
    document: &'d Document,
    place: &'d str,
    node: &'d str,
    name: String,
    index: usize,
}

impl Lot<'_> {
    fn make(&self) -> (Vec<Value>, Option<Value>) {
        // A node takes only so many pods: most lots have none.
        let runs = self.index.is_multiple_of(4);
        let mut objects = vec![self.config(), self.account(), self.old_event("BackOff"), self.old_event("Unhealthy")];
        if runs {
            objects.extend([self.deployment(), self.pod(), self.service()]);
        } else {
            objects.extend([self.old_event("FailedScheduling"), self.old_event("FailedMount"), self.finished()]);
        }
        (objects, runs.then(|| self.log()))
    }

    fn object(&self, api_version: &str, kind: &str, name: &str) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": self.place,
            "uid": format!("{kind}-{}-{name}", self.place), "creationTimestamp": self.document.ago(86400)}})
    }

    fn config(&self) -> Value {
        let mut config = self.object("v1", "ConfigMap", &self.name);
        config["data"] = json!({"colour": "blue", "timeout": "30s"});
        config
    }

    fn account(&self) -> Value {
        self.object("v1", "ServiceAccount", &self.name)
    }

    fn deployment(&self) -> Value {
        let mut deployment = self.object("apps/v1", "Deployment", &self.name);
        let labels = json!({"app.example.com/name": self.name});
        deployment["spec"] = json!({"replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": self.pod_spec()}, "strategy": {}});
        let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason});
        deployment["status"] = json!({"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
            "conditions": [condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")]});
        deployment
    }

    fn pod_spec(&self) -> Value {
        json!({"nodeName": self.node, "containers": [{"name": "main", "image": "registry.example.com/bystander:1.0.0",
            "ports": [{"containerPort": 8080}], "resources": {}}]})
    }

    fn pod(&self) -> Value {
        let mut pod = self.object("v1", "Pod", &format!("{}-0", self.name));
        pod["metadata"]["labels"] = json!({"app.example.com/name": self.name});
        pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": self.name, "uid": self.name, "controller": true}]);
        pod["spec"] = self.pod_spec();
        let condition =
            |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": self.document.ago(86300)});
        pod["status"] = json!({"phase": "Running", "startTime": self.document.ago(86400), "podIP": "10.250.0.9",
            "conditions": [condition("PodScheduled"), condition("Initialized"), condition("ContainersReady"), condition("Ready")],
            "containerStatuses": [{"name": "main", "ready": true, "started": true, "restartCount": 0, "imageID": "x",
                "image": "registry.example.com/bystander:1.0.0", "state": {"running": {"startedAt": self.document.ago(86390)}}}]});
        pod
    }

    fn service(&self) -> Value {
        let mut service = self.object("v1", "Service", &self.name);
        service["spec"] = json!({"selector": {"app.example.com/name": self.name}, "type": "ClusterIP",
            "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]});
        service
    }

    /// A pod of a Job that did its work.
    fn finished(&self) -> Value {
        let mut pod = self.object("v1", "Pod", &format!("{}-done", self.name));
        pod["spec"] = json!({"nodeName": self.node, "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "registry.example.com/bystander:1.0.0", "resources": {}}]});
        pod["status"] = json!({"phase": "Succeeded", "containerStatuses": [{"name": "main", "ready": false,
            "restartCount": 0, "image": "x", "imageID": "x", "state": {"terminated": {"exitCode": 0, "reason": "Completed",
                "startedAt": self.document.ago(80000), "finishedAt": self.document.ago(79000)}}}]});
        pod
    }

    /// An event of hours ago, about a pod that is well now or gone.
    fn old_event(&self, reason: &str) -> Value {
        let message = match reason {
            "BackOff" => "Back-off restarting failed container main in pod",
            "Unhealthy" => "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "FailedScheduling" => "0/1 nodes are available: 1 Insufficient memory.",
            _ => "MountVolume.SetUp failed for volume \"config\" : configmap \"settings\" not found",
        };
        let mut event = self.object("v1", "Event", &format!("{}.{}", self.name, reason.to_lowercase()));
        event["involvedObject"] =
            json!({"apiVersion": "v1", "kind": "Pod", "namespace": self.place, "name": format!("{}-0", self.name)});
        event["type"] = "Warning".into();
        event["reason"] = reason.into();
        event["message"] = message.into();
        event["count"] = 3.into();
        event["firstTimestamp"] = self.document.ago(30000).into();
        event["lastTimestamp"] = self.document.ago(28000).into();
        event
    }

    /// A log that speaks of errors and has none.
    fn log(&self) -> Value {
        let line = |index: i64| {
            let time = self.document.ago(2000 - index * 10);
            match index % 5 {
                0 => format!("{time} INFO request served status=200 errors=0 duration=12ms id={index}"),
                1 => format!("{time} INFO health check passed, 0 failures since start"),
                2 => format!("{time} DEBUG error handler registered for route /api/{index}"),
                3 => format!("{time} INFO retry policy: max 3 attempts, backoff 200ms"),
                _ => format!("{time} INFO cache refreshed in 4ms, no errors"),
            }
        };
        let text: Vec<String> = (0..200).map(line).collect();
        json!({"namespace": self.place, "pod": format!("{}-0", self.name), "container": "main", "current": text.join("\n")})
    }
}
