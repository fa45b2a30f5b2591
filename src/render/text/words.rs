//! Small phrases: counts, scopes, severities.

use crate::model::{Kind, ObjectRef, Report, Scope, Severity, Target};
use crate::render::look::{Ink, Look};

/// Counts things: `1 pod`, `2 pods`.
pub(in crate::render) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Counts objects of one kind: `1 pod`, `2 networkpolicies`.
pub(in crate::render) fn count_kind(number: usize, object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    let known = Kind::find(&object.api_version, &object.kind).filter(|_| number != 1);
    known.map_or_else(|| count(number, &kind), |known| format!("{number} {}", known.plural()))
}

/// Says what was asked about: `namespace shop`.
pub(in crate::render) fn scope(report: &Report, look: &Look) -> String {
    place(&report.scope, report.context.as_deref(), look)
}

/// Says which namespaces are meant: `namespace shop (context prod)`.
pub(in crate::render) fn place(scope: &Scope, context: Option<&str>, look: &Look) -> String {
    let namespaces = match &scope.namespaces[..] {
        [] => "all namespaces".to_owned(),
        [one] => format!("namespace {one}"),
        several => format!("namespaces {}", several.join(", ")),
    };
    let context = context.map(|context| format!(" (context {context})")).unwrap_or_default();
    look.line(&format!("{namespaces}{context}")).into_owned()
}

/// Says which objects were asked about: `pod/cart-0`, or `pod/cart-0 and pod/cart-1`; many are counted.
pub(in crate::render) fn target(report: &Report, look: &Look) -> Option<String> {
    let words: Vec<String> = report.scope.targets.iter().map(Target::words).collect();
    let text = match words.as_slice() {
        [] => return None,
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, others @ ..] => format!("{first} and {} others", others.len()),
    };
    Some(look.line(&text).into_owned())
}

/// Says how sure a cause is; certainty is claimed only where it is complete.
pub(in crate::render) fn sure(confidence: f64) -> String {
    let percent = (confidence * 100.0).round();
    let percent = if confidence < 1.0 { percent.min(99.0) } else { percent };
    format!("{percent} % sure")
}

/// The colour of a severity.
pub(super) fn ink(severity: Severity) -> Ink {
    match severity {
        Severity::Critical => Ink::Critical,
        Severity::Error => Ink::Error,
        Severity::Warning => Ink::Warning,
        Severity::Info => Ink::Info,
    }
}
