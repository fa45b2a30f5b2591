//! An autoscaler cannot read what it scales by.

use jiff::SignedDuration;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::access::refusal;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "hpa-no-metrics",
    category: "hpa_no_metrics",
    summary: "detects HorizontalPodAutoscalers that cannot read their metric or their target",
    docs: "\
## What it means
The autoscaler does not know how busy its pods are, so that it does not scale. A share of the request cannot be computed where a \
container requests nothing; without metrics-server nothing is measured at all.

## How it is detected
The autoscaler's condition `ScalingActive` is `False` with a reason such as `FailedGetResourceMetric`, or `AbleToScale` is \
`False` because the target was not found.

## What to do
Give every container of the target a request for the metric's resource, side-cars too; or install metrics-server or the adapter \
that serves the metric.",
    severity: Severity::Warning,
    needs: &[Kind::HorizontalPodAutoscaler],
    uses: &[Kind::Deployment, Kind::Pod],
    explains: &[&["owner-not-ready"]],
    check,
};

/// New pods have no metrics in their first minutes.
const WARM_UP: SignedDuration = SignedDuration::from_mins(3);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let scalers = scene.snapshot.objects.autoscalers.iter();
    let scalers = scalers.filter(|scaler| scene.snapshot.scope.includes(scaler.object.namespace()));
    scalers.filter_map(|scaler| blind(scene, scaler)).collect()
}

fn blind(scene: &Scene<'_>, scaler: &Stored<HorizontalPodAutoscaler>) -> Option<Finding> {
    let condition = failing(scaler)?;
    let (reason, text) =
        (condition.reason.as_deref().unwrap_or_default(), condition.message.as_deref().unwrap_or_default());
    let target = target(scaler)?;
    if warming_up(scene, &target, text) {
        return None;
    }
    let object = ObjectRef::new(Kind::HorizontalPodAutoscaler, scaler.object.namespace(), scaler.object.name());
    let since = condition.last_transition_time.as_ref().map(|time| time.0);
    let metric = metric(scaler, text);
    let cause = cause(text, metric, &target);
    let message = format!("hpa `{}` cannot scale {}: {cause}", scaler.object.name(), target.short());
    let mut finding = RULE
        .finding(object.clone(), message)
        .key(metric.unwrap_or(reason))
        .because_at(
            object.clone(),
            format!("status.conditions[{}].message", condition.type_),
            refusal::cut(text, 300),
            since,
        )
        .because_at(object.clone(), format!("status.conditions[{}].reason", condition.type_), reason, since)
        .seen(since, Some(scene.now()))
        .affects(target.clone())
        .mentions(target.clone())
        .confidence(0.95);
    if let Some(container) = unrequested(text) {
        finding = requests(scene, finding, &target, container, metric);
    }
    finding = finding.recommend(cure(&target, text, metric));
    Some(finding.next(quote::command(&[
        "kubectl",
        "describe",
        "hpa",
        scaler.object.name(),
        "-n",
        scaler.object.namespace(),
    ])))
}

fn failing(scaler: &Stored<HorizontalPodAutoscaler>) -> Option<&HorizontalPodAutoscalerCondition> {
    let conditions = scaler.status.as_ref()?.conditions.as_ref()?;
    let mut failing = conditions.iter().filter(|condition| condition.status == "False");
    failing.find(|condition| match condition.type_.as_str() {
        "ScalingActive" => condition.reason.as_deref() != Some("ScalingDisabled"),
        "AbleToScale" => condition.reason.as_deref() == Some("FailedGetScale"),
        _ => false,
    })
}

fn target(scaler: &Stored<HorizontalPodAutoscaler>) -> Option<ObjectRef> {
    let target = &scaler.spec.as_ref()?.scale_target_ref;
    let api_version = target.api_version.as_deref().unwrap_or_default();
    Some(ObjectRef::parse(api_version, &target.kind, Some(scaler.object.namespace()), &target.name))
}

/// Returns whether the pods are so young that their metrics may still come.
fn warming_up(scene: &Scene<'_>, target: &ObjectRef, text: &str) -> bool {
    let early = ["no metrics returned", "did not receive metrics", "no metrics to be", "unable to get metrics"]
        .iter()
        .any(|word| text.contains(word));
    let young = |created: jiff::Timestamp| scene.now().duration_since(created) < WARM_UP;
    let Some(workload) = scene.workload(target).filter(|_| early) else { return false };
    scene.pods_of(workload).any(|pod| pod.created().is_some_and(young))
}

