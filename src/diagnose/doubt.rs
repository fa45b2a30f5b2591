//! Less confidence where a cause may lie that nobody was allowed to see.

use crate::model::{Incident, NotEvaluated};
use crate::rules;

/// What is left of the confidence in a cause that may itself follow from something that could not be judged. A rule that
/// saw all it needs must stay surer than what would be told in its place.
const UNSEEN_CAUSE: f64 = 0.88;

/// Weakens the confidence if a rule that could not judge might explain the cause.
pub(super) fn weaken(incident: &mut Incident, not_evaluated: &[NotEvaluated]) {
    let cause = incident.cause.rule.id;
    let might_explain = |skipped: &NotEvaluated| rules::find(skipped.rule).is_some_and(|rule| rule.may_explain(cause));
    if not_evaluated.iter().any(might_explain) {
        incident.cause.confidence *= UNSEEN_CAUSE;
    }
}
