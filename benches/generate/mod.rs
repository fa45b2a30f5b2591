//! A made-up namespace of any size: Deployments of twenty pods behind Services, with ConfigMaps, nodes, events and faults.

use jiff::Timestamp;
use kubectl_rca::collect::intake::Intake;
use kubectl_rca::collect::plan::Keep;
use kubectl_rca::model::{ContainerRef, Kind, Scope, Snapshot};
use serde_json::{Value, json};

const REPLICAS: usize = 20;
const NAMESPACE: &str = "shop";
const LOG: &str = "starting\nTraceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\nKeyError: 'DATABASE_URL'\n";

/// Makes a snapshot of `pods` pods, two events a pod, and `faults` broken pods spread over them.
pub(crate) fn snapshot(pods: usize, faults: usize) -> Snapshot {
    let taken_at: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
    let mut intake = Intake::new(Snapshot::new(taken_at, Scope::namespace(NAMESPACE)), Keep::default());
    for kind in Kind::ALL {
        intake.snapshot_mut().objects.coverage_mut(*kind).add_list(None);
    }
    let every = (pods / faults.max(1)).max(1);
    for index in 0..pods {
        let fault = (index % every == 0 && index / every < faults).then_some(index / every);
        add(&mut intake, Kind::Pod, &pod(index, fault));
        for number in 0..2 {
            add(&mut intake, Kind::Event, &event(index, number, fault));
        }
        if fault.is_some_and(|fault| fault % 4 == 1) {
            let container =
                ContainerRef { namespace: NAMESPACE.into(), pod: pod_name(index), container: "main".into() };
            intake.log(container, LOG, true);
        }
    }
    for app in 0..pods.div_ceil(REPLICAS) {
        for (kind, object) in workload(app) {
            add(&mut intake, kind, &object);
        }
    }
    for node in 0..pods.div_ceil(100) {
        add(
            &mut intake,
            Kind::Node,
            &json!({"metadata": {"name": format!("node-{node}"), "labels": {"kubernetes.io/os": "linux"}},
            "status": {"allocatable": {"cpu": "32", "memory": "128Gi", "pods": "110"}, "conditions": [{"type": "Ready", "status": "True"}]}}),
        );
    }
    intake.finish()
}

fn add(intake: &mut Intake, kind: Kind, object: &Value) {
    intake.object(kind, &object.to_string());
}

fn app(index: usize) -> String {
    format!("app-{:04}", index / REPLICAS)
}

fn pod_name(index: usize) -> String {
    format!("{}-7d9f8c6b5-{:05}", app(index), index)
}

fn template(app: &str) -> Value {
    json!({"containers": [{"name": "main", "image": format!("registry.example/{app}:1.2.3"), "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": "NEXT_HOST", "value": "http://app-0000:80"}, {"name": "LOG_LEVEL", "valueFrom": {"configMapKeyRef": {"name": app, "key": "level"}}}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}}, "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}}}],
        "volumes": [{"name": "config", "configMap": {"name": app}}], "serviceAccountName": "default"})
}

fn workload(number: usize) -> Vec<(Kind, Value)> {
    let name = format!("app-{number:04}");
    let set = format!("{name}-7d9f8c6b5");
    let labels = json!({"app": name});
    let spec = |replicas| json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": template(&name)}});
    let meta = |name: &str| json!({"name": name, "namespace": NAMESPACE});
    vec![
        (Kind::Deployment, json!({"metadata": meta(&name), "spec": spec(REPLICAS), "status": {"replicas": REPLICAS}})),
        (
            Kind::ReplicaSet,
            json!({"metadata": {"name": set, "namespace": NAMESPACE, "ownerReferences": [owner("Deployment", &name)]}, "spec": spec(REPLICAS)}),
        ),
        (
            Kind::Service,
            json!({"metadata": meta(&name), "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}}),
        ),
        (
            Kind::ConfigMap,
            json!({"metadata": meta(&name), "data": {"level": "info", "upstream": "http://app-0001.shop.svc:80"}}),
        ),
    ]
}

fn owner(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "0", "controller": true})
}

fn pod(index: usize, fault: Option<usize>) -> Value {
    let app = app(index);
    let (ready, restarts, state, last) = match fault.map(|fault| fault % 4) {
        None => (true, 0, json!({"running": {"startedAt": "2026-01-01T10:00:00Z"}}), json!({})),
        Some(0) => (false, 5, waiting("CrashLoopBackOff", ""), ended(137, "OOMKilled")),
        Some(1) => (false, 5, waiting("CrashLoopBackOff", ""), ended(1, "Error")),
        Some(2) => (false, 0, waiting("ErrImagePull", "failed to pull: not found"), json!({})),
        Some(_) => (false, 0, waiting("CreateContainerConfigError", "configmap \"gone\" not found"), json!({})),
    };
    let ready_word = if ready { "True" } else { "False" };
    let mut spec = template(&app);
    spec["nodeName"] = json!(format!("node-{}", index % (index / 100 + 1)));
    json!({"metadata": {"name": pod_name(index), "namespace": NAMESPACE, "creationTimestamp": "2026-01-01T09:00:00Z",
            "labels": {"app": app, "pod-template-hash": "7d9f8c6b5"}, "ownerReferences": [owner("ReplicaSet", &format!("{app}-7d9f8c6b5"))]},
        "spec": spec,
        "status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": ready_word}, {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "main", "ready": ready, "restartCount": restarts, "image": "x", "imageID": "x", "state": state, "lastState": last}]}})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

fn ended(code: i32, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": "2026-01-01T11:58:00Z", "finishedAt": "2026-01-01T11:58:05Z"}})
}

fn event(index: usize, number: usize, fault: Option<usize>) -> Value {
    let (type_, reason, message) = match (fault, number) {
        (Some(_), 0) => ("Warning", "BackOff", "Back-off restarting failed container main in pod"),
        (_, 0) => ("Normal", "Scheduled", "Successfully assigned the pod to a node"),
        _ => ("Normal", "Started", "Started container main"),
    };
    json!({"metadata": {"name": format!("{}.{number}", pod_name(index)), "namespace": NAMESPACE}, "type": type_, "reason": reason, "message": message,
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": NAMESPACE, "name": pod_name(index), "fieldPath": "spec.containers{main}"},
        "count": 3, "firstTimestamp": "2026-01-01T11:00:00Z", "lastTimestamp": "2026-01-01T11:59:00Z", "source": {"component": "kubelet"}})
}
