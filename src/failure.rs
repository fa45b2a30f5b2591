//! What can go wrong outside of a diagnosis, and how the process says so.

use std::fmt;

/// The exit codes that scripts may rely on.
///
/// With `--exit-code`, [`Exit::Incidents`] tells that something at or above `--fail-on` was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The scope was examined, whatever was found.
    Examined = 0,
    /// Incidents at or above `--fail-on`, only with `--exit-code`.
    Incidents = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The cluster could not be reached or refused everything, or an input cannot be read.
    Unreachable = 3,
    /// The named object does not exist.
    NotFound = 4,
    /// Something could not be read, only with `--require-complete`.
    Incomplete = 5,
    /// The agent in the cluster could not start or finish.
    Agent = 6,
    /// No model's words, only with `--llm require`.
    NoWords = 7,
    /// A bug.
    Bug = 70,
    /// Interrupted by the user.
    Interrupted = 130,
}

/// An expected failure: one line that says what is wrong, hints that say what to do next, and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// Lower case, no full stop, names the object.
    pub message: String,
    /// Next steps, each a line of its own.
    pub hints: Vec<String>,
}

impl Failure {
    /// Makes a failure without hints.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new() }
    }

    /// Makes a failure of usage (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Makes a failure to reach the cluster or to read an input (exit code 3).
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, message)
    }

    /// Makes a failure to find the named object (exit code 4).
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// Makes a failure that is our own fault (exit code 70).
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Exit::Bug, message).hint("this is a bug: report it with the command line and this message")
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
