//! An admission webhook refuses pods, or cannot be asked.

use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal::{self, Refusal, Refuser};
use crate::scene::services::webhook::{self, Webhook};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "webhook-blocking",
    category: "webhook_blocking",
    summary: "detects admission webhooks that refuse the pods of a workload or cannot be reached",
    docs: "\
## What it means
Before it creates a pod, the API server asks the admission webhooks of the cluster. One of them said no, or it did not answer \
and its `failurePolicy` is `Fail`, which blocks every pod that it is to see.

## How it is detected
A controller that still lacks pods was refused with `admission webhook ... denied the request` or `failed calling webhook`. \
The configuration that holds the webhook and the Service behind it are looked up.

## What to do
If it denies: change the workload to what the policy asks for, or the policy. If it does not answer: bring the program behind \
its Service back, or correct the Service or CA bundle of the configuration; if it was removed, delete its configuration.",
    severity: Severity::Error,
    needs: &[Kind::Event],
    uses: &[Kind::ValidatingWebhookConfiguration, Kind::MutatingWebhookConfiguration, Kind::Service, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "readiness-probe-failing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let webhooks = webhook::all(scene);
    let refusals = refusal::all(scene).into_iter();
    let findings = refusals.filter_map(|refusal| match refusal.refuser {
        Refuser::WebhookDenied => denied(&webhooks, &refusal),
        Refuser::WebhookFailed => failed(scene, &webhooks, &refusal),
        _ => None,
    });
    findings.collect()
}

fn denied(webhooks: &[Webhook<'_>], refusal: &Refusal<'_>) -> Option<Finding> {
    let name = refusal::between(refusal.message, "admission webhook \"", "\"")?;
    let words = refusal.message.split_once("denied the request")?.1.trim_start_matches([':', ' ', '\n']);
    let said = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let (object, webhook) = configuration(webhooks, name);
    let hook = Hook { name, object: &object, known: webhook.is_some(), service: None };
    let workload = refusal.workload.short();
    let said = refusal::cut(said.trim_end_matches('.'), 160);
    let message = format!("{} refuses the pods of {workload}: {said}", phrase(name, &object));
    let finding =
        refusal.support(RULE.finding(object.clone(), message)).key(format!("{name}/{workload}")).confidence(0.95);
    let summary = format!("change {workload} to what webhook `{name}` asks for, or exempt it from the policy: {said}");
    Some(finding.recommend(Recommendation::new("edit-object", summary)).next(get(&hook)))
}

fn failed(scene: &Scene<'_>, webhooks: &[Webhook<'_>], refusal: &Refusal<'_>) -> Option<Finding> {
    let name = refusal::between(refusal.message, "failed calling webhook \"", "\"")?;
    let (object, webhook) = configuration(webhooks, name);
    let why = why(refusal.message);
    let message = format!(
        "{} blocks the pods of {}, as it cannot be called: {}",
        phrase(name, &object),
        refusal.workload.short(),
        refusal::cut(&why, 140)
    );
    let confidence = if webhook.is_some() { 0.97 } else { 0.9 };
    let mut finding = refusal.support(RULE.finding(object.clone(), message)).key(name).confidence(confidence);
    if let Some(webhook) = webhook {
        let path = |field: &str| format!("webhooks[{name}].{field}");
        finding = finding.because(object.clone(), path("failurePolicy"), webhook.failure_policy);
        if let Some(service) = &webhook.client.service {
            let address = format!("{}/{}:{}", service.namespace, service.name, service.port.unwrap_or(443));
            finding = finding.because(object.clone(), path("clientConfig.service"), address);
        }
    }
    let hook = Hook { name, object: &object, known: webhook.is_some(), service: service(webhook, refusal.message) };
    if let Some((namespace, name)) = &hook.service {
        finding = finding.mentions(ObjectRef::new(Kind::Service, namespace, name));
    }
    Some(recommend(scene, finding, &hook, refusal).next(get(&hook)))
}

