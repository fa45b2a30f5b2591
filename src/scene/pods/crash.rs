//! One picture of a crash loop, whatever its phase.

use jiff::{SignedDuration, Timestamp};

use crate::model::State;
use crate::scene::{ContainerView, Role};

/// A run that stays up as long as this has recovered: the kubelet's back-off is reset after ten minutes.
const RECOVERED: SignedDuration = SignedDuration::from_mins(10);

/// A program that ended within its first moments failed to start.
const MOMENTS: SignedDuration = SignedDuration::from_secs(10);

/// A run that is as long, and as many times longer than the one that failed to start, is past that point.
const SETTLED: SignedDuration = SignedDuration::from_secs(20);
const LONGER: i32 = 5;

/// How a container ended, and whether that still happens.
///
/// The kubelet swings between `terminated`, `waiting: CrashLoopBackOff` and a short `running`; a verdict must be the same
/// in each, so rules ask for this instead of for the state.
#[derive(Clone, Copy, Debug)]
pub struct Crash<'s> {
    pub exit_code: i32,
    /// The runtime's word: `Error`, `OOMKilled`, `StartError`, `ContainerCannotRun`, `Completed`.
    pub reason: &'s str,
    /// The runtime's message, or what the program wrote to its termination log.
    pub message: &'s str,
    pub signal: Option<i32>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub restarts: i32,
    pub state: State,
}

impl<'s> Crash<'s> {
    pub(in crate::scene) fn of(container: ContainerView<'s>) -> Option<Self> {
        let end = container.last_end()?;
        let crash = Self {
            exit_code: end.exit_code,
            reason: end.reason.as_deref().unwrap_or_default(),
            message: end.message.as_deref().unwrap_or_default(),
            signal: end.signal,
            started_at: end.started_at.as_ref().map(|time| time.0).filter(|time| *time != Timestamp::UNIX_EPOCH),
            finished_at: end.finished_at.as_ref().map(|time| time.0).filter(|time| *time != Timestamp::UNIX_EPOCH),
            restarts: container.restarts(),
            state: State::Present,
        };
        let crash = Self { state: crash.state(container), ..crash };
        crash.is_failure(container).then_some(crash)
    }

    /// Returns whether the end was a failure: a non-zero exit, or a clean exit of something that should keep running.
    fn is_failure(&self, container: ContainerView<'_>) -> bool {
        let policy = container.pod.spec().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
        let should_run = policy == "Always" && container.role != Role::Init;
        self.exit_code != 0 || (should_run && !container.pod.is_finished())
    }

    /// Returns how long the run lasted.
    pub fn lasted(&self) -> Option<SignedDuration> {
        Some(self.finished_at?.duration_since(self.started_at?))
    }

    /// Tells a present crash from one that is over: a new run that stayed up (or, for an init container, ended well).
    fn state(&self, container: ContainerView<'_>) -> State {
        let Some(running) = container.running() else {
            return State::Present;
        };
        let started = running.started_at.as_ref().map(|time| time.0);
        let up = started.map(|start| container.pod.scene.now().duration_since(start));
        let over = up.is_some_and(|up| up > RECOVERED || (container.is_ready() && self.is_overcome(up)));
        if over { State::Past } else { State::Present }
    }

    /// Returns whether it failed to start, as when what it needs was not there yet, and a run of this length did start.
    fn is_overcome(&self, up: SignedDuration) -> bool {
        let own = (1..128).contains(&self.exit_code);
        let brief = self.lasted().filter(|lasted| *lasted < MOMENTS);
        own && brief.is_some_and(|lasted| up > SETTLED && up > lasted * LONGER)
    }
}
