//! Repairs of the way from a caller to a pod.

use serde_json::{Value, json};

use super::patient::{Key, Patient, key_of, list, list_mut, remove, selects};
use crate::accuracy::document::word;

pub(super) fn repair(patient: &mut Patient<'_>, category: &str) -> bool {
    match category {
        "service_selector_mismatch" => meet(patient),
        "service_target_port" => serve_port(patient),
        "service_protocol" => change(patient, |service| {
            list_mut(service, "/spec/ports").for_each(|port| port["protocol"] = "TCP".into());
        }),
        "service_wrong_pods" => tell_apart(patient),
        "service_backends_missing" => make_backends(patient),
        "service_missing" => provide_named(patient),
        "internal_traffic_policy" => change(patient, |service| {
            service["spec"]["internalTrafficPolicy"] = "Cluster".into();
            service["spec"]["externalTrafficPolicy"] = "Cluster".into();
        }),
        "loadbalancer_pending" => {
            change(patient, |service| service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}));
        }
        "statefulset_service" => provide_governing(patient),
        "gateway_misroute" => lead_where_the_path_says(patient),
        // `heal` lets the controller accept it.
        "gateway_route_rejected" => {}
        "ingress_class_missing" => provide_ingress_class(patient),
        "ingress_backend_missing" => provide_ingress_backends(patient),
        "tls_expired" | "tls_secret_missing" => renew_certificates(patient),
        "networkpolicy_ingress" | "networkpolicy_egress" => {
            let subject = patient.subject();
            patient.delete(|object| super::patient::key(object) == subject);
        }
        "dns_policy" => patient.each_spec(|spec| {
            spec["dnsPolicy"] = "ClusterFirstWithHostNet".into();
            remove(spec, "dnsConfig");
        }),
        "cluster_dns_config" => plain_corefile(patient),
        _ => return false,
    }
    true
}

fn change(patient: &mut Patient<'_>, change: impl FnOnce(&mut Value)) {
    let subject = patient.subject();
    patient.with(&subject, change);
}

/// Lets a Service select the pods whose labels are closest to what it wants.
fn meet(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let Some(service) = patient.find(&subject).cloned() else { return };
    let selector = &service["spec"]["selector"];
    let labels_of = |object: &Value| object["metadata"]["labels"].clone();
    let pods = patient.document.objects().iter().filter(|object| object["kind"] == "Pod");
    let here = pods.filter(|pod| word(pod, "/metadata/namespace") == subject.1);
    let closest = here.max_by_key(|pod| likeness(selector, &subject.2, &labels_of(pod), word(pod, "/metadata/name")));
    let Some(mut labels) = closest.map(labels_of) else { return };
    for varying in ["pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name"] {
        remove(&mut labels, varying);
    }
    patient.with(&subject, |service| service["spec"]["selector"] = labels);
}

/// How well labels fit a selector that they do not meet: equal pairs, then values that begin alike, then names.
fn likeness(selector: &Value, service: &str, labels: &Value, pod: &str) -> (bool, usize, usize) {
    let pairs = || selector.as_object().into_iter().flatten();
    let equal = pairs().filter(|(name, value)| labels[name.as_str()] == **value).count();
    let begin = |value: &str, other: &str| value.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let values = || labels.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    let wanted = pairs().filter_map(|(_, value)| value.as_str());
    let alike = wanted.flat_map(|value| values().map(move |other| begin(value, other))).max().unwrap_or(0);
    (pod.starts_with(&format!("{service}-")), equal, alike)
}

/// Lets the Service lead to a port that a container has, and the container say so.
fn serve_port(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let Some(selector) = patient.find(&subject).map(|service| service["spec"]["selector"].clone()) else { return };
    let pods = patient.document.objects().iter().filter(|object| object["kind"] == "Pod");
    let pod = pods
        .filter(|pod| word(pod, "/metadata/namespace") == subject.1)
        .find(|pod| selects(&selector, &pod["metadata"]["labels"]));
    let ports =
        pod.into_iter().flat_map(|pod| list(pod, "/spec/containers")).flat_map(|container| list(container, "/ports"));
    let ports: Vec<Value> = ports.map(|port| port["containerPort"].clone()).collect();
    let hit: Vec<Key> = patient.incident.affected.iter().map(key_of).collect();
    patient.with(&subject, |service| {
        for (index, port) in list_mut(service, "/spec/ports").enumerate() {
            if let Some(served) = ports.get(index).or(ports.first()) {
                port["targetPort"] = served.clone();
            }
        }
    });
    // What the log says it listens on is quietened by `heal`.
    for pod in hit {
        super::heal::workload(patient, &patient.owner(&pod));
    }
}

