//! An amount with a unit that nobody can mean.

use k8s_openapi::api::core::v1::Container;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::Rule;
use crate::scene::pods::units::{self, Slip};
use crate::scene::{Scene, Workload, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "resource-unit",
    category: "advice",
    summary: "detects amounts of memory or CPU whose unit cannot be meant",
    docs: "\
## What it means
A request or limit has a unit that makes it absurd: `memory: 128m` is an eighth of a byte, as `m` means a thousandth; \
`memory: 512` is 512 bytes; `cpu: 500M` is five hundred million cores. As a limit of memory it keeps the container \
from starting at all; as a request it misleads the scheduler.

## How it is detected
Memory or ephemeral storage of less than 1Mi that is not written with `k` or `Ki`; more than ten thousand cores.

## What to do
Write the unit that was meant: `Mi` or `Gi` for memory, `m` for thousandths of a core.",
    severity: Severity::Info,
    needs: &[],
    uses: &[Kind::Pod, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob],
    explains: &[],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.workloads().iter().flat_map(of_workload).collect()
}

fn of_workload(workload: &Workload<'_>) -> Vec<Finding> {
    let Some(template) = workload.template else { return Vec::new() };
    let lists =
        [("initContainers", template.init_containers.as_deref()), ("containers", Some(&template.containers[..]))];
    let all = lists
        .into_iter()
        .flat_map(|(list, containers)| containers.unwrap_or_default().iter().map(move |container| (list, container)));
    all.flat_map(|(list, container)| of_container(workload, list, container)).collect()
}

fn of_container(workload: &Workload<'_>, list: &str, container: &Container) -> Vec<Finding> {
    let Some(resources) = container.resources.as_ref() else { return Vec::new() };
    let kinds = [("limits", resources.limits.as_ref()), ("requests", resources.requests.as_ref())];
    let amounts = kinds.into_iter().flat_map(|(kind, amounts)| {
        amounts.into_iter().flatten().map(move |(resource, amount)| (kind, resource.as_str(), amount.0.as_str()))
    });
    let slips = amounts
        .filter_map(|(kind, resource, literal)| Some((kind, resource, literal, units::slip(resource, literal)?)));
    let root = workload.template_path().unwrap_or("spec");
    let path = |kind: &str, resource: &str| format!("{root}.{list}[{}].resources.{kind}.{resource}", container.name);
    slips
        .map(|(kind, resource, literal, slip)| {
            RULE.finding(workload.object.clone(), message(workload, container, (kind, resource, literal), &slip))
                .container(&container.name)
                .key(format!("{kind}.{resource}"))
                .because(workload.object.clone(), path(kind, resource), literal)
                .confidence(0.95)
                .recommend(cure(workload, container, (kind, resource, literal), &slip))
        })
        .collect()
}

fn message(
    workload: &Workload<'_>,
    container: &Container,
    (kind, resource, literal): (&str, &str, &str),
    slip: &Slip,
) -> String {
    let meant = slip.meant.as_ref().map(|meant| format!("; `{meant}` was probably meant")).unwrap_or_default();
    let kind = kind.trim_end_matches('s');
    format!(
        "the {resource} {kind} `{literal}` of container `{}` of {} is {}{meant}",
        container.name,
        workload.object.short(),
        slip.says
    )
}

fn cure(
    workload: &Workload<'_>,
    container: &Container,
    (kind, resource, literal): (&str, &str, &str),
    slip: &Slip,
) -> Recommendation {
    let meant = slip.meant.as_deref().unwrap_or("an amount with the unit that was meant");
    let summary = format!("change {kind}.{resource} of `{}` from {literal} to {meant}", container.name);
    Recommendation::new("set-resources", summary).command(commands::edit(&workload.object))
}
