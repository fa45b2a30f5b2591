//! One cause with everything that follows from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Finding, Narrative, ObjectRef, Severity, Sizing};

/// How risky a recommended change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing is changed, or nothing that runs.
    None,
    /// Pods of one workload restart.
    Low,
    /// Others may notice.
    Medium,
    /// Data or other workloads are at stake.
    High,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// An imperative sentence without a full stop: `create configmap app-config with the key LOG_LEVEL`.
    pub summary: String,
    /// The kind of change, kebab-case: `set-resources`, `create-object`, `edit-object`, `fix-image`.
    pub kind: &'static str,
    pub risk: Risk,
    /// A command to paste, every value quoted for a shell.
    pub command: Option<String>,
    /// The arithmetic, where an amount is recommended.
    pub sizing: Option<Box<Sizing>>,
}

impl Recommendation {
    /// Makes a recommendation of low risk without a command.
    pub fn new(kind: &'static str, summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), kind, risk: Risk::Low, command: None, sizing: None }
    }

    /// Adds a command; quote every value with [`crate::render::quote`].
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Adds the arithmetic of an amount.
    #[must_use]
    pub fn sizing(mut self, sizing: Sizing) -> Self {
        self.sizing = Some(Box::new(sizing));
        self
    }

    /// Sets the risk.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }
}

/// One cause with everything that follows from it.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Stable over restarts and renamed pods.
    pub id: String,
    /// The worst of cause and effects.
    pub severity: Severity,
    pub cause: Finding,
    pub effects: Vec<Finding>,
    /// What the cause and its effects hit, sorted.
    pub affected: Vec<ObjectRef>,
    /// Other causes that would explain the same subject, surest first.
    pub alternatives: Vec<Finding>,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    pub next: Vec<String>,
    /// The same in words, once they were made.
    pub narrative: Option<Narrative>,
}
