//! What a picture of a report shows besides the report: what happened when, and who depends on whom.

use jiff::Timestamp;

use super::ObjectRef;

/// The moments and dependencies around the incidents of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// By time.
    pub moments: Vec<Moment>,
    /// By incident, in the order of the report.
    pub dependencies: Vec<Vec<Dependency>>,
}

/// One thing that happened to one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub time: Timestamp,
    /// The first time, of what happened again and again.
    pub since: Timestamp,
    pub object: ObjectRef,
    pub what: Happening,
    pub text: String,
}

/// The kinds of moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// An event of type `Normal`.
    Event,
    /// An event of type `Warning`.
    Warning,
    /// A container ended, and was started again or not.
    Restart,
    /// Somebody wrote to the object.
    Change,
}

/// One object that depends on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    pub from: ObjectRef,
    pub to: ObjectRef,
    /// In the third person, so that it reads as a sentence: `selects`.
    pub verb: &'static str,
}