/// Gives the pods that a Service should not select another label.
fn tell_apart(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let Some(selector) = patient.find(&subject).map(|service| service["spec"]["selector"].clone()) else { return };
    let right = subject.2.clone();
    patient.each_here("Pod", |pod| {
        let is_right = word(pod, "/metadata/name").starts_with(&right);
        if !is_right && selects(&selector, &pod["metadata"]["labels"]) {
            pod["metadata"]["labels"] = json!({"cured": "apart"});
        }
    });
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"] {
        patient.each_here(kind, |workload| {
            let is_right = word(workload, "/metadata/name").starts_with(&right);
            if !is_right && selects(&selector, &workload["spec"]["template"]["metadata"]["labels"]) {
                workload["spec"]["template"]["metadata"]["labels"] = json!({"cured": "apart"});
                workload["spec"]["selector"]["matchLabels"] = json!({"cured": "apart"});
            }
        });
    }
}

/// Makes a workload that a Service selects, where there is none; those that are there are healed.
fn make_backends(patient: &mut Patient<'_>) {
    let (kind, place, name) = patient.subject();
    if kind != "Service" {
        return patient.with(&(kind, place, name), at_least_one);
    }
    let Some(service) = patient.find(&(kind, place.clone(), name.clone())).cloned() else { return };
    provide_backend(patient, &service, &place, &name);
}

fn at_least_one(workload: &mut Value) {
    if workload["spec"]["replicas"] == 0 {
        workload["spec"]["replicas"] = 1.into();
    }
}

fn provide_backend(patient: &mut Patient<'_>, service: &Value, place: &str, name: &str) {
    let selector = service["spec"]["selector"].clone();
    let met = |object: &Value| {
        let labels = if object["kind"] == "Pod" { "/metadata/labels" } else { "/spec/template/metadata/labels" };
        word(object, "/metadata/namespace") == place
            && object.pointer(labels).is_some_and(|labels| selects(&selector, labels))
    };
    for object in patient.document.objects_mut().iter_mut().filter(|object| met(object)) {
        at_least_one(object);
    }
    let exists = patient.document.objects().iter().any(met);
    if exists {
        super::heal::backends(patient, &("Service".to_owned(), place.to_owned(), name.to_owned()));
    }
    if exists || selector.as_object().is_none_or(serde_json::Map::is_empty) {
        return;
    }
    let ports: Vec<Value> = list(service, "/spec/ports").map(container_port).collect();
    let template = json!({"metadata": {"labels": selector},
        "spec": {"containers": [{"name": "main", "image": "registry.example.com/cured/program:1.0.0", "ports": ports}]}});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": selector}, "template": template});
    patient.add("apps/v1", "Deployment", place, name, json!({"spec": spec}));
    super::heal::workload(patient, &("Deployment".to_owned(), place.to_owned(), name.to_owned()));
}

fn container_port(port: &Value) -> Value {
    match port["targetPort"].as_str() {
        Some(name) => json!({"name": name, "containerPort": 8080}),
        None => json!({"containerPort": port["targetPort"].as_u64().or(port["port"].as_u64()).unwrap_or(80)}),
    }
}

/// Makes the Services that the finding speaks of, with pods behind them.
pub(super) fn provide_named(patient: &mut Patient<'_>) {
    let mentioned = patient.incident.cause.mentions.iter().filter(|object| object.kind == "Service");
    let mut names: Vec<(String, String)> =
        mentioned.map(|object| (object.namespace().to_owned(), object.name.clone())).collect();
    let key = patient.incident.cause.key.split([':', '.', '/']).next().unwrap_or_default().to_owned();
    if names.is_empty() && !key.is_empty() {
        names.push((patient.place(), key));
    }
    for (place, name) in names {
        let port = port_called(patient, &name).unwrap_or(80);
        provide_service(patient, &place, &name, json!({"port": port, "targetPort": port, "protocol": "TCP"}));
        complete(patient, &place);
    }
}

