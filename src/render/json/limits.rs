//! `kubectl rca limits -o json`: `kind: Limits` of the contract. The comments here are descriptions in
//! `schema/limits-v1alpha1.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::shape::{BasisDto, CheckDto, FeasibleDto, GapDto, ObjectDto, PatchDto};
use super::sizing::basis_of;
use crate::model::limits::{Amounts, ContainerLimits, Costs, Field, Limits, Number, WorkloadLimits};

/// What workloads ask for, use, and should ask for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Limits")]
pub struct LimitsDto<'a> {
    #[schemars(extend("const" = "rca/v1alpha1"))]
    api_version: &'static str,
    #[schemars(extend("const" = "Limits"))]
    kind: &'static str,
    meta: MetaDto<'a>,
    workloads: Vec<WorkloadDto<'a>>,
    /// Over all workloads.
    totals: TotalsDto,
    /// What could not be read.
    gaps: Vec<GapDto<'a>>,
}

/// What was examined, and when.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Meta")]
struct MetaDto<'a> {
    /// The version of kubectl-rca.
    version: &'static str,
    /// The moment that is spoken of.
    taken_at: Timestamp,
    /// The version of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    /// The kubeconfig context.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    scope: ScopeDto<'a>,
    /// Who measured: `metrics-server`, `kubelet`, `Prometheus`; empty if nobody did.
    sources: &'a [&'static str],
}

/// What was asked about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scope")]
struct ScopeDto<'a> {
    /// Empty for all.
    namespaces: &'a [String],
    /// `kind/name` or `kind`, if that was named.
    target: Option<&'a str>,
}

/// One workload: what a person edits.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Workload")]
struct WorkloadDto<'a> {
    #[serde(flatten)]
    object: ObjectDto<'a>,
    replicas: i64,
    /// The worst of its containers.
    risk: &'static str,
    containers: Vec<ContainerDto<'a>>,
    /// Over all replicas.
    cost: CostDto,
    /// For all containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<PatchDto<'a>>,
    /// To be pasted into a shell.
    commands: &'a [String],
    /// Why a patch of the live object is not enough or does not last, and what to change instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary: Option<&'a str>,
}

/// One container of a workload.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Container")]
struct ContainerDto<'a> {
    name: &'a str,
    /// `undersized`, `lowered`, `unit`, `heap-flag`, `worker-count`, `leak` or `not-the-limit` for one that is killed for want of
    /// memory; else `near-limit`, `throttled`, `no-limit`, `no-request`, `request-low`, `oversized`, `fits` or `unmeasured`.
    verdict: &'static str,
    /// `none`, `low`, `medium` or `high`.
    risk: &'static str,
    /// As it is written; what is absent is not set.
    current: AmountsDto<'a>,
    /// The same as `current` where nothing is advised.
    recommended: AmountsDto<'a>,
    /// What was seen.
    usage: UsageDto<'a>,
    /// The arithmetic by field: `limits.memory`. A field may be here without being changed, where no number helps or fits.
    basis: BTreeMap<&'static str, BasisDto<'a>>,
    /// Whether the cluster has room for what is advised.
    #[serde(skip_serializing_if = "Option::is_none")]
    feasible: Option<FeasibleDto<'a>>,
    /// For this container alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<PatchDto<'a>>,
    /// Sentences, the most important first.
    notes: &'a [String],
}

/// The amounts of a container.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Amounts")]
struct AmountsDto<'a> {
    requests: PairDto<'a>,
    limits: PairDto<'a>,
}

/// CPU and memory as Kubernetes writes amounts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pair")]
struct PairDto<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<&'a str>,
}

/// What was seen of a container, over all its replicas.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Usage")]
struct UsageDto<'a> {
    /// The largest working set.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<NumberDto<'a>>,
    /// What 95 of 100 samples stay under.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<NumberDto<'a>>,
    /// The share of its time in which its CPU limit held it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    throttled: Option<NumberDto<'a>>,
    /// The most memory since it started, page cache included: an upper bound of the need.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel_peak: Option<NumberDto<'a>>,
}

/// A number with where it comes from.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Number")]
struct NumberDto<'a> {
    value: &'a str,
    formula: &'static str,
    inputs: &'a BTreeMap<&'static str, String>,
    /// What it rests on: `from-samples` or `from-days`.
    confidence: &'static str,
}

/// What all replicas ask for: the sum of the requests of the containers, a limit counting where there is no request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cost")]
struct CostDto {
    formula: &'static str,
    inputs: BTreeMap<&'static str, String>,
    cpu: SumDto,
    memory: SumDto,
}

/// One resource of a cost.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sum")]
struct SumDto {
    requested: String,
    recommended: String,
    /// Requested and not used, as far as use was measured.
    unused: String,
}

