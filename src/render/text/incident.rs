//! One incident: what is wrong, how that is known, what follows from it, what to do.

use jiff::Timestamp;

use super::ago;
use super::evidence::{self, Setting};
use super::page::Page;
use super::words::{count_kind, ink, sure};
use super::wrap::flow;
use crate::model::{Finding, Incident, Kind, ObjectRef, Recommendation, Risk, Sizing};
use crate::render::look::{Ink, columns};

/// Below this, an engineer should look for himself: how is said too.
const UNSURE: f64 = 0.95;
/// Effects that are shown unless everything is wanted.
const EFFECTS: usize = 5;

/// Writes an incident.
pub(super) fn write(page: &mut Page, incident: &Incident, now: Timestamp) {
    page.gap();
    headline(page, incident);
    about(page, incident, now);
    let subject = &incident.cause.subject.object;
    evidence::write(page, &incident.cause.evidence, Setting { now, margin: 2, subject });
    effects(page, &incident.effects, now);
    affected(page, incident);
    let doubtful = page.look.wide || incident.cause.confidence < UNSURE;
    if doubtful {
        alternatives(page, &incident.alternatives);
    }
    for recommendation in &incident.cause.recommendations {
        advise(page, recommendation);
    }
    if doubtful {
        next(page, &incident.next);
    }
}

/// Writes an incident that is history or advice as one line.
pub(super) fn brief(page: &mut Page, incident: &Incident, now: Timestamp) {
    let seen = ago::seen(now, incident).map(|seen| format!(" ({seen})")).unwrap_or_default();
    let message = page.look.line(&incident.cause.message).into_owned();
    let severity = format!("{}: ", incident.severity.as_str());
    let room = page.look.columns().saturating_sub(2 + severity.len() + columns(&seen));
    let message = page.look.shorten(&message, room).into_owned();
    page.put(&[(Ink::Plain, "  "), (ink(incident.severity), &severity), (Ink::Plain, &message), (Ink::Dim, &seen)]);
}

fn headline(page: &mut Page, incident: &Incident) {
    let severity = format!("{}: ", incident.severity.as_str());
    let message = page.look.line(&incident.cause.message).into_owned();
    page.prose(&[(ink(incident.severity), &severity)], Ink::Strong, &message);
}

/// `deployment/shop/cart · for 12m · 97 % sure · oom-killed`, with the container if the headline does not name it.
fn about(page: &mut Page, incident: &Incident, now: Timestamp) {
    let subject = &incident.cause.subject;
    let unnamed = |name: &&String| !incident.cause.message.contains(&format!("`{name}`"));
    let container = subject.container.as_ref().filter(unnamed);
    let container = container.map(|name| format!(", container {name}")).unwrap_or_default();
    let subject = page.look.line(&format!("{}{container}", subject.object)).into_owned();
    let mut items = vec![subject];
    items.extend(ago::seen(now, incident));
    items.push(sure(incident.cause.confidence));
    items.push(incident.cause.rule.id.to_owned());
    let separator = page.look.sign(" · ", "; ");
    for line in flow(&items, separator, page.look.columns() - 2) {
        page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &line);
    }
}

fn effects(page: &mut Page, effects: &[Finding], now: Timestamp) {
    let most = if page.look.wide { effects.len() } else { EFFECTS };
    let mut lead = "  explains: ";
    for effect in effects.iter().take(most) {
        let message = if page.look.wide { &effect.message } else { terse(effect) };
        let message = page.look.line(message).into_owned();
        page.hang(&[(Ink::Dim, lead)], &[(Ink::Plain, "            ")], Ink::Plain, &message, 1);
        lead = "            ";
        if page.look.wide {
            evidence::write(
                page,
                &effect.evidence,
                Setting { now, margin: lead.len(), subject: &effect.subject.object },
            );
        }
    }
    if effects.len() > most {
        page.put(&[(Ink::Dim, &format!("{lead}and {} more", effects.len() - most))]);
    }
}

/// An effect's message without the container, which would fill the only line.
fn terse(effect: &Finding) -> &str {
    let container = effect.message.strip_prefix("container `").and_then(|rest| rest.split_once("` of "));
    container.map_or(&effect.message, |(_, rest)| rest)
}

