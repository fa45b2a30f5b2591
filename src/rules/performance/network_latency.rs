//! The service at which latency begins, where no resource is used up.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "network-latency",
    category: "network_delay",
    summary: "detects the service at which latency begins, where no resource is used up",
    docs: "\
## What it means
Requests to this service take much longer than they did, and those that wait for it are slow too. Neither CPU nor memory nor a disk tells \
why, so that its network, what it calls outside, or a lock in the program delays it.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). The service is the deepest slow one: none of those it calls is slow enough to be the reason. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Look at the traffic of its pods (retransmissions, a side-car, `tc qdisc show` on the interface) and at what its program waits for. \
Restarting a pod moves it away from a broken interface.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["log-error-running"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_workloads(
        scene,
        &RULE,
        Trouble::Delay,
        "answers slowly, and neither what it calls nor its resources explain it",
    )
}
