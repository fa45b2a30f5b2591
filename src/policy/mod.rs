//! What the user decided about the answer.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeSet;

/// Which rules speak.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Ids of rules to leave out.
    pub skip: BTreeSet<String>,
}
