//! The service at which failing requests begin.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "error-rate",
    category: "error_rate",
    summary: "detects the service at which failing requests begin",
    docs: "\
## What it means
Requests to this service fail, and no fault of an object, event or log tells why.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about errors is about this service, and none of those it calls has one. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Read its log at the time of the alert, and look at what changed then.",
    severity: Severity::Warning,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_workloads(scene, &RULE, Trouble::Errors, "fails requests")
}
