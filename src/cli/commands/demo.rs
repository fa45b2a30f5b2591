//! `demo`: a recorded broken namespace goes through the whole pipeline.

use crate::analyse::analyse;
use crate::cli::args::DemoArgs;
use crate::cli::format::Format;
use crate::cli::ui::Ui;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::failure::{Exit, Failure};
use crate::policy::Policy;

/// A namespace in which several things are broken, recorded from a real cluster.
const RECORDING: &[u8] = include_bytes!("../../../demo/shop.rca");

const EPILOGUE: &str = "
This was a recording. On your own cluster:
  kubectl rca namespace NAMESPACE
  kubectl rca pod POD -n NAMESPACE
";

/// Runs `demo`.
pub(in crate::cli) fn run(args: &DemoArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let snapshot = capture::read("the demo", RECORDING, Keep::default())?;
    let report = analyse(&snapshot, &Policy::default());
    let format = &args.output.output;
    let story = super::examine::story_for(format, &snapshot, &report);
    ui.data(&super::examine::print(&report, story.as_ref(), format, ui)?)?;
    if matches!(format, Format::Text | Format::Wide) {
        ui.data(EPILOGUE.as_bytes())?;
    }
    Ok(Exit::Examined)
}
