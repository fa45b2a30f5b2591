//! Repairs of what a container is given: memory, image, command, configuration, probes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::patient::{Patient, containers, list, remove};
use crate::accuracy::document::word;

pub(super) fn repair(patient: &mut Patient<'_>, category: &str) -> bool {
    match category {
        "oom_killed" => more_memory(patient),
        "image_pull" | "arch_mismatch" => other_image(patient),
        "bad_command" => patient.each_container(|container| {
            remove(container, "command");
            remove(container, "args");
        }),
        "missing_configmap" | "missing_configmap_key" | "missing_secret" | "missing_secret_key" => provide(patient),
        "run_as_non_root" => {
            patient.each_container(|container| container["securityContext"]["runAsUser"] = 1000.into());
        }
        "missing_env" => set_variable(patient),
        "wrong_env_value" => forget_variable(patient),
        "disk_full" => more_disk(patient),
        "volume_permission" => patient.each_spec(|spec| spec["securityContext"]["fsGroup"] = 1000.into()),
        "liveness_probe" => pass_probe(patient, "livenessProbe"),
        "readiness_probe" => pass_probe(patient, "readinessProbe"),
        "startup_probe" => pass_probe(patient, "startupProbe"),
        "stale_secret_env" => restart_is_newer(patient),
        // Nothing that an object holds is wrong: the program is what has to be repaired.
        "app_exception"
        | "crash_no_logs"
        | "dependency_unreachable"
        | "external_dns"
        | "log_error_running"
        | "log_trend"
        | "dev_server"
        | "volume_mount_path"
        | "port_conflict"
        | "too_many_open_files"
        | "too_many_connections"
        | "init_container_failed"
        | "unknown" => {}
        "lifecycle_hook" => patient.each_container(|container| remove(container, "lifecycle")),
        "cpu_throttling"
        | "cpu_overload"
        | "disk_saturation"
        | "error_rate"
        | "memory_saturation"
        | "network_delay"
        | "network_packet_loss" => {
            calm_signals(patient);
        }
        "init_container_waiting" => super::service::provide_named(patient),
        _ => return false,
    }
    true
}

/// Lets no container show a burden.
fn calm_signals(patient: &mut Patient<'_>) {
    for signals in ["cadvisor", "usage"] {
        remove(&mut patient.document.0, signals);
    }
}

fn more_memory(patient: &mut Patient<'_>) {
    patient.each_container(|container| {
        if let Some(limit) = container.pointer_mut("/resources/limits/memory") {
            *limit = "8Gi".into();
        }
    });
    // The kernel counts the kills of a new container from nothing.
    remove(&mut patient.document.0, "cadvisor");
    patient.delete(|object| object["kind"] == "Event" && matches!(word(object, "/reason"), "SystemOOM" | "OOMKilling"));
}

fn other_image(patient: &mut Patient<'_>) {
    provide(patient);
    patient.each_container(|container| {
        container["image"] = "registry.example.com/cured/program:1.0.0".into();
        container["imagePullPolicy"] = "IfNotPresent".into();
    });
}

