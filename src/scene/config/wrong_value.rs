//! Findings about a variable that holds a wrong value, and how to correct it.

use crate::model::{Finding, Kind, Recommendation};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::log::line;
use crate::scene::traffic::calls;
use crate::scene::{ContainerView, Environment, Outage, Source, Testimony, Variable};

/// What to write into a variable, in words and, if there is one answer, as the value.
#[derive(Debug)]
pub struct Advice {
    pub summary: String,
    pub value: Option<String>,
}

impl Advice {
    /// Makes an advice.
    pub fn new(summary: String, value: Option<String>) -> Self {
        Self { summary, value }
    }
}

/// Makes a finding about a variable from a call that failed.
pub fn unreachable(
    rule: &'static Rule,
    testimony: &Testimony<'_>,
    variable: &Variable<'_>,
    why: &str,
    advice: &Advice,
    confidence: f64,
    outage: &Outage<'_>,
) -> Finding {
    let finding = base(rule, testimony.container, variable, why, advice).confidence(confidence);
    testimony.attest(finding, outage.template).next(testimony.logs_command())
}

/// Starts a finding about a variable.
pub fn base(
    rule: &'static Rule,
    container: ContainerView<'_>,
    variable: &Variable<'_>,
    why: &str,
    advice: &Advice,
) -> Finding {
    let shown = variable.shown();
    let at = variable.origin().map(|origin| format!(" (from {origin})")).unwrap_or_default();
    let message = format!("{} gets `{}={}`{at}, but {why}", container.phrase(), variable.name, line::clip(&shown, 100));
    let finding = rule.finding(container.subject(), message).key(variable.name.clone());
    let finding = finding.because(container.pod_ref(), variable.path.clone(), shown);
    let finding = match variable.origin() {
        Some(_) => finding.mentions(variable.object(container)),
        None => finding,
    };
    finding.recommend(correction(container, variable, advice))
}

/// Recommends to correct a variable where its value stands.
pub fn correction(container: ContainerView<'_>, variable: &Variable<'_>, advice: &Advice) -> Recommendation {
    let object = &container.pod.workload().object;
    let namespace = object.namespace();
    match variable.source {
        Source::ConfigMap { name, .. } => Recommendation::new(
            "edit-object",
            format!("{}: edit configmap/{name} and restart {}", advice.summary, object.short()),
        )
        .command(quote::command(&["kubectl", "edit", "configmap", name, "-n", namespace])),
        Source::Secret { name, .. } => Recommendation::new(
            "edit-object",
            format!("{}: edit secret/{name} and restart {}", advice.summary, object.short()),
        )
        .command(quote::command(&["kubectl", "edit", "secret", name, "-n", namespace])),
        Source::Literal(_) | Source::Field => {
            let recommendation = Recommendation::new("set-env", &advice.summary);
            if object.is(Kind::Pod) || object.is(Kind::Job) {
                return recommendation;
            }
            let assignment = format!("{}={}", variable.name, advice.value.as_deref().unwrap_or("<value>"));
            recommendation.command(quote::command(&[
                "kubectl",
                "set",
                "env",
                "-n",
                namespace,
                &object.short(),
                "-c",
                container.name(),
                &assignment,
            ]))
        }
    }
}

/// Finds the variable that holds a host, with the port if there is one; or the port alone next to it.
pub fn holder<'e, 's>(environment: &'e Environment<'s>, host: &str, port: Option<u16>) -> Option<&'e Variable<'s>> {
    let holds = |variable: &&Variable<'_>, port: Option<u16>| {
        variable.value().is_some_and(|value| {
            calls::hosts(value).any(|(found, at, _)| found == host && port.is_none_or(|port| at == Some(port)))
        })
    };
    let pair = || environment.variables.iter().find(|variable| holds(variable, port));
    let Some(port) = port else { return pair() };
    pair().or_else(|| {
        let named_host = environment.variables.iter().find(|variable| holds(variable, None))?;
        let stem = named_host.name.rsplit_once('_').map_or("", |(stem, _)| stem);
        let digits = port.to_string();
        let is_port = |variable: &&Variable<'_>| {
            variable.value() == Some(digits.as_str())
                && variable.name.contains("PORT")
                && variable.name.starts_with(stem)
        };
        environment.variables.iter().find(is_port)
    })
}

/// A credential's evidence is where it comes from, never a literal password.
pub fn describe(variable: &Variable<'_>) -> String {
    match variable.source {
        Source::Secret { .. } => format!("{} = {}", variable.name, variable.shown()),
        _ if variable.name.contains("USER") => format!("{} = {}", variable.name, variable.shown()),
        _ => format!(
            "{} is set{}",
            variable.name,
            variable.origin().map(|origin| format!(" from {origin}")).unwrap_or_default()
        ),
    }
}
