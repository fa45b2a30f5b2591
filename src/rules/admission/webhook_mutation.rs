//! A mutating webhook rewrote the pods, and they fail.

use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::pods::owners;
use crate::scene::services::webhook::{self, Webhook};
use crate::scene::{ContainerView, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "webhook-mutation",
    category: "webhook_mutation",
    summary: "detects failing containers that a mutating webhook made different from their template",
    docs: "\
## What it means
A container fails, and what runs is not what its template says: a mutating admission webhook changed its resources, image or \
command when the pod was created. Editing the template does not help, as the webhook rewrites the next pod too.

## How it is detected
The failing pod's container differs from the template of its controller in a field that the template sets, and a mutating \
webhook is asked about new pods of this namespace with these labels.

## What to do
Correct the policy behind the webhook, or exempt the namespace or the workload from it, then replace the pods.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::MutatingWebhookConfiguration, Kind::ReplicaSet],
    uses: &[Kind::StatefulSet, Kind::DaemonSet, Kind::Namespace],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, consequences::NO_ROOM, &["arch-mismatch", "bad-command", "config-changed", "image-absent", "image-pull-failed", "image-registry-unresolved", "image-unauthorized", "init-container-failed", "job-backoff-limit", "oom-killed", "owner-not-ready", "rollout-stuck", "sandbox-failed", "service-backends-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let webhooks: Vec<Webhook<'_>> = webhook::all(scene).into_iter().filter(|webhook| webhook.mutating).collect();
    if webhooks.is_empty() {
        return Vec::new();
    }
    let broken = scene.suspect_containers().filter(|container| is_broken(*container));
    broken.filter_map(|container| rewritten(scene, &webhooks, container)).collect()
}

fn is_broken(container: ContainerView<'_>) -> bool {
    let pod = container.pod;
    let waits =
        container.waiting().is_some() && !matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing");
    !pod.is_finished() && !pod.is_terminating() && (container.crash().is_some() || waits || pod.is_unscheduled())
}

/// A field in which the pod is not what its template says.
struct Difference {
    field: String,
    template: String,
    pod: String,
}

fn rewritten(scene: &Scene<'_>, webhooks: &[Webhook<'_>], container: ContainerView<'_>) -> Option<Finding> {
    let pod = container.pod;
    let (controller, template) = template(scene, pod)?;
    let intended = template.spec.as_ref().and_then(|spec| find(spec, container.name()))?;
    let resized = pod.pod.changes.iter().any(|change| change.subresource.as_deref() == Some("resize"));
    let differences = differences(intended, container.spec);
    let difference = differences.into_iter().find(|one| !resized && may_break(container, &one.field))?;
    let labels = pod.pod.metadata.labels.as_ref();
    let asked: Vec<&Webhook<'_>> =
        webhooks.iter().filter(|webhook| webhook.sees_new_pods(scene, pod.namespace(), labels)).collect();
    let webhook = asked.first()?;
    let confidence = if asked.len() == 1 { 0.9 } else { 0.6 };
    let message = format!(
        "{} set {} of {} to {}, where its template says {}, and it fails",
        webhook.object.short(),
        difference.field,
        container.phrase(),
        difference.pod,
        difference.template
    );
    let path = container.spec_path(&difference.field);
    let finding = RULE
        .finding(webhook.object.clone(), message)
        .key(format!("{}/{}/{}", container.owner_phrase(), container.name(), difference.field))
        .because_at(container.pod_ref(), path.clone(), difference.pod.as_str(), pod.created())
        .because(controller, format!("spec.template.{path}"), difference.template.as_str())
        .because(webhook.object.clone(), "webhooks.name", webhook.name)
        .affects(container.pod_ref())
        .affects(pod.workload().object.clone())
        .confidence(confidence);
    Some(recommend(finding, webhook, container, &difference))
}