/// What all workloads ask for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Totals")]
struct TotalsDto {
    #[serde(flatten)]
    cost: CostDto,
}

/// Renders as indented JSON with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn render(limits: &Limits) -> anyhow::Result<Vec<u8>> {
    super::written(&dto(limits))
}

/// Generates the JSON Schema of [`LimitsDto`], which is checked in as `schema/limits-v1alpha1.json`.
pub fn schema() -> Schema {
    super::schema_of::<LimitsDto<'static>>()
}

/// Turns limits into the contract.
pub fn dto(limits: &Limits) -> LimitsDto<'_> {
    let inputs = BTreeMap::from([
        ("replicas", limits.replicas().to_string()),
        ("workloads", limits.workloads.len().to_string()),
    ]);
    LimitsDto {
        api_version: "rca/v1alpha1",
        kind: "Limits",
        meta: MetaDto {
            version: env!("CARGO_PKG_VERSION"),
            taken_at: limits.taken_at,
            server: limits.server.as_deref(),
            context: limits.context.as_deref(),
            scope: ScopeDto { namespaces: &limits.scope.namespaces, target: limits.target.as_deref() },
            sources: &limits.sources,
        },
        workloads: limits.workloads.iter().map(workload_dto).collect(),
        totals: TotalsDto { cost: cost_dto(limits.totals(), "sum over the workloads", inputs) },
        gaps: limits.gaps.iter().enumerate().map(|(index, gap)| super::gap_dto(index, gap)).collect(),
    }
}

fn workload_dto(workload: &WorkloadLimits) -> WorkloadDto<'_> {
    let inputs = BTreeMap::from([("replicas", workload.replicas.to_string())]);
    WorkloadDto {
        object: super::object_dto(&workload.object),
        replicas: workload.replicas,
        risk: workload.danger().as_str(),
        containers: workload.containers.iter().map(container_dto).collect(),
        cost: cost_dto(workload.costs, "sum of the requests of its containers × replicas", inputs),
        patch: workload.patch.as_ref().map(|body| PatchDto { type_: "strategic", body }),
        commands: &workload.commands,
        temporary: workload.temporary.as_deref(),
    }
}

fn container_dto(container: &ContainerLimits) -> ContainerDto<'_> {
    let checks = container.checks.iter();
    let checks: Vec<CheckDto<'_>> =
        checks.map(|check| CheckDto { check: &check.what, ok: check.ok, detail: &check.detail }).collect();
    let is_checked = container.is_changed() || !checks.is_empty();
    let ok = checks.iter().all(|check| check.ok);
    ContainerDto {
        name: &container.name,
        verdict: container.verdict.as_str(),
        risk: container.danger.as_str(),
        current: amounts_dto(&container.current),
        recommended: amounts_dto(&container.recommended),
        usage: UsageDto {
            memory: container.seen.memory.as_ref().map(number_dto),
            cpu: container.seen.cpu.as_ref().map(number_dto),
            throttled: container.seen.throttled.as_ref().map(number_dto),
            kernel_peak: container.seen.kernel_peak.as_ref().map(number_dto),
        },
        basis: container.basis.iter().map(|(field, basis)| (field.path(), basis_of(basis))).collect(),
        feasible: is_checked.then_some(FeasibleDto { ok, checks, unchecked: &container.unchecked }),
        patch: container.patch.as_ref().map(|body| PatchDto { type_: "strategic", body }),
        notes: &container.notes,
    }
}

fn amounts_dto(amounts: &Amounts) -> AmountsDto<'_> {
    let amount = |field: Field| amounts.get(&field).map(String::as_str);
    AmountsDto {
        requests: PairDto { cpu: amount(Field::RequestsCpu), memory: amount(Field::RequestsMemory) },
        limits: PairDto { cpu: amount(Field::LimitsCpu), memory: amount(Field::LimitsMemory) },
    }
}

fn number_dto(number: &Number) -> NumberDto<'_> {
    let confidence = number.footing.as_str();
    NumberDto { value: &number.value, formula: number.formula, inputs: &number.inputs, confidence }
}

fn cost_dto(costs: Costs, formula: &'static str, inputs: BTreeMap<&'static str, String>) -> CostDto {
    let Costs { requested, recommended, unused } = costs;
    CostDto {
        formula,
        inputs,
        cpu: SumDto { requested: requested.cpu.cpu(), recommended: recommended.cpu.cpu(), unused: unused.cpu.cpu() },
        memory: SumDto {
            requested: requested.memory.mem(),
            recommended: recommended.memory.mem(),
            unused: unused.memory.mem(),
        },
    }
}
