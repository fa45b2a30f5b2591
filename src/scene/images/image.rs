//! Why an image cannot be had: the words of kubelet, containerd, CRI-O and Docker, read once.

use jiff::Timestamp;

use crate::model::Finding;
use crate::scene::{ContainerView, EventView, Scene};

/// What keeps an image from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullCause {
    /// The registry has no such repository or tag, or says so to strangers.
    Absent,
    /// The registry wants credentials, or other ones.
    Unauthorized,
    /// The registry's host name does not resolve.
    Unresolved,
    /// The registry does not answer, or answers that it is out of order.
    Unreachable,
    /// The registry's certificate is not trusted, or it speaks plain HTTP.
    Tls,
    /// The registry refuses more pulls for now.
    RateLimited,
    /// The image has no variant for the node's platform.
    Platform,
    /// The image's name cannot be one.
    NameInvalid,
    /// The pull policy is `Never` and the node does not have it.
    NeverPulled,
    /// Nothing that was read tells.
    Unknown,
}

/// The waiting reasons of a container whose image is not there.
const REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// A container that waits for its image, and why.
#[derive(Clone, Copy, Debug)]
pub struct PullFailure<'s> {
    pub container: ContainerView<'s>,
    pub cause: PullCause,
    /// The waiting reason: `ImagePullBackOff`.
    pub reason: &'s str,
    /// The words that tell why; empty if nothing was kept.
    pub text: &'s str,
    /// The event in which the words stand, unless they stand in the status.
    event: Option<&'s EventView<'s>>,
}

/// Returns the containers that wait for their image for this cause.
pub fn failures<'s>(scene: &'s Scene<'_>, cause: PullCause) -> Vec<PullFailure<'s>> {
    scene.suspect_containers().filter_map(PullFailure::of).filter(|failure| failure.cause == cause).collect()
}

impl<'s> PullFailure<'s> {
    /// Returns why a container waits for its image; `None` if it does not.
    ///
    /// The kubelet swings between `ErrImagePull` with the reason and `ImagePullBackOff` without; the events keep it.
    pub fn of(container: ContainerView<'s>) -> Option<Self> {
        let waiting = container.waiting()?;
        let reason = waiting.reason.as_deref().filter(|reason| REASONS.contains(reason))?;
        if container.pod.is_terminating() || container.pod.is_finished() {
            return None;
        }
        let said = waiting.message.as_deref().unwrap_or_default();
        let cause = cause_for(container.image(), reason, said);
        let unknown = Self { container, cause, reason, text: words(said), event: None };
        if cause != PullCause::Unknown {
            return Some(unknown);
        }
        let events: Vec<_> = container.pod.events().filter(|event| tells(container, event)).collect();
        let known = events.iter().rev().find(|event| cause_of("", event.message) != PullCause::Unknown);
        let Some(event) = known.or(events.last()) else { return Some(unknown) };
        let cause = cause_for(container.image(), "", event.message);
        Some(Self { cause, text: event.message, event: Some(event), ..unknown })
    }

    /// Returns the image as written.
    pub fn image(&self) -> &'s str {
        self.container.image()
    }

    /// Returns the host that the words blame, else the registry of the image's name.
    pub fn host(&self) -> &'s str {
        host_in(self.text).unwrap_or_else(|| registry(self.image()))
    }

    /// Returns the words *container main of deployment/cart cannot pull nginx:1.99*.
    pub fn phrase(&self) -> String {
        format!("{} cannot pull `{}`", self.container.phrase(), self.image())
    }

    /// Adds the observations and times to a finding.
    pub fn support(&self, finding: Finding) -> Finding {
        let container = self.container;
        let pod = container.pod_ref();
        let mut finding = finding
            .key(self.image())
            .because(pod.clone(), container.status_path("state.waiting.reason"), self.reason)
            .because(pod.clone(), container.spec_path("image"), self.image())
            .affects(pod.clone());
        let path = match self.event {
            Some(event) => format!("events[{}].message", event.reason),
            None => container.status_path("state.waiting.message"),
        };
        if !self.text.is_empty() {
            finding = finding.because_at(pod.clone(), path, self.excerpt(), self.event.and_then(|event| event.last));
        }
        finding.seen(self.since(), self.event.and_then(|event| event.last)).next(crate::scene::commands::describe(&pod))
    }

    /// Returns when it was first seen.
    fn since(&self) -> Option<Timestamp> {
        self.event.and_then(|event| event.first).or_else(|| self.container.pod.created())
    }

    /// Returns the words without what the kubelet and the runtime repeat, short enough to quote.
    pub fn excerpt(&self) -> String {
        let end = self.text.len();
        let marks = [
            "failed to resolve reference",
            "failed to do request",
            "Error response from daemon",
            "reading manifest",
            "pinging container registry",
        ];
        let start = marks.iter().filter_map(|mark| self.text.find(mark)).max().filter(|_| end > 300).unwrap_or(0);
        crate::render::safe::shorten(&self.text[start..], 300).into_owned()
    }
}

