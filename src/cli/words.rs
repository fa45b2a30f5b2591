//! Puts a report in words: what was agreed to, who is asked, what to do while the model works.

mod inside;
mod reach;

use std::time::{Duration, Instant};

pub(super) use self::inside::model as inside;
use super::cluster_args::ClusterArgs;
use super::config::{self, Config};
use super::ui::Ui;
use super::words_args::{Mode, WordsArgs};
use crate::failure::Failure;
use crate::model::{Narrative, Report};
use crate::narrate::cache::Cache;
use crate::narrate::grounding::{Claim, ground};
use crate::narrate::prompt::{self, worth_words};
use crate::narrate::reach::choose;
use crate::narrate::talk::{Model, Server};
use crate::narrate::transport::Trouble;
use crate::narrate::{Facts, repair, siblings};

/// Where the report goes, and how it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) cluster: &'a ClusterArgs,
    pub(super) args: &'a WordsArgs,
    /// Text, which was printed already; else the words go into the data.
    pub(super) is_text: bool,
    /// Whether there is a cluster to find a model in.
    pub(super) is_live: bool,
}

/// What became of the wish for words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nobody wanted any, or there is nothing to say.
    NotNeeded,
    Done,
    /// They were required, and no model's stood the check.
    Missed,
}

/// Adds words to the report's incidents. Whatever goes wrong costs a line on stderr and nothing else.
pub(super) fn add(setting: Setting<'_>, report: &mut Report, ui: &mut Ui) -> Outcome {
    let config = Config::load().unwrap_or_else(|trouble| {
        ui.warning(&trouble);
        Config::default()
    });
    let mode = mode(setting, &config, report.context.as_deref(), ui);
    if mode == Mode::Off || worth_words(report).is_empty() {
        return Outcome::NotNeeded;
    }
    let trouble = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => {
            let done = with_model(setting, mode, config, report, &runtime, ui);
            // A server that hangs must not keep the answer back.
            runtime.shutdown_background();
            done.err()
        }
        Err(error) => Some(Trouble(error.to_string())),
    };
    if let Some(Trouble(why)) = &trouble {
        // Nobody asked for it by name: then nobody misses it.
        if why.is_empty() {
            ui.verbose("no model was found to put this in words");
        } else {
            ui.warning(&format!("without a model's words: {why}"));
        }
    }
    outcome(mode, report)
}

/// Returns what became of the wish for words in a report that has them, or not.
fn outcome(mode: Mode, report: &Report) -> Outcome {
    let has_words = |narrative: &Option<Narrative>| narrative.as_ref().is_some_and(Narrative::is_a_models);
    let is_missed = mode == Mode::Require && !report.incidents.iter().any(|incident| has_words(&incident.narrative));
    if is_missed { Outcome::Missed } else { Outcome::Done }
}

/// Returns what became of words that an agent was to add.
pub(super) fn added_inside(args: &WordsArgs, report: &Report) -> Outcome {
    match args.llm {
        Some(Mode::Require) if !worth_words(report).is_empty() => outcome(Mode::Require, report),
        _ => Outcome::Done,
    }
}

/// The failure of `--llm require`.
pub(super) fn missed() -> Failure {
    Failure::new(crate::failure::Exit::NoWords, "no model's words for this report")
        .hint("`--llm on` takes them where they are to be had, `-v` tells more")
}

/// What the flag, the environment or the configuration says; a pipe asks nobody by itself.
fn mode(setting: Setting<'_>, config: &Config, context: Option<&str>, ui: &Ui) -> Mode {
    let configured = || match config.text(context?, "llm")? {
        "off" => Some(Mode::Off),
        "on" => Some(Mode::Auto),
        _ => None,
    };
    match setting.args.llm.or_else(configured).unwrap_or(Mode::Auto) {
        Mode::Auto if !setting.is_text || !ui.is_watched() => Mode::Off,
        mode => mode,
    }
}

fn with_model(
    setting: Setting<'_>,
    mode: Mode,
    config: Config,
    report: &mut Report,
    runtime: &tokio::runtime::Runtime,
    ui: &mut Ui,
) -> Result<(), Trouble> {
    let found = reach::find(setting, mode, config, report, runtime, ui)?;
    ui.verbose(&format!("reached {} in {} ms", found.server.place(), found.took.as_millis()));
    let deadline = setting.args.llm_timeout.0.map(|limit| Instant::now() + limit);
    let work = async {
        let model = model(&found.server, found.model.as_deref(), setting.args.pull, ui).await?;
        words(&found.server, &model, report, deadline, ui).await
    };
    runtime.block_on(work)
}

