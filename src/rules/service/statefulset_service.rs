//! A StatefulSet's `serviceName` names no headless Service.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "statefulset-service",
    category: "statefulset_service",
    summary: "detects StatefulSets whose `serviceName` names no Service, or none that is headless",
    docs: "\
## What it means
The pods of a StatefulSet get their DNS names (`db-0.db`) from the headless Service that `serviceName` names. Without it \
members that look for each other by name do not find each other.

## How it is detected
The Service that is named does not exist (a warning), or it has a cluster IP and so gives no names to single pods (told \
as advice, as many sets do without).

## What to do
Create a Service of that name with `clusterIP: None` and the set's selector. `serviceName` itself cannot be changed.",
    severity: Severity::Warning,
    needs: &[Kind::StatefulSet, Kind::Service],
    uses: &[],
    explains: &[consequences::CALLS_FAIL, &["external-dns", "service-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let sets =
        scene.snapshot.objects.stateful_sets.iter().filter(|set| scene.snapshot.scope.includes(set.object.namespace()));
    let named = sets.filter_map(|set| {
        let service = set.spec.as_ref()?.service_name.as_deref().filter(|name| !name.is_empty())?;
        judge(scene, set.object.namespace(), set.object.name(), service)
    });
    named.collect()
}

fn judge(scene: &Scene<'_>, namespace: &str, set: &str, name: &str) -> Option<Finding> {
    let object = ObjectRef::new(Kind::StatefulSet, namespace, set);
    match scene.snapshot.objects.services.look_up(namespace, name) {
        Lookup::Unknown => None,
        Lookup::Absent => {
            let message = format!(
                "statefulset/{set} names service `{name}`, which does not exist, so its pods have no DNS names"
            );
            let command = quote::command(&[
                "kubectl",
                "expose",
                &object.short(),
                &format!("--name={name}"),
                "--cluster-ip=None",
                "-n",
                namespace,
            ]);
            let summary = format!("create the headless service {name} with the selector of statefulset/{set}");
            let finding =
                RULE.finding(object.clone(), message).confidence(0.95).because(object, "spec.serviceName", name);
            Some(finding.key(name).recommend(Recommendation::new("create-object", summary).command(command)))
        }
        Lookup::Found(service) => {
            let address = service
                .spec
                .as_ref()
                .and_then(|spec| spec.cluster_ip.as_deref())
                .filter(|address| *address != "None" && !address.is_empty())?;
            let message = format!(
                "statefulset/{set} names service `{name}`, which is not headless, so its single pods have no DNS names"
            );
            let summary =
                format!("create service {name} anew with `clusterIP: None` if members call each other by name");
            let finding = RULE.finding(object.clone(), message).severity(Severity::Info).confidence(0.8).because(
                object,
                "spec.serviceName",
                name,
            );
            let finding = finding.because(ObjectRef::new(Kind::Service, namespace, name), "spec.clusterIP", address);
            Some(finding.key(name).recommend(Recommendation::new("edit-object", summary)))
        }
    }
}
