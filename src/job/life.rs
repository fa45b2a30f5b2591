//! The life of an agent: made, waited for, read, deleted.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::frame::{Content, Header, Part, Reader, Refusal, SCHEMA};
use super::manifest::{self, START, Settings};
use super::request::PROTOCOL;
use super::rights::Right;
use super::signals::Signals;
use super::{log, trouble, wait};
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::failure::{Exit, Failure};
use crate::model::{Kind, Report};
use crate::render::json::read;

const MERGE: &str = "application/merge-patch+json";
/// How long the API server may take to know a Role that was just made.
const PATIENCE: Duration = Duration::from_secs(5);
/// Waits between tries to delete, when the connection is gone.
const DELETE_AGAIN: [u64; 4] = [0, 500, 1500, 3000];

/// An agent that is to be run.
#[derive(Clone, Debug, Default)]
pub struct Order {
    pub settings: Settings,
    /// What its own account may do; of no account of its own, nothing.
    pub rights: Vec<Right>,
    /// Leave the objects there.
    pub keep: bool,
    /// Whether the agent is to ask a model.
    pub has_words: bool,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
pub enum Step<'s> {
    Says(&'s str),
    /// The report is there, and a model is still asked for words.
    Report(&'s Report),
}

/// Is told how far it has come.
pub type Tell<'t> = &'t mut dyn FnMut(Step<'_>);

/// What an agent brought.
#[derive(Debug)]
pub struct Answer {
    pub report: Report,
    /// What it said on stderr.
    pub said: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct End {
    pub failure: Failure,
    /// What our own rules say of the agent.
    pub diagnosis: Option<Box<Report>>,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self { failure, diagnosis: None }
    }
}

/// What stopped an agent, as it was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sign(pub(super) String);

/// Runs an agent to its end and returns its report. Nothing of it is left behind, whatever happens, save with `keep`.
///
/// # Errors
/// When it cannot be made, start or finish, or somebody interrupts.
pub async fn run(client: &ApiClient, order: &Order, tell: Tell<'_>) -> Result<Answer, End> {
    let mut signals = Signals::new();
    let result = tokio::select! {
        result = answer(client, order, tell) => result,
        () = signals.next() => Err(Failure::new(Exit::Interrupted, "interrupted").into()),
    };
    if order.keep {
        return result;
    }
    tokio::select! {
        deleted = delete(client, &order.settings) => match deleted {
            Ok(()) => result,
            Err(error) => left_behind(&order.settings, &error, result),
        },
        () = signals.next() => left_behind(&order.settings, &RequestError::Timeout, result),
    }
}

/// Says what is left to the Job's own deadline.
fn left_behind(settings: &Settings, error: &RequestError, result: Result<Answer, End>) -> Result<Answer, End> {
    let Err(mut end) = result else { return result };
    let Settings { name, namespace, deadline, .. } = settings;
    let last = deadline + settings.ttl.unwrap_or_default();
    end.failure = end.failure.hint(format!(
        "job/{name} could not be deleted ({error}); it is gone {last}s after its start, or with: kubectl delete job {name} -n {namespace}"
    ));
    Err(end)
}

/// Deletes the Job, and with it all that it owns; when the connection is lost, for some seconds again and again.
async fn delete(client: &ApiClient, settings: &Settings) -> Result<(), RequestError> {
    let path = format!("{}/{}", Kind::Job.path(Some(&settings.namespace)), settings.name);
    let mut last = RequestError::Timeout;
    for wait in DELETE_AGAIN {
        sleep(Duration::from_millis(wait)).await;
        match client.delete(&path).await {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn answer(client: &ApiClient, order: &Order, tell: Tell<'_>) -> Result<Answer, End> {
    let settings = &order.settings;
    tell(Step::Says(&format!("starting job/{} in namespace {}", settings.name, settings.namespace)));
    make(client, order).await.map_err(|error| trouble::not_made(settings, &error))?;
    let pod = match wait::start(client, settings, tell).await {
        Ok(pod) => pod,
        Err(sign) => return Err(trouble::diagnose(client, settings, &sign, tell).await),
    };
    tell(Step::Says(&format!("pod/{pod} looks at the namespace")));
    let mut reader = Reader::new(Part::Report);
    if let Err(sign) = log::follow(client, settings, &pod, &mut reader).await {
        return Err(trouble::broken_off(client, settings, &sign, &reader, tell).await);
    }
    let report = read_report(&reader)?;
    if !order.has_words {
        return Ok(Answer { report, said: reader.others().to_vec() });
    }
    tell(Step::Report(&report));
    tell(Step::Says("the model is asked"));
    let mut reader = Reader::new(Part::Words);
    let followed = log::follow(client, settings, &pod, &mut reader).await;
    let worded = followed.map_err(|Sign(why)| why).and_then(|()| read_report(&reader).map_err(|end| end.message));
    let mut said = reader.others().to_vec();
    let report = worded.unwrap_or_else(|why| {
        said.push(format!("warning: without a model's words: {why}"));
        report
    });
    Ok(Answer { report, said })
}

fn read_report(reader: &Reader) -> Result<Report, Failure> {
    // Another version may count and check in another way.
    if let Some(header) = reader.header().filter(|header| !is_understood(header)) {
        return Err(other_version(header));
    }
    let (header, answer) = reader.finish().map_err(|broken| trouble::unreadable(&broken.to_string()))?;
    understand(header, &answer)
}

/// Makes the Job, then what it owns, and lets it start.
async fn make(client: &ApiClient, order: &Order) -> Result<(), RequestError> {
    let settings = &order.settings;
    let place = Some(settings.namespace.as_str());
    let jobs = Kind::Job.path(place);
    let job = client.create(&jobs, &manifest::job(settings), false).await?;
    if settings.account.is_some() {
        return Ok(());
    }
    let uid = job["metadata"]["uid"].as_str().unwrap_or_default();
    let [account, role, binding] = manifest::owned(settings, uid, &order.rights);
    let (accounts, roles) = (Kind::ServiceAccount.path(place), Kind::Role.path(place));
    tokio::try_join!(client.create(&accounts, &account, false), client.create(&roles, &role, false))?;
    bind(client, &Kind::RoleBinding.path(place), &binding).await?;
    let start: Value = serde_json::from_str(START).unwrap_or_default();
    client.send(http::Method::PATCH, &format!("{jobs}/{}", settings.name), &[], MERGE, &start).await?;
    Ok(())
}

/// Makes the binding; a server that does not know the Role yet, as its cache lags, is asked again.
async fn bind(client: &ApiClient, path: &str, binding: &Value) -> Result<(), RequestError> {
    let started = Instant::now();
    loop {
        match client.create(path, binding, false).await {
            Ok(_) => return Ok(()),
            Err(RequestError::NotFound { .. } | RequestError::Forbidden { .. }) if started.elapsed() < PATIENCE => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Returns the names of the TLS Secrets that the Ingresses of a namespace name.
///
/// # Errors
/// When these cannot be listed.
pub async fn tls_secrets(client: &ApiClient, namespace: &str) -> Result<Vec<String>, Failure> {
    let bytes = client.get_bytes(&Kind::Ingress.path(Some(namespace)), &[], JSON).await;
    let bytes = bytes.map_err(|error| error.into_failure("ingresses"))?;
    let list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let ingresses = list["items"].as_array().into_iter().flatten();
    let entries = ingresses.flat_map(|ingress| ingress["spec"]["tls"].as_array().into_iter().flatten());
    let names: BTreeSet<String> = entries.filter_map(|tls| tls["secretName"].as_str().map(str::to_owned)).collect();
    Ok(names.into_iter().collect())
}

/// Asks the server whether it would take all objects, and returns them as it would keep them.
///
/// # Errors
/// When it refuses one.
pub async fn dry_run(client: &ApiClient, order: &Order) -> Result<Vec<Value>, RequestError> {
    let settings = &order.settings;
    let place = Some(settings.namespace.as_str());
    let job = client.create(&Kind::Job.path(place), &manifest::job(settings), true).await?;
    let uid = job["metadata"]["uid"].as_str().unwrap_or(manifest::NO_UID).to_owned();
    let mut objects = vec![job];
    if settings.account.is_none() {
        let [account, role, binding] = manifest::owned(settings, &uid, &order.rights);
        objects.push(client.create(&Kind::ServiceAccount.path(place), &account, true).await?);
        objects.push(client.create(&Kind::Role.path(place), &role, true).await?);
        // A binding to a Role that is not there is refused to most: it is shown as it would be sent.
        let bound = client.create(&Kind::RoleBinding.path(place), &binding, true).await;
        objects.push(match bound {
            Err(RequestError::NotFound { .. } | RequestError::Forbidden { .. }) => binding,
            bound => bound?,
        });
    }
    Ok(objects)
}

/// Reads the answer, if it is one of a version that we understand.
fn understand(header: &Header, answer: &str) -> Result<Report, Failure> {
    if !is_understood(header) {
        return Err(other_version(header));
    }
    let bug = |error: serde_json::Error| trouble::unreadable(&error.to_string());
    if header.content == Content::Failure {
        let refusal: Refusal = serde_json::from_str(answer).map_err(bug)?;
        let exit = if refusal.exit == Exit::NotFound as u8 { Exit::NotFound } else { Exit::Agent };
        let message = if exit == Exit::Agent {
            format!("the agent could not finish: {}", refusal.message)
        } else {
            refusal.message
        };
        return Err(Failure { exit, message, hints: refusal.hints });
    }
    let document = serde_json::from_str(answer).map_err(bug)?;
    read::read(&document, &header.beside).ok_or_else(|| trouble::unreadable("it is no report"))
}

fn is_understood(header: &Header) -> bool {
    header.protocol == PROTOCOL && header.schema == SCHEMA
}

fn other_version(header: &Header) -> Failure {
    let ours = env!("CARGO_PKG_VERSION");
    let message = format!(
        "the agent's image has version {} (protocol {}, {}), and this program {ours} (protocol {PROTOCOL}, {SCHEMA})",
        header.version, header.protocol, header.schema
    );
    Failure::new(Exit::Agent, message).hint(format!("name an image of version {ours} with --image or RCA_IMAGE"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::json::read::Beside;

    fn header(content: Content) -> Header {
        Header {
            protocol: PROTOCOL,
            version: "0.0.9".to_owned(),
            schema: SCHEMA.to_owned(),
            content,
            gzip: false,
            length: 0,
            sha256: String::new(),
            lines: 0,
            beside: Beside::default(),
        }
    }

    #[test]
    fn another_version_is_refused_with_both_unless_the_form_is_the_same() {
        let report = crate::render::json::render(&crate::render::sample::rich()).unwrap();
        let report = String::from_utf8(report).unwrap();
        assert!(understand(&header(Content::Report), &report).is_ok());
        let stranger = Header { schema: "rca/v2".to_owned(), ..header(Content::Report) };
        let failure = understand(&stranger, &report).unwrap_err();
        assert_eq!(failure.exit, Exit::Agent);
        for word in ["0.0.9", "rca/v2", env!("CARGO_PKG_VERSION"), SCHEMA] {
            assert!(failure.message.contains(word), "{failure}");
        }
    }

    #[test]
    fn what_is_not_there_is_said_as_from_here() {
        let refusal = Refusal { exit: 4, message: "pods \"x\" not found".to_owned(), hints: vec!["look".to_owned()] };
        let failure = understand(&header(Content::Failure), &serde_json::to_string(&refusal).unwrap()).unwrap_err();
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::NotFound, "pods \"x\" not found"));
        let refusal = Refusal { exit: 3, ..refusal };
        let failure = understand(&header(Content::Failure), &serde_json::to_string(&refusal).unwrap()).unwrap_err();
        assert_eq!(failure.exit, Exit::Agent);
    }
}