/// Returns whether an event speaks of the pull of a container's image.
fn tells(container: ContainerView<'_>, event: &EventView<'_>) -> bool {
    let names_it = || event.message.contains(&format!("\"{}", container.image()));
    let about = event.container().is_none_or(|name| name == container.name());
    let failed = matches!(event.reason, "Failed" | "InspectFailed" | "ErrImageNeverPull" | "FailedToInspectImage");
    failed && about && names_it() && !words(event.message).is_empty()
}

/// Returns what a message says beyond that the kubelet waits.
fn words(message: &str) -> &str {
    if !message.starts_with("Back-off pulling image") {
        return message;
    }
    message.split_once("\": ").map_or("", |(_, rest)| rest)
}

/// Reads the cause; Docker's official images are public, so that who is refused one asks for what is not there.
fn cause_for(image: &str, reason: &str, message: &str) -> PullCause {
    match cause_of(reason, message) {
        PullCause::Unauthorized if is_official(image) => PullCause::Absent,
        cause => cause,
    }
}

/// Reads the cause; the order decides where one failure comes wrapped in another, as in `failed to authorize: no such host`.
fn cause_of(reason: &str, message: &str) -> PullCause {
    let text = words(message).to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match reason {
        "ErrImageNeverPull" => return PullCause::NeverPulled,
        "InvalidImageName" => return PullCause::NameInvalid,
        _ => {}
    }
    if has(&["pull policy of never"]) {
        return PullCause::NeverPulled;
    }
    let table: [(&[&str], PullCause); 8] = [
        (NAME_INVALID, PullCause::NameInvalid),
        (TLS, PullCause::Tls),
        (UNRESOLVED, PullCause::Unresolved),
        (RATE_LIMITED, PullCause::RateLimited),
        (UNREACHABLE, PullCause::Unreachable),
        (PLATFORM, PullCause::Platform),
        (AMBIGUOUS, PullCause::Absent),
        (UNAUTHORIZED, PullCause::Unauthorized),
    ];
    if text.contains("lookup ") && has(&["i/o timeout", "connection refused", "network is unreachable"]) {
        return PullCause::Unresolved;
    }
    if let Some((_, cause)) = table.iter().find(|(words, _)| has(words)) {
        return *cause;
    }
    if has(ABSENT) { PullCause::Absent } else { PullCause::Unknown }
}

const NAME_INVALID: &[&str] = &[
    "invalid reference format",
    "couldn't parse image",
    "repository name must be lowercase",
    "unqualified-search registries",
    "short-name resolution",
];
const TLS: &[&str] = &["x509:", "tls: ", "gave http response to https client", "certificate signed by unknown"];
const UNRESOLVED: &[&str] =
    &["no such host", "server misbehaving", "temporary failure in name resolution", "name or service not known"];
const RATE_LIMITED: &[&str] = &["toomanyrequests", "429 too many requests", "too many requests", "rate limit"];
const UNREACHABLE: &[&str] = &[
    "i/o timeout",
    "connection refused",
    "no route to host",
    "network is unreachable",
    "connection reset by peer",
    "client.timeout exceeded",
    "tls handshake timeout",
    "context deadline exceeded",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway timeout",
    "proxyconnect",
];
const PLATFORM: &[&str] = &[
    "no matching manifest for",
    "no match for platform",
    "no image found in manifest list for architecture",
    "no image found in image index for architecture",
    "cannot be used on this platform",
];
/// What a registry says that will not tell strangers whether a repository exists.
const AMBIGUOUS: &[&str] = &["repository does not exist or may require"];
const UNAUTHORIZED: &[&str] = &[
    "401 unauthorized",
    "403 forbidden",
    "authorization failed",
    "pull access denied",
    "access to the resource is denied",
    "authentication required",
    "no basic auth credentials",
    "unauthorized:",
    "access denied",
    "denied:",
    "insufficient_scope",
    "failed to authorize",
];
const ABSENT: &[&str] =
    &["not found", "manifest unknown", "name unknown", "manifest_unknown", "name_unknown", "does not exist", "404"];

