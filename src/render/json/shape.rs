//! The shapes of `rca/v1alpha1`. Fields may be added, never renamed or retyped; strings that look like enums are open.
//!
//! The comments here are the descriptions in `schema/report-v1alpha1.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Why a pod, a workload or a namespace is broken.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Report")]
pub struct ReportDto<'a> {
    #[schemars(extend("const" = "rca/v1alpha1"))]
    pub(super) api_version: &'static str,
    #[schemars(extend("const" = "Report"))]
    pub(super) kind: &'static str,
    pub(super) meta: Meta<'a>,
    /// Worst and surest first.
    pub(super) incidents: Vec<IncidentDto<'a>>,
    /// What the user decided to live with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ignored: Vec<IgnoredDto<'a>>,
    /// How the incidents compare with an earlier report, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline: Option<BaselineDto<'a>>,
    /// Rules that could not judge everything.
    pub(super) not_evaluated: Vec<NotEvaluatedDto>,
    /// What could not be read.
    pub(super) gaps: Vec<GapDto<'a>>,
}

/// What was examined, and when.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Meta")]
pub(super) struct Meta<'a> {
    /// The version of kubectl-rca.
    pub(super) version: &'static str,
    /// The moment that the report speaks of.
    pub(super) taken_at: Timestamp,
    /// The version of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<&'a str>,
    /// The kubeconfig context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a str>,
    pub(super) scope: ScopeDto<'a>,
    pub(super) examined: ExaminedDto,
    /// How the answer was found, if not directly: the object that was asked about is gone.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) notes: &'a [String],
}

/// What was asked about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scope")]
pub(super) struct ScopeDto<'a> {
    /// Empty for all.
    pub(super) namespaces: &'a [String],
    /// `kind/name`, if one object was named.
    pub(super) target: Option<String>,
    /// `kind/name` of each, if several objects were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) targets: Vec<String>,
}

/// How much was looked at.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Examined")]
pub(super) struct ExaminedDto {
    pub(super) pods: usize,
    /// Pods that are neither ready nor finished.
    pub(super) unready: usize,
    pub(super) workloads: usize,
    pub(super) services: usize,
    pub(super) events: usize,
    pub(super) rules: usize,
}

/// One cause with everything that follows from it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Incident")]
pub(super) struct IncidentDto<'a> {
    /// Stable over restarts, renamed pods and finer rules.
    pub(super) id: &'a str,
    /// `critical` (users are hit now), `error`, `warning` or `info`.
    pub(super) severity: &'static str,
    /// How sure the cause is.
    #[schemars(range(min = 0, max = 1))]
    pub(super) confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_seen: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_seen: Option<Timestamp>,
    pub(super) cause: FindingDto<'a>,
    /// What the cause explains.
    pub(super) effects: Vec<FindingDto<'a>>,
    /// What the cause and its effects hit.
    pub(super) affected: Vec<ObjectDto<'a>>,
    /// Other causes that would explain the same, surest first.
    pub(super) alternatives: Vec<AlternativeDto<'a>>,
    pub(super) recommendations: Vec<RecommendationDto<'a>>,
    /// The same in a few sentences, if a model was asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) narrative: Option<NarrativeDto<'a>>,
    /// Commands that show more.
    pub(super) next: &'a [String],
}

/// An incident that the user decided to live with.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ignored")]
pub(super) struct IgnoredDto<'a> {
    pub(super) id: &'a str,
    /// What it would be if it were not ignored.
    pub(super) severity: &'static str,
    pub(super) rule: &'static str,
    pub(super) subject: SubjectDto<'a>,
    pub(super) message: &'a str,
    pub(super) reason: &'a str,
    /// When it will be trouble again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
    /// `config`, or `annotation` of the object.
    pub(super) by: &'static str,
}

/// How the incidents compare with an earlier report: ids.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Baseline")]
pub(super) struct BaselineDto<'a> {
    /// The moment of the earlier report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taken_at: Option<Timestamp>,
    /// Incidents above `info` that the earlier report does not have.
    pub(super) new: &'a [String],
    pub(super) known: &'a [String],
    /// Incidents of the earlier report that are no more.
    pub(super) gone: Vec<GoneDto<'a>>,
}

/// An incident that is no more.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Gone")]
pub(super) struct GoneDto<'a> {
    pub(super) id: &'a str,
    pub(super) message: &'a str,
}

/// What a rule found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub(super) struct FindingDto<'a> {
    /// `kubectl rca explain` tells about it.
    pub(super) rule: &'static str,
    /// `unknown` when nothing decides.
    pub(super) category: &'static str,
    pub(super) subject: SubjectDto<'a>,
    pub(super) message: &'a str,
    pub(super) evidence: Vec<EvidenceDto<'a>>,
}

/// The object that a person has to change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
pub(super) struct SubjectDto<'a> {
    #[serde(flatten)]
    pub(super) object: ObjectDto<'a>,
    /// The container in it, if one is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container: Option<&'a str>,
}

