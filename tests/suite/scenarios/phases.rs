//! The verdict is the same in every phase of a fault: the kubelet swings between running, terminated and waiting.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{blames, incidents, json_of, troubles};

const IMAGE: &str = "registry.example.com/shop/cart:1.4.1";

/// What the kubelet writes of the container at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Terminated,
    Waiting,
}

/// A moment of a fault.
#[derive(Clone, Copy, Debug)]
struct Moment {
    phase: Phase,
    /// How long the fault has lasted.
    seconds: i64,
}

impl Moment {
    fn all() -> Vec<Self> {
        let phases = [Phase::Running, Phase::Terminated, Phase::Waiting];
        phases.into_iter().flat_map(|phase| [30, 120, 600].map(|seconds| Self { phase, seconds })).collect()
    }

    fn ago(seconds: i64) -> String {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        (now - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn restarts(self) -> i64 {
        match self.seconds {
            30 => 1,
            120 => 3,
            _ => 6,
        }
    }

    /// A Deployment of one pod behind a Service, with that container, its status, and events.
    fn state(self, container: &Value, status: Value, events: &[(&str, String)]) -> Value {
        let labels = json!({"app": "cart"});
        let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
        let meta =
            |name: &str| json!({"name": name, "namespace": "shop", "creationTimestamp": Self::ago(self.seconds + 60)});
        let ready = if status["ready"] == true { "True" } else { "False" };
        let condition =
            |kind: &str| json!({"type": kind, "status": ready, "lastTransitionTime": Self::ago(self.seconds)});
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta("cart-7d9f8c6b5d-x2k4q"),
            "spec": {"nodeName": "node-1", "containers": [container]},
            "status": {"phase": "Running", "startTime": Self::ago(self.seconds + 60), "podIP": "10.0.0.7",
                "conditions": [condition("ContainersReady"), condition("Ready")], "containerStatuses": [status]}});
        pod["metadata"]["labels"] = json!({"app": "cart", "pod-template-hash": "7d9f8c6b5d"});
        pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart-7d9f8c6b5d", "uid": "u2", "controller": true}]);
        let mut set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta("cart-7d9f8c6b5d"),
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}, "status": {"replicas": 1}});
        set["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart", "uid": "u1", "controller": true}]);
        let mut objects = vec![
            pod,
            set,
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("cart"),
                "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}, "status": {"replicas": 1}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": meta("cart"),
                "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]}}),
        ];
        objects.extend(events.iter().map(|(reason, message)| {
            json!({"apiVersion": "v1", "kind": "Event",
            "metadata": meta(&format!("cart.{}", reason.to_lowercase())),
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "cart-7d9f8c6b5d-x2k4q",
                "fieldPath": "spec.containers{main}"},
            "type": "Warning", "reason": reason, "message": message, "count": self.restarts() + 2,
            "firstTimestamp": Self::ago(self.seconds), "lastTimestamp": Self::ago(5)})
        }));
        json!({"apiVersion": "rca/v1alpha1", "kind": "Snapshot", "takenAt": Self::ago(0), "objects": objects})
    }

    /// The status of a container that ends again and again, as its phase has it.
    fn crash(self, exit: i64, reason: &str, back_up: bool) -> Value {
        let end = |seconds: i64| {
            json!({"terminated": {"exitCode": exit, "reason": reason,
            "startedAt": Self::ago(seconds + 8), "finishedAt": Self::ago(seconds)}})
        };
        let state = match self.phase {
            Phase::Running => json!({"running": {"startedAt": Self::ago(3)}}),
            Phase::Terminated => end(1),
            Phase::Waiting => {
                json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}})
            }
        };
        json!({"name": "main", "image": IMAGE, "imageID": "x", "restartCount": self.restarts(), "lastState": end(12),
            "state": state, "ready": back_up && self.phase == Phase::Running})
    }
}

/// Checks that one verdict with one id is told at every moment, that it names what it must, and that the Service in front
/// is no incident of its own.
#[track_caller]
fn is_steady(category: &str, named: &[&str], state: impl Fn(Moment) -> Value) {
    let mut ids = Vec::new();
    for moment in Moment::all() {
        let report = json_of(category, &state(moment));
        let told = troubles(&report);
        assert_eq!(told.len(), 1, "{moment:?}: {:#}", json!(incidents(&report)));
        blames(told[0], &[category], "Deployment", "cart");
        let text = told[0]["cause"].to_string();
        for word in named {
            assert!(text.contains(word), "{moment:?} does not name {word}: {text}");
        }
        ids.push(told[0]["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[test]
fn an_oom_kill_is_one_in_every_phase() {
    let container = json!({"name": "main", "image": IMAGE, "resources": {"limits": {"memory": "64Mi"}}});
    is_steady("oom_killed", &["64Mi"], |moment| {
        let back_off = ("BackOff", "Back-off restarting failed container main in pod cart".to_owned());
        moment.state(&container, moment.crash(137, "OOMKilled", true), &[back_off])
    });
}

#[test]
fn an_image_that_cannot_be_pulled_is_one_in_every_phase() {
    let container = json!({"name": "main", "image": IMAGE, "resources": {}});
    is_steady("image_pull", &[IMAGE], |moment| {
        let absent = format!(
            "Failed to pull image \"{IMAGE}\": rpc error: code = NotFound desc = failed to pull and unpack \
            image \"{IMAGE}\": failed to resolve reference \"{IMAGE}\": {IMAGE}: not found"
        );
        // It never ran: the kubelet swings between an attempt that failed and waiting.
        let (reason, message) = match moment.phase {
            Phase::Running | Phase::Terminated => ("ErrImagePull", absent.clone()),
            Phase::Waiting => ("ImagePullBackOff", format!("Back-off pulling image \"{IMAGE}\"")),
        };
        let status = json!({"name": "main", "image": IMAGE, "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}}});
        let events = [("Failed", absent), ("BackOff", format!("Back-off pulling image \"{IMAGE}\""))];
        let mut state = moment.state(&container, status, &events);
        state["objects"][0]["status"]["phase"] = "Pending".into();
        state
    });
}

#[test]
fn a_failing_exec_probe_is_one_in_every_phase() {
    let probe = json!({"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 5, "failureThreshold": 3, "timeoutSeconds": 1});
    let container = json!({"name": "main", "image": IMAGE, "resources": {}, "livenessProbe": probe});
    is_steady("liveness_probe", &["cat /tmp/alive"], |moment| {
        let unhealthy = "Liveness probe failed: cat: can't open '/tmp/alive': No such file or directory".to_owned();
        let killing = "Container main failed liveness probe, will be restarted".to_owned();
        let mut state = moment.state(
            &container,
            moment.crash(137, "Error", true),
            &[("Unhealthy", unhealthy), ("Killing", killing)],
        );
        state["objects"][5]["type"] = "Normal".into();
        state
    });
}
