//! The program needs a variable that is not set.

use crate::scene::pattern::Pattern;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::log::{entities, line};
use crate::scene::{ContainerView, Environment, Scene, Source, Template, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "missing-env",
    category: "missing_env",
    summary: "detects programs that need an environment variable which their container does not get",
    docs: "\
## What it means
The program says that a variable is not set, and the container's spec does not set it: it was forgotten, renamed, or lost \
with a ConfigMap's key.

## How it is detected
The log names a variable as missing, required or undefined (`KeyError: 'X'`, `X is not set`, a shell's `X: parameter not \
set`, pydantic's `Field required`), and neither `env` nor the known keys of `envFrom` give it a value. If a ConfigMap or \
Secret of `envFrom` could not be read, the verdict is less sure.

## What to do
Set the variable in the workload's `env`, or add the key to the ConfigMap or Secret that the container already uses. If a \
similar name is set, one of the two is misspelt.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap, Kind::Secret],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["bad-command", "init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| missing_env(&testimony)).collect()
}

fn missing_env(testimony: &Testimony<'_>) -> Option<Finding> {
    let environment = Environment::of(testimony.container);
    let lacks = |name: &String| environment.get(name).is_none_or(|variable| variable.value() == Some(""));
    let (template, names) = testimony
        .find(|message| {
            let names: Vec<String> = wanted(message).into_iter().filter(lacks).collect();
            (!names.is_empty()).then_some(names)
        })
        .or_else(|| {
            pydantic(testimony).map(|(template, names)| (template, names.into_iter().filter(lacks).collect::<Vec<_>>()))
        })?;
    (!names.is_empty()).then(|| finding(testimony, &environment, template, &names))
}

fn finding(
    testimony: &Testimony<'_>,
    environment: &Environment<'_>,
    template: &Template<'_>,
    names: &[String],
) -> Finding {
    let container = testimony.container;
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let empty = names.iter().all(|name| environment.get(name).is_some());
    let state = if empty { "set but empty" } else { "not set" };
    let list = quoted.join(" and ");
    let plural = if names.len() > 1 { "environment variables" } else { "environment variable" };
    let verb = if names.len() > 1 { "are" } else { "is" };
    let message =
        format!("{} {} because the {plural} {list} {verb} {state}", container.phrase(), testimony.end_phrase());
    let set: Vec<&str> = environment.variables.iter().map(|variable| variable.name.as_ref()).collect();
    let has = if set.is_empty() { "none".to_owned() } else { line::clip(&set.join(", "), 250) };
    let confidence = if environment.complete { 0.92 } else { 0.75 };
    let finding = RULE.finding(container.subject(), message).key(names.join(",")).confidence(confidence);
    let finding = testimony.attest(finding, template).because(
        container.pod_ref(),
        container.spec_path("env"),
        format!("sets: {has}"),
    );
    advise(finding, testimony, environment, names)
}

/// Returns the optional reference of a variable that nothing gives: its path, and what it asks for.
fn optional(container: ContainerView<'_>, name: &str) -> Option<(String, String)> {
    let variable = container.spec.env.iter().flatten().find(|variable| variable.name == name)?;
    let from = variable.value_from.as_ref()?;
    let secret = from.secret_key_ref.as_ref().map(|key| ("secret", &key.name, &key.key));
    let map = || from.config_map_key_ref.as_ref().map(|key| ("configmap", &key.name, &key.key));
    let (kind, object, key) = secret.or_else(map)?;
    Some((container.spec_path(&format!("env[{name}]")), format!("key `{key}` of {kind}/{object}")))
}