/// Returns whether a field may be why the container fails as it does: a webhook that trims CPU is innocent of an exception.
fn may_break(container: ContainerView<'_>, field: &str) -> bool {
    let crash = container.crash();
    match field {
        "resources.limits.memory" => crash.is_some_and(|crash| {
            crash.exit_code == 137 || crash.reason == "OOMKilled" || crash.message.contains("OOM")
        }),
        "image" => crash.is_some() || container.waiting_reason().contains("Image"),
        "command" | "args" => crash.is_some() || container.waiting_reason() == "RunContainerError",
        requests => requests.starts_with("resources.requests.") && container.pod.is_unscheduled(),
    }
}

fn recommend(
    finding: Finding,
    webhook: &Webhook<'_>,
    container: ContainerView<'_>,
    difference: &Difference,
) -> Finding {
    let (name, owner) = (&webhook.object.name, container.owner_phrase());
    let summary = format!(
        "correct the policy behind webhook `{}` of {name} that sets {} to {}, or exempt namespace {} from it, then restart {owner}",
        webhook.name,
        difference.field,
        difference.pod,
        container.pod.namespace()
    );
    let mut finding = finding.recommend(Recommendation::new("edit-object", summary));
    if let Some(service) = &webhook.client.service {
        finding = finding.next(quote::command(&["kubectl", "get", "pods,configmaps", "-n", &service.namespace]));
    }
    finding.next(quote::command(&["kubectl", "get", "mutatingwebhookconfiguration", name, "-o", "yaml"]))
}

/// Returns the controller of a pod with its template, if the pod was made from that template.
fn template<'s>(scene: &'s Scene<'_>, pod: PodView<'_>) -> Option<(ObjectRef, &'s PodTemplateSpec)> {
    let owner = owners::reference(owners::controller(pod.pod.object.meta())?, pod.namespace());
    let objects = &scene.snapshot.objects;
    let revision = |wanted: Option<&String>| {
        let labels = pod.pod.metadata.labels.as_ref();
        wanted.is_some() && labels.and_then(|labels| labels.get("controller-revision-hash")) == wanted
    };
    let found = if owner.is(Kind::ReplicaSet) {
        objects.replica_sets.get(pod.namespace(), &owner.name)?.spec.as_ref()?.template.as_ref()?
    } else if owner.is(Kind::StatefulSet) {
        let set = objects.stateful_sets.get(pod.namespace(), &owner.name)?;
        let newest = set.status.as_ref().and_then(|status| status.update_revision.as_ref());
        &set.spec.as_ref().filter(|_| revision(newest))?.template
    } else if owner.is(Kind::Job) {
        &objects.jobs.get(pod.namespace(), &owner.name)?.spec.as_ref()?.template
    } else {
        return None;
    };
    Some((owner, found))
}

fn find<'s>(spec: &'s PodSpec, name: &str) -> Option<&'s Container> {
    spec.containers.iter().chain(spec.init_containers.iter().flatten()).find(|container| container.name == name)
}

/// Compares what the template sets; what it leaves out may be a default of anybody.
fn differences(template: &Container, pod: &Container) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field: &str, template: Option<String>, pod: Option<String>| {
        if let Some(template) = template.filter(|template| Some(template) != pod.as_ref()) {
            found.push(Difference {
                field: field.to_owned(),
                template,
                pod: pod.unwrap_or_else(|| "nothing".to_owned()),
            });
        }
    };
    for resource in ["memory", "cpu"] {
        let limit =
            |container: &Container| Some(container.resources.as_ref()?.limits.as_ref()?.get(resource)?.0.clone());
        let request =
            |container: &Container| Some(container.resources.as_ref()?.requests.as_ref()?.get(resource)?.0.clone());
        compare(&format!("resources.limits.{resource}"), limit(template), limit(pod));
        compare(&format!("resources.requests.{resource}"), request(template), request(pod));
    }
    compare("image", template.image.clone(), pod.image.clone());
    compare("command", words(template.command.as_ref()), words(pod.command.as_ref()));
    compare("args", words(template.args.as_ref()), words(pod.args.as_ref()));
    found
}

fn words(list: Option<&Vec<String>>) -> Option<String> {
    list.map(|words| words.join(" "))
}
