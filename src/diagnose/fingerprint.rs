//! The stable id of an incident.

use sha2::{Digest as _, Sha256};

use crate::model::Finding;

/// Returns a fingerprint of what does not change while a fault lasts: the category (rules may become finer), the object
/// to change, the container and the rule's key. Not the pods, messages and times.
pub(super) fn of(cause: &Finding) -> String {
    let subject = &cause.subject;
    let container = subject.container.as_deref().unwrap_or_default();
    let parts = [cause.rule.category, &subject.object.to_string(), container, &cause.key];
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
