//! With which credentials a pod pulls its images.

use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation};
use crate::render::quote;
use crate::scene::images::image::{self, PullFailure};
use crate::scene::{PodView, commands};

/// What became of one Secret that the pod names under `imagePullSecrets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The kubelet or the listing says that it does not exist.
    Missing,
    /// It is of a type that holds no registry credentials.
    WrongType,
    Present,
    Unknown,
}

/// The credentials of a pod.
#[derive(Debug)]
pub struct Credentials<'s> {
    secrets: Vec<(&'s str, State)>,
}

impl<'s> Credentials<'s> {
    /// Looks up the Secrets that a pod names.
    pub fn of(pod: PodView<'s>) -> Self {
        let named = pod.spec().and_then(|spec| spec.image_pull_secrets.as_deref()).unwrap_or_default();
        Self { secrets: named.iter().map(|secret| (secret.name.as_str(), state(pod, &secret.name))).collect() }
    }

    fn first(&self, wanted: State) -> Option<&'s str> {
        self.secrets.iter().find(|(_, state)| *state == wanted).map(|(name, _)| *name)
    }

    /// Returns a clause for a message: `its imagePullSecret `regcred` does not exist in namespace shop`.
    pub fn words(&self, pod: PodView<'_>) -> String {
        let namespace = pod.namespace();
        if let Some(name) = self.first(State::Missing) {
            return format!("its imagePullSecret `{name}` does not exist in namespace {namespace}");
        }
        if let Some(name) = self.first(State::WrongType) {
            return format!("its imagePullSecret `{name}` is not of the type kubernetes.io/dockerconfigjson");
        }
        match self.secrets.first() {
            Some((name, _)) => format!("the credentials of its imagePullSecret `{name}` do not suffice"),
            None => "the pod has no imagePullSecret (registries say the same of images that do not exist)".to_owned(),
        }
    }

    /// Adds what is known of the Secrets to a finding.
    pub fn support(&self, mut finding: Finding, pod: PodView<'_>) -> Finding {
        for (name, state) in &self.secrets {
            finding = finding.because(pod.object(), format!("spec.imagePullSecrets[{name}]"), *name);
            if *state == State::Missing {
                finding = finding.mentions(ObjectRef::new(Kind::Secret, pod.namespace(), name));
            }
        }
        let event = pod.event("FailedToRetrieveImagePullSecret").filter(|_| self.first(State::Missing).is_some());
        match event {
            Some(event) => finding.because_at(
                pod.object(),
                "events[FailedToRetrieveImagePullSecret].message",
                event.message,
                event.last,
            ),
            None => finding,
        }
    }

    /// Returns what to do.
    pub fn cure(&self, failure: &PullFailure<'_>) -> Recommendation {
        let (pod, registry) = (failure.container.pod, image::registry(failure.image()));
        let missing = self.first(State::Missing);
        let Some(name) =
            missing.or_else(|| self.first(State::WrongType)).or_else(|| self.secrets.first().map(|(name, _)| *name))
        else {
            let summary = format!(
                "check the name of the image; if it is private, create a pull secret for {registry} and name it under imagePullSecrets"
            );
            return Recommendation::new("create-object", summary);
        };
        if missing.is_none() {
            let summary = format!("check that `{name}` holds credentials for {registry} that may read this repository");
            return Recommendation::new("edit-object", summary).command(commands::describe(&ObjectRef::new(
                Kind::Secret,
                pod.namespace(),
                name,
            )));
        }
        let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
        let server = format!("--docker-server={server}");
        let words = [
            "kubectl",
            "-n",
            pod.namespace(),
            "create",
            "secret",
            "docker-registry",
            name,
            &server,
            "--docker-username=USER",
            "--docker-password=PASSWORD",
        ];
        let summary = format!(
            "create the missing pull secret `{name}` with credentials for {registry}, or name the right one under imagePullSecrets"
        );
        Recommendation::new("create-object", summary).command(quote::command(&words))
    }
}

fn state(pod: PodView<'_>, name: &str) -> State {
    match pod.scene.snapshot.objects.secrets.look_up(pod.namespace(), name) {
        Lookup::Absent => State::Missing,
        Lookup::Found(secret) => match secret.type_.as_deref() {
            Some("kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg") => State::Present,
            Some(_) => State::WrongType,
            None => State::Unknown,
        },
        Lookup::Unknown if kubelet_misses(pod, name) => State::Missing,
        Lookup::Unknown => State::Unknown,
    }
}

/// Reads `Unable to retrieve some image pull secrets (a, b); attempting to pull the image may not succeed.`
fn kubelet_misses(pod: PodView<'_>, name: &str) -> bool {
    let names =
        pod.event("FailedToRetrieveImagePullSecret").and_then(|event| event.message.split_once('(')?.1.split_once(')'));
    names.is_some_and(|(names, _)| names.split(", ").any(|missed| missed == name))
}
