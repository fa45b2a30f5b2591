//! Whether new amounts are allowed: memory as for incidents, CPU and least amounts beside it.

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};

use crate::model::limits::Field;
use crate::model::sizing::Check;
use crate::model::store::HasMeta as _;
use crate::model::{Kind, Stored};
use crate::quantity::Quantity;
use crate::recommend::autoscalers;
use crate::recommend::change::Change;
use crate::recommend::feasible;
use crate::recommend::limits::opinion::Advice;
use crate::scene::access::quota;
use crate::scene::scheduling::fit::Guest;
use crate::scene::{ContainerView, Obstacle, Scene};

/// What stands in the way of an advice.
#[derive(Debug, Default)]
pub struct Verdicts {
    pub checks: Vec<Check>,
    pub unchecked: Vec<&'static str>,
    /// What has to give, for the first check that fails.
    pub gives: Option<String>,
}

impl Verdicts {
    /// Returns whether nothing stands in the way.
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    fn add(&mut self, what: String, ok: bool, detail: String, gives: impl FnOnce() -> String) {
        if !ok && self.gives.is_none() {
            self.gives = Some(gives());
        }
        self.checks.push(Check { what, ok, detail });
    }
}

/// Returns the new amount of a field, if it is advised.
fn new(advice: &[Advice], field: Field) -> Option<Quantity> {
    advice.iter().find(|one| one.field == field)?.amount.as_ref()?.parse().ok()
}

fn set(container: ContainerView<'_>, field: Field) -> Option<Quantity> {
    let literal =
        if field.list() == "limits" { container.limit(field.resource()) } else { container.request(field.resource()) };
    literal?.parse().ok()
}

/// Checks new amounts of memory.
pub fn memory<'s>(scene: &'s Scene<'s>, container: ContainerView<'s>, advice: &[Advice]) -> Verdicts {
    let limit = new(advice, Field::LimitsMemory).or_else(|| set(container, Field::LimitsMemory));
    let request = new(advice, Field::RequestsMemory);
    let change = Change { container, limit: limit.unwrap_or_default(), request };
    let outcome = feasible::check(scene, &change);
    let mut verdicts = Verdicts { checks: outcome.checks, unchecked: outcome.unchecked, gives: outcome.gives };
    ranges(scene, container, &mut verdicts, "memory", advice);
    let writer = autoscalers::writes(scene, &container.pod.workload().object, container.name(), "memory", false);
    if let Some(writer) = writer.filter(|_| verdicts.ok()) {
        let detail = format!("it writes the memory of `{}` itself", container.name());
        verdicts.add(writer.short(), false, detail, || format!("leave the memory request to {}", writer.short()));
    }
    verdicts
}

/// Checks a new CPU request.
pub fn cpu<'s>(scene: &'s Scene<'s>, container: ContainerView<'s>, advice: &[Advice]) -> Verdicts {
    let mut verdicts = Verdicts::default();
    ranges(scene, container, &mut verdicts, "cpu", advice);
    let Some(after) = new(advice, Field::RequestsCpu) else { return verdicts };
    let before = set(container, Field::RequestsCpu).unwrap_or_default();
    quotas(scene, container, &mut verdicts, before, after);
    nodes(scene, container, &mut verdicts, before, after);
    autoscaled(scene, container, &mut verdicts, before != after);
    verdicts
}

/// The least and most that `LimitRange`s allow, and how far a limit may be from its request.
fn ranges(scene: &Scene<'_>, container: ContainerView<'_>, verdicts: &mut Verdicts, resource: &str, advice: &[Advice]) {
    let ranges = scene.snapshot.objects.limit_ranges.in_namespace(container.pod.namespace());
    for (range, item) in ranges.flat_map(|range| items(range).map(move |item| (range, item))) {
        let what = format!("limitrange/{}", range.object.name());
        let amount = |amounts: Option<&std::collections::BTreeMap<String, _>>| of(amounts, resource);
        for (field, after) in advice.iter().filter(|one| one.field.resource() == resource).filter_map(amount_of) {
            if let Some(min) = amount(item.min.as_ref()) {
                let detail = format!("{} of a minimum of {} per Container", print(field, after), print(field, min));
                verdicts.add(what.clone(), after >= min, detail, || format!("lower the minimum of {what}"));
            }
            // Memory's maximum and ratio are among the checks of all recommendations.
            if let Some(max) = amount(item.max.as_ref()).filter(|_| resource == "cpu") {
                let detail = format!("{} of a maximum of {} per Container", print(field, after), print(field, max));
                verdicts.add(what.clone(), after <= max, detail, || format!("raise the maximum of {what}"));
            }
        }
        let ratio = amount(item.max_limit_request_ratio.as_ref()).filter(|_| resource == "cpu");
        let pair = set(container, Field::LimitsCpu).zip(new(advice, Field::RequestsCpu));
        if let (Some(ratio), Some((limit, request))) = (ratio, pair) {
            let ok = limit <= request.saturating_ratio(ratio.milli(), 1000);
            let detail = format!("{} is at most {} times the request of {}", limit.cpu(), ratio.cpu(), request.cpu());
            verdicts.add(what.clone(), ok, detail, || {
                format!("lower the CPU limit with the request, or raise the ratio of {what}")
            });
        }
    }
}

