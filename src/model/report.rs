//! The answer: incidents, and what could not be judged.

use jiff::Timestamp;

use super::{Gap, Incident, Scope};
use crate::diagnose::target::Fate;
use crate::policy::{Compared, Ignored};

/// A rule that could not judge, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotEvaluated {
    pub rule: &'static str,
    /// Indices into [`Report::gaps`].
    pub gaps: Vec<usize>,
}

/// How much was looked at, for the line that says that nothing is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    pub pods: usize,
    /// Pods that are neither ready nor finished: too young to be judged, or told in an incident.
    pub unready: usize,
    pub workloads: usize,
    pub services: usize,
    pub events: usize,
    pub rules: usize,
}

/// The answer to one question, independent of how it is printed.
#[derive(Clone, Debug)]
pub struct Report {
    pub taken_at: Timestamp,
    pub server: Option<String>,
    pub context: Option<String>,
    pub scope: Scope,
    /// What became of each object that was asked about, in their order.
    pub fates: Vec<Fate>,
    /// Worst and surest first.
    pub incidents: Vec<Incident>,
    /// Incidents that the user decided to live with.
    pub ignored: Vec<Ignored>,
    /// How many other incidents are not shown, as the notes say.
    pub hidden: usize,
    /// How the incidents compare with an earlier report, if one was given.
    pub compared: Option<Compared>,
    pub not_evaluated: Vec<NotEvaluated>,
    pub gaps: Vec<Gap>,
    pub examined: Examined,
    /// What happened to a target that is gone, and what is not shown.
    pub notes: Vec<String>,
}
