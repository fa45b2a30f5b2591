//! `-o json`: the contract `rca/v1alpha1`, beside the internal types so that they may change.

pub mod limits;
mod shape;
mod sizing;
#[cfg(test)]
mod tests;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

pub use shape::ReportDto;
use shape::{
    AlternativeDto, BaselineDto, EvidenceDto, ExaminedDto, FindingDto, GapDto, GoneDto, IgnoredDto, IncidentDto, Meta,
    NarrativeDto, NotEvaluatedDto, ObjectDto, PolicyDto, RecommendationDto, ScopeDto, SentenceDto, SubjectDto,
};

use crate::model::{
    Evidence, Finding, Gap, Ids, Incident, Narrative, NotEvaluated, ObjectRef, Report, Risk, Subject, Target,
};
use crate::policy::{Compared, Ignored};

/// The version of the contract.
pub const VERSION: &str = "rca/v1alpha1";

/// Renders the report as indented JSON with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn render(report: &Report) -> anyhow::Result<Vec<u8>> {
    written(&dto(report))
}

/// Writes any document as indented JSON with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn written(document: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Generates the JSON Schema of [`ReportDto`], which is checked in as `schema/report-v1alpha1.json`.
pub fn schema() -> Schema {
    schema_of::<ReportDto<'static>>()
}

fn schema_of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Turns a report into the contract.
pub fn dto(report: &Report) -> ReportDto<'_> {
    let mut ids = Ids::default();
    ReportDto {
        api_version: "rca/v1alpha1",
        kind: "Report",
        meta: meta(report),
        incidents: report.incidents.iter().map(|incident| incident_dto(incident, &mut ids)).collect(),
        ignored: report.ignored.iter().map(ignored_dto).collect(),
        baseline: report.compared.as_ref().map(baseline_dto),
        not_evaluated: report.not_evaluated.iter().map(not_evaluated_dto).collect(),
        gaps: report.gaps.iter().enumerate().map(|(index, gap)| gap_dto(index, gap)).collect(),
    }
}

fn meta(report: &Report) -> Meta<'_> {
    let targets: Vec<String> = report.scope.targets.iter().map(Target::words).collect();
    let examined = report.examined;
    Meta {
        version: env!("CARGO_PKG_VERSION"),
        taken_at: report.taken_at,
        server: report.server.as_deref(),
        context: report.context.as_deref(),
        scope: ScopeDto {
            namespaces: &report.scope.namespaces,
            target: if let [one] = targets.as_slice() { Some(one.clone()) } else { None },
            targets: if targets.len() > 1 { targets } else { Vec::new() },
        },
        examined: ExaminedDto {
            pods: examined.pods,
            unready: examined.unready,
            workloads: examined.workloads,
            services: examined.services,
            events: examined.events,
            rules: examined.rules,
        },
        notes: &report.notes,
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
        affected: incident.affected.iter().map(object_dto).collect(),
        alternatives: incident.alternatives.iter().map(alternative_dto).collect(),
        recommendations: recommendations(incident, ids),
        narrative: incident.narrative.as_ref().map(narrative_dto),
        next: &incident.next,
    }
}

fn ignored_dto(ignored: &Ignored) -> IgnoredDto<'_> {
    let incident = &ignored.incident;
    IgnoredDto {
        id: &incident.id,
        severity: incident.severity.as_str(),
        rule: incident.cause.rule.id,
        subject: subject_dto(&incident.cause.subject),
        message: &incident.cause.message,
        reason: &ignored.reason,
        until: ignored.until,
        by: ignored.by,
    }
}

fn baseline_dto(compared: &Compared) -> BaselineDto<'_> {
    let gone = compared.gone.iter().map(|(id, message)| GoneDto { id, message });
    BaselineDto { taken_at: compared.taken_at, new: &compared.new, known: &compared.known, gone: gone.collect() }
}

fn finding_dto<'a>(finding: &'a Finding, ids: &mut Ids) -> FindingDto<'a> {
    FindingDto {
        rule: finding.rule.id,
        category: finding.rule.category,
        subject: subject_dto(&finding.subject),
        message: &finding.message,
        evidence: finding.evidence.iter().map(|evidence| evidence_dto(evidence, ids)).collect(),
    }
}

fn subject_dto(subject: &Subject) -> SubjectDto<'_> {
    SubjectDto { object: object_dto(&subject.object), container: subject.container.as_deref() }
}

fn object_dto(object: &ObjectRef) -> ObjectDto<'_> {
    ObjectDto {
        api_version: &object.api_version,
        kind: &object.kind,
        namespace: object.namespace.as_deref(),
        name: &object.name,
    }
}

fn evidence_dto<'a>(evidence: &'a Evidence, ids: &mut Ids) -> EvidenceDto<'a> {
    EvidenceDto {
        id: ids.evidence(),
        object: evidence.object.to_string(),
        path: &evidence.path,
        value: &evidence.value,
        time: evidence.time,
    }
}

fn alternative_dto(finding: &Finding) -> AlternativeDto<'_> {
    AlternativeDto {
        rule: finding.rule.id,
        category: finding.rule.category,
        message: &finding.message,
        confidence: round(finding.confidence),
    }
}

fn recommendations<'a>(incident: &'a Incident, ids: &mut Ids) -> Vec<RecommendationDto<'a>> {
    let numbered = incident.cause.recommendations.iter().map(|recommendation| {
        let sizing = recommendation.sizing.as_deref();
        RecommendationDto {
            id: ids.recommendation(),
            summary: &recommendation.summary,
            kind: recommendation.kind,
            risk: risk(recommendation.risk),
            policy: PolicyDto { allowed: false, because: "remediation is disabled" },
            command: recommendation.command.as_deref(),
            basis: sizing.map(sizing::basis),
            changes: sizing.map(sizing::changes).unwrap_or_default(),
            feasible: sizing.and_then(sizing::feasible),
            patch: sizing.and_then(sizing::patch),
            temporary: sizing.and_then(|sizing| sizing.temporary.as_deref()),
        }
    });
    numbered.collect()
}

fn narrative_dto(narrative: &Narrative) -> NarrativeDto<'_> {
    let sentences = narrative.sentences.iter();
    NarrativeDto {
        by: &narrative.by,
        sentences: sentences.map(|one| SentenceDto { text: &one.text, evidence: &one.evidence }).collect(),
        struck: narrative.struck,
    }
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "none",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}

fn not_evaluated_dto(entry: &NotEvaluated) -> NotEvaluatedDto {
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
