//! `-o json`: the contract `rca/v1alpha1`, beside the internal types so that they may change.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Evidence, Finding, Gap, Incident, ObjectRef, Report};

/// The report as others rely on it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    meta: Meta<'a>,
    incidents: Vec<IncidentDto<'a>>,
    not_evaluated: Vec<NotEvaluatedDto>,
    gaps: Vec<GapDto<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    version: &'static str,
    taken_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    scope: ScopeDto<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct ScopeDto<'a> {
    namespaces: &'a [String],
    target: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IncidentDto<'a> {
    id: &'a str,
    severity: &'static str,
    confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Timestamp>,
    cause: FindingDto<'a>,
    effects: Vec<FindingDto<'a>>,
    affected: &'a [ObjectRef],
    alternatives: Vec<AlternativeDto<'a>>,
    recommendations: Vec<RecommendationDto<'a>>,
    next: &'a [String],
}

#[derive(Debug, Serialize)]
struct FindingDto<'a> {
    rule: &'static str,
    category: &'static str,
    subject: &'a crate::model::Subject,
    message: &'a str,
    evidence: Vec<EvidenceDto<'a>>,
}

#[derive(Debug, Serialize)]
struct EvidenceDto<'a> {
    id: String,
    object: String,
    path: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct AlternativeDto<'a> {
    rule: &'static str,
    category: &'static str,
    message: &'a str,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct RecommendationDto<'a> {
    id: String,
    summary: &'a str,
    kind: &'static str,
    risk: crate::model::Risk,
    policy: PolicyDto,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PolicyDto {
    allowed: bool,
    because: &'static str,
}

#[derive(Debug, Serialize)]
struct NotEvaluatedDto {
    rule: &'static str,
    because: String,
}

#[derive(Debug, Serialize)]
struct GapDto<'a> {
    id: String,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    reason: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    hint: String,
}

/// Numbers evidence and recommendations through the report.
#[derive(Default)]
struct Ids {
    evidence: usize,
    recommendations: usize,
}

/// Renders the report as indented JSON with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn render(report: &Report) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(&dto(report))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Turns a report into the contract.
pub fn dto(report: &Report) -> ReportDto<'_> {
    let mut ids = Ids::default();
    let target =
        report.scope.target.as_ref().map(|target| format!("{}/{}", target.kind.name().to_lowercase(), target.name));
    ReportDto {
        api_version: "rca/v1alpha1",
        kind: "Report",
        meta: Meta {
            version: env!("CARGO_PKG_VERSION"),
            taken_at: report.taken_at,
            server: report.server.as_deref(),
            context: report.context.as_deref(),
            scope: ScopeDto { namespaces: &report.scope.namespaces, target },
            notes: &report.notes,
        },
        incidents: report.incidents.iter().map(|incident| incident_dto(incident, &mut ids)).collect(),
        not_evaluated: report.not_evaluated.iter().map(not_evaluated_dto).collect(),
        gaps: report.gaps.iter().enumerate().map(|(index, gap)| gap_dto(index, gap)).collect(),
    }
}

fn incident_dto<'a>(incident: &'a Incident, ids: &mut Ids) -> IncidentDto<'a> {
    IncidentDto {
        id: &incident.id,
        severity: incident.severity.as_str(),
        confidence: round(incident.cause.confidence),
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
        cause: finding_dto(&incident.cause, ids),
        effects: incident.effects.iter().map(|effect| finding_dto(effect, ids)).collect(),
        affected: &incident.affected,
        alternatives: incident.alternatives.iter().map(alternative_dto).collect(),
        recommendations: recommendations(incident, ids),
        next: &incident.next,
    }
}

fn finding_dto<'a>(finding: &'a Finding, ids: &mut Ids) -> FindingDto<'a> {
    FindingDto {
        rule: finding.rule.id,
        category: finding.rule.category,
        subject: &finding.subject,
        message: &finding.message,
        evidence: finding.evidence.iter().map(|evidence| evidence_dto(evidence, ids)).collect(),
    }
}

fn evidence_dto<'a>(evidence: &'a Evidence, ids: &mut Ids) -> EvidenceDto<'a> {
    ids.evidence += 1;
    let id = format!("E{}", ids.evidence);
    EvidenceDto {
        id,
        object: evidence.object.to_string(),
        path: &evidence.path,
        value: &evidence.value,
        time: evidence.time,
    }
}

fn alternative_dto(finding: &Finding) -> AlternativeDto<'_> {
    let confidence = round(finding.confidence);
    AlternativeDto { rule: finding.rule.id, category: finding.rule.category, message: &finding.message, confidence }
}

fn recommendations<'a>(incident: &'a Incident, ids: &mut Ids) -> Vec<RecommendationDto<'a>> {
    let numbered = incident.cause.recommendations.iter().map(|recommendation| {
        ids.recommendations += 1;
        RecommendationDto {
            id: format!("R{}", ids.recommendations),
            summary: &recommendation.summary,
            kind: recommendation.kind,
            risk: recommendation.risk,
            policy: PolicyDto { allowed: false, because: "remediation is disabled" },
            command: recommendation.command.as_deref(),
        }
    });
    numbered.collect()
}

fn not_evaluated_dto(entry: &crate::model::NotEvaluated) -> NotEvaluatedDto {
    let gaps: Vec<String> = entry.gaps.iter().map(|index| format!("gap:G{}", index + 1)).collect();
    NotEvaluatedDto { rule: entry.rule, because: gaps.join(",") }
}

fn gap_dto(index: usize, gap: &Gap) -> GapDto<'_> {
    GapDto {
        id: format!("G{}", index + 1),
        what: &gap.what,
        namespace: gap.namespace.as_deref(),
        name: gap.name.as_deref(),
        reason: gap.reason.as_str(),
        message: &gap.message,
        hint: super::gap::hint(gap),
    }
}

/// Two places: more would be a precision that nobody measured.
fn round(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}
