//! One incident.

use super::{amounts, anchor, graph, prose};
use crate::model::story::Dependency;
use crate::model::{Evidence, Finding, Ids, Incident, Recommendation, Report, Risk, Severity};
use crate::render::markup::{block, line};
use crate::render::text::words::{count_kind, sure};
use crate::render::text::{ago, decided};

/// Writes an incident.
pub(super) fn write(report: &Report, incident: &Incident, dependencies: &[Dependency], ids: &mut Ids) -> String {
    let severity = incident.severity.as_str();
    let cause = &incident.cause;
    let mut text = format!(
        "<article class=\"{severity}\" id=\"{}\">\n<h2><span class=\"tag {severity}\">{severity}</span> {}</h2>\n<p class=\"dim\">{}</p>\n",
        anchor(&incident.id),
        prose(&cause.message),
        about(report, incident)
    );
    text += &told(incident);
    text += &titled("How that is known", &proof(cause, ids));
    let effects: String = incident.effects.iter().map(|effect| follows(effect, ids)).collect();
    if !effects.is_empty() {
        text += &titled("What follows from it", &format!("<ul>\n{effects}</ul>\n"));
    }
    text += &titled("Who depends on whom", &graph::draw(incident, dependencies));
    text += &titled("What is hit", &hits(incident));
    let advice: String = cause.recommendations.iter().map(|advice| advise(advice, &ids.recommendation())).collect();
    text += &titled("What to do", &advice);
    if incident.severity > Severity::Info {
        text += &titled("Or perhaps", &alternatives(incident));
    }
    text += &titled("To know more", &incident.next.iter().map(|next| command(next)).collect::<String>());
    text + "</article>\n"
}

fn titled(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("<section>\n<h3>{title}</h3>\n{content}</section>\n") }
}

fn about(report: &Report, incident: &Incident) -> String {
    let subject = &incident.cause.subject;
    let mut items = vec![subject.object.to_string()];
    items.extend(subject.container.as_ref().map(|name| format!("container {name}")));
    items.extend(ago::seen(report.taken_at, incident));
    let since = |known| if known { "known from the baseline" } else { "new since the baseline" };
    items.extend(decided::is_known(report, incident).map(since).map(str::to_owned));
    items.push(sure(incident.cause.confidence));
    items.push(incident.cause.rule.id.to_owned());
    line(&items.join(" · "))
}

/// A model's words, if there are any.
fn told(incident: &Incident) -> String {
    let Some(narrative) = incident.narrative.as_ref().filter(|narrative| narrative.is_a_models()) else {
        return String::new();
    };
    let text: Vec<&str> = narrative.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    format!(
        "<blockquote>{} <span class=\"dim\">(by {}, checked)</span></blockquote>\n",
        line(&text.join(" ")),
        line(&narrative.by)
    )
}

fn proof(finding: &Finding, ids: &mut Ids) -> String {
    let observed: String = finding.evidence.iter().map(|evidence| observed(evidence, &ids.evidence())).collect();
    if observed.is_empty() { observed } else { format!("<ul class=\"proof\">\n{observed}</ul>\n") }
}

fn observed(evidence: &Evidence, id: &str) -> String {
    let at = evidence.time.map(|time| format!(" at {}", ago::to_the_second(time))).unwrap_or_default();
    let place = line(&format!("{} {}{at}", evidence.object, evidence.path));
    format!(
        "<li id=\"{id}\"><span class=\"dim\"><b>{id}</b> {place}</span>\n<pre>{}</pre></li>\n",
        block(&evidence.value)
    )
}

fn follows(effect: &Finding, ids: &mut Ids) -> String {
    let proof = proof(effect, ids);
    let message = prose(&effect.message);
    if proof.is_empty() {
        return format!("<li>{message}</li>\n");
    }
    format!("<li><details><summary>{message}</summary>\n{proof}</details></li>\n")
}

fn hits(incident: &Incident) -> String {
    let groups = incident.affected.chunk_by(|a, b| (&a.api_version, &a.kind) == (&b.api_version, &b.kind));
    let lines: String = groups
        .map(|group| {
            let names: Vec<&str> = group.iter().map(|object| object.name.as_str()).collect();
            format!("<li>{}</li>\n", line(&format!("{}: {}", count_kind(group.len(), &group[0]), names.join(", "))))
        })
        .collect();
    if lines.is_empty() { lines } else { format!("<ul>\n{lines}</ul>\n") }
}

fn advise(advice: &Recommendation, id: &str) -> String {
    let risk = match advice.risk {
        Risk::None | Risk::Low => "",
        Risk::Medium => " <span class=\"tag warning\">medium risk</span>",
        Risk::High => " <span class=\"tag error\">high risk</span>",
    };
    let mut text = format!("<p id=\"{id}\"><b>{id}</b> {}{risk}</p>\n", prose(&advice.summary));
    text += &advice.sizing.as_deref().map(amounts::draw).unwrap_or_default();
    text + &advice.command.as_deref().map(command).unwrap_or_default()
}

fn command(text: &str) -> String {
    format!("<pre class=\"command\">{}</pre>\n", block(text))
}

fn alternatives(incident: &Incident) -> String {
    let lines: String = incident
        .alternatives
        .iter()
        .map(|other| format!("<li>{} ({})</li>\n", prose(&other.message), sure(other.confidence)))
        .collect();
    if lines.is_empty() { lines } else { format!("<ul>\n{lines}</ul>\n") }
}
