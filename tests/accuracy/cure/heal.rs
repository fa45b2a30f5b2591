//! What a cluster does by itself once a fault is repaired.

use std::collections::BTreeSet;

use kubectl_rca::model::ObjectRef;
use serde_json::{Value, json};

use super::patient::{Key, Patient, key, key_of, list, list_mut, remove, selects};
use crate::accuracy::document::word;

/// Heals an object that was hit.
pub(super) fn object(patient: &mut Patient<'_>, object: &ObjectRef) {
    let hit = key_of(object);
    match object.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob" | "Pod" => {
            let top = patient.owner(&hit);
            workload(patient, &top);
        }
        "Service" => backends(patient, &hit),
        "PersistentVolumeClaim" => claim(patient, &hit),
        "Node" => node(patient, &hit),
        _ => patient.with(&hit, satisfy),
    }
    let (kind, name) = (hit.0, hit.2);
    patient.drop_events(|about, named| about == kind && named == name);
}

/// Lets the alerts resolve, and the series that they look at calm down.
pub(super) fn alerts(patient: &mut Patient<'_>) {
    for signals in ["alerts", "metrics"] {
        remove(&mut patient.document.0, signals);
    }
}

/// Makes every condition of an object good.
fn satisfy(object: &mut Value) {
    let bad = ["Stalled", "Degraded", "Failed", "ScalingLimited"];
    let good = |condition: &mut Value| {
        let is_bad = bad.contains(&word(condition, "/type"));
        condition["status"] = if is_bad { "False" } else { "True" }.into();
        condition["reason"] = "Cured".into();
        condition["message"] = "all is well".into();
    };
    list_mut(object, "/status/conditions").for_each(good);
    for parent in list_mut(object, "/status/parents") {
        list_mut(parent, "/conditions").for_each(good);
    }
    for listener in list_mut(object, "/status/listeners") {
        list_mut(listener, "/conditions").for_each(good);
    }
    if let Some(phase) =
        object.pointer_mut("/status/phase").filter(|phase| bad.contains(&phase.as_str().unwrap_or_default()))
    {
        *phase = "Healthy".into();
        remove(&mut object["status"], "message");
    }
}

/// Lets all pods of a workload run, and those that lack be made.
pub(super) fn workload(patient: &mut Patient<'_>, top: &Key) {
    retire(patient, top);
    let family = patient.family(top);
    let finishes = family.iter().any(|member| member.0 == "Job" || member.0 == "CronJob");
    make_missing(patient, top, &family);
    let family = patient.family(top);
    let (long, start) = (patient.document.ago(7200), patient.document.ago(3000));
    let node = ready_node(patient);
    let well = |object: &mut Value| match object["kind"].as_str().unwrap_or_default() {
        "Pod" if finishes => finish(object, &node, &long, &start),
        "Pod" => run(object, &node, &long, &start),
        "Job" => {
            object["status"] = json!({"succeeded": 1, "startTime": long, "completionTime": start,
            "conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": start}]});
        }
        "CronJob" => object["status"] = json!({"lastScheduleTime": long, "lastSuccessfulTime": start}),
        _ => count(object),
    };
    patient.document.objects_mut().iter_mut().filter(|object| family.contains(&key(object))).for_each(well);
    let name = format!("{}-", top.2);
    patient.drop_events(|kind, named| {
        family.iter().any(|member| member.0 == kind && member.2 == named)
            || (matches!(kind, "Pod" | "ReplicaSet" | "Job") && named.starts_with(&name))
    });
    quieten(patient, &family, &top.1);
}