/// Makes every `ConfigMap` and Secret that a pod refers to, with all keys that it wants.
fn provide(patient: &mut Patient<'_>) {
    let mut wanted: BTreeSet<(&'static str, String, String)> = BTreeSet::new();
    patient.each_spec(|spec| {
        for secret in list(spec, "/imagePullSecrets") {
            wanted.insert(("Secret", word(secret, "/name").to_owned(), ".dockerconfigjson".to_owned()));
        }
        list(spec, "/volumes").for_each(|volume| of_volume(volume, &mut wanted));
        containers(spec).into_iter().for_each(|container| of_container(container, &mut wanted));
    });
    let place = patient.place();
    for (kind, name, item) in wanted {
        if !patient.has(kind, &place, &name) {
            patient.add("v1", kind, &place, &name, json!({}));
        }
        patient.with(&(kind.to_owned(), place.clone(), name), |object| add_key(object, &item));
    }
}

fn of_volume(volume: &Value, wanted: &mut BTreeSet<(&'static str, String, String)>) {
    let sources = [("ConfigMap", "/configMap", "/name"), ("Secret", "/secret", "/secretName")];
    for (kind, pointer, name) in sources {
        volume.pointer(pointer).into_iter().for_each(|source| of_source(kind, source, name, wanted));
    }
    for source in list(volume, "/projected/sources") {
        source.get("configMap").into_iter().for_each(|source| of_source("ConfigMap", source, "/name", wanted));
        source.get("secret").into_iter().for_each(|source| of_source("Secret", source, "/name", wanted));
    }
}

fn of_source(kind: &'static str, source: &Value, name: &str, wanted: &mut BTreeSet<(&'static str, String, String)>) {
    let name = word(source, name).to_owned();
    wanted.insert((kind, name.clone(), String::new()));
    for item in list(source, "/items") {
        wanted.insert((kind, name.clone(), word(item, "/key").to_owned()));
    }
}

fn of_container(container: &Value, wanted: &mut BTreeSet<(&'static str, String, String)>) {
    let kinds = [("ConfigMap", "configMap"), ("Secret", "secret")];
    for (kind, prefix) in kinds {
        for source in list(container, "/envFrom").filter_map(|source| source.get(format!("{prefix}Ref"))) {
            wanted.insert((kind, word(source, "/name").to_owned(), String::new()));
        }
        let sources = list(container, "/env").filter_map(|env| env.pointer(&format!("/valueFrom/{prefix}KeyRef")));
        wanted.extend(sources.map(|source| (kind, word(source, "/name").to_owned(), word(source, "/key").to_owned())));
    }
}

fn add_key(object: &mut Value, item: &str) {
    if item.is_empty() {
        return;
    }
    if object["kind"] == "ConfigMap" {
        object["data"][item] = "cured".into();
        return;
    }
    if !object["keys"].is_array() {
        object["keys"] = json!([]);
    }
    if let Some(keys) = object["keys"].as_array_mut().filter(|keys| !keys.contains(&item.into())) {
        keys.push(item.into());
    }
}

fn set_variable(patient: &mut Patient<'_>) {
    let name = patient.incident.cause.key.clone();
    patient.each_container(|container| {
        forget(container, &name);
        if let Some(env) = container["env"].as_array_mut() {
            env.push(json!({"name": name, "value": "cured"}));
        } else {
            container["env"] = json!([{"name": name, "value": "cured"}]);
        }
    });
}

fn forget_variable(patient: &mut Patient<'_>) {
    let name = patient.incident.cause.key.clone();
    patient.each_container(|container| forget(container, &name));
}

fn forget(container: &mut Value, name: &str) {
    if let Some(env) = container.get_mut("env").and_then(Value::as_array_mut) {
        env.retain(|variable| variable["name"] != name);
    }
}

fn more_disk(patient: &mut Patient<'_>) {
    patient.each_spec(|spec| {
        for volume in super::patient::list_mut(spec, "/volumes") {
            if let Some(directory) = volume.get_mut("emptyDir") {
                remove(directory, "sizeLimit");
            }
        }
        for container in containers(spec) {
            if let Some(limits) = container.pointer_mut("/resources/limits") {
                remove(limits, "ephemeral-storage");
            }
        }
    });
}

fn pass_probe(patient: &mut Patient<'_>, probe: &str) {
    patient.each_container(|container| {
        if container.get(probe).is_some() {
            container[probe] = json!({"exec": {"command": ["true"]}});
        }
    });
}

/// The pods are made anew by `heal`, hours after what changed last.
fn restart_is_newer(patient: &mut Patient<'_>) {
    for object in patient.document.objects_mut() {
        if matches!(object["kind"].as_str(), Some("ConfigMap" | "Secret")) {
            remove(&mut object["metadata"], "managedFields");
        }
    }
}
