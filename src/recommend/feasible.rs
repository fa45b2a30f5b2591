//! Whether the cluster lets a workload have more memory: bounds, quotas, nodes and autoscalers.

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::sizing::Check;
use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Stored};
use crate::quantity::Quantity;
use crate::recommend::autoscalers;
use crate::recommend::change::Change;
use crate::recommend::memory::{Estimate, unit_of};
use crate::scene::access::quota;
use crate::scene::scheduling::fit::Guest;
use crate::scene::scheduling::nodes;
use crate::scene::{ContainerView, Obstacle, Scene, Workload};

/// The checks, and what fits.
#[derive(Debug, Default)]
pub struct Outcome {
    pub checks: Vec<Check>,
    /// The kinds that were not read.
    pub unchecked: Vec<&'static str>,
    /// The largest limit that passes all checks, where one of them fails.
    pub fits: Option<Quantity>,
    /// What has to give, for the first check that fails.
    pub gives: Option<String>,
}

/// One bound on the limit.
struct Bound {
    check: Check,
    /// The largest limit that it allows; `None` where no limit would do.
    most: Option<Quantity>,
    gives: String,
}

/// What the numbers are about.
struct Plan<'s> {
    scene: &'s Scene<'s>,
    container: ContainerView<'s>,
    workload: &'s Workload<'s>,
    before: Quantity,
    after: Quantity,
    /// The request before and after; the limit where none is set.
    request: (Quantity, Quantity),
}

/// Checks a change against all that was read.
pub fn check<'s>(scene: &'s Scene<'s>, change: &Change<'s>) -> Outcome {
    let container = change.container;
    let amount = |literal: Option<&str>| literal.and_then(|literal| literal.parse().ok()).unwrap_or_default();
    let before: Quantity = amount(container.limit("memory"));
    let asked: Quantity = amount(container.request("memory"));
    let follows = asked == before;
    let request = change.request.unwrap_or(if follows { change.limit } else { asked });
    let workload = container.pod.workload();
    let plan = Plan { scene, container, workload, before, after: change.limit, request: (asked, request) };
    let bounds: Vec<Bound> =
        [plan.ranges(), plan.quotas(), plan.nodes(), plan.autoscalers()].into_iter().flatten().collect();
    outcome(&plan, bounds)
}

/// Returns the least that a `LimitRange` lets a container have, and its name.
pub fn least<'s>(scene: &'s Scene<'_>, container: ContainerView<'_>) -> Option<(&'s str, Quantity)> {
    let ranges = scene.snapshot.objects.limit_ranges.in_namespace(container.pod.namespace());
    let items = ranges.flat_map(|range| {
        let items = range.spec.iter().flat_map(|spec| &spec.limits);
        items.filter(|item| item.type_ == "Container").map(move |item| (range.object.name(), item))
    });
    items.filter_map(|(name, item)| Some((name, of_memory(item.min.as_ref())?))).max_by_key(|(_, least)| *least)
}

/// Raises an estimate to what a `LimitRange` demands at least: with less, no pod would be made.
pub fn at_least(scene: &Scene<'_>, container: ContainerView<'_>, mut estimate: Estimate) -> Estimate {
    let Some((name, least)) = least(scene, container) else { return estimate };
    if estimate.limit.is_some_and(|limit| limit < least) {
        estimate.limit = Some(least);
        estimate.formula = format!("max({}, minimum of limitrange/{name})", estimate.formula);
        estimate.inputs.insert("minimum", least.mem());
    }
    estimate
}

fn outcome(plan: &Plan<'_>, bounds: Vec<Bound>) -> Outcome {
    let failed: Vec<&Bound> = bounds.iter().filter(|bound| !bound.check.ok).collect();
    let most = failed.iter().map(|bound| bound.most).min().flatten();
    let fits = most.map(|most| most.floor_to(unit_of(most))).filter(|most| *most > plan.before);
    let gives = failed.first().map(|bound| bound.gives.clone());
    let kinds = [Kind::LimitRange, Kind::ResourceQuota, Kind::Node].into_iter();
    let unread = kinds.filter(|kind| !plan.scene.knows(*kind, plan.workload.namespace()));
    let unchecked = unread.map(Kind::plural).collect();
    Outcome { fits, gives, unchecked, checks: bounds.into_iter().map(|bound| bound.check).collect() }
}

fn of_memory(amounts: Option<&std::collections::BTreeMap<String, resource::Quantity>>) -> Option<Quantity> {
    amounts?.get("memory")?.0.parse().ok()
}

/// Adds up the memory limits of a pod's containers.
fn limits(spec: &PodSpec) -> Quantity {
    let containers =
        spec.containers.iter().filter_map(|container| of_memory(container.resources.as_ref()?.limits.as_ref()));
    containers.fold(Quantity::ZERO, Quantity::saturating_add)
}