/// Returns the model to ask: the given one, else one that is loaded, else the best that is installed.
async fn model(server: &Server, wanted: Option<&str>, may_pull: bool, ui: &mut Ui) -> Result<Model, Trouble> {
    let models = bounded(Duration::from_secs(5), server.models()).await?;
    let Some(wanted) = wanted else {
        let best = choose(&models).cloned();
        return best
            .ok_or_else(|| Trouble(format!("{} has no model; --model NAME --pull fetches one", server.place())));
    };
    // Ollama calls a model without a tag its latest.
    let is_it = |name: &str| name == wanted || name.strip_suffix(":latest") == Some(wanted);
    if let Some(model) = models.iter().find(|model| is_it(&model.name)) {
        return Ok(model.clone());
    }
    if !may_pull {
        return Err(Trouble(format!("{} has no model `{wanted}`; --pull fetches it", server.place())));
    }
    let pulled = {
        let pull = server.pull(wanted, |step, done, all| ui.fetched(&format!("{wanted}: {step}"), done, all));
        tokio::select! {
            pulled = pull => pulled,
            _ = tokio::signal::ctrl_c() => Err(Trouble("interrupted".to_owned())),
        }
    };
    ui.still();
    pulled.map(|()| Model { name: wanted.to_owned(), bytes: 0, is_loaded: false })
}

async fn bounded<T>(patience: Duration, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let late = || Trouble(format!("no answer within {} s", patience.as_secs()));
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(late()))
}

/// Asks about one incident after the other; what is there when time is up or somebody interrupts stays.
async fn words(
    server: &Server,
    model: &Model,
    report: &mut Report,
    deadline: Option<Instant>,
    ui: &mut Ui,
) -> Result<(), Trouble> {
    let by = format!("{}/{}", server.dialect().as_str(), model.name);
    let cache = config::folder("XDG_CACHE_HOME", ".cache").map(|folder| Cache::new(folder.join("words")));
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let mut told: Vec<(usize, Vec<Claim>)> = Vec::new();
    for index in worth_words(report) {
        let Some(facts) = Facts::new(report, index) else { continue };
        let shared = told.iter().find(|(other, _)| siblings::are_siblings(&report.incidents[*other], facts.incident));
        let shared = shared.and_then(|(other, claims)| {
            let narrative = ground(&siblings::reword(claims, &Facts::new(report, *other)?, &facts), &facts, &by);
            narrative.is_a_models().then_some(narrative)
        });
        let narrative = if let Some(narrative) = shared {
            narrative
        } else {
            let prompt = prompt::write(&facts, model.detail());
            let kept = cache.as_ref().and_then(|cache| cache.get(&by, &prompt));
            let answer = if let Some(answer) = kept {
                answer
            } else {
                tokio::select! {
                    answer = asked(server, &model.name, &prompt, deadline, ui) => answer?,
                    _ = &mut interrupted => return Err(Trouble("interrupted".to_owned())),
                }
            };
            if let Some(cache) = &cache {
                cache.put(&by, &prompt, &answer);
            }
            let claims = repair::claims(&answer);
            let narrative = ground(&claims, &facts, &by);
            told.push((index, claims));
            narrative
        };
        let incident = &mut report.incidents[index];
        ui.verbose(&format!("{} of the model's sentences struck for incident {}", narrative.struck, incident.id));
        incident.narrative = Some(narrative);
    }
    Ok(())
}

/// Asks once, while something moves on the terminal.
async fn asked(
    server: &Server,
    model: &str,
    prompt: &prompt::Prompt,
    deadline: Option<Instant>,
    ui: &mut Ui,
) -> Result<String, Trouble> {
    let started = Instant::now();
    let left = deadline.map_or(Duration::from_hours(24), |deadline| deadline.saturating_duration_since(started));
    let late = || Trouble(format!("{model} took too long; --llm-timeout gives it more time"));
    let answer = {
        let asked =
            async { tokio::time::timeout(left, server.ask(model, prompt)).await.unwrap_or_else(|_| Err(late())) };
        tokio::pin!(asked);
        let mut ticks = tokio::time::interval(Duration::from_millis(120));
        loop {
            tokio::select! {
                answer = &mut asked => break answer,
                _ = ticks.tick() => ui.spin(&format!("{model} puts it in words ({} s)", started.elapsed().as_secs()), started.elapsed()),
            }
        }
    };
    ui.still();
    let answer = answer?;
    ui.verbose(&format!(
        "{model} read {} tokens and wrote {} in {:.1} s (estimated {} to read)",
        answer.tokens.0,
        answer.tokens.1,
        started.elapsed().as_secs_f64(),
        prompt.tokens()
    ));
    ui.very_verbose(&format!("{model} said: {}", answer.text));
    Ok(answer.text)
}
