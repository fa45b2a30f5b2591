//! An Ingress names a TLS Secret that does not exist.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use k8s_openapi::api::networking::v1::Ingress;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::near::nearest;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "tls-secret-missing",
    category: "tls_secret_missing",
    summary: "detects Ingresses whose TLS Secret does not exist or holds no certificate",
    docs: "\
## What it means
The controller has no certificate for the hosts, so it answers with its own default certificate, which browsers and \
clients refuse, or not at all.

## How it is detected
A Secret that `spec.tls` names does not exist in the Ingress's namespace, or its keys are known and `tls.crt` or \
`tls.key` is not among them. Where cert-manager is to issue it, a young Ingress gets some minutes.

## What to do
Create the Secret (`kubectl create secret tls`), correct its name, or look at the Certificate and its challenges where \
cert-manager issues it.",
    severity: Severity::Error,
    needs: &[Kind::Ingress, Kind::Secret],
    uses: &[],
    explains: &[],
    check,
};

/// An issuer's challenge takes a while.
const ISSUING: SignedDuration = SignedDuration::from_mins(3);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let ingresses = scene
        .snapshot
        .objects
        .ingresses
        .iter()
        .filter(|ingress| scene.snapshot.scope.includes(ingress.object.namespace()));
    ingresses.flat_map(|ingress| missing(scene, ingress)).collect()
}

fn missing(scene: &Scene<'_>, ingress: &Stored<Ingress>) -> Vec<Finding> {
    let tls = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    let names: BTreeSet<&str> =
        tls.filter_map(|tls| tls.secret_name.as_deref()).filter(|name| !name.is_empty()).collect();
    names.into_iter().filter_map(|name| judge(scene, ingress, name)).collect()
}

fn judge(scene: &Scene<'_>, ingress: &Stored<Ingress>, name: &str) -> Option<Finding> {
    let namespace = ingress.object.namespace();
    let secrets = &scene.snapshot.objects.secrets;
    let issued = ingress
        .metadata
        .annotations
        .iter()
        .flatten()
        .any(|(key, _)| key.starts_with("cert-manager.io/") || key == "kubernetes.io/tls-acme");
    let created = ingress.metadata.creation_timestamp.as_ref().map(|time| time.0);
    if issued && created.is_some_and(|created| scene.now().duration_since(created) < ISSUING) {
        return None;
    }
    let what = match secrets.look_up(namespace, name) {
        Lookup::Unknown => return None,
        Lookup::Absent => "which does not exist".to_owned(),
        Lookup::Found(secret) => {
            let keys = secret.keys.as_ref()?;
            let lacks = ["tls.crt", "tls.key"].into_iter().find(|key| !keys.contains(*key))?;
            format!("which has no key `{lacks}`")
        }
    };
    let object = ObjectRef::new(Kind::Ingress, namespace, ingress.object.name());
    let message = format!(
        "ingress/{} names TLS secret `{name}`, {what}, so its hosts have no valid certificate",
        ingress.object.name()
    );
    let near = nearest(name, secrets.in_namespace(namespace).map(|secret| secret.object.name()));
    let meant = if near.is_empty() { String::new() } else { format!(", or did you mean {}?", near.join(" or ")) };
    let recommendation =
        if issued {
            Recommendation::new("look", format!("look why cert-manager has not issued {name}"))
                .command(quote::command(&["kubectl", "describe", "certificates", "-n", namespace]))
        } else {
            let command = quote::command(&[
                "kubectl",
                "create",
                "secret",
                "tls",
                name,
                "--cert=tls.crt",
                "--key=tls.key",
                "-n",
                namespace,
            ]);
            Recommendation::new(
                "create-object",
                format!("create the TLS secret {name} with the certificate and key{meant}"),
            )
            .command(command)
        };
    let finding = RULE.finding(object.clone(), message).key(name).confidence(0.95);
    Some(
        finding
            .because(object, "spec.tls[*].secretName", name)
            .mentions(ObjectRef::new(Kind::Secret, namespace, name))
            .recommend(recommendation),
    )
}
