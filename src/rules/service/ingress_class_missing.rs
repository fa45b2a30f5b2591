//! An Ingress that no controller picks up.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::model::{Lookup, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::near::nearest;
use k8s_openapi::api::networking::v1::Ingress;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "ingress-class-missing",
    category: "ingress_class_missing",
    summary: "detects Ingresses whose class does not exist, or that name none where no class is the default",
    docs: "\
## What it means
No ingress controller feels responsible for the Ingress, so its hosts and paths are not served.

## How it is detected
`ingressClassName` names no IngressClass; or there is no class, no class annotation, no default class and no address in \
the status. An Ingress that has an address is served by somebody.

## What to do
Set `ingressClassName` to one of the existing classes, or install the controller that brings the class.",
    severity: Severity::Error,
    needs: &[Kind::Ingress, Kind::IngressClass],
    uses: &[],
    explains: &[],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let ingresses = scene
        .snapshot
        .objects
        .ingresses
        .iter()
        .filter(|ingress| scene.snapshot.scope.includes(ingress.object.namespace()));
    ingresses.filter_map(|ingress| judge(scene, ingress)).collect()
}

fn judge(scene: &Scene<'_>, ingress: &Stored<Ingress>) -> Option<Finding> {
    let classes = &scene.snapshot.objects.ingress_classes;
    let object = ObjectRef::new(Kind::Ingress, ingress.object.namespace(), ingress.object.name());
    let status = ingress
        .status
        .as_ref()
        .and_then(|status| status.load_balancer.as_ref())
        .and_then(|balancer| balancer.ingress.as_ref());
    let served = status.is_some_and(|addresses| !addresses.is_empty());
    let names: Vec<&str> = classes.iter().map(|class| class.object.name()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    match ingress.spec.as_ref()?.ingress_class_name.as_deref() {
        Some(class) if matches!(classes.look_up("", class), Lookup::Absent) => {
            let message = format!(
                "ingress/{} names class `{class}`, which does not exist, so no controller serves it",
                ingress.object.name()
            );
            let near = nearest(class, names.iter().copied());
            let meant = if near.is_empty() { String::new() } else { format!(": did you mean {}?", near.join(" or ")) };
            let finding = RULE.finding(object.clone(), message).confidence(0.96).because(
                object.clone(),
                "spec.ingressClassName",
                class,
            );
            Some(advise(
                finding.key(class),
                &object,
                &known,
                &format!("set `ingressClassName` to an existing class, or install the controller of `{class}`{meant}"),
            ))
        }
        None if !served && !has_annotation(ingress) && scene.knows(Kind::IngressClass, "") && !has_default(scene) => {
            let message = format!(
                "ingress/{} names no class and no IngressClass is the default, so no controller serves it",
                ingress.object.name()
            );
            let finding = RULE.finding(object.clone(), message).severity(Severity::Warning).confidence(0.8).because(
                object.clone(),
                "spec.ingressClassName",
                "none",
            );
            Some(advise(
                finding,
                &object,
                &known,
                "set `ingressClassName`, or make a class the default with the annotation `ingressclass.kubernetes.io/is-default-class`",
            ))
        }
        _ => None,
    }
}

fn advise(finding: Finding, object: &ObjectRef, known: &str, summary: &str) -> Finding {
    let command = quote::command(&["kubectl", "edit", "ingress", &object.name, "-n", object.namespace()]);
    finding
        .because(object.clone(), "ingressclasses", known)
        .recommend(Recommendation::new("edit-object", summary).command(command))
        .next(quote::command(&["kubectl", "get", "ingressclasses"]))
}

fn has_annotation(ingress: &Ingress) -> bool {
    ingress
        .metadata
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key("kubernetes.io/ingress.class"))
}

fn has_default(scene: &Scene<'_>) -> bool {
    let key = "ingressclass.kubernetes.io/is-default-class";
    let mut annotations =
        scene.snapshot.objects.ingress_classes.iter().filter_map(|class| class.metadata.annotations.as_ref());
    annotations.any(|annotations| annotations.get(key).is_some_and(|value| value == "true"))
}