/// Sums up what is hit: `hits: 3 pods: cart-1, cart-2, cart-3`. What the lines above name is not told again.
fn affected(page: &mut Page, incident: &Incident) {
    let subject = &incident.cause.subject.object;
    let told = |object: &ObjectRef| object == subject || (!page.look.wide && is_told(incident, object));
    let others: Vec<&ObjectRef> = incident.affected.iter().filter(|object| !told(object)).collect();
    let mut lead = "  hits: ";
    for group in others.chunk_by(|a, b| (&a.api_version, &a.kind) == (&b.api_version, &b.kind)) {
        let names: Vec<String> =
            group.iter().map(|object| page.look.line(&name(object, subject)).into_owned()).collect();
        let count = page.look.line(&count_kind(group.len(), group[0])).into_owned();
        let text = format!("{count}: {}", listed(page, &names, lead.len() + columns(&count) + 2));
        page.hang(&[(Ink::Dim, lead)], &[(Ink::Plain, "        ")], Ink::Plain, &text, 3);
        lead = "        ";
    }
}

/// Returns whether effects or the proof name the object, so that the sum of what is hit need not.
fn is_told(incident: &Incident, object: &ObjectRef) -> bool {
    let mut effects = incident.effects.iter();
    let seen = || incident.cause.evidence.iter().any(|evidence| evidence.object == *object);
    effects.any(|effect| effect.subject.object == *object) || (incident.affected.len() == 1 && seen())
}

/// Lists as many names as two lines hold after a lead, and counts the others.
fn listed(page: &Page, names: &[String], lead: usize) -> String {
    let room = (page.look.columns() * 2).saturating_sub(lead * 2);
    let mut used = 0;
    let fits = |name: &&String| {
        used += columns(name) + 2;
        used <= room
    };
    let shown = if page.look.wide { names.len() } else { names.iter().take_while(fits).count().max(1) };
    if shown >= names.len() {
        return names.join(", ");
    }
    // The count takes the place of a name.
    let shown = (shown - 1).max(1);
    format!("{} and {} more", names[..shown].join(", "), names.len() - shown)
}

/// Names an object, with its namespace where that is not the subject's.
fn name(object: &ObjectRef, subject: &ObjectRef) -> String {
    let home = if subject.is(Kind::Namespace) { Some(&subject.name) } else { subject.namespace.as_ref() };
    match &object.namespace {
        Some(namespace) if Some(namespace) != home => format!("{namespace}/{}", object.name),
        _ => object.name.clone(),
    }
}

fn alternatives(page: &mut Page, alternatives: &[Finding]) {
    let mut lead = "  or perhaps: ";
    for other in alternatives {
        let message = format!("{} ({})", page.look.line(&other.message), sure(other.confidence));
        page.prose(&[(Ink::Dim, lead)], Ink::Plain, &message);
        lead = "              ";
    }
}

fn advise(page: &mut Page, recommendation: &Recommendation) {
    let risk = match recommendation.risk {
        Risk::None | Risk::Low => "",
        Risk::Medium => " (medium risk: others may notice)",
        Risk::High => " (high risk: data or other workloads are at stake)",
    };
    let summary = format!("{}{risk}", page.look.line(&recommendation.summary));
    let arrow = page.look.sign("  → ", " -> ");
    page.prose(&[(Ink::Strong, arrow)], Ink::Plain, &summary);
    if let Some(sizing) = &recommendation.sizing {
        arithmetic(page, sizing);
    }
    if let Some(command) = &recommendation.command {
        page.command(command);
    }
}

/// Writes where a number comes from, what stands in its way, and where it has to be changed.
fn arithmetic(page: &mut Page, sizing: &Sizing) {
    let basis = &sizing.basis;
    let inputs: Vec<String> = basis.inputs.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let after = basis.result.as_ref().map(|result| format!("{result} = ")).unwrap_or_default();
    let footing = basis.footing.as_str().replace('-', " ");
    let text = format!("{after}{} ({}; {footing})", basis.formula, inputs.join(", "));
    let lead = [(Ink::Plain, "    ")];
    let text = page.look.line(&text).into_owned();
    page.hang(&lead, &lead, Ink::Dim, &text, 2);
    let all = page.look.wide;
    for check in sizing.checks.iter().filter(|check| all || !check.ok) {
        let word = if check.ok { "fits" } else { "does not fit" };
        let text = page.look.line(&format!("{word}: {}: {}", check.what, check.detail)).into_owned();
        page.hang(&lead, &lead, Ink::Dim, &text, 2);
    }
    if !sizing.unchecked.is_empty() {
        let text = format!("not checked, as they were not read: {}", sizing.unchecked.join(", "));
        page.hang(&lead, &lead, Ink::Dim, &text, 2);
    }
    if let Some(elsewhere) = &sizing.temporary {
        let text = page.look.line(elsewhere).into_owned();
        page.prose(&lead, Ink::Plain, &text);
    }
}

fn next(page: &mut Page, commands: &[String]) {
    if !commands.is_empty() {
        page.put(&[(Ink::Dim, "  next:")]);
    }
    for command in commands {
        page.command(command);
    }
}
