//! A variable holds a wrong host, port, credential or value.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::log::reach::Why;
use crate::scene::log::{auth, entities};
use crate::scene::traffic::outage;
use crate::scene::{Environment, Outage, Peer, PodView, Scene, Source, Testimony, Variable, outages, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "wrong-env-value",
    category: "wrong_env_value",
    summary: "detects environment variables that hold a wrong host, port, credential or a value of the wrong type",
    docs: "\
## What it means
The program got its configuration, and one value in it is wrong: a host that is no Service, a port that the Service does not \
serve, a user or password that the server refuses, a word where a number belongs.

## How it is detected
The log says what failed (no such host, connection refused, authentication failed, invalid literal), and a variable of the \
container holds exactly that value; the Services of the cluster say what would be right. A port in a variable that the \
named Service does not serve is reported without a log too, with less weight.

## What to do
Correct the variable where its value stands: in the workload's spec, or in the ConfigMap or Secret that the evidence names. \
After a change of a ConfigMap or Secret, restart the workload: variables are read at the start only.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Secret],
    uses: &[Kind::Service, Kind::ConfigMap],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "service-missing"]],
    check,
};

/// Names that differ more than this are not misspelt.
const LIKENESS: f64 = 0.75;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let said = testimonies(scene).flat_map(|testimony| {
        let environment = Environment::of(testimony.container);
        let mut found: Vec<Finding> =
            outages(&testimony).iter().filter_map(|outage| address(&testimony, &environment, outage)).collect();
        found.extend(credentials(&testimony, &environment));
        found.extend(typed(&testimony, &environment));
        found.extend(unnamed_server(&testimony, &environment));
        found
    });
    said.chain(silent_ports(scene)).collect()
}

/// A host that is nearly a Service's name, or a port that the Service does not serve.
fn address(testimony: &Testimony<'_>, environment: &Environment<'_>, outage: &Outage<'_>) -> Option<Finding> {
    let host = outage.host.as_deref()?;
    match &outage.peer {
        Peer::NoService(object) => {
            let variable = holder(environment, host, None)?;
            let right = nearest_service(testimony.container.pod.scene, object)?;
            let why = format!("there is no service/{}; service/{right} is the nearest name", object.name);
            let advice = Advice::new(
                format!("name `{right}` in `{}`", variable.name),
                variable.value().map(|value| value.replace(host, &right)),
            );
            Some(finding(testimony, variable, &why, &advice, 0.92, outage))
        }
        Peer::Service(object) if outage.why != Why::Unresolved => {
            let port = outage.port?;
            let ports = outage::served_ports(outage::service(testimony, object)?)?;
            let variable = holder(environment, host, Some(port)).filter(|_| !ports.contains(&port))?;
            let (why, advice) = port_words(object, &ports, port, variable);
            Some(finding(testimony, variable, &why, &advice, 0.94, outage).mentions(object.clone()))
        }
        _ => None,
    }
}

/// What to write into a variable, in words and, if there is one answer, as the value.
struct Advice {
    summary: String,
    value: Option<String>,
}

impl Advice {
    fn new(summary: String, value: Option<String>) -> Self {
        Self { summary, value }
    }
}

fn port_words(object: &ObjectRef, ports: &[u16], wrong: u16, variable: &Variable<'_>) -> (String, Advice) {
    let served = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let value = variable.value().filter(|_| ports.len() == 1).map(|value| value.replace(&wrong.to_string(), &served));
    let summary = format!("name port {served} in `{}`", variable.name);
    (format!("service/{} serves port {served} only", object.name), Advice::new(summary, value))
}

fn finding(
    testimony: &Testimony<'_>,
    variable: &Variable<'_>,
    why: &str,
    advice: &Advice,
    confidence: f64,
    outage: &Outage<'_>,
) -> Finding {
    let finding = base(testimony.container, variable, why, advice).confidence(confidence);
    testimony.attest(finding, outage.template).next(testimony.logs_command())
}

