//! `kubectl rca limits`: a table of all containers, what to change and why, and the sum.

use super::gaps;
use super::page::{Page, Span};
use super::table::{self, Cell};
use super::words::count;
use crate::model::limits::{ContainerLimits, Cost, Danger, Field, Limits, WorkloadLimits};
use crate::model::sizing::{Check, Footing, Verdict};
use crate::model::{Kind, ObjectRef};
use crate::quantity::Quantity;
use crate::render::look::{Ink, Look};

const GIBI: i64 = 1 << 30;

/// Renders limits for people.
pub fn render(limits: &Limits, look: &Look) -> String {
    let mut page = Page::new(*look);
    if limits.workloads.is_empty() {
        let place = place(limits, look);
        page.put(&[(Ink::Strong, &format!("no workloads in {place}"))]);
    } else {
        table::write(&mut page, &rows(limits, look));
        limits.workloads.iter().for_each(|workload| changes(&mut page, limits, workload));
    }
    gaps::could_not_read(&mut page, &limits.gaps);
    if !limits.workloads.is_empty() {
        sum(&mut page, limits);
    }
    page.finish()
}

/// The namespaces and the target in words.
fn place(limits: &Limits, look: &Look) -> String {
    super::words::place(&limits.scope, limits.context.as_deref(), look)
}

fn several_namespaces(limits: &Limits) -> bool {
    limits.scope.namespaces.len() != 1
}

fn rows(limits: &Limits, look: &Look) -> Vec<Vec<Cell>> {
    let everywhere = several_namespaces(limits);
    let head = ["NAMESPACE", "WORKLOAD", "CONTAINER", "MEMORY", "PEAK", "CPU", "P95", "UNUSED", "VERDICT"];
    let unused = has_room_for_unused(look);
    let head = head.into_iter().filter(|title| match *title {
        "NAMESPACE" => everywhere,
        "UNUSED" => unused,
        _ => true,
    });
    let mut rows = vec![head.map(|title| Cell::new(Ink::Dim, title)).collect()];
    for workload in &limits.workloads {
        for (index, container) in workload.containers.iter().enumerate() {
            let mut row = row(workload, container, index == 0, look);
            if everywhere {
                let namespace = if index == 0 { workload.object.namespace() } else { "" };
                row.insert(0, Cell::new(Ink::Plain, &look.line(namespace)).may_shrink());
            }
            rows.push(row);
        }
    }
    rows
}

/// What is asked for and not used is shown where everything is wanted and there is room for it.
fn has_room_for_unused(look: &Look) -> bool {
    look.wide && look.columns() >= 110
}

fn row(workload: &WorkloadLimits, container: &ContainerLimits, first: bool, look: &Look) -> Vec<Cell> {
    let pair = |request: Field, limit: Field| {
        let amount = |field: Field| container.current.get(&field).map_or("-", String::as_str);
        match (amount(request), amount(limit)) {
            ("-", "-") => "-".to_owned(),
            (request, limit) => look.line(&format!("{request}/{limit}")).into_owned(),
        }
    };
    let seen = |number: Option<&crate::model::limits::Number>| {
        number.map_or_else(|| "-".to_owned(), |number| number.value.clone())
    };
    let name = if first { short(&workload.object) } else { String::new() };
    let unused = workload.costs.unused;
    let wasted = format!("{} cores, {} GiB", cores(unused.cpu), gibi(unused.memory));
    let unused = if first && unused != Cost::default() { wasted } else { String::new() };
    let unused = has_room_for_unused(look).then(|| Cell::new(Ink::Plain, &unused));
    let cells = [
        Cell::new(Ink::Plain, &look.line(&name)).may_shrink(),
        Cell::new(Ink::Plain, &look.line(&container.name)).may_shrink(),
        Cell::new(Ink::Plain, &pair(Field::RequestsMemory, Field::LimitsMemory)),
        Cell::new(Ink::Plain, &seen(container.seen.memory.as_ref())),
        Cell::new(Ink::Plain, &pair(Field::RequestsCpu, Field::LimitsCpu)),
        Cell::new(Ink::Plain, &seen(container.seen.cpu.as_ref())),
    ];
    let verdict = Cell::new(ink(container), container.verdict.as_str());
    cells.into_iter().chain(unused).chain([verdict]).collect()
}

