//! Gap: where a kind may not be read, the verdict may become weaker, and never another one.

use kubectl_rca::analyse::analyse;
use kubectl_rca::model::{Gap, GapReason, Kind, Report, Snapshot};
use kubectl_rca::policy::Policy;

use super::Tally;
use super::document::Document;
use super::verdict::{self, Verdict};

pub(super) fn try_all(document: &Document, report: &Report) -> Tally {
    let mut tally = Tally::default();
    let Some(before) = verdict::troubles(report).next() else { return tally };
    let snapshot = document.snapshot();
    for kind in Kind::ALL.iter().copied().filter(|kind| snapshot.objects.count(*kind) > 0) {
        let after = analyse(&without(&snapshot, kind), &Policy::default());
        tally.check(
            miss(report, &after).map(|miss| format!("without {} ({}): {miss}", kind.plural(), before.cause.rule.id)),
        );
    }
    if !snapshot.logs.is_empty() {
        let after = analyse(&without_logs(&snapshot), &Policy::default());
        tally.check(miss(report, &after).map(|miss| format!("without logs: {miss}")));
    }
    tally
}

fn without(snapshot: &Snapshot, kind: Kind) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.objects.clear(kind);
    let forbidden = |namespace| Gap::kind(kind, namespace, GapReason::Forbidden, "forbidden");
    let namespaces = if kind.namespaced() { snapshot.scope.namespaces.clone() } else { Vec::new() };
    snapshot.gaps.extend(namespaces.iter().map(|name| forbidden(Some(name.as_str()))));
    if namespaces.is_empty() {
        snapshot.gaps.push(forbidden(None));
    }
    snapshot.normalise();
    snapshot
}

fn without_logs(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.logs.clear();
    snapshot.gaps.push(Gap::other("pods/log", None, None, GapReason::Forbidden, "forbidden"));
    snapshot.normalise();
    snapshot
}

fn miss(report: &Report, after: &Report) -> Option<String> {
    let before = verdict::troubles(report).next()?;
    let old = Verdict::of(before);
    let Some(incident) = verdict::troubles(after).next() else {
        // A log is no kind that a rule could need: that it was not read is told as a gap.
        let no_log = after.gaps.iter().any(|gap| gap.what == "pods/log" && gap.reason == GapReason::Forbidden);
        let is_told = no_log || after.not_evaluated.iter().any(|skipped| skipped.rule == before.cause.rule.id);
        return (!is_told).then(|| format!("{old} became healthy, and nothing says that it was not evaluated"));
    };
    let new = Verdict::of(incident);
    let weaker = incident.cause.confidence < before.cause.confidence;
    // What stood beside the verdict before is no other explanation of the same trouble.
    let is_new = new.category != old.category && !verdict::all(report).contains(&new);
    let confident = is_new && new.category != "unknown" && !weaker;
    confident.then(|| format!("{old} ({:.2}) became {new} ({:.2})", before.cause.confidence, incident.cause.confidence))
}