/// Starts a finding about a variable.
fn base(container: crate::scene::ContainerView<'_>, variable: &Variable<'_>, why: &str, advice: &Advice) -> Finding {
    let shown = variable.shown();
    let at = variable.origin().map(|origin| format!(" (from {origin})")).unwrap_or_default();
    let message = format!("{} gets `{}={}`{at}, but {why}", container.phrase(), variable.name, clip(&shown));
    let finding = RULE.finding(container.subject(), message).key(variable.name.clone());
    let finding = finding.because(container.pod_ref(), variable.path.clone(), shown);
    let finding = match variable.origin() {
        Some(_) => finding.mentions(variable.object(container)),
        None => finding,
    };
    finding.recommend(correction(container, variable, advice))
}

fn correction(container: crate::scene::ContainerView<'_>, variable: &Variable<'_>, advice: &Advice) -> Recommendation {
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
fn holder<'e, 's>(environment: &'e Environment<'s>, host: &str, port: Option<u16>) -> Option<&'e Variable<'s>> {
    let holds = |variable: &&Variable<'_>, port: Option<u16>| {
        variable.value().is_some_and(|value| {
            crate::scene::traffic::calls::hosts(value)
                .any(|(found, at, _)| found == host && port.is_none_or(|port| at == Some(port)))
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

/// Returns the Service of the namespace whose name is the likest.
fn nearest_service(scene: &Scene<'_>, wrong: &ObjectRef) -> Option<String> {
    let services = scene.snapshot.objects.services.in_namespace(wrong.namespace());
    let likeness = services.map(|service| {
        (strsim::normalized_damerau_levenshtein(service.object.name(), &wrong.name), service.object.name())
    });
    let near = likeness.filter(|(likeness, _)| *likeness >= LIKENESS);
    near.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1))).map(|(_, name)| name.to_owned())
}

/// A server refused the user or password, and variables say where the client got them.
fn credentials(testimony: &Testimony<'_>, environment: &Environment<'_>) -> Option<Finding> {
    if testimony.is_server() {
        return None;
    }
    let (template, user) =
        testimony.find(|message| auth::is_refusal(message).then(|| entities::user(message).map(str::to_owned)))?;
    let variables = secrets(environment);
    let first = variables.first()?;
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
        finding = finding.because(container.pod_ref(), variable.path.clone(), describe(variable));
    }
    if let Some(variable) = variables.iter().find(|variable| variable.origin().is_some()) {
        finding = finding.mentions(variable.object(container));
    }
    let advice = Advice::new(format!("make {} agree with what the server knows", names.join(", ")), None);
    Some(finding.recommend(correction(container, first, &advice)).next(testimony.logs_command()))
}

/// A credential's evidence is where it comes from, never a literal password.
fn describe(variable: &Variable<'_>) -> String {
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

/// A driver is refused, though a server of its kind is up: its host or port comes from variables that nobody may read.
fn unnamed_server(testimony: &Testimony<'_>, environment: &Environment<'_>) -> Option<Finding> {
    testimony.crash?;
    let outages = outages(testimony);
    let outage = outages.iter().find(|outage| outage.host.is_none())?;
    let refused = testimony.complaints().any(|template| template.message().contains("onnection refused"));
    let driver = driver(testimony.log.text).filter(|_| refused)?;
    let fits = |variable: &&Variable<'_>| {
        let name = variable.name.to_ascii_uppercase();
        let of_driver =
            driver.iter().any(|word| name.contains(word)) || name.contains("DB_") || name.contains("DATABASE");
        of_driver && variable.value().is_none() && (name.ends_with("HOST") || name.ends_with("PORT"))
    };
    let variables: Vec<&Variable<'_>> = environment.variables.iter().filter(fits).take(2).collect();
    let first = variables.first()?;
    let container = testimony.container;
    let scene = container.pod.scene;
    let is_server = |name: &str| driver.iter().any(|word| name.to_ascii_uppercase().contains(word));
    let servers = scene
        .services()
        .filter(|service| service.namespace() == container.pod.namespace() && is_server(service.name()));
    let ready = servers.filter(|service| service.pods().any(PodView::is_ready));
    let servers: Vec<String> = ready.map(|service| service.object().short()).take(3).collect();
    if servers.is_empty() {
        return None;
    }
    let servers = servers.join(", ");
    let names: Vec<String> = variables.iter().map(|variable| format!("`{}`", variable.name)).collect();
    let origin = first.origin().map(|origin| format!(" ({origin})")).unwrap_or_default();
    let message = format!(
        "{} is refused a connection, though servers of its kind are up ({servers}): the value of {}{origin} is wrong",
        container.phrase(),
        names.join(" or ")
    );
    let mut finding = testimony
        .attest(RULE.finding(container.subject(), message).key(first.name.clone()).confidence(0.7), outage.template);
    for variable in &variables {
        finding = finding.because(container.pod_ref(), variable.path.clone(), describe(variable));
    }
    let advice = Advice::new(format!("compare {} with the name and port of {servers}", names.join(" and ")), None);
    Some(finding.recommend(correction(container, first, &advice)).next(testimony.logs_command()))
}