/// The address of an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Object")]
pub(super) struct ObjectDto<'a> {
    pub(super) api_version: &'a str,
    pub(super) kind: &'a str,
    /// Absent for what is cluster-scoped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

/// One quotable observation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Evidence")]
pub(super) struct EvidenceDto<'a> {
    /// Unique in the report.
    pub(super) id: String,
    /// `kind/namespace/name`, or `kind/name` where there is no namespace.
    pub(super) object: String,
    /// The field, or `log.previous:17` and the like.
    pub(super) path: &'a str,
    pub(super) value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Timestamp>,
}

/// Another cause that would explain the same.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Alternative")]
pub(super) struct AlternativeDto<'a> {
    pub(super) rule: &'static str,
    pub(super) category: &'static str,
    pub(super) message: &'a str,
    #[schemars(range(min = 0, max = 1))]
    pub(super) confidence: f64,
}

/// What to do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recommendation")]
pub(super) struct RecommendationDto<'a> {
    /// Unique in the report.
    pub(super) id: String,
    pub(super) summary: &'a str,
    /// The kind of change: `set-resources`, `create-object`, `edit-object`, `fix-image`, ...
    pub(super) kind: &'static str,
    /// `none`, `low`, `medium` or `high`.
    pub(super) risk: &'static str,
    pub(super) policy: PolicyDto,
    /// To be pasted into a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<&'a str>,
    /// The arithmetic, where an amount is recommended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) basis: Option<BasisDto<'a>>,
    /// The fields before and after; none where the amount does not fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) changes: Vec<ChangeDto<'a>>,
    /// Whether the cluster has room for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) feasible: Option<FeasibleDto<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) patch: Option<PatchDto<'a>>,
    /// Why a patch of the live object is not enough or does not last, and what to change instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temporary: Option<&'a str>,
}

/// Words that a model found, as far as they stood the check against the report; or words made without one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Narrative")]
pub(super) struct NarrativeDto<'a> {
    /// `ollama/MODEL`, `openai/MODEL`, or `template` where no model's words stood the check.
    pub(super) by: &'a str,
    pub(super) sentences: Vec<SentenceDto<'a>>,
    /// How many sentences of the model failed the check.
    pub(super) struck: usize,
}

/// One sentence.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sentence")]
pub(super) struct SentenceDto<'a> {
    pub(super) text: &'a str,
    /// Ids of the evidence that it rests on.
    pub(super) evidence: &'a [String],
}

/// Where a number comes from.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Basis")]
pub(super) struct BasisDto<'a> {
    /// `undersized`, `lowered`, `unit`, `heap-flag`, `worker-count`, `leak` or `not-the-limit`; in `Limits` also `throttled`,
    /// `no-limit`, `no-request`, `request-low` or `oversized`.
    pub(super) verdict: &'static str,
    /// What it rests on: `first-step` (the failure alone), `from-samples` or `from-days`.
    pub(super) confidence: &'static str,
    pub(super) formula: &'a str,
    /// What went into the formula, by name, as Kubernetes writes amounts.
    pub(super) inputs: &'a BTreeMap<&'static str, String>,
    /// What comes out, rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<&'a str>,
}

/// One field before and after.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
pub(super) struct ChangeDto<'a> {
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<&'a str>,
    pub(super) after: &'a str,
}

/// Whether nothing that was read stands in the way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Feasible")]
pub(super) struct FeasibleDto<'a> {
    pub(super) ok: bool,
    pub(super) checks: Vec<CheckDto<'a>>,
    /// Kinds that were not read, and so could stand in the way unseen.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) unchecked: &'a [&'static str],
}

/// One thing that could stand in the way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(super) struct CheckDto<'a> {
    /// `limitrange/NAME`, `resourcequota/NAME`, `nodes`, an autoscaler.
    pub(super) check: &'a str,
    pub(super) ok: bool,
    /// The numbers.
    pub(super) detail: &'a str,
}

/// A patch for the object that a person edits.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Patch")]
pub(super) struct PatchDto<'a> {
    /// `strategic`.
    #[serde(rename = "type")]
    pub(super) type_: &'static str,
    pub(super) body: &'a Value,
}

/// Whether the change may be made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Policy")]
pub(super) struct PolicyDto {
    pub(super) allowed: bool,
    pub(super) because: &'static str,
}

/// A rule that could not judge everything.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotEvaluated")]
pub(super) struct NotEvaluatedDto {
    pub(super) rule: &'static str,
    /// The gaps in its way: `gap:G2,gap:G5`.
    pub(super) because: String,
}

/// Something that should have been read and was not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Gap")]
pub(super) struct GapDto<'a> {
    /// Unique in the report.
    pub(super) id: String,
    /// The resource: `secrets`, `pods/log`.
    pub(super) what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'a str>,
    /// One object, where only that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    /// `forbidden`, `not-served`, `timeout`, ...
    pub(super) reason: &'static str,
    /// The server's own words.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) message: &'a str,
    /// What to do about it.
    pub(super) hint: String,
}