/// Names a workload as kubectl's short names do: a table has little room.
fn short(object: &ObjectRef) -> String {
    let kinds = [
        (Kind::Deployment, "deploy"),
        (Kind::StatefulSet, "sts"),
        (Kind::DaemonSet, "ds"),
        (Kind::CronJob, "cj"),
        (Kind::ReplicaSet, "rs"),
        (Kind::ReplicationController, "rc"),
    ];
    let known = kinds.into_iter().find(|(kind, _)| object.is(*kind));
    known.map_or_else(|| object.short(), |(_, short)| format!("{short}/{}", object.name))
}

fn ink(container: &ContainerLimits) -> Ink {
    match container.danger {
        Danger::High => Ink::Error,
        Danger::Medium => Ink::Warning,
        Danger::Low => Ink::Info,
        Danger::None if container.verdict == Verdict::Oversized => Ink::Info,
        Danger::None => Ink::Dim,
    }
}

/// Writes what is to be changed in a workload, and of what nothing is to be changed but much is at stake.
fn changes(page: &mut Page, limits: &Limits, workload: &WorkloadLimits) {
    let wide = page.look.wide;
    let told = |container: &&ContainerLimits| {
        let infeasible = container.checks.iter().any(|check| !check.ok);
        // The verdict in the table says it all.
        let plain = matches!(container.verdict, Verdict::NoLimit | Verdict::NoRequest);
        let at_stake = container.danger == Danger::High || (container.danger == Danger::Medium && !plain);
        container.is_changed() || infeasible || at_stake || (wide && !container.notes.is_empty())
    };
    let containers: Vec<&ContainerLimits> = workload.containers.iter().filter(told).collect();
    if containers.is_empty() {
        return;
    }
    page.gap();
    let replicas = usize::try_from(workload.replicas).unwrap_or(usize::MAX);
    let name = if several_namespaces(limits) { workload.object.to_string() } else { workload.object.short() };
    let name = page.look.line(&name).into_owned();
    // What runs by the clock has none at most times.
    let scheduled = workload.object.is(Kind::CronJob);
    let replicas = if scheduled { String::new() } else { format!(", {}", count(replicas, "replica")) };
    page.put(&[(Ink::Strong, &name), (Ink::Dim, &replicas)]);
    for container in containers {
        one(page, container);
    }
    cost(page, workload);
    if let Some(temporary) = &workload.temporary {
        let text = page.look.line(temporary).into_owned();
        page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &text);
    }
    for command in &workload.commands {
        page.command(command);
    }
}

fn one(page: &mut Page, container: &ContainerLimits) {
    let lead = format!("  {}: ", page.look.line(&container.name));
    let notes: Vec<String> = container.notes.iter().map(|note| page.look.line(note).into_owned()).collect();
    let shown = if page.look.wide { notes.len() } else { notes.len().min(2) };
    let mut first: Vec<Span<'_>> = vec![(Ink::Strong, &lead)];
    let indent = " ".repeat(4);
    for note in &notes[..shown] {
        page.hang(&first, &[(Ink::Plain, &indent)], Ink::Plain, note, usize::MAX);
        first = vec![(Ink::Plain, &indent)];
    }
    for field in Field::ALL {
        arithmetic(page, container, field);
    }
    let all = page.look.wide;
    let changed = container.is_changed();
    // What scales by a request that changes is worth a thought, though it forbids nothing.
    let scales = |check: &Check| changed && check.what.starts_with("horizontalpodautoscaler/");
    for check in container.checks.iter().filter(|check| all || !check.ok || scales(check)) {
        let word = match check.ok {
            true if scales(check) => "mind",
            true => "fits",
            false => "does not fit",
        };
        let text = page.look.line(&format!("{word}: {}: {}", check.what, check.detail)).into_owned();
        let lead = [(Ink::Plain, "    ")];
        page.hang(&lead, &lead, Ink::Dim, &text, 2);
    }
    if container.is_changed() && !container.unchecked.is_empty() {
        let text = format!("not checked, as they were not read: {}", container.unchecked.join(", "));
        page.prose(&[(Ink::Plain, "    ")], Ink::Dim, &text);
    }
}

