//! `-o name`: the objects to change, as `kubectl get -o name` names them.

use super::safe;
use crate::model::limits::{ContainerLimits, Limits};
use crate::model::{ObjectRef, Report};

/// Renders a line for each object that is the subject of a cause, in order, each once.
pub fn render(report: &Report) -> String {
    let mut names: Vec<String> = Vec::new();
    for incident in &report.incidents {
        let name = name(&incident.cause.subject.object);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| name + "\n").collect()
}

/// Renders a line for each workload whose amounts are to be changed, in order.
pub fn limits(limits: &Limits) -> String {
    let changed =
        limits.workloads.iter().filter(|workload| workload.containers.iter().any(ContainerLimits::is_changed));
    changed.map(|workload| name(&workload.object) + "\n").collect()
}

/// Writes `deployment.apps/cart`, or `pod/cart-0` for the core group.
fn name(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    let full = match object.api_version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{}", object.name),
        None => format!("{kind}/{}", object.name),
    };
    safe::line(&full).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn causes_are_named_as_kubectl_names_them() {
        insta::assert_snapshot!(render(&sample::rich()), @r"
        deployment.apps/cart
        statefulset.apps/worker
        resourcequota/mem
        node/worker-3
        ");
    }

    #[test]
    fn nothing_wrong_is_no_line() {
        assert_eq!(render(&sample::healthy()), "");
    }
}