/// Leaves of a Deployment's revisions only the newest, and of pods that ended none but a Job's.
fn retire(patient: &mut Patient<'_>, top: &Key) {
    let family = patient.family(top);
    let revision = |set: &Key| {
        let annotation =
            patient.find(set).map(|set| word(set, "/metadata/annotations/deployment.kubernetes.io~1revision"));
        annotation.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    };
    let sets = || family.iter().filter(|member| member.0 == "ReplicaSet" && *member != top);
    let newest = sets().max_by_key(|set| revision(set)).cloned();
    let old: BTreeSet<Key> = sets().filter(|set| Some(*set) != newest.as_ref()).cloned().collect();
    patient.document.objects_mut().retain(|object| {
        let owner = list(object, "/metadata/ownerReferences").next().map(|owner| word(owner, "/name").to_owned());
        let of_old = object["kind"] == "Pod" && old.iter().any(|set| owner.as_deref() == Some(&set.2));
        !of_old
    });
    for set in &old {
        patient.with(set, |set| {
            set["spec"]["replicas"] = 0.into();
            set["status"] = json!({"replicas": 0});
        });
    }
    if top.0 != "Pod" && top.0 != "Job" && top.0 != "CronJob" {
        let ended = |object: &Value| word(object, "/status/phase") == "Failed" && family.contains(&key(object));
        patient.delete(|object| object["kind"] == "Pod" && ended(object));
    }
}

fn make_missing(patient: &mut Patient<'_>, top: &Key, family: &BTreeSet<Key>) {
    if !matches!(top.0.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") {
        return;
    }
    let Some(owner) = patient.find(top).cloned() else { return };
    let wanted = match owner["spec"]["replicas"].as_u64() {
        Some(replicas) => replicas,
        None if top.0 == "DaemonSet" => owner["status"]["desiredNumberScheduled"].as_u64().unwrap_or(1),
        None => 1,
    };
    let exists =
        patient.document.objects().iter().filter(|object| object["kind"] == "Pod" && family.contains(&key(object)));
    let have = exists.count() as u64;
    let set = family.iter().filter(|member| member.0 == "ReplicaSet");
    let set = set.max().map_or_else(|| format!("{}-7d9f8c6b5d", top.2), |set| set.2.clone());
    let maker = if top.0 == "Deployment" { ("ReplicaSet", set) } else { (top.0.as_str(), top.2.clone()) };
    let mut labels = owner["spec"]["template"]["metadata"]["labels"].clone();
    if top.0 == "Deployment" {
        labels["pod-template-hash"] = maker.1.rsplit('-').next().unwrap_or_default().into();
    }
    for index in have..wanted.min(have + 20) {
        let name =
            if top.0 == "StatefulSet" { format!("{}-{index}", top.2) } else { format!("{}-cure{index}", maker.1) };
        let spec = owner["spec"]["template"]["spec"].clone();
        patient.add("v1", "Pod", &top.1, &name, json!({"spec": spec}));
        let made = patient.document.objects_mut().last_mut().unwrap();
        made["metadata"]["labels"] = labels.clone();
        made["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": maker.0, "name": maker.1,
            "uid": maker.1, "controller": true}]);
    }
}

/// Lets a pod run as if nothing had ever been.
fn run(pod: &mut Value, node: &str, created: &str, started: &str) {
    schedule(pod, node, created);
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": started});
    let gates: Vec<Value> =
        list(pod, "/spec/readinessGates").map(|gate| condition(word(gate, "/conditionType"))).collect();
    let kinds = ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"];
    let conditions: Vec<Value> = kinds.iter().map(|kind| condition(kind)).chain(gates).collect();
    let running = |spec: &Value| {
        json!({"name": spec["name"], "image": spec["image"], "imageID": "x", "ready": true, "started": true,
            "restartCount": 0, "state": {"running": {"startedAt": started}}})
    };
    let inits: Vec<Value> = list(pod, "/spec/initContainers")
        .map(|spec| if spec["restartPolicy"] == "Always" { running(spec) } else { ended(spec, created, started) })
        .collect();
    let apps: Vec<Value> = list(pod, "/spec/containers").map(running).collect();
    let address = Some(word(pod, "/status/podIP")).filter(|address| !address.is_empty()).unwrap_or("10.0.0.99");
    pod["status"] = json!({"phase": "Running", "startTime": created, "podIP": address, "conditions": conditions,
        "initContainerStatuses": inits, "containerStatuses": apps});
}

/// Lets a pod do its work and end.
fn finish(pod: &mut Value, node: &str, created: &str, started: &str) {
    schedule(pod, node, created);
    let statuses = |pointer| list(pod, pointer).map(|spec| ended(spec, created, started)).collect::<Vec<_>>();
    let (inits, apps) = (statuses("/spec/initContainers"), statuses("/spec/containers"));
    pod["status"] =
        json!({"phase": "Succeeded", "startTime": created, "initContainerStatuses": inits, "containerStatuses": apps});
}

