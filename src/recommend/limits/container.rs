//! One container: what it has, what was seen, what is advised, and whether that fits.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Container;

use crate::model::limits::{Amounts, ContainerLimits, Danger, Field, Number, Seen};
use crate::model::sizing::{Basis, Footing, Verdict};
use crate::model::{Incident, Recommendation, Sizing, State};
use crate::recommend::autoscalers;
use crate::recommend::edit::{self, Edit};
use crate::recommend::limits::bounds::{self, Verdicts};
use crate::recommend::limits::opinion::{self, Advice, Amount, Health, Opinion, Remark};
use crate::recommend::limits::usage::{Book, Measured, Usage};
use crate::recommend::limits::{cpu, memory};
use crate::recommend::process::Words;
use crate::recommend::samples::Table;
use crate::recommend::settle;
use crate::scene::pods::memory as oom;
use crate::scene::{ContainerView, Role, Scene, Workload};

/// A container of a workload, and the newest replica of it.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'s> {
    pub scene: &'s Scene<'s>,
    pub workload: &'s Workload<'s>,
    pub spec: &'s Container,
    pub role: Role,
    /// `None` where the workload has no pod.
    pub view: Option<ContainerView<'s>>,
}

/// A version that is younger may need more than the ones before it.
const SETTLED: SignedDuration = SignedDuration::from_hours(1);

impl<'s> Piece<'s> {
    /// Returns what the incident of this container recommends, if it is killed for want of memory.
    pub fn incident<'i>(&self, incidents: &'i [Incident]) -> Option<(&'i Incident, Option<&'i Recommendation>)> {
        let mut about = incidents.iter().filter(|incident| {
            let cause = &incident.cause;
            cause.rule.id == super::super::OOM_KILLED
                && cause.state == State::Present
                && cause.subject.object == self.workload.object
                && cause.subject.container.as_deref() == Some(&self.spec.name)
        });
        let incident = about.next()?;
        Some((incident, incident.cause.recommendations.iter().find(|advice| advice.sizing.is_some())))
    }

    /// Puts together what is known and advised.
    pub fn review(&self, book: &Book<'s>, incidents: &[Incident]) -> ContainerLimits {
        let usage = book.of(&self.workload.object, &self.spec.name);
        let current = self.current();
        let mut found = Found::new(self.spec.name.clone(), current.clone(), seen(&usage));
        let health = self.health();
        if let Some((incident, advice)) = self.incident(incidents) {
            found.killed(incident, advice);
        } else {
            let mut opinion = memory::judge(&self.memory_facts(&usage, &current, health));
            self.look_again(&book.table, &mut opinion);
            found.take(self, opinion, |view, advice| bounds::memory(self.scene, view, advice));
        }
        let opinion = cpu::judge(&self.cpu_facts(&usage, &current, health));
        found.take(self, opinion, |view, advice| bounds::cpu(self.scene, view, advice));
        found.finish(self)
    }

    /// Takes back what was too much of a raise, once the kernel has counted the peak.
    fn look_again(&self, table: &Table<'s>, opinion: &mut Opinion) {
        let advised = opinion.advice.iter().any(|advice| advice.field == Field::LimitsMemory);
        let look = settle::look(self.scene, table, self.workload, &self.spec.name);
        let Some(look) = look.filter(|_| !advised) else { return };
        opinion.remark(Verdict::Oversized, Danger::None, look.words);
        let basis = super::super::basis_of(&look.estimate);
        if let Some(request) = look.request {
            opinion.advice.retain(|advice| advice.field != Field::RequestsMemory);
            let inputs = [("limit", request.mem())];
            let basis = opinion::basis(Verdict::Oversized, basis.footing, "limit, as before", inputs);
            opinion.advise(Field::RequestsMemory, request.mem(), basis);
        }
        opinion.advise(Field::LimitsMemory, look.limit.mem(), basis);
    }

    /// Returns the edit that makes of a container what is recommended; `None` where that is what it has.
    pub fn edit(&self, limits: &ContainerLimits) -> Option<Edit<'s>> {
        let changed = |field: &Field| limits.current.get(field) != limits.recommended.get(field);
        let fields: Vec<_> = Field::ALL
            .into_iter()
            .filter(changed)
            .map(|field| (field, limits.recommended.get(&field).cloned()))
            .collect();
        (!fields.is_empty()).then_some(Edit { name: &self.spec.name, role: self.role, fields })
    }

    /// Returns the amounts of the newest pod, but for requests that the server made of the limits.
    fn current(&self) -> Amounts {
        let mut amounts = self.written();
        for (request, limit) in [(Field::RequestsCpu, Field::LimitsCpu), (Field::RequestsMemory, Field::LimitsMemory)] {
            if amounts.get(&request) == amounts.get(&limit) && !self.asks(request.resource()) {
                amounts.remove(&request);
            }
        }
        amounts
    }

    fn written(&self) -> Amounts {
        let resources = self.spec.resources.as_ref();
        let literal = |field: Field| {
            let resources = resources?;
            let list = if field.list() == "limits" { &resources.limits } else { &resources.requests };
            list.as_ref()?.get(field.resource()).map(|amount| amount.0.clone())
        };
        Field::ALL.into_iter().filter_map(|field| Some((field, literal(field)?))).collect()
    }

    /// Returns whether the request is written in what a person edits: in a pod, the server puts the limit for one that is not.
    fn asks(&self, resource: &str) -> bool {
        let written = |container: &Container| {
            let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
            requests.is_some_and(|requests| requests.contains_key(resource))
        };
        self.in_template().map_or_else(|| written(self.spec), written)
    }

    /// Returns the same container in the workload's template.
    fn in_template(&self) -> Option<&'s Container> {
        let template = self.workload.template?;
        let mut containers = template.containers.iter().chain(template.init_containers.iter().flatten());
        containers.find(|container| container.name == self.spec.name)
    }

    fn replicas(&self) -> impl Iterator<Item = ContainerView<'s>> {
        let name = &self.spec.name;
        self.scene.pods_of(self.workload).filter_map(move |pod| pod.container(name))
    }

    fn health(&self) -> Health {
        let crashes = self.replicas().any(|view| view.crash().is_some_and(|crash| crash.state == State::Present));
        let Some(run) = self.view.and_then(ContainerView::running).filter(|_| !crashes) else { return Health::Unwell };
        let up = run.started_at.as_ref().map(|start| self.scene.now().duration_since(start.0));
        if up >= Some(SETTLED) { Health::Settled } else { Health::Young }
    }

    fn memory_facts(&self, usage: &Usage, current: &Amounts, health: Health) -> memory::Facts {
        let limit = Amount::read(current.get(&Field::LimitsMemory).map(String::as_str));
        let request = Amount::read(current.get(&Field::RequestsMemory).map(String::as_str));
        memory::Facts {
            explicit: request.is_some() && self.asks("memory"),
            request: request.or_else(|| limit.clone()),
            limit,
            peak: usage.peak(),
            health,
            killed_once: self.replicas().any(|view| oom::of(view).is_some()),
            heap: self.view.and_then(|view| Words::of(view).heap()),
            advised: autoscalers::target(self.scene, &self.workload.object, &self.spec.name, "memory"),
            scaled_at: self.scaled_at("memory"),
        }
    }

    fn cpu_facts(&self, usage: &Usage, current: &Amounts, health: Health) -> cpu::Facts {
        let limit = Amount::read(current.get(&Field::LimitsCpu).map(String::as_str));
        let request = Amount::read(current.get(&Field::RequestsCpu).map(String::as_str));
        cpu::Facts {
            explicit: request.is_some() && self.asks("cpu"),
            request: request.or_else(|| limit.clone()),
            limit,
            used: usage.cpu(),
            throttled: usage.throttled,
            health,
            advised: autoscalers::target(self.scene, &self.workload.object, &self.spec.name, "cpu"),
            scaled_at: self.scaled_at("cpu"),
            limit_demanded: bounds::demands_cpu_limit(self.scene, self.workload.namespace()),
        }
    }

    /// Returns the share of a requested resource at which the workload is scaled.
    fn scaled_at(&self, resource: &str) -> Option<i64> {
        let (_, percent) = autoscalers::by_share(self.scene, &self.workload.object, resource)?;
        Some(i64::from(percent)).filter(|percent| *percent > 0)
    }

    /// Returns whether the template says another amount than the pods have: a rollout is under way, or something changes it.
    fn differs_from_template(&self, field: Field) -> Option<String> {
        let other = Piece { spec: self.in_template().filter(|_| self.view.is_some())?, ..*self };
        let told = other.written().remove(&field)?;
        (self.written().get(&field) != Some(&told)).then_some(told)
    }
}

