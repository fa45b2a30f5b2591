//! A variable holds credentials that the server refuses.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::config::wrong_value::{self, Advice};
use crate::scene::log::{auth, entities, line};
use crate::scene::{Environment, Scene, Source, Testimony, Variable, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "wrong-env-credentials",
    category: "wrong_env_value",
    summary: "detects environment variables whose user or password the server refuses",
    docs: "\
## What it means
The program reaches its server, and the server refuses the user or password that the program got from its environment.

## How it is detected
The log of a client says that authentication failed, and variables of the container hold credentials. Their values are never \
shown; the evidence says where they come from. The logs of servers, which complain of others, are left out.

## What to do
Make the credentials agree with what the server knows. Correct the variable where its value stands: in the workload's spec, or in the ConfigMap or Secret that the evidence names. \
After a change of a ConfigMap or Secret, restart the workload: variables are read at the start only.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap, Kind::Secret],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "service-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| credentials(&testimony, &Environment::of(testimony.container))).collect()
}

/// A server refused the user or password, and variables say where the client got them.
fn credentials(testimony: &Testimony<'_>, environment: &Environment<'_>) -> Option<Finding> {
    if testimony.is_server() {
        return None;
    }
    let (template, user) =
        testimony.find(|message| auth::is_refusal(message).then(|| entities::user(message).map(str::to_owned)))?;
    let variables = secrets(environment);
    let Some(first) = variables.first() else { return none_given(testimony) };
    let container = testimony.container;
    let names: Vec<String> = variables.iter().map(|variable| format!("`{}`", variable.name)).collect();
    let origin = variables
        .iter()
        .find_map(|variable| variable.origin())
        .map(|origin| format!(" from {origin}"))
        .unwrap_or_default();
    let who = user.map(|user| format!(" as user `{user}`")).unwrap_or_default();
    let message = format!(
        "{} is refused by its server{who}: the credentials in {}{origin} are wrong",
        container.phrase(),
        names.join(", ")
    );
    let mut finding = RULE.finding(container.subject(), message).key(first.name.clone()).confidence(0.82);
    finding = testimony.attest(finding, template);
    for variable in &variables {
        finding = finding.because(container.pod_ref(), variable.path.clone(), wrong_value::describe(variable));
    }
    if let Some(variable) = variables.iter().find(|variable| variable.origin().is_some()) {
        finding = finding.mentions(variable.object(container));
    }
    let advice = Advice::new(format!("make {} agree with what the server knows", names.join(", ")), None);
    Some(finding.recommend(wrong_value::correction(container, first, &advice)).next(testimony.logs_command()))
}

/// A server asks for a password, and no variable of the client holds one.
fn none_given(testimony: &Testimony<'_>) -> Option<Finding> {
    let (template, ()) = testimony.find(|message| auth::wants_password(message).then_some(()))?;
    let container = testimony.container;
    let said = line::clip(&line::shown(template.line), 130);
    let message = format!("{} gives its server no password, which asks for one: `{said}`", container.phrase());
    let summary = format!("give `{}` the password of its server, by a variable or in the address", container.name());
    let finding = RULE.finding(container.subject(), message).confidence(0.75);
    let finding = testimony.attest(finding, template).recommend(Recommendation::new("edit-object", summary));
    Some(finding.next(testimony.logs_command()))
}

/// Returns the variables that hold credentials, at most four.
fn secrets<'e, 's>(environment: &'e Environment<'s>) -> Vec<&'e Variable<'s>> {
    let is_secret = |variable: &&Variable<'_>| {
        let name = variable.name.to_ascii_uppercase();
        let words = [
            "PASS",
            "PWD",
            "USER",
            "CREDENTIAL",
            "DSN",
            "DATABASE_URL",
            "DB_URL",
            "DB_URI",
            "CONNECTION_STRING",
            "CONN_STR",
            "MONGO_URI",
            "REDIS_URL",
        ];
        words.iter().any(|word| name.contains(word)) && !matches!(variable.source, Source::Field)
    };
    environment.variables.iter().filter(is_secret).take(4).collect()
}
