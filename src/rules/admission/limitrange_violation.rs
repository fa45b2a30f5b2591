//! Pods are outside of the namespace's LimitRange.

use k8s_openapi::api::core::v1::LimitRange;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal::{self, Refusal, Refuser};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "limitrange-violation",
    category: "limitrange_violation",
    summary: "detects workloads that cannot get pods because their requests or limits are outside of a LimitRange",
    docs: "\
## What it means
A LimitRange of the namespace bounds what one container, pod or claim may request. What the workload asks for is above its \
maximum, below its minimum, or its limit is too many times its request; the API server refuses the pod.

## How it is detected
A controller that still lacks pods was refused in the words of the LimitRange: `maximum memory usage per Container is ...`.

## What to do
Change the requests or limits of the workload so that they fit, or widen the LimitRange.",
    severity: Severity::Error,
    needs: &[Kind::Event],
    uses: &[Kind::LimitRange, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "readiness-probe-failing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let refusals = refusal::all(scene).into_iter().filter(|refusal| refusal.refuser == Refuser::LimitRange);
    refusals.map(|refusal| refused(scene, &refusal)).collect()
}

fn refused(scene: &Scene<'_>, refusal: &Refusal<'_>) -> Finding {
    let namespace = refusal.workload.namespace();
    let words = violation(refusal.message);
    let range = bound(words).and_then(|bound| find(scene, namespace, words, &bound));
    let whose =
        range.as_ref().map_or_else(|| "the limit range".to_owned(), |(name, ..)| format!("limit range `{name}`"));
    let workload = refusal.workload.short();
    let message = format!("{workload} is outside of {whose} of namespace/{namespace}: {}", refusal::cut(words, 160));
    let finding = RULE
        .finding(ObjectRef::new(Kind::Namespace, "", namespace), message)
        .key(format!("{workload}/{}", kind_of(words)));
    let mut finding = refusal.support(finding).confidence(0.97);
    let mut next = quote::command(&["kubectl", "describe", "limitrange", "-n", namespace]);
    if let Some((name, path, value)) = range {
        finding = finding.because(ObjectRef::new(Kind::LimitRange, namespace, &name), path, value);
        next = quote::command(&["kubectl", "describe", "limitrange", &name, "-n", namespace]);
    }
    let summary = format!(
        "change the requests and limits of {workload} so that they fit: {}; or widen {whose}",
        refusal::cut(words, 160)
    );
    finding.recommend(Recommendation::new("set-resources", summary)).next(next)
}

/// Returns the first violation: `[maximum memory usage per Container is 512Mi, but limit is 1Gi, maximum cpu ...]`.
fn violation(message: &str) -> &str {
    let start =
        ["maximum ", "minimum ", "max limit to request ratio "].iter().filter_map(|word| message.find(word)).min();
    let words = start.map_or(message, |start| &message[start..]);
    let words = words.trim_end_matches(['\n', '.']).trim_end_matches(']');
    let further = [", maximum ", ", minimum ", ", max limit "].iter().filter_map(|word| words.find(word)).min();
    further.map_or(words, |end| &words[..end])
}

/// Returns `maximum memory usage per Container`, which does not change with the amounts.
fn kind_of(words: &str) -> &str {
    words.split_once(" is ").map_or(words, |(kind, _)| kind)
}

fn bound(words: &str) -> Option<Quantity> {
    refusal::between(words, " is ", ",")?.parse().ok()
}

/// Finds the LimitRange with this bound: its name, the path and the value.
fn find(scene: &Scene<'_>, namespace: &str, words: &str, bound: &Quantity) -> Option<(String, String, String)> {
    let resource = words.split(' ').nth(1)?;
    let maximum = words.starts_with("maximum");
    let mut ranges = scene.snapshot.objects.limit_ranges.in_namespace(namespace);
    ranges.find_map(|range| in_range(range, words, resource, maximum, bound))
}

fn in_range(
    range: &Stored<LimitRange>,
    words: &str,
    resource: &str,
    maximum: bool,
    bound: &Quantity,
) -> Option<(String, String, String)> {
    let items = range.spec.as_ref()?.limits.iter();
    let mut items = items.filter(|item| words.contains(&format!(" per {}", item.type_)));
    items.find_map(|item| {
        let (word, bounds) = if maximum { ("max", &item.max) } else { ("min", &item.min) };
        let value = bounds.as_ref()?.get(resource)?.0.as_str();
        let same = value.parse::<Quantity>().is_ok_and(|value| value == *bound);
        same.then(|| {
            (range.object.name().to_owned(), format!("spec.limits[{}].{word}.{resource}", item.type_), value.to_owned())
        })
    })
}
