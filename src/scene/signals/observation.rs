//! The alerts that fire now, each with its signal, its place and by how much that changed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::change::{self, Change};
use super::places::{Place, Places};
use super::words::{self, Signal};
use crate::model::{Alert, Series, Severity};
use crate::scene::Scene;

/// An alert that has fired for so long is how this cluster is, and nobody's page.
const CHRONIC: SignedDuration = SignedDuration::from_hours(24);

/// A share below this is no saturation, whatever the alert says: the alert speaks of a change.
const SATURATED: f64 = 75.0;

/// One thing that an alert says of one place.
#[derive(Clone, Debug)]
pub struct Observation<'s> {
    pub alert: &'s Alert,
    pub signal: Signal,
    pub place: Place,
    /// What its text or its series tell; may be empty.
    pub changes: Vec<Change>,
    pub severity: Severity,
}

impl Observation<'_> {
    /// Returns the greatest of something about the changes, if there are any.
    pub fn greatest(&self, what: impl Fn(&Change) -> f64) -> Option<f64> {
        self.changes.iter().map(what).max_by(f64::total_cmp)
    }

    /// Returns whether it says that something grew, or does not say by how much.
    pub fn grew(&self) -> bool {
        self.changes.is_empty() || self.changes.iter().any(|change| change.increase() > 0.0)
    }

    /// Returns whether a resource is near its end, as far as the alert tells.
    pub fn is_saturated(&self) -> bool {
        self.changes.iter().all(|change| !change.percent || change.after >= SATURATED)
    }
}

/// Observations by place.
pub type Observations<'s> = BTreeMap<Place, Vec<Observation<'s>>>;

/// Collects what the alerts say that fire now.
pub fn collect<'a>(scene: &Scene<'a>, places: &Places<'_>) -> Observations<'a> {
    let mut found: Observations<'a> = BTreeMap::new();
    let alerts = scene.snapshot.alerts.iter().flatten();
    for alert in alerts.filter(|alert| counts(alert, scene.now())) {
        let Some((place, signal)) = places.find(|name| label(alert, name)).zip(signal_of(alert)) else { continue };
        let changes = changes(alert);
        let severity = severity(alert);
        found.entry(place).or_default().push(Observation { alert, signal, place, changes, severity });
    }
    measure(scene, places, &mut found);
    found
}

fn counts(alert: &Alert, now: Timestamp) -> bool {
    let chronic = alert.starts_at.is_some_and(|start| now.duration_since(start) > CHRONIC);
    let quiet = ["none", "info", "debug", "notice", "ok"];
    alert.fires(now) && !chronic && !label(alert, "severity").is_some_and(|word| quiet.contains(&word))
}

fn severity(alert: &Alert) -> Severity {
    match label(alert, "severity") {
        Some("warning" | "warn" | "minor" | "low" | "ticket") => Severity::Warning,
        _ => Severity::Error,
    }
}

fn label<'s>(alert: &'s Alert, name: &str) -> Option<&'s str> {
    alert.labels.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Labels whose values are names, in which any word may occur.
fn is_name(label: &str) -> bool {
    let names =
        ["pod", "container", "namespace", "service", "app", "job", "instance", "node", "url", "path", "workload"];
    names.iter().any(|name| label.contains(name))
}

/// Classifies by the name, then by what stands beside it, then by the texts.
fn signal_of(alert: &Alert) -> Option<Signal> {
    let beside = alert.labels.iter().filter(|(name, _)| *name != "alertname" && *name != "severity" && !is_name(name));
    let beside: Vec<&str> = beside.map(|(_, value)| value.as_str()).collect();
    let own = format!("{} {}", alert.name(), beside.join(" "));
    let text = |name: &str| words::classify(&without_names(alert, alert.annotations.get(name)?));
    words::classify(&own).or_else(|| text("summary")).or_else(|| text("description")).or_else(|| text("message"))
}

/// Takes the names of objects out of a text: a service may be called `latency-proxy`.
fn without_names(alert: &Alert, text: &str) -> String {
    let names = alert.labels.iter().filter(|(name, value)| is_name(name) && value.len() > 2);
    names.fold(text.to_owned(), |text, (_, value)| text.replace(value.as_str(), " "))
}

fn changes(alert: &Alert) -> Vec<Change> {
    let texts = ["description", "summary", "message"].iter().filter_map(|name| alert.annotations.get(*name));
    texts.map(|text| change::told(text)).find(|changes| !changes.is_empty()).unwrap_or_default()
}

/// Reads from the series what the texts do not tell.
fn measure(scene: &Scene<'_>, places: &Places<'_>, found: &mut Observations<'_>) {
    let silent =
        |observation: &Observation<'_>| observation.changes.is_empty() && observation.signal == Signal::Latency;
    if !found.values().flatten().any(silent) {
        return;
    }
    let mut latencies: BTreeMap<Place, Vec<&Series>> = BTreeMap::new();
    for series in scene.snapshot.metrics.iter().flatten() {
        if words::classify(series.name()) == Some(Signal::Latency)
            && let Some(place) = places.find(|name| series.label(name))
        {
            latencies.entry(place).or_default().push(series);
        }
    }
    for observation in found.values_mut().flatten().filter(|observation| silent(observation)) {
        let Some(start) = observation.alert.starts_at else { continue };
        let series = latencies.get(&observation.place).into_iter().flatten();
        observation.changes = series.filter_map(|series| change::measured(series, start)).collect();
    }
}