fn items(range: &Stored<LimitRange>) -> impl Iterator<Item = &LimitRangeItem> {
    range.spec.iter().flat_map(|spec| &spec.limits).filter(|item| item.type_ == "Container")
}

fn of(
    amounts: Option<&std::collections::BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>,
    resource: &str,
) -> Option<Quantity> {
    amounts?.get(resource)?.0.parse().ok()
}

fn amount_of(advice: &Advice) -> Option<(Field, Quantity)> {
    Some((advice.field, advice.amount.as_ref()?.parse().ok()?))
}

fn print(field: Field, amount: Quantity) -> String {
    if field.resource() == "cpu" { amount.cpu() } else { amount.mem() }
}

/// Returns what demands a CPU limit of the containers of a namespace, or would set one.
pub fn demands_cpu_limit(scene: &Scene<'_>, namespace: &str) -> Option<String> {
    let objects = &scene.snapshot.objects;
    let quota = objects.quotas.in_namespace(namespace).find(|quota| quota::numbers(quota, "limits.cpu").is_some());
    let sets = |item: &LimitRangeItem| {
        of(item.default.as_ref(), "cpu").is_some()
            || of(item.max.as_ref(), "cpu").is_some()
            || of(item.max_limit_request_ratio.as_ref(), "cpu").is_some()
    };
    let range = objects.limit_ranges.in_namespace(namespace).find(|range| items(range).any(sets));
    quota
        .map(|quota| format!("resourcequota/{}", quota.object.name()))
        .or_else(|| range.map(|range| format!("limitrange/{}", range.object.name())))
}

fn quotas(scene: &Scene<'_>, container: ContainerView<'_>, verdicts: &mut Verdicts, before: Quantity, after: Quantity) {
    if after <= before {
        return;
    }
    let replicas = i64::from(container.pod.workload().desired.unwrap_or(1)).max(1);
    let more = after.saturating_sub(before).saturating_mul(replicas);
    for quota in scene.snapshot.objects.quotas.in_namespace(container.pod.namespace()) {
        let numbers = ["requests.cpu", "cpu"].into_iter().find_map(|name| Some((name, quota::numbers(quota, name)?)));
        let Some((resource, (used, hard))) = numbers else { continue };
        let (Ok(used), Ok(hard)) = (used.parse::<Quantity>(), hard.parse::<Quantity>()) else { continue };
        let room = hard.saturating_sub(used);
        let what = format!("resourcequota/{}", quota.object.name());
        let plural = if replicas == 1 { "" } else { "s" };
        let detail = format!("{replicas} pod{plural} need {} more of {resource}, {} is free", more.cpu(), room.cpu());
        let lack = more.saturating_sub(room);
        verdicts.add(what.clone(), more <= room, detail, || format!("raise {resource} of {what} by {}", lack.cpu()));
    }
}

/// A larger request needs a node that has it.
fn nodes<'s>(
    scene: &'s Scene<'s>,
    container: ContainerView<'s>,
    verdicts: &mut Verdicts,
    before: Quantity,
    after: Quantity,
) {
    let nodes = scene.nodes();
    let Some(guest) = Guest::new(scene.snapshot, &container.pod.pod.object).filter(|_| nodes.known && after > before)
    else {
        return;
    };
    let allowed = |node: &&crate::scene::NodeRoom<'_>| {
        guest.obstacles(node).iter().all(|obstacle| matches!(obstacle, Obstacle::Resources | Obstacle::HostPort))
    };
    let mut candidates: Vec<_> = nodes.all.iter().filter(allowed).collect();
    candidates.sort_by_key(|node| (node.free("cpu"), node.name()));
    // A DaemonSet's pods go to all of them.
    let everywhere = container.pod.workload().object.is(Kind::DaemonSet);
    let Some(best) = (if everywhere { candidates.first() } else { candidates.last() }) else { return };
    let more = after.saturating_sub(before);
    // What its own old pod has there is counted as room, as it leaves.
    let own = everywhere || container.pod.node() == Some(best.name());
    let whole = guest.demand.get("cpu").copied().unwrap_or_default();
    let room = best.free("cpu").saturating_add(if own { whole } else { Quantity::ZERO });
    let demand = whole.saturating_add(more);
    let detail = format!("the pod asks for {}, node/{} has {} for it", demand.cpu(), best.name(), room.cpu());
    verdicts.add("nodes".to_owned(), demand <= room, detail, || "add a node, or move other pods away".to_owned());
}

fn autoscaled(scene: &Scene<'_>, container: ContainerView<'_>, verdicts: &mut Verdicts, moves: bool) {
    let workload = &container.pod.workload().object;
    if let Some(writer) = autoscalers::writes(scene, workload, container.name(), "cpu", false) {
        let detail = format!("it writes the CPU of `{}` itself", container.name());
        verdicts.add(writer.short(), false, detail, || format!("leave the CPU request to {}", writer.short()));
    }
    if let Some((scaler, percent)) = autoscalers::by_share(scene, workload, "cpu").filter(|_| moves) {
        let name = &scaler.name;
        let detail = format!(
            "`{name}` scales at {percent} % of the requested CPU: with another request it would run another number of replicas"
        );
        verdicts.add(scaler.short(), true, detail, String::new);
    }
}