fn seen(usage: &Usage) -> Seen {
    let number = |measured: Measured, value, formula| {
        let inputs = opinion::sampled(&measured);
        Number { value, formula, inputs, footing: opinion::footing(&measured) }
    };
    let peak = |measured: Measured| {
        number(measured, memory::shown(measured.amount), "max of the working set over all replicas")
    };
    let cpu = |measured: Measured| number(measured, measured.amount.cpu(), "P95 of the samples of the busiest replica");
    Seen {
        memory: usage.peak().map(peak),
        cpu: usage.cpu().map(cpu),
        throttled: usage.throttled.filter(|periods| periods.all > 0.0).map(|periods| Number {
            value: cpu::percent(periods),
            formula: "throttled periods / periods",
            inputs: BTreeMap::from([
                ("periods", format!("{:.0}", periods.all)),
                ("throttled", format!("{:.0}", periods.throttled)),
            ]),
            footing: Footing::Samples,
        }),
        kernel_peak: usage.kernel_peak.map(|peak| Number {
            value: memory::shown(peak),
            formula: "the kernel's maximum since the container started, page cache included",
            inputs: BTreeMap::from([("container_memory_max_usage_bytes", peak.value().to_string())]),
            footing: Footing::Samples,
        }),
    }
}

/// What is known of a container, in the making.
struct Found {
    limits: ContainerLimits,
    remarks: Vec<Remark>,
    /// The largest window of its samples counts as measured.
    measured: bool,
}