/// Tells by the classes in a log what kind of server its driver is for.
fn driver(text: &str) -> Option<&'static [&'static str]> {
    let known: [(&str, &'static [&'static str]); 5] = [
        ("com.mysql.", &["MYSQL", "MARIADB"]),
        ("org.mariadb.", &["MYSQL", "MARIADB"]),
        ("org.postgresql.", &["POSTGRES", "PG", "PSQL"]),
        ("psycopg2.", &["POSTGRES", "PG", "PSQL"]),
        ("com.mongodb.", &["MONGO"]),
    ];
    known.into_iter().find(|(class, _)| text.contains(class)).map(|(_, words)| words)
}

/// A word where a number or another form belongs.
fn typed(testimony: &Testimony<'_>, environment: &Environment<'_>) -> Option<Finding> {
    static INVALID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r#"(?:invalid literal for int\(\) with base [0-9]+: |could not convert string to float: |For input string: |strconv\.[A-Za-z]+: parsing "#,
            r#"|invalid (?:value|port|port number|duration|boolean|integer|log level|level|URL|url)(?: [a-z]+)?:? |time: invalid duration )["'`]?([^"'`\s]+(?: [^"'`\s]+)*)["'`]?"#
        ))
        .expect("a constant pattern")
    });
    testimony.crash?;
    let (template, value) =
        testimony.find(|message| Some(INVALID.captures(message)?[1].trim_end_matches([':', ',', '.']).to_owned()))?;
    let variable = environment
        .variables
        .iter()
        .find(|variable| variable.value().is_some_and(|held| !held.is_empty() && held == value))?;
    let why = format!("the program cannot read that value: `{}`", clip(&crate::scene::log::line::shown(template.line)));
    let advice = Advice::new(format!("give `{}` a value of the form that the program expects", variable.name), None);
    let finding = base(testimony.container, variable, &why, &advice);
    Some(testimony.attest(finding.confidence(0.93), template).next(testimony.logs_command()))
}

/// Ports in variables that the named Service does not serve, whatever the log says.
fn silent_ports(scene: &Scene<'_>) -> Vec<Finding> {
    scene
        .pods()
        .filter(|pod| !pod.is_finished() && !pod.is_terminating())
        .flat_map(PodView::containers)
        .flat_map(|container| {
            let environment = Environment::of(container);
            environment.variables.iter().filter_map(|variable| silent_port(container, variable)).collect::<Vec<_>>()
        })
        .collect()
}

fn silent_port(container: crate::scene::ContainerView<'_>, variable: &Variable<'_>) -> Option<Finding> {
    let value = variable.value().filter(|_| names_an_address(&variable.name))?;
    let (host, port, _) = crate::scene::traffic::calls::hosts(value).find(|(_, port, _)| port.is_some())?;
    let scene = container.pod.scene;
    let (namespace, name) = crate::scene::traffic::calls::service_of(host, container.pod.namespace())?;
    let service = scene.snapshot.objects.services.get(&namespace, &name)?;
    let object = ObjectRef::new(Kind::Service, &namespace, &name);
    let ports = outage::served_ports(crate::scene::ServiceView { scene, service })?;
    if ports.contains(&port?) {
        return None;
    }
    let (why, advice) = port_words(&object, &ports, port?, variable);
    let finding = base(container, variable, &why, &advice).confidence(0.8).severity(Severity::Warning);
    Some(finding.affects(container.pod_ref()).mentions(object))
}

fn names_an_address(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "BROKER", "DSN", "SERVICE"]
        .iter()
        .any(|word| upper.contains(word))
        && !upper.contains("IMAGE")
}

fn clip(text: &str) -> String {
    if text.chars().count() <= 100 { text.to_owned() } else { text.chars().take(99).chain(['…']).collect() }
}
