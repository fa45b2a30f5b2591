//! A variable names a port that its host does not serve.

use crate::model::{Finding, Kind, ObjectRef, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::config::wrong_value::{self, Advice};
use crate::scene::log::reach::Why;
use crate::scene::traffic::{calls, outage};
use crate::scene::{
    ContainerView, Environment, Outage, Peer, PodView, Scene, ServiceView, Testimony, Variable, outages, testimonies,
};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "wrong-env-port",
    category: "wrong_env_value",
    summary: "detects environment variables that name a port which the peer does not serve",
    docs: "\
## What it means
The program got the address of its peer from a variable, and the port in it is wrong: the Service does not serve it.

## How it is detected
The log says that a connection was refused or timed out, a variable of the container holds that port, and the Service of \
the host serves others. Where the variable may not be read, a driver that is refused although a ready server of its kind is \
there tells as much, with less weight. A port that the named Service does not serve is reported without a log too, as a warning.

## What to do
Correct the variable where its value stands: in the workload's spec, or in the ConfigMap or Secret that the evidence names. \
After a change of a ConfigMap or Secret, restart the workload: variables are read at the start only.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service, Kind::ConfigMap, Kind::Secret],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "service-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let said = testimonies(scene).flat_map(|testimony| {
        let environment = Environment::of(testimony.container);
        let mut found: Vec<Finding> =
            outages(&testimony).iter().filter_map(|outage| refused(&testimony, &environment, outage)).collect();
        found.extend(unnamed_server(&testimony, &environment));
        found
    });
    said.chain(silent_ports(scene)).collect()
}

/// A port that the Service of the named host does not serve.
fn refused(testimony: &Testimony<'_>, environment: &Environment<'_>, outage: &Outage<'_>) -> Option<Finding> {
    let host = outage.host.as_deref()?;
    let Peer::Service(object) = &outage.peer else { return None };
    if outage.why == Why::Unresolved {
        return None;
    }
    let port = outage.port?;
    let ports = outage::served_ports(outage::service(testimony, object)?)?;
    let variable = wrong_value::holder(environment, host, Some(port)).filter(|_| !ports.contains(&port))?;
    let (why, advice) = port_words(object, &ports, port, variable);
    let finding = wrong_value::unreachable(&RULE, testimony, variable, &why, &advice, 0.94, outage);
    Some(finding.mentions(object.clone()))
}

fn port_words(object: &ObjectRef, ports: &[u16], wrong: u16, variable: &Variable<'_>) -> (String, Advice) {
    let served = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let value = variable.value().filter(|_| ports.len() == 1).map(|value| value.replace(&wrong.to_string(), &served));
    let summary = format!("name port {served} in `{}`", variable.name);
    (format!("service/{} serves port {served} only", object.name), Advice::new(summary, value))
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
    let mut variables: Vec<&Variable<'_>> = environment.variables.iter().filter(fits).collect();
    // Something at the host answered, so that the port is the likelier of the two.
    variables.sort_by_key(|variable| !variable.name.to_ascii_uppercase().ends_with("PORT"));
    variables.truncate(2);
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
        finding = finding.because(container.pod_ref(), variable.path.clone(), wrong_value::describe(variable));
    }
    let advice = Advice::new(format!("compare {} with the name and port of {servers}", names.join(" and ")), None);
    Some(finding.recommend(wrong_value::correction(container, first, &advice)).next(testimony.logs_command()))
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

/// Ports in variables that the named Service does not serve, whatever the log says.
fn silent_ports(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    // Replicas follow each other, and what is right in one is right in the next.
    let mut right: Option<ContainerView<'_>> = None;
    let pods = scene.pods().filter(|pod| !pod.is_finished() && !pod.is_terminating());
    for container in pods.flat_map(PodView::containers) {
        if right.is_some_and(|other| same_environment(other, container)) {
            continue;
        }
        let environment = Environment::of(container);
        let before = found.len();
        found.extend(environment.variables.iter().filter_map(|variable| silent_port(container, variable)));
        right = (found.len() == before).then_some(container);
    }
    found
}

fn same_environment(a: ContainerView<'_>, b: ContainerView<'_>) -> bool {
    a.pod.namespace() == b.pod.namespace() && a.spec.env == b.spec.env && a.spec.env_from == b.spec.env_from
}

fn silent_port(container: ContainerView<'_>, variable: &Variable<'_>) -> Option<Finding> {
    let value = variable.value().filter(|_| names_an_address(&variable.name))?;
    let (host, port, _) = calls::hosts(value).find(|(_, port, _)| port.is_some())?;
    let scene = container.pod.scene;
    let (namespace, name) = calls::service_of(host, container.pod.namespace())?;
    let service = scene.snapshot.objects.services.get(&namespace, &name)?;
    let object = ObjectRef::new(Kind::Service, &namespace, &name);
    let ports = outage::served_ports(ServiceView { scene, service })?;
    if ports.contains(&port?) {
        return None;
    }
    let (why, advice) = port_words(&object, &ports, port?, variable);
    let finding =
        wrong_value::base(&RULE, container, variable, &why, &advice).confidence(0.8).severity(Severity::Warning);
    Some(finding.affects(container.pod_ref()).mentions(object))
}

fn names_an_address(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "BROKER", "DSN", "SERVICE"]
        .iter()
        .any(|word| upper.contains(word))
        && !upper.contains("IMAGE")
}
