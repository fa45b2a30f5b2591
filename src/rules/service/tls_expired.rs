//! The certificate of an Ingress is no longer valid.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::networking::v1::Ingress;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::services::certificate;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "tls-expired",
    category: "tls_expired",
    summary: "detects Ingresses whose TLS certificate has expired or will within a week",
    docs: "\
## What it means
Clients refuse the connection, as the certificate that the Ingress serves is no longer valid.

## How it is detected
With `--read-tls-secrets` the certificate (never the key) of each Secret that `spec.tls` names is read, and its end is \
compared with the moment of the snapshot. One that ends within seven days is a warning.

## What to do
Renew the certificate and put it into the Secret. Where cert-manager issues it, look why the renewal failed.",
    severity: Severity::Critical,
    needs: &[Kind::Ingress],
    uses: &[Kind::Secret],
    explains: &[&["log-error-running", "log-trend"]],
    check,
};

/// So long before the end one should have renewed.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let ingresses = scene
        .snapshot
        .objects
        .ingresses
        .iter()
        .filter(|ingress| scene.snapshot.scope.includes(ingress.object.namespace()));
    ingresses.flat_map(|ingress| expired(scene, ingress)).collect()
}

fn expired(scene: &Scene<'_>, ingress: &Stored<Ingress>) -> Vec<Finding> {
    let tls = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    let names: BTreeSet<&str> = tls.filter_map(|tls| tls.secret_name.as_deref()).collect();
    names.into_iter().filter_map(|name| judge(scene, ingress, name)).collect()
}

fn judge(scene: &Scene<'_>, ingress: &Stored<Ingress>, name: &str) -> Option<Finding> {
    let namespace = ingress.object.namespace();
    let secret = scene.snapshot.objects.secrets.get(namespace, name)?;
    let end = certificate::not_after(secret.certificate.as_deref()?)?;
    let left = end.duration_since(scene.now());
    if left > SOON {
        return None;
    }
    let over = left <= SignedDuration::ZERO;
    let object = ObjectRef::new(Kind::Ingress, namespace, ingress.object.name());
    let what = if over { "expired" } else { "will expire" };
    let message =
        format!("the certificate in secret `{name}` of ingress/{} {what} on {}", ingress.object.name(), day(end));
    let summary =
        format!("renew the certificate in secret {name}; where cert-manager issues it, look why the renewal failed");
    let describe = quote::command(&["kubectl", "describe", "certificates", "-n", namespace]);
    let finding = RULE
        .finding(object.clone(), message)
        .key(name)
        .severity(if over { Severity::Critical } else { Severity::Warning })
        .confidence(0.97)
        .because(object, "spec.tls[*].secretName", name)
        .because_at(ObjectRef::new(Kind::Secret, namespace, name), "data[tls.crt].notAfter", end.to_string(), Some(end))
        .mentions(ObjectRef::new(Kind::Secret, namespace, name))
        .recommend(Recommendation::new("renew-certificate", summary))
        .next(describe);
    Some(if over { finding.seen(Some(end), Some(scene.now())) } else { finding })
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}