/// Writes one field before and after, and where the number comes from.
fn arithmetic(page: &mut Page, container: &ContainerLimits, field: Field) {
    let Some(basis) = container.basis.get(&field) else { return };
    let (before, after) = (container.current.get(&field), container.recommended.get(&field));
    if before != after {
        let none = "none".to_owned();
        let arrow = page.look.sign(" → ", " -> ");
        let text = format!("{} {}{arrow}{}", field.words(), before.unwrap_or(&none), after.unwrap_or(&none));
        let text = page.look.line(&text).into_owned();
        page.put(&[(Ink::Plain, page.look.sign("  → ", " -> ")), (Ink::Strong, &text)]);
    }
    let inputs: Vec<String> = basis.inputs.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let result = basis.result.as_ref().map(|result| format!("{result} = ")).unwrap_or_default();
    let footing = basis.footing.as_str().replace('-', " ");
    let text = format!("{result}{} ({}; {footing})", basis.formula, inputs.join(", "));
    let text = page.look.line(&text).into_owned();
    let lead = [(Ink::Plain, "    ")];
    page.hang(&lead, &lead, Ink::Dim, &text, 2);
}

/// Writes what a change costs or frees over all replicas.
fn cost(page: &mut Page, workload: &WorkloadLimits) {
    let (before, after) = (workload.costs.requested, workload.costs.recommended);
    if before == after {
        return;
    }
    let arrow = page.look.sign("→", "->");
    let mut parts = Vec::new();
    if before.cpu != after.cpu {
        parts.push(format!("{} {arrow} {} cores", cores(before.cpu), cores(after.cpu)));
    }
    if before.memory != after.memory {
        parts.push(format!("{} {arrow} {} GiB", gibi(before.memory), gibi(after.memory)));
    }
    let text = format!("requested over all replicas: {}", parts.join(", "));
    page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &text);
}

/// Writes the totals, and what the numbers rest on.
fn sum(page: &mut Page, limits: &Limits) {
    page.gap();
    let totals = limits.totals();
    let both = |cost: Cost| format!("{} cores and {} GiB", cores(cost.cpu), gibi(cost.memory));
    let replicas = usize::try_from(limits.replicas()).unwrap_or(usize::MAX);
    let place = place(limits, &page.look);
    let mut text = format!(
        "{} of {} in {place}: {} requested",
        count(replicas, "replica"),
        count(limits.workloads.len(), "workload"),
        both(totals.requested)
    );
    if totals.recommended != totals.requested {
        text.push_str(&format!(", {} recommended", both(totals.recommended)));
    }
    if totals.unused != Cost::default() {
        text.push_str(&format!("; {} of it were not used", both(totals.unused)));
    }
    page.prose(&[], Ink::Plain, &text);
    let source = match limits.sources.as_slice() {
        [] => "nothing was measured: metrics-server and Prometheus did not answer or know none of these containers; \
               with rights to nodes/proxy, --kubelet-metrics asks the kubelets"
            .to_owned(),
        sources => format!("measured by {}; {}", sources.join(", "), reach(limits)),
    };
    page.prose(&[], Ink::Dim, &source);
}

/// Says what the samples do not tell.
fn reach(limits: &Limits) -> &'static str {
    let numbers = limits.workloads.iter().flat_map(|workload| &workload.containers);
    let windows = numbers.filter_map(|container| container.seen.memory.as_ref());
    if windows.clone().any(|number| number.footing == Footing::Days) {
        return "what may shrink is told of those with a day of samples";
    }
    if windows.clone().any(|number| number.inputs.contains_key("window")) {
        return "a day of samples, as in Prometheus, would tell what may shrink";
    }
    "these are single samples: --sample 2m sees more, and a day of them, as in Prometheus, would tell what may shrink"
}

/// `1.25`: cores to hundredths, rounded up.
fn cores(amount: Quantity) -> String {
    hundredths(amount.saturating_mul(100).value())
}

/// `3.5`: GiB to hundredths, rounded up.
fn gibi(amount: Quantity) -> String {
    hundredths(amount.saturating_ratio(100, GIBI).value())
}

fn hundredths(number: i64) -> String {
    let text = format!("{}.{:02}", number / 100, (number % 100).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