impl Plan<'_> {
    /// `LimitRange`s of the namespace: maximum and ratio of containers and pods.
    fn ranges(&self) -> Vec<Bound> {
        let ranges = self.scene.snapshot.objects.limit_ranges.in_namespace(self.workload.namespace());
        let items = ranges.flat_map(|range| {
            let items = range.spec.iter().flat_map(|spec| &spec.limits);
            items.map(move |item| (range, item))
        });
        items.flat_map(|(range, item)| self.range(range, item)).collect()
    }

    fn range(&self, range: &Stored<LimitRange>, item: &LimitRangeItem) -> Vec<Bound> {
        // Beside the container, the others of its pod count.
        let others = match item.type_.as_str() {
            "Container" => Quantity::ZERO,
            "Pod" => self.container.pod.spec().map(limits).unwrap_or_default().saturating_sub(self.before),
            _ => return Vec::new(),
        };
        let name = range.object.name();
        let whole = self.after.saturating_add(others);
        let bound = |word: &str, ok: bool, says: String, most: Quantity| Bound {
            check: Check { what: format!("limitrange/{name}"), ok, detail: format!("{says} per {}", item.type_) },
            most: Some(most),
            gives: format!("raise {word} of limitrange/{name}"),
        };
        let max = of_memory(item.max.as_ref()).map(|max| {
            let says = format!("{} of a maximum of {}", whole.mem(), max.mem());
            bound("the maximum", whole <= max, says, max.saturating_sub(others))
        });
        let ratio = of_memory(item.max_limit_request_ratio.as_ref()).filter(|_| item.type_ == "Container");
        let ratio = ratio.map(|ratio| {
            let most = times(self.request.1, ratio);
            let says = format!(
                "{} is at most {} times the request of {}",
                self.after.mem(),
                ratio.cpu(),
                self.request.1.mem()
            );
            bound("the request with the limit, or the ratio", self.after <= most, says, most)
        });
        max.into_iter().chain(ratio).collect()
    }

    /// Quotas without scopes: what all replicas need more, while the old pods of a rollout still run.
    fn quotas(&self) -> Vec<Bound> {
        let quotas = self.scene.snapshot.objects.quotas.in_namespace(self.workload.namespace());
        let plain = quotas.filter(|quota| {
            let spec = quota.spec.as_ref();
            spec.is_none_or(|spec| spec.scopes.as_ref().is_none_or(Vec::is_empty) && spec.scope_selector.is_none())
        });
        let resources = [("limits.memory", true), ("requests.memory", false), ("memory", false)];
        plain
            .flat_map(|quota| {
                let numbers = move |resource| quota::numbers(quota, resource);
                resources.iter().filter_map(move |(resource, limit)| {
                    let (used, hard) = numbers(resource)?;
                    let room = hard.parse::<Quantity>().ok()?.saturating_sub(used.parse().ok()?);
                    Some((quota.object.name(), *resource, *limit, room))
                })
            })
            .filter_map(|(name, resource, limit, room)| self.quota(name, resource, limit, room))
            .collect()
    }

    fn quota(&self, name: &str, resource: &str, limit: bool, room: Quantity) -> Option<Bound> {
        let (before, after) = if limit { (self.before, self.after) } else { self.request };
        if after <= before {
            return None;
        }
        let spec = self.container.pod.spec()?;
        let whole =
            if limit { limits(spec) } else { nodes::demand(spec).get("memory").copied().unwrap_or(Quantity::ZERO) };
        let replicas = i64::from(self.workload.desired.unwrap_or(1)).max(1);
        let surge = surge(self.scene, self.workload, replicas);
        let beside = whole.saturating_mul(surge);
        let more = after.saturating_sub(before).saturating_mul(replicas).saturating_add(beside);
        let plural = if replicas == 1 { "" } else { "s" };
        let during = if surge > 0 { format!(" and {surge} old beside them in the rollout") } else { String::new() };
        let detail = format!(
            "{replicas} pod{plural}{during} need {} more of {resource}, {} is free",
            more.mem(),
            nodes::print("memory", room)
        );
        let free = room
            .saturating_sub(beside)
            .max(Quantity::ZERO)
            .saturating_ratio(1, replicas)
            .floor_to(Quantity::from_bytes(1));
        let most = self.before.saturating_add(free);
        Some(Bound {
            check: Check { what: format!("resourcequota/{name}"), ok: more <= room, detail },
            most: Some(most),
            gives: format!(
                "raise {resource} of resourcequota/{name} by {}",
                more.saturating_sub(room).ceil_to(Quantity::from_bytes(1 << 20)).mem()
            ),
        })
    }

    /// The nodes that the pod may go to: the largest must hold it, and one should have room now.
    fn nodes(&self) -> Vec<Bound> {
        let nodes = self.scene.nodes();
        let Some(guest) = Guest::new(self.scene.snapshot, &self.container.pod.pod.object).filter(|_| nodes.known)
        else {
            return Vec::new();
        };
        let whole = guest.demand.get("memory").copied().unwrap_or_default();
        let others = whole.saturating_sub(self.request.0);
        let demand = others.saturating_add(self.request.1);
        let allowed = |node: &&nodes::NodeRoom<'_>| {
            let keeps = guest.obstacles(node);
            keeps.iter().all(|obstacle| matches!(obstacle, Obstacle::Resources | Obstacle::HostPort))
        };
        let mut candidates: Vec<_> = nodes.all.iter().filter(allowed).collect();
        candidates.sort_by_cached_key(|node| self.room(node));
        // A DaemonSet's pods go to all of them.
        let everywhere = self.workload.object.is(Kind::DaemonSet);
        let Some(best) = (if everywhere { candidates.first() } else { candidates.last() }) else {
            return Vec::new();
        };
        let about = if nodes.exact { "" } else { "at most " };
        let room = self.room(best);
        let detail = format!(
            "the pod asks for {}, node/{} has {about}{} for it of {}",
            nodes::print("memory", demand),
            best.name(),
            nodes::print("memory", room),
            nodes::print("memory", best.offers("memory"))
        );
        // Where the limit does not move the request, no node is asked for more.
        let ok = demand <= room || self.request.1 <= self.request.0;
        let most = room.saturating_sub(others);
        let gives = "add a node with more memory, or move other pods away".to_owned();
        vec![Bound { check: Check { what: "nodes".to_owned(), ok, detail }, most: Some(most), gives }]
    }

    /// Returns what a node has for a pod of the workload: what nobody asks for, and what one of its old pods leaves.
    fn room(&self, node: &nodes::NodeRoom<'_>) -> Quantity {
        let own = self.scene.pods_of(self.workload).filter(|pod| !pod.is_finished() && pod.node() == Some(node.name()));
        let leaves = own.filter_map(|pod| nodes::demand(pod.spec()?).get("memory").copied()).max();
        node.free("memory").saturating_add(leaves.unwrap_or_default()).max(Quantity::ZERO)
    }

    /// Autoscalers that look at the same resource.
    fn autoscalers(&self) -> Vec<Bound> {
        let object = &self.workload.object;
        let vertical = autoscalers::writer(self.scene, object, self.container.name()).map(|scaler| Bound {
            check: Check {
                what: scaler.short(),
                ok: false,
                detail: format!("it writes the memory of `{}` itself", self.container.name()),
            },
            most: None,
            gives: format!("set minAllowed.memory of {} to {}", scaler.short(), self.after.mem()),
        });
        let moves = self.request.1 != self.request.0;
        let horizontal = autoscalers::by_utilisation(self.scene, object).map(|(scaler, percent)| Bound {
            check: Check { what: scaler.short(), ok: true, detail: scales(&scaler, percent, moves) },
            most: Some(self.after),
            gives: String::new(),
        });
        vertical.into_iter().chain(horizontal).collect()
    }
}