/// Gives every Service its pods: a made-up state may have left them out, which shows as soon as there are any.
fn complete(patient: &mut Patient<'_>, place: &str) {
    let services = patient.document.objects().iter().filter(|object| object["kind"] == "Service");
    let here: Vec<Value> = services.filter(|service| word(service, "/metadata/namespace") == place).cloned().collect();
    for service in here {
        provide_backend(patient, &service, place, word(&service, "/metadata/name"));
    }
}

/// Finds the port with which anybody writes down a Service's name: `db:5432`.
fn port_called(patient: &Patient<'_>, name: &str) -> Option<u64> {
    let pattern = regex::Regex::new(&format!(r"\b{}(?:\.[a-z0-9.-]+)?:(\d{{2,5}})\b", regex::escape(name))).unwrap();
    let mut specs =
        patient.document.objects().iter().filter(|object| object["kind"] != "Event").map(ToString::to_string);
    specs.find_map(|text| pattern.captures(&text)?[1].parse().ok())
}

fn provide_service(patient: &mut Patient<'_>, place: &str, name: &str, port: Value) {
    if !patient.has("Service", place, name) {
        let mut named = patient.document.objects().iter().filter(|object| word(object, "/metadata/name") == name);
        let labels = named.find_map(|object| object.pointer("/spec/template/metadata/labels"));
        let labels = labels.cloned().unwrap_or_else(|| json!({"cured": name}));
        let spec = json!({"selector": labels, "ports": [port], "type": "ClusterIP", "clusterIP": "10.96.7.7"});
        patient.add("v1", "Service", place, name, json!({"spec": spec}));
    }
    let service = (String::from("Service"), place.to_owned(), name.to_owned());
    if let Some(service) = patient.find(&service).cloned() {
        provide_backend(patient, &service, place, name);
    }
}

fn provide_governing(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let Some(set) = patient.find(&subject).cloned() else { return };
    let name = word(&set, "/spec/serviceName").to_owned();
    let labels = set["spec"]["template"]["metadata"]["labels"].clone();
    patient.delete(|object| object["kind"] == "Service" && word(object, "/metadata/name") == name);
    let spec = json!({"clusterIP": "None", "selector": labels, "ports": [{"port": 80}]});
    patient.add("v1", "Service", &subject.1, &name, json!({"spec": spec}));
}

/// Rewrites each `proxy_pass` so that it leads to the Service that its path names.
fn lead_where_the_path_says(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let objects = patient.document.objects().iter().filter(|object| object["kind"] == "Service");
    let services: Vec<String> = objects.map(|service| word(service, "/metadata/name").to_owned()).collect();
    patient.with(&subject, |config| {
        for text in config["data"].as_object_mut().into_iter().flatten().map(|(_, text)| text) {
            *text = reroute(text.as_str().unwrap_or_default(), &services).into();
        }
    });
}

