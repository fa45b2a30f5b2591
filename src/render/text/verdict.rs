//! The one sentence that sums a report up.

use super::ago::to_the_second;
use super::decided;
use super::words::{self, count};
use crate::model::{Incident, Report, Severity};
use crate::render::look::Look;

/// Says how much is broken, or that nothing is; never more than is known.
pub(in crate::render) fn of(report: &Report, look: &Look) -> String {
    let troubles: Vec<&Incident> =
        report.incidents.iter().filter(|incident| incident.severity > Severity::Info).collect();
    let verdict = if troubles.is_empty() { all_clear(report, look) } else { sum(report, look, &troubles) };
    format!("{verdict}: {}", examined(report, look))
}

/// Says that nothing is wrong, or no more than is known.
fn all_clear(report: &Report, look: &Look) -> String {
    let with = words::target(report, look).map(|target| format!(" with {target}")).unwrap_or_default();
    let scope = words::scope(report, look);
    // What is ignored or not shown is wrong all the same, and may be why a pod is not ready.
    if !report.ignored.is_empty() || report.hidden > 0 {
        return format!("nothing else was found wrong{with} in {scope}");
    }
    if !report.gaps.is_empty() || !report.not_evaluated.is_empty() {
        return format!("found nothing wrong{with} in what could be read of {scope}");
    }
    match report.examined.unready {
        0 => format!("nothing is wrong{with} in {scope}"),
        1 => format!("nothing is wrong yet{with} in {scope}, but 1 pod is still starting"),
        young => format!("nothing is wrong yet{with} in {scope}, but {young} pods are still starting"),
    }
}

/// `1 critical, 2 warnings in namespace shop`.
fn sum(report: &Report, look: &Look, troubles: &[&Incident]) -> String {
    let number = |severity| troubles.iter().filter(|incident| incident.severity == severity).count();
    let counted = [
        (number(Severity::Critical), "critical".to_owned()),
        (number(Severity::Error), if number(Severity::Error) == 1 { "error" } else { "errors" }.to_owned()),
        (number(Severity::Warning), if number(Severity::Warning) == 1 { "warning" } else { "warnings" }.to_owned()),
    ];
    let counts: Vec<String> =
        counted.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    let compared = report.compared.as_ref().map(|compared| format!(" ({})", decided::comparison(compared)));
    format!("{} in {}{}", counts.join(", "), words::scope(report, look), compared.unwrap_or_default())
}

/// `examined 12 pods, 4 workloads, 3 services, 57 events by 92 rules at 12:00:00Z`.
fn examined(report: &Report, look: &Look) -> String {
    let examined = &report.examined;
    let counts = [
        (examined.pods, "pod"),
        (examined.workloads, "workload"),
        (examined.services, "service"),
        (examined.events, "event"),
    ];
    let counts: Vec<String> = counts.iter().map(|(number, thing)| count(*number, thing)).collect();
    let time = to_the_second(report.taken_at);
    let time = if look.wide { time } else { clock(&time) };
    format!("examined {} by {} at {time}", counts.join(", "), count(examined.rules, "rule"))
}

/// The time of day of a timestamp, to the second: `12:00:00Z`.
fn clock(time: &str) -> String {
    let time = time.split_once('T').map_or(time, |(_, time)| time);
    format!("{}Z", time.split(['.', 'Z']).next().unwrap_or_default())
}