fn scales(scaler: &ObjectRef, percent: i32, moves: bool) -> String {
    let name = &scaler.name;
    if moves {
        format!(
            "`{name}` scales at {percent} % of the requested memory: with a larger request it will run fewer replicas"
        )
    } else {
        format!("`{name}` scales at {percent} % of the requested memory, which stays")
    }
}

/// Multiplies by a ratio that is a quantity itself.
fn times(amount: Quantity, ratio: Quantity) -> Quantity {
    amount.saturating_ratio(ratio.milli(), 1000)
}

/// Returns how many pods a rollout adds before it takes old ones away.
fn surge(scene: &Scene<'_>, workload: &Workload<'_>, replicas: i64) -> i64 {
    if !workload.object.is(Kind::Deployment) {
        return 0;
    }
    let deployment = scene.snapshot.objects.deployments.get(workload.namespace(), &workload.object.name);
    let strategy = deployment.and_then(|found| found.spec.as_ref()?.strategy.as_ref());
    if strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate")) {
        return 0;
    }
    let percent = |percent: i64| replicas.saturating_mul(percent).saturating_add(99) / 100;
    match strategy.and_then(|strategy| strategy.rolling_update.as_ref()?.max_surge.as_ref()) {
        Some(IntOrString::Int(count)) => i64::from(*count).max(0),
        Some(IntOrString::String(text)) => text.trim_end_matches('%').parse().map_or(1, percent).max(0),
        None => percent(25),
    }
}