impl Found {
    fn new(name: String, current: Amounts, seen: Seen) -> Self {
        let measured = seen.memory.is_some() || seen.cpu.is_some();
        let limits = ContainerLimits {
            name,
            verdict: Verdict::Fits,
            danger: Danger::None,
            recommended: current.clone(),
            current,
            seen,
            basis: BTreeMap::new(),
            notes: Vec::new(),
            checks: Vec::new(),
            unchecked: Vec::new(),
            patch: None,
        };
        Self { limits, remarks: Vec::new(), measured }
    }

    /// Takes over what the incident of a container that is killed for want of memory recommends.
    fn killed(&mut self, incident: &Incident, advice: Option<&Recommendation>) {
        let verdict = advice.and_then(|advice| Some(advice.sizing.as_ref()?.basis.verdict));
        let mut remark = |note: &str| {
            let verdict = verdict.unwrap_or(Verdict::NoLimit);
            self.remarks.push(Remark { verdict, danger: Danger::High, note: note.to_owned() });
        };
        remark(&incident.cause.message);
        let others = incident.cause.recommendations.iter().filter(|_| advice.is_none());
        advice.into_iter().chain(others).for_each(|advice| remark(&advice.summary));
        if let Some(sizing) = advice.and_then(|advice| advice.sizing.as_deref()) {
            self.sized(sizing);
        }
    }

    fn sized(&mut self, sizing: &Sizing) {
        self.limits.basis.insert(Field::LimitsMemory, sizing.basis.clone());
        for change in &sizing.changes {
            let is = |field: &Field| change.path.ends_with(&format!("resources.{}", field.path()));
            let Some(field) = Field::ALL.into_iter().find(is) else { continue };
            self.limits.recommended.insert(field, change.after.clone());
            if field == Field::RequestsMemory {
                let inputs = [("limit", change.after.clone())];
                let basis = opinion::basis(sizing.basis.verdict, sizing.basis.footing, "limit, as before", inputs);
                self.limits.basis.insert(field, Basis { result: Some(change.after.clone()), ..basis });
            }
        }
        self.limits.checks.extend(sizing.checks.iter().cloned());
        self.limits.unchecked.extend(&sizing.unchecked);
    }

    /// Takes in what is said of a resource, if what is advised fits.
    fn take<'s>(
        &mut self,
        piece: &Piece<'s>,
        mut opinion: Opinion,
        check: impl Fn(ContainerView<'s>, &[Advice]) -> Verdicts,
    ) {
        for advice in std::mem::take(&mut opinion.advice) {
            match piece.differs_from_template(advice.field) {
                Some(told) => opinion.remarks.push(Remark {
                    verdict: Verdict::Fits,
                    danger: Danger::None,
                    note: format!("its template says {told} as {} by now", advice.field.words()),
                }),
                None => opinion.advice.push(advice),
            }
        }
        self.remarks.append(&mut opinion.remarks);
        if opinion.advice.is_empty() {
            return;
        }
        let verdicts = piece.view.map(|view| check(view, &opinion.advice)).unwrap_or_default();
        let ok = verdicts.ok();
        for Advice { field, amount, basis } in opinion.advice {
            self.limits.basis.insert(field, basis);
            match amount.filter(|_| ok) {
                Some(amount) => _ = self.limits.recommended.insert(field, amount),
                None if ok => _ = self.limits.recommended.remove(&field),
                None => {}
            }
        }
        if let Some(gives) = &verdicts.gives {
            let note = format!("what its samples say does not fit: {gives}");
            self.remarks.push(Remark { verdict: Verdict::Fits, danger: Danger::None, note });
        }
        self.limits.checks.extend(verdicts.checks);
        let unread = verdicts.unchecked.into_iter().filter(|kind| !self.limits.unchecked.contains(kind));
        self.limits.unchecked.extend(unread.collect::<Vec<_>>());
    }

    /// The worst remark is the verdict; who is measured and not remarked upon fits.
    fn finish(mut self, piece: &Piece<'_>) -> ContainerLimits {
        let silent = if self.measured { Verdict::Fits } else { Verdict::Unmeasured };
        // The first of the worst; what is wasted is said before what fits.
        let weight = |remark: &Remark| (remark.danger, remark.verdict != Verdict::Fits);
        let worst = self.remarks.iter().rev().max_by_key(|remark| weight(remark));
        self.limits.verdict =
            worst.filter(|worst| worst.verdict != Verdict::Fits).map_or(silent, |worst| worst.verdict);
        self.limits.danger = worst.map(|worst| worst.danger).unwrap_or_default();
        self.remarks.sort_by_key(|remark| std::cmp::Reverse(weight(remark)));
        self.limits.notes =
            self.remarks.into_iter().map(|remark| remark.note).filter(|note| !note.is_empty()).collect();
        let edits: Vec<Edit<'_>> = piece.edit(&self.limits).into_iter().collect();
        self.limits.patch = edit::patch(piece.scene, piece.workload, &edits);
        self.limits
    }
}
