//! A variable names a host that is no Service.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::config::wrong_value::{self, Advice};
use crate::scene::{Environment, Outage, Peer, Scene, Testimony, outages, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "wrong-env-host",
    category: "wrong_env_value",
    summary: "detects environment variables that name a host which is nearly, but not quite, the name of a Service",
    docs: "\
## What it means
The program got the address of its peer from a variable, and the host in it is misspelt: no Service has that name.

## How it is detected
The log says that a host does not resolve, a variable of the container holds exactly that host, and a Service of the \
namespace has nearly the same name.

## What to do
Correct the variable where its value stands: in the workload's spec, or in the ConfigMap or Secret that the evidence names. \
After a change of a ConfigMap or Secret, restart the workload: variables are read at the start only.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service, Kind::ConfigMap, Kind::Secret],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "service-missing"]],
    check,
};

/// Names that differ more than this are not misspelt.
const LIKENESS: f64 = 0.75;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let said = testimonies(scene).flat_map(|testimony| {
        let environment = Environment::of(testimony.container);
        outages(&testimony).iter().filter_map(|outage| misspelt(&testimony, &environment, outage)).collect::<Vec<_>>()
    });
    said.collect()
}

/// A host that is nearly a Service's name.
fn misspelt(testimony: &Testimony<'_>, environment: &Environment<'_>, outage: &Outage<'_>) -> Option<Finding> {
    let host = outage.host.as_deref()?;
    let Peer::NoService(object) = &outage.peer else { return None };
    let variable = wrong_value::holder(environment, host, None)?;
    let right = nearest_service(testimony.container.pod.scene, object)?;
    let why = format!("there is no service/{}; service/{right} is the nearest name", object.name);
    let advice = Advice::new(
        format!("name `{right}` in `{}`", variable.name),
        variable.value().map(|value| value.replace(host, &right)),
    );
    Some(wrong_value::unreachable(&RULE, testimony, variable, &why, &advice, 0.92, outage))
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
