//! `explain`: what a rule means.

use crate::cli::args::ExplainArgs;
use crate::cli::ui::Ui;
use crate::failure::{Exit, Failure};
use crate::render::explain;
use crate::rules;

/// Runs `explain [RULE]`.
pub(in crate::cli) fn run(args: &ExplainArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let look = ui.look(false);
    let text = match &args.rule {
        Some(id) => explain::rule(rules::find(id).ok_or_else(|| no_such_rule(id))?, &look),
        None => explain::list(&look),
    };
    ui.data(text.as_bytes())?;
    Ok(Exit::Examined)
}

/// Says that there is no such rule, with the nearest ids.
pub(super) fn no_such_rule(id: &str) -> Failure {
    let failure = Failure::usage(format!("there is no rule \"{id}\""));
    match explain::nearest(id).as_slice() {
        [] => failure.hint("kubectl rca explain"),
        near => failure.hint(format!("did you mean {}?", near.join(" or "))),
    }
}