/// Returns the configuration of a webhook; where it was not read, an address with the webhook's own name.
fn configuration<'w, 's>(webhooks: &'w [Webhook<'s>], name: &str) -> (ObjectRef, Option<&'w Webhook<'s>>) {
    let found = webhooks.iter().find(|webhook| webhook.name == name);
    let unknown = || ObjectRef::new(Kind::ValidatingWebhookConfiguration, "", name);
    (found.map_or_else(unknown, |webhook| webhook.object.clone()), found)
}

/// The webhook that a message names.
struct Hook<'h> {
    name: &'h str,
    /// Its configuration.
    object: &'h ObjectRef,
    /// Whether the configuration was read.
    known: bool,
    /// (namespace, name).
    service: Option<(String, String)>,
}

fn phrase(webhook: &str, configuration: &ObjectRef) -> String {
    if configuration.name == webhook {
        format!("webhook `{webhook}`")
    } else {
        format!("webhook `{webhook}` of {}", configuration.short())
    }
}

/// Returns the end of the message, which tells the cause: `Post "https://...": service "x" not found`.
fn why(message: &str) -> String {
    let rest = message.split_once("failed calling webhook \"").map_or(message, |(_, rest)| rest);
    let rest = rest.split_once("\": ").map_or(rest, |(_, rest)| rest).trim_start_matches("failed to call webhook: ");
    let cause = match rest.strip_prefix("Post \"").and_then(|rest| rest.split_once("\": ")) {
        Some((_, cause)) => cause,
        None => rest,
    };
    cause.trim_end_matches(['.', '\n']).to_owned()
}

/// Returns the Service behind the webhook: (namespace, name).
fn service(webhook: Option<&Webhook<'_>>, message: &str) -> Option<(String, String)> {
    if let Some(service) = webhook.and_then(|webhook| webhook.client.service.as_ref()) {
        return Some((service.namespace.clone(), service.name.clone()));
    }
    let host = refusal::between(message, "Post \"https://", "/")?.split(':').next()?;
    let (name, rest) = host.split_once('.')?;
    let namespace = rest.strip_suffix(".svc").or_else(|| rest.split_once(".svc.").map(|(namespace, _)| namespace))?;
    Some((namespace.to_owned(), name.to_owned()))
}

fn recommend(scene: &Scene<'_>, finding: Finding, hook: &Hook<'_>, refusal: &Refusal<'_>) -> Finding {
    let Some((namespace, name)) = &hook.service else {
        let summary = format!("make the address of webhook `{}` answer, or set its failurePolicy to Ignore", hook.name);
        return finding.recommend(Recommendation::new("edit-object", summary).risk(Risk::Medium));
    };
    if refusal.message.contains("x509") || refusal.message.contains("certificate") {
        let summary = format!(
            "set caBundle of webhook `{}` to the authority that signed the certificate of service {namespace}/{name}, or renew that certificate",
            hook.name
        );
        return finding.recommend(Recommendation::new("edit-object", summary).risk(Risk::Medium));
    }
    let look = quote::command(&["kubectl", "get", "service,endpointslices,pods", "-n", namespace]);
    let bring =
        format!("bring back service {namespace}/{name} and the pods behind it, which answer webhook `{}`", hook.name);
    let finding = finding.recommend(Recommendation::new("restore-service", bring).command(look));
    let found = scene.snapshot.objects.services.look_up(namespace, name);
    if !matches!(found, Lookup::Absent) || !hook.known {
        return finding;
    }
    let remove = format!(
        "or, if that policy was removed for good, delete {}: it guards nothing while nothing answers",
        hook.object.short()
    );
    let delete = quote::command(&["kubectl", "delete", &hook.object.kind.to_lowercase(), &hook.object.name]);
    finding
        .because(ObjectRef::new(Kind::Service, namespace, name), "metadata.name", "does not exist")
        .recommend(Recommendation::new("delete-object", remove).risk(Risk::Medium).command(delete))
}

fn get(hook: &Hook<'_>) -> String {
    if !hook.known {
        return "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml".to_owned();
    }
    quote::command(&["kubectl", "get", &hook.object.kind.to_lowercase(), &hook.object.name, "-o", "yaml"])
}