/// Returns the metric: that of the message, else the only one of the spec.
fn metric<'s>(scaler: &'s Stored<HorizontalPodAutoscaler>, text: &str) -> Option<&'s str> {
    let metrics = scaler.spec.as_ref()?.metrics.as_deref()?;
    let names = || {
        metrics.iter().filter_map(|metric| {
            let resource = metric.resource.as_ref().map(|source| source.name.as_str());
            let container = metric.container_resource.as_ref().map(|source| source.name.as_str());
            let pods = metric.pods.as_ref().map(|source| source.metric.name.as_str());
            let object = metric.object.as_ref().map(|source| source.metric.name.as_str());
            resource
                .or(container)
                .or(pods)
                .or(object)
                .or_else(|| metric.external.as_ref().map(|source| source.metric.name.as_str()))
        })
    };
    names().find(|name| text.contains(name)).or_else(|| names().next())
}

/// Returns the container that requests nothing: `missing request for cpu in container web of Pod web-1`.
fn unrequested(text: &str) -> Option<&str> {
    let rest = text.split_once("missing request for ")?.1;
    let container = refusal::between(rest, " in container ", " ");
    Some(container.unwrap_or_default())
}

fn cause(text: &str, metric: Option<&str>, target: &ObjectRef) -> String {
    let metric = metric.unwrap_or("its metric");
    match unrequested(text) {
        Some("") => format!(
            "a container of {} has no {metric} request, so that its {metric} utilization cannot be computed",
            target.short()
        ),
        Some(container) => format!(
            "container `{container}` has no {metric} request, so that its {metric} utilization cannot be computed"
        ),
        None if lacks_server(text) => format!("metric `{metric}` is not served, as metrics-server does not answer"),
        None => {
            let end = text.split_once("unable to compute the replica count: ").map_or(text, |(_, end)| end);
            refusal::cut(end.trim_end_matches('.'), 160)
        }
    }
}

fn lacks_server(text: &str) -> bool {
    let absent = [
        "could not find the requested resource",
        "the server is currently unable to handle the request",
        "no matches for",
    ];
    text.contains("metrics.k8s.io")
        && !text.contains("custom.metrics")
        && !text.contains("external.metrics")
        && absent.iter().any(|word| text.contains(word))
}

fn requests(scene: &Scene<'_>, finding: Finding, target: &ObjectRef, container: &str, metric: Option<&str>) -> Finding {
    let template = scene.workload(target).and_then(|workload| workload.template);
    let Some(found) = template.and_then(|template| template.containers.iter().find(|one| one.name == container)) else {
        return finding;
    };
    let requests = found.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let stated: Vec<String> =
        requests.into_iter().flatten().map(|(name, amount)| format!("{name}={}", amount.0)).collect();
    let value = if stated.is_empty() { format!("no {}", metric.unwrap_or("request")) } else { stated.join(",") };
    finding.because(target.clone(), format!("spec.template.spec.containers[{container}].resources.requests"), value)
}

fn cure(target: &ObjectRef, text: &str, metric: Option<&str>) -> Recommendation {
    let metric = metric.unwrap_or("its metric");
    if let Some(container) = unrequested(text) {
        let summary = format!("set a {metric} request on container `{container}` of {}", target.short());
        let (request, name) = (format!("--requests={metric}=<amount>"), target.short());
        let mut words = vec!["kubectl", "set", "resources", &name, "-n", target.namespace()];
        if !container.is_empty() {
            words.extend(["-c", container]);
        }
        words.push(&request);
        return Recommendation::new("set-resources", summary).command(quote::command(&words));
    }
    if lacks_server(text) {
        let check = "kubectl get apiservice v1beta1.metrics.k8s.io";
        return Recommendation::new("install", "install or repair metrics-server, which serves metrics.k8s.io")
            .command(check);
    }
    if text.contains("not found") && text.contains(&format!("\"{}\"", target.name)) {
        return Recommendation::new("edit-object", format!("correct scaleTargetRef: {} was not found", target.short()));
    }
    Recommendation::new(
        "repair",
        format!("repair what serves metric `{metric}`: metrics-server or the metrics adapter"),
    )
}
