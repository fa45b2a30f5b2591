//! `--watch`: looks again and again, and prints what changed.

use std::time::Duration;

use crate::cli::args::ExamineArgs;
use crate::cli::ui::Ui;
use crate::failure::{Exit, Failure};
use crate::model::{Report, Severity};

/// What makes a report another one: times that move do not.
#[derive(PartialEq, Eq)]
struct Gist(Vec<(String, Severity, String)>, usize);

impl Gist {
    fn new(report: &Report) -> Self {
        let incidents = report.incidents.iter();
        let told = incidents.map(|one| (one.id.clone(), one.severity, one.cause.message.clone()));
        Self(told.collect(), report.gaps.len())
    }
}

/// Looks until it is interrupted. Only the first look may fail: later the cluster may come back.
pub(super) fn run(
    args: &ExamineArgs,
    ui: &mut Ui,
    mut look: impl FnMut(&mut Ui) -> Result<Report, Failure>,
) -> Result<Exit, Failure> {
    let mut last = None;
    loop {
        match look(ui) {
            Ok(report) => {
                let gist = Gist::new(&report);
                if ui.is_watched() || last.as_ref() != Some(&gist) {
                    ui.clear();
                    ui.data(&super::examine::print(&report, None, &args.output.output, ui)?)?;
                }
                ui.partial_sight(&report.gaps);
                last = Some(gist);
            }
            Err(failure) if failure.exit == Exit::Interrupted => return Ok(Exit::Interrupted),
            Err(failure) if last.is_none() => return Err(failure),
            Err(failure) => ui.note(&format!("warning: looking again failed: {}", failure.message)),
        }
        if is_interrupted_within(args.watch_interval)? {
            return Ok(Exit::Interrupted);
        }
    }
}

/// Waits, and returns whether that was ended by Ctrl-C.
fn is_interrupted_within(interval: Duration) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::bug(format!("starting the runtime: {error}")))?;
    let wait = async { tokio::time::timeout(interval, tokio::signal::ctrl_c()).await.is_ok() };
    Ok(runtime.block_on(wait))
}