fn ended(spec: &Value, created: &str, finished: &str) -> Value {
    json!({"name": spec["name"], "image": spec["image"], "imageID": "x", "ready": true, "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": created, "finishedAt": finished}}})
}

fn schedule(pod: &mut Value, node: &str, created: &str) {
    remove(&mut pod["metadata"], "deletionTimestamp");
    remove(&mut pod["metadata"], "deletionGracePeriodSeconds");
    pod["metadata"]["creationTimestamp"] = created.into();
    if word(pod, "/spec/nodeName").is_empty() {
        pod["spec"]["nodeName"] = node.into();
    }
}

fn ready_node(patient: &Patient<'_>) -> String {
    let is_ready = |node: &&Value| {
        let mut conditions = list(node, "/status/conditions");
        let ready = conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        node["kind"] == "Node" && ready && list(node, "/spec/taints").next().is_none()
    };
    let found = patient.document.objects().iter().find(is_ready).map(|node| word(node, "/metadata/name").to_owned());
    let used = || {
        let nodes = patient.document.objects().iter().map(|object| word(object, "/spec/nodeName"));
        nodes.filter(|name| !name.is_empty()).map(str::to_owned).next()
    };
    found.or_else(used).unwrap_or_else(|| "worker-1".to_owned())
}

/// Writes down that a controller has what it wants.
fn count(object: &mut Value) {
    let replicas = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let generation = object["metadata"]["generation"].clone();
    let name = object["metadata"]["name"].clone();
    match object["kind"].as_str().unwrap_or_default() {
        "Deployment" => {
            let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason});
            object["status"] = json!({"replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
                "availableReplicas": replicas, "conditions": [condition("Available", "MinimumReplicasAvailable"),
                condition("Progressing", "NewReplicaSetAvailable")]});
        }
        "ReplicaSet" => {
            object["status"] = json!({"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas});
        }
        "StatefulSet" => {
            object["status"] = json!({"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                "currentReplicas": replicas, "updatedReplicas": replicas, "currentRevision": name, "updateRevision": name});
        }
        "DaemonSet" => {
            let wanted = object["status"]["desiredNumberScheduled"].as_u64().unwrap_or(1);
            object["status"] = json!({"desiredNumberScheduled": wanted, "currentNumberScheduled": wanted,
                "numberReady": wanted, "numberAvailable": wanted, "updatedNumberScheduled": wanted, "numberMisscheduled": 0});
        }
        _ => return satisfy(object),
    }
    if !generation.is_null() {
        object["status"]["observedGeneration"] = generation;
    }
}

/// Lets the programs of a workload say that all is well.
fn quieten(patient: &mut Patient<'_>, family: &BTreeSet<Key>, place: &str) {
    let lines: Vec<String> = (0..30)
        .map(|index| format!("{} INFO request {index} served in 3ms", patient.document.ago(2900 - 90 * index)))
        .collect();
    let text = lines.join("\n") + "\n";
    for log in patient.document.logs_mut() {
        let of_family = family.iter().any(|member| member.0 == "Pod" && log["pod"] == member.2.as_str());
        if of_family && log["namespace"] == place {
            log["current"] = text.as_str().into();
            remove(log, "previous");
        }
    }
}

/// Heals the pods that a Service selects.
pub(super) fn backends(patient: &mut Patient<'_>, service: &Key) {
    let Some(selector) = patient.find(service).map(|service| service["spec"]["selector"].clone()) else { return };
    let objects = patient.document.objects().iter().filter(|object| word(object, "/metadata/namespace") == service.1);
    let behind = objects.filter(|object| {
        let labels = if object["kind"] == "Pod" { "/metadata/labels" } else { "/spec/template/metadata/labels" };
        object.pointer(labels).is_some_and(|labels| selects(&selector, labels))
    });
    let tops: BTreeSet<Key> = behind.map(|object| patient.owner(&key(object))).collect();
    for top in &tops {
        workload(patient, top);
    }
}

/// Lets the endpoints controller write down who is ready behind each Service.
pub(super) fn endpoints(patient: &mut Patient<'_>) {
    let services: Vec<Value> =
        patient.document.objects().iter().filter(|object| object["kind"] == "Service").cloned().collect();
    for service in services {
        let (place, name) = (word(&service, "/metadata/namespace"), word(&service, "/metadata/name"));
        let pods = patient.document.objects().iter().filter(|pod| {
            pod["kind"] == "Pod"
                && word(pod, "/metadata/namespace") == place
                && selects(&service["spec"]["selector"], &pod["metadata"]["labels"])
                && list(pod, "/status/conditions")
                    .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        });
        let pods: Vec<Value> = pods.cloned().collect();
        if !pods.is_empty() {
            publish(patient, &service, place, name, &pods);
        }
    }
}

fn publish(patient: &mut Patient<'_>, service: &Value, place: &str, name: &str, pods: &[Value]) {
    let target = |pod: &Value| json!({"kind": "Pod", "namespace": place, "name": pod["metadata"]["name"]});
    let ports: Vec<Value> = list(service, "/spec/ports")
        .map(|port| {
            let number = port["targetPort"].as_u64().or(port["port"].as_u64()).unwrap_or(8080);
            json!({"name": port["name"], "port": number, "protocol": "TCP"})
        })
        .collect();
    let slices: Vec<Value> = pods
        .iter()
        .map(|pod| {
            json!({"addresses": [pod["status"]["podIP"]], "nodeName": pod["spec"]["nodeName"], "targetRef": target(pod),
            "conditions": {"ready": true, "serving": true, "terminating": false}})
        })
        .collect();
    let addresses: Vec<Value> =
        pods.iter().map(|pod| json!({"ip": pod["status"]["podIP"], "targetRef": target(pod)})).collect();
    for object in
        patient.document.objects_mut().iter_mut().filter(|object| word(object, "/metadata/namespace") == place)
    {
        let of_service = word(object, "/metadata/labels/kubernetes.io~1service-name") == name;
        match object["kind"].as_str().unwrap_or_default() {
            "EndpointSlice" if of_service => {
                object["endpoints"] = slices.clone().into();
                object["ports"] = ports.clone().into();
            }
            "Endpoints" if word(object, "/metadata/name") == name => {
                object["subsets"] = json!([{"addresses": addresses, "ports": ports}]);
            }
            _ => {}
        }
    }
}

/// Binds a claim to a volume that is made for it.
pub(super) fn claim(patient: &mut Patient<'_>, claim: &Key) {
    let volume = format!("pv-{}", claim.2);
    let mut spec = Value::Null;
    patient.with(claim, |object| {
        remove(&mut object["metadata"], "deletionTimestamp");
        object["spec"]["volumeName"] = volume.as_str().into();
        object["status"] = json!({"phase": "Bound", "capacity": object["spec"]["resources"]["requests"]});
        spec = object["spec"].clone();
    });
    if spec.is_null() || patient.has("PersistentVolume", "", &volume) {
        return;
    }
    patient.add("v1", "PersistentVolume", "", &volume, json!({
        "spec": {"capacity": spec["resources"]["requests"], "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"], "claimRef": {"kind": "PersistentVolumeClaim", "namespace": claim.1,
            "name": claim.2}},
        "status": {"phase": "Bound"}}));
}

/// Lets a kubelet report that all is well.
pub(super) fn node(patient: &mut Patient<'_>, node: &Key) {
    let (now, long) = (patient.document.ago(20), patient.document.ago(7200));
    patient.with(node, |node| {
        for condition in list_mut(node, "/status/conditions") {
            let is_ready = condition["type"] == "Ready";
            *condition = json!({"type": condition["type"], "status": if is_ready { "True" } else { "False" },
                "reason": if is_ready { "KubeletReady" } else { "KubeletIsFine" }, "message": "", "lastHeartbeatTime": now,
                "lastTransitionTime": long});
        }
    });
    patient.with(&("Lease".to_owned(), "kube-node-lease".to_owned(), node.2.clone()), |lease| {
        lease["spec"]["renewTime"] = now.replace('Z', ".000000Z").into();
    });
    let tops: BTreeSet<Key> = patient
        .document
        .objects()
        .iter()
        .filter(|pod| pod["kind"] == "Pod" && word(pod, "/spec/nodeName") == node.2)
        .map(|pod| patient.owner(&key(pod)))
        .collect();
    for top in &tops {
        workload(patient, top);
    }
}