/// Leads each path to the service that it names: nginx's `location` before its `proxy_pass`, Spring's `Path=` after its `uri`.
fn reroute(text: &str, services: &[String]) -> String {
    let mut wanted: Option<&String> = None;
    let mut lines: Vec<String> = Vec::new();
    let mut uri: Option<usize> = None;
    for line in text.lines() {
        if let Some(path) = line.trim().strip_prefix("location") {
            wanted = service_of_path(path, services);
        }
        if line.trim().trim_start_matches("- ").starts_with("uri:") {
            uri = Some(lines.len());
        }
        let path = line.split_once("Path=").and_then(|(_, path)| service_of_path(path, services));
        if let (Some(service), Some(uri)) = (path, uri.take_if(|_| line.contains("Path="))) {
            let scheme = lines[uri].split_once("://").map(|(before, _)| before.to_owned()).unwrap_or_default();
            // A route that leads there already may say so in other words.
            if !lines[uri].contains(service.as_str()) {
                lines[uri] = format!("{scheme}://{service}");
            }
        }
        let target = line.split_once("proxy_pass http://").map(|(before, rest)| {
            let end = rest.find([':', '/', ';', '.']).unwrap_or(rest.len());
            (before, &rest[end..])
        });
        lines.push(match (target, wanted) {
            (Some((before, after)), Some(service)) => format!("{before}proxy_pass http://{service}{after}"),
            _ => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

fn service_of_path<'s>(path: &str, services: &'s [String]) -> Option<&'s String> {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let parts: Vec<String> = path.split('/').map(letters).filter(|part| part.len() > 2).collect();
    let named = |service: &&String| {
        let name = letters(service);
        parts.iter().any(|part| name == *part || name.ends_with(part.as_str()))
    };
    services.iter().filter(named).min_by_key(|name| name.len())
}

fn provide_ingress_class(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let named = patient.find(&subject).map(|ingress| word(ingress, "/spec/ingressClassName").to_owned());
    let name = named.filter(|name| !name.is_empty()).unwrap_or_else(|| "nginx".to_owned());
    patient.with(&subject, |ingress| ingress["spec"]["ingressClassName"] = name.as_str().into());
    if !patient.has("IngressClass", "", &name) {
        patient.add(
            "networking.k8s.io/v1",
            "IngressClass",
            "",
            &name,
            json!({"spec": {"controller": "example.com/ingress"}}),
        );
    }
}

fn provide_ingress_backends(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let Some(ingress) = patient.find(&subject).cloned() else { return };
    let rules = list(&ingress, "/spec/rules").flat_map(|rule| list(rule, "/http/paths")).map(|path| &path["backend"]);
    let backends: Vec<Value> = rules.chain(ingress.pointer("/spec/defaultBackend")).cloned().collect();
    for backend in backends {
        let name = word(&backend, "/service/name").to_owned();
        let name = meant(patient, &ingress, &subject.1, &name).unwrap_or(name);
        let port = &backend["service"]["port"];
        let port = match port["name"].as_str() {
            Some(name) => json!({"name": name, "port": 80, "targetPort": 8080, "protocol": "TCP"}),
            None => json!({"name": "cured", "port": port["number"], "targetPort": 8080, "protocol": "TCP"}),
        };
        provide_service(patient, &subject.1, &name, port.clone());
        patient.with(&("Service".to_owned(), subject.1.clone(), name), |service| {
            let ports = service["spec"]["ports"].as_array_mut().unwrap();
            let has = ports.iter().any(|other| {
                if port["name"] == "cured" { other["port"] == port["port"] } else { other["name"] == port["name"] }
            });
            if !has {
                *ports = vec![port];
            }
        });
    }
}

/// Finds the Service that a misspelt name means, and writes it into the Ingress.
fn meant(patient: &mut Patient<'_>, ingress: &Value, place: &str, name: &str) -> Option<String> {
    let services = patient.document.objects().iter().filter(|object| object["kind"] == "Service");
    let here = services.filter(|service| word(service, "/metadata/namespace") == place);
    let mut names = here.map(|service| word(service, "/metadata/name").to_owned());
    let alike = |other: &String| other != name && (other.starts_with(name) || name.starts_with(other.as_str()));
    let right = if patient.has("Service", place, name) { None } else { names.find(alike) }?;
    let text = ingress["spec"].to_string().replace(&format!("\"name\":\"{name}\""), &format!("\"name\":\"{right}\""));
    change(patient, |ingress| ingress["spec"] = serde_json::from_str(&text).unwrap());
    Some(right)
}

fn renew_certificates(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let Some(ingress) = patient.find(&subject).cloned() else { return };
    let hosts: Vec<String> = list(&ingress, "/spec/rules").map(|rule| word(rule, "/host").to_owned()).collect();
    let pem = rcgen::generate_simple_self_signed(hosts).unwrap().cert.pem();
    for tls in list(&ingress, "/spec/tls") {
        let name = word(tls, "/secretName").to_owned();
        patient.delete(|object| object["kind"] == "Secret" && word(object, "/metadata/name") == name);
        let fields = json!({"type": "kubernetes.io/tls", "keys": ["tls.crt", "tls.key"], "certificate": pem});
        patient.add("v1", "Secret", &subject.1, &name, fields);
    }
}

fn plain_corefile(patient: &mut Patient<'_>) {
    const COREFILE: &str = ".:53 {\n    errors\n    health\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n        pods insecure\n        fallthrough in-addr.arpa ip6.arpa\n    }\n    forward . /etc/resolv.conf\n    cache 30\n    loop\n    reload\n    loadbalance\n}\n";
    patient.each("ConfigMap", |config| {
        if config.pointer("/data/Corefile").is_some() {
            config["data"]["Corefile"] = COREFILE.into();
        }
    });
    let dns = ("Deployment".to_owned(), "kube-system".to_owned(), "coredns".to_owned());
    patient.with(&dns, at_least_one);
    super::heal::workload(patient, &dns);
}