fn advise(mut finding: Finding, testimony: &Testimony<'_>, environment: &Environment<'_>, names: &[String]) -> Finding {
    let container = testimony.container;
    if let Some((path, source)) = names.iter().find_map(|name| optional(container, name)) {
        let summary =
            format!("make {source}, which is not there: the reference is optional, so that the pod started without");
        finding = finding
            .because(container.pod_ref(), path, format!("optional {source}"))
            .recommend(Recommendation::new("create-object", summary));
        return finding.next(testimony.logs_command());
    }
    if let Some(similar) = names.iter().find_map(|name| similar(environment, name).map(|other| (name, other))) {
        let summary = format!("if `{}` is meant, rename it to `{}`: the names differ", similar.1, similar.0);
        finding = finding.recommend(Recommendation::new("edit-object", summary));
    }
    let summary = format!(
        "set {} for the container `{}`",
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and "),
        container.name()
    );
    let mut recommendation = Recommendation::new("set-env", summary);
    let object = &container.pod.workload().object;
    if !object.is(Kind::Pod) && !object.is(Kind::Job) {
        let target = object.short();
        let values: Vec<String> = names.iter().map(|name| format!("{name}=<value>")).collect();
        let mut words =
            vec!["kubectl", "set", "env", "-n", object.namespace(), target.as_str(), "-c", container.name()];
        words.extend(values.iter().map(String::as_str));
        recommendation = recommendation.command(quote::command(&words));
    }
    finding.recommend(recommendation).next(testimony.logs_command())
}

/// Finds a variable whose name is nearly the missing one.
fn similar(environment: &Environment<'_>, name: &str) -> Option<String> {
    let close = environment
        .variables
        .iter()
        .map(|variable| (strsim::normalized_damerau_levenshtein(&variable.name, name), variable));
    let known = close.filter(|(likeness, variable)| {
        *likeness >= 0.75 && variable.name != name && !matches!(variable.source, Source::Field)
    });
    known.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, variable)| variable.name.to_string())
}

/// Returns the variables that a line calls missing.
fn wanted(message: &str) -> Vec<String> {
    static NAMED: [Pattern; 6] = [
        Pattern::new(r#"KeyError: ['"]([A-Z][A-Z0-9]*_[A-Z0-9_]+)['"]"#),
        Pattern::new(
            r"(?:^|[\s:])([A-Za-z_][A-Za-z0-9_]*): (?:parameter (?:not set|null or not set)|unbound variable)",
        ),
        Pattern::new(r"required key ([A-Z][A-Z0-9_]+) missing value"),
        Pattern::new(r"process\.env\.([A-Za-z_][A-Za-z0-9_]*)"),
        Pattern::new(r"Could not resolve placeholder '([A-Z][A-Z0-9_]+)'"),
        Pattern::new(r#"key not found: "([A-Z][A-Z0-9_]+)""#),
    ];
    static MISSING: Pattern = Pattern::new(concat!(
        r"(?i)not set\b|\bunset\b|undefined|not defined|\bmissing\b|\brequired\b|not configured|not provided|must be (?:set|provided|defined)",
        r"|(?:is|was) empty|cannot be empty|not found in (?:the )?environment|no value for|not present|(?:needs|need) to be set|please set|not specified|environment variable not found"
    ));
    static ENVIRONMENT: Pattern = Pattern::new(r"(?i)\benv(?:ironment)?\b[ _-]?(?:var)?|\benviron\b|variable");
    let named: Vec<String> =
        NAMED.iter().filter_map(|pattern| pattern.captures(message)).map(|found| found[1].to_owned()).collect();
    if !named.is_empty() {
        return named;
    }
    if !MISSING.is_match(message) || message.len() > 400 {
        return Vec::new();
    }
    entities::variables(message, ENVIRONMENT.is_match(message)).into_iter().map(str::to_owned).take(5).collect()
}

/// Reads pydantic's error, which names the field on the line before `Field required`.
fn pydantic<'s>(testimony: &Testimony<'s>) -> Option<(&'s Template<'s>, Vec<String>)> {
    let template = testimony
        .complaints()
        .find(|template| template.line.trim_start().to_ascii_lowercase().starts_with("field required"))?;
    let named = testimony.log.text.contains("validation error for");
    let field = testimony.log.line(template.number.checked_sub(1)?)?.trim();
    let is_name = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (named && is_name && settings(testimony)).then(|| (template, vec![field.to_ascii_uppercase()]))
}

/// A validation error of settings is about the environment; one of a request is not.
fn settings(testimony: &Testimony<'_>) -> bool {
    testimony.crash.is_some() && testimony.log.text.to_ascii_lowercase().contains("settings")
}
