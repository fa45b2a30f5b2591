//! A variable holds a value of a wrong form.

use crate::scene::pattern::Pattern;

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::config::wrong_value::{self, Advice};
use crate::scene::log::line;
use crate::scene::{Environment, Scene, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "wrong-env-value",
    category: "wrong_env_value",
    summary: "detects environment variables that hold a value of the wrong form",
    docs: "\
## What it means
The program got its configuration, and one value in it cannot be read: a word where a number belongs, a duration without a unit.

## How it is detected
The program crashes, its log says which value it could not read (invalid literal, cannot parse), and a variable of the \
container holds exactly that value.

## What to do
Correct the variable where its value stands: in the workload's spec, or in the ConfigMap or Secret that the evidence names. \
After a change of a ConfigMap or Secret, restart the workload: variables are read at the start only.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Secret],
    uses: &[Kind::ConfigMap],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "service-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| typed(&testimony, &Environment::of(testimony.container))).collect()
}

/// A word where a number or another form belongs.
fn typed(testimony: &Testimony<'_>, environment: &Environment<'_>) -> Option<Finding> {
    static INVALID: Pattern = Pattern::new(concat!(
        r#"(?:invalid literal for int\(\) with base [0-9]+: |could not convert string to float: |For input string: |strconv\.[A-Za-z]+: parsing "#,
        r#"|invalid (?:value|port|port number|duration|boolean|integer|log level|level|URL|url)(?: [a-z]+)?:? |time: invalid duration )["'`]?([^"'`\s]+(?: [^"'`\s]+)*)["'`]?"#
    ));
    testimony.crash?;
    let (template, value) =
        testimony.find(|message| Some(INVALID.captures(message)?[1].trim_end_matches([':', ',', '.']).to_owned()))?;
    let variable = environment
        .variables
        .iter()
        .find(|variable| variable.value().is_some_and(|held| !held.is_empty() && held == value))?;
    let why = format!("the program cannot read that value: `{}`", line::clip(&line::shown(template.line), 100));
    let advice = Advice::new(format!("give `{}` a value of the form that the program expects", variable.name), None);
    let finding = wrong_value::base(&RULE, testimony.container, variable, &why, &advice);
    Some(testimony.attest(finding.confidence(0.93), template).next(testimony.logs_command()))
}
