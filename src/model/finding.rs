//! What a rule found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ObjectRef, Recommendation, Severity};
use crate::rules::Rule;

/// The object that a person has to change, and the container in it if one is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    #[serde(flatten)]
    pub object: ObjectRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl From<ObjectRef> for Subject {
    fn from(object: ObjectRef) -> Self {
        Self { object, container: None }
    }
}

/// One quotable observation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    pub object: ObjectRef,
    /// The field: `status.containerStatuses[main].lastState.terminated.reason`, or `log.previous`, `event.message`.
    pub path: String,
    pub value: String,
    /// When it was so, if that is known.
    pub time: Option<Timestamp>,
}

/// Whether it still happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Over: it is reported as `info`.
    Past,
    /// It is so at the moment of the snapshot.
    Present,
}

/// One thing that a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub rule: &'static Rule,
    pub subject: Subject,
    /// What tells two faults of one rule and subject apart: a key, a port, a claim. May be empty.
    pub key: String,
    /// The rule's severity, unless the rule knows better.
    pub severity: Severity,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    pub state: State,
    /// Lower case, names the object, no full stop.
    pub message: String,
    pub evidence: Vec<Evidence>,
    /// Pods and other objects that it hits.
    pub affected: Vec<ObjectRef>,
    /// Other objects that it speaks of (a host it cannot reach): a cause may lie there.
    pub mentions: Vec<ObjectRef>,
    /// The first time it was seen.
    pub since: Option<Timestamp>,
    /// The last time it was seen.
    pub last_seen: Option<Timestamp>,
    pub recommendations: Vec<Recommendation>,
    /// Commands that show more, for when this does not suffice.
    pub next: Vec<String>,
}

impl Finding {
    /// Says what tells this fault apart from others of the same rule and subject.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Says which container of the subject is meant.
    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        self.subject.container = Some(name.to_owned());
        self
    }

    /// Adds an observation.
    #[must_use]
    pub fn because(self, object: ObjectRef, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.because_at(object, path, value, None)
    }

    /// Adds an observation with its time, which widens the span in which it was seen.
    #[must_use]
    pub fn because_at(
        mut self,
        object: ObjectRef,
        path: impl Into<String>,
        value: impl Into<String>,
        time: Option<Timestamp>,
    ) -> Self {
        self.evidence.push(Evidence { object, path: path.into(), value: value.into(), time });
        self
    }

    /// Says from when to when it was seen; an unknown end leaves what is known.
    #[must_use]
    pub fn seen(mut self, first: Option<Timestamp>, last: Option<Timestamp>) -> Self {
        self.since = earliest(self.since, first);
        self.last_seen = self.last_seen.max(last);
        self
    }

    /// Adds an object that it hits.
    #[must_use]
    pub fn affects(mut self, object: ObjectRef) -> Self {
        self.affected.push(object);
        self
    }

    /// Adds an object that it speaks of, in which a cause may lie.
    #[must_use]
    pub fn mentions(mut self, object: ObjectRef) -> Self {
        self.mentions.push(object);
        self
    }

    /// Sets how sure it is, 0 to 1.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence.clamp(0.0, 1.0);
        self
    }

    /// Replaces the rule's severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says whether it still happens.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn recommend(mut self, recommendation: Recommendation) -> Self {
        self.recommendations.push(recommendation);
        self
    }

    /// Adds a command that shows more.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }
}

/// Returns the earlier of two times, of which either may be unknown.
pub fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (known, None) | (None, known) => known,
    }
}
