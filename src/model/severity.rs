//! How bad a finding is.

use serde::{Deserialize, Serialize};

/// How bad it is, mildest first, so that the worst is the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Advice or history: nothing is broken now.
    Info,
    /// It may break, or is degraded.
    Warning,
    /// Something that should run does not.
    Error,
    /// Users are hit now.
    Critical,
}

impl Severity {
    /// Returns the lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}