impl PullFailure<'_> {
    /// Returns whether the registry leaves open if the repository is absent or private.
    pub fn is_ambiguous(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        AMBIGUOUS.iter().any(|word| text.contains(word)) || (text.contains("anonymous token") && text.contains("403"))
    }

    /// Returns whether it is one of Docker's official images and yet was refused, by a mirror or by the registry itself.
    pub fn is_refused_official(&self) -> bool {
        is_official(self.image()) && cause_of(self.reason, self.text) == PullCause::Unauthorized
    }

    /// Returns whether the registry knows the repository and only lacks the tag or digest.
    pub fn lacks_only_tag(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        (text.contains("manifest unknown") || text.contains("manifest_unknown")) && !text.contains("name unknown")
    }
}

/// Returns the host after `lookup `, or of the first URL.
fn host_in(text: &str) -> Option<&str> {
    let end = |rest: &str| {
        rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '"' | ':' | ','))
            .unwrap_or(rest.len())
    };
    let after = |mark: &str| text.split_once(mark).map(|(_, rest)| &rest[..end(rest)]);
    after("lookup ").or_else(|| after("https://")).or_else(|| after("http://")).filter(|host| !host.is_empty())
}

/// Returns the registry of an image: `docker.io` where its name gives none.
pub fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// Returns whether an image is one of Docker's official ones, which need no credentials.
fn is_official(image: &str) -> bool {
    parts(image).0.starts_with("docker.io/library/")
}

/// Splits an image into its full repository and its tag or digest: `redis:7` is (`docker.io/library/redis`, `7`).
pub fn parts(image: &str) -> (String, &str) {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match name[slash..].find(':') {
        Some(at) => (&name[..slash + at], &name[slash + at + 1..]),
        None => (name, "latest"),
    };
    let host = registry(path);
    let repository = match (host == "docker.io", path.strip_prefix("docker.io/").unwrap_or(path)) {
        (true, path) if !path.contains('/') => format!("docker.io/library/{path}"),
        (true, path) => format!("docker.io/{path}"),
        (false, _) => path.to_owned(),
    };
    (repository, digest.unwrap_or(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_causes_are_told_apart() {
        for (text, cause) in [
            (
                "failed to resolve reference \"docker.io/library/nginx:9\": docker.io/library/nginx:9: not found",
                PullCause::Absent,
            ),
            ("manifest for nginx:9 not found: manifest unknown: manifest unknown", PullCause::Absent),
            (
                "pull access denied, repository does not exist or may require authorization: insufficient_scope: authorization failed",
                PullCause::Absent,
            ),
            (
                "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
                PullCause::Unauthorized,
            ),
            (
                "failed to authorize: failed to fetch anonymous token: dial tcp: lookup auth.docker.io: no such host",
                PullCause::Unresolved,
            ),
            ("dial tcp: lookup r.example on 10.0.0.10:53: read udp: i/o timeout", PullCause::Unresolved),
            ("dial tcp 10.1.1.1:443: i/o timeout", PullCause::Unreachable),
            (
                "Get \"https://r/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                PullCause::Tls,
            ),
            ("net/http: TLS handshake timeout", PullCause::Unreachable),
            ("429 Too Many Requests - toomanyrequests: You have reached your pull rate limit", PullCause::RateLimited),
            ("no match for platform in manifest: not found", PullCause::Platform),
            ("Back-off pulling image \"nginx:9\"", PullCause::Unknown),
            (
                "Back-off pulling image \"nginx:9\": ErrImagePull: docker.io/library/nginx:9: not found",
                PullCause::Absent,
            ),
        ] {
            assert_eq!(cause_of("ErrImagePull", text), cause, "{text}");
        }
    }

    #[test]
    fn images_have_their_parts() {
        assert_eq!(parts("redis"), ("docker.io/library/redis".to_owned(), "latest"));
        assert_eq!(parts("shop/cart:1"), ("docker.io/shop/cart".to_owned(), "1"));
        assert_eq!(parts("docker.io/library/redis:7"), ("docker.io/library/redis".to_owned(), "7"));
        assert_eq!(parts("r.example:5000/a/b@sha256:0"), ("r.example:5000/a/b".to_owned(), "sha256:0"));
    }
}
