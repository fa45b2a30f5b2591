//! Who wrote a field last, as `managedFields` tell.

use crate::model::Change;

/// Returns the newest write to a path or to what lies under it.
pub fn newest<'c>(changes: &'c [Change], path: &str) -> Option<&'c Change> {
    let wrote = |change: &&Change| change.paths.iter().any(|written| written == path || is_under(written, path));
    changes.iter().filter(wrote).max_by_key(|change| (change.time, &change.manager))
}

fn is_under(written: &str, path: &str) -> bool {
    written.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']))
}
