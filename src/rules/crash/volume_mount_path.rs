//! A mount hides what the program needs, or lacks it.

use crate::scene::pattern::Pattern;
use k8s_openapi::api::core::v1::SecretVolumeSource;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::log::entities;
use crate::scene::{ContainerView, Mount, Scene, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "volume-mount-path",
    category: "volume_mount_path",
    summary: "detects volume mounts that hide files of the image, or do not hold the file that the program opens",
    docs: "\
## What it means
A volume that is mounted over a folder hides what the image has there. Or the volume lies at another path than the one \
where the program looks.

## How it is detected
The log (or the runtime, when the entry point itself is missing) says that a file does not exist, and the file's path lies \
below a volume mount; or a mounted ConfigMap holds a file of that name at another path.

## What to do
Mount the volume at a folder of its own, or mount the single file with `subPath`. If the ConfigMap lacks the file, add the \
key.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["bad-command", "init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let logged = testimonies(scene).filter_map(|testimony| no_token(&testimony).or_else(|| logged(&testimony)));
    logged.chain(scene.suspect_containers().filter_map(unstartable)).collect()
}

/// The program says that a file is missing.
fn logged(testimony: &Testimony<'_>) -> Option<Finding> {
    let container = testimony.container;
    testimony.crash?;
    let (template, (path, place)) = testimony.find(|message| {
        let path = missing_path(message)?;
        Some((path.to_owned(), place(container, path)?))
    })?;
    let finding = finding(container, &path, &place);
    Some(testimony.attest(finding, template).next(testimony.logs_command()))
}

/// The folder into which the kubelet mounts the token of the pod's ServiceAccount.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The program looks for its ServiceAccount's token, which somebody chose not to mount.
fn no_token(testimony: &Testimony<'_>) -> Option<Finding> {
    let container = testimony.container;
    testimony.crash?;
    let looks = |message: &str| missing_path(message).filter(|path| path.starts_with(TOKEN)).map(|_| ());
    let (template, ()) = testimony.find(looks)?;
    let (object, field) = unmounted(container)?;
    let message =
        format!("{} finds no service account token: {field} of {} is false", container.phrase(), object.short());
    let cure = format!("set {field} of {} to true, as the program asks the Kubernetes API", object.short());
    let finding =
        RULE.finding(container.subject(), message).key(TOKEN).confidence(0.93).because(object, field, "false");
    let finding = finding.recommend(Recommendation::new("edit-object", cure));
    Some(testimony.attest(finding, template).next(testimony.logs_command()))
}

/// Returns what says that the token is not mounted: the pod, else its ServiceAccount.
fn unmounted(container: ContainerView<'_>) -> Option<(ObjectRef, &'static str)> {
    let pod = container.pod;
    let spec = pod.spec()?;
    match spec.automount_service_account_token {
        Some(true) => None,
        Some(false) => Some((pod.workload().object.clone(), "automountServiceAccountToken")),
        None => {
            let name = spec.service_account_name.as_deref().unwrap_or("default");
            let account = pod.scene.snapshot.objects.service_accounts.get(pod.namespace(), name)?;
            let off = account.automount_service_account_token == Some(false);
            off.then(|| (ObjectRef::new(Kind::ServiceAccount, pod.namespace(), name), "automountServiceAccountToken"))
        }
    }
}

/// The runtime says that the entry point is missing, and a mount hides it.
fn unstartable(container: ContainerView<'_>) -> Option<Finding> {
    let crash = container.crash().filter(|crash| matches!(crash.reason, "StartError" | "ContainerCannotRun"))?;
    let path = missing_path(crash.message)?;
    let place = place(container, path)?;
    let finding = finding(container, path, &place).state(crash.state).affects(container.pod_ref());
    let message: String = crash.message.chars().take(300).collect();
    Some(
        finding
            .because_at(
                container.pod_ref(),
                format!("{}.message", container.last_end_path()),
                message,
                crash.finished_at,
            )
            .seen(crash.finished_at, crash.finished_at),
    )
}

/// What the mounts say about a missing file.
enum Place<'s> {
    /// The mount hides the image's folder, or the volume lacks the file.
    Below(Mount<'s>),
    /// A mounted ConfigMap has it, elsewhere.
    Elsewhere(Mount<'s>, String),
}

fn place<'s>(container: ContainerView<'s>, path: &str) -> Option<Place<'s>> {
    if path.starts_with(TOKEN) {
        return None;
    }
    if let Some(mount) = Mount::over(container, path) {
        let is_file = mount.mount.sub_path.as_deref().is_some_and(|sub| !sub.is_empty());
        let rest = path.strip_prefix(mount.mount.mount_path.trim_end_matches('/'))?.trim_start_matches('/');
        let there = keys(container, mount).is_some_and(|keys| keys.iter().any(|key| key == rest));
        return (!is_file && !rest.is_empty() && !there).then_some(Place::Below(mount));
    }
    let file = path.rsplit('/').next()?;
    let holds = |mount: &Mount<'_>| keys(container, *mount).is_some_and(|keys| keys.iter().any(|key| key == file));
    let mount = Mount::all(container).find(holds)?;
    let found = format!("{}/{file}", mount.mount.mount_path.trim_end_matches('/'));
    Some(Place::Elsewhere(mount, found))
}

/// Returns the files that a mounted ConfigMap or Secret makes, if it was read.
fn keys(container: ContainerView<'_>, mount: Mount<'_>) -> Option<Vec<String>> {
    if let Some(source) = mount.volume?.secret.as_ref() {
        return secret_keys(container, source);
    }
    let source = mount.volume?.config_map.as_ref()?;
    if let Some(items) = &source.items {
        return Some(items.iter().map(|item| item.path.clone()).collect());
    }
    let map = container.pod.scene.snapshot.objects.config_maps.get(container.pod.namespace(), &source.name)?;
    let plain = map.data.iter().flatten().map(|(key, _)| key);
    Some(plain.chain(map.binary_data.iter().flatten().map(|(key, _)| key)).cloned().collect())
}

fn secret_keys(container: ContainerView<'_>, source: &SecretVolumeSource) -> Option<Vec<String>> {
    if let Some(items) = &source.items {
        return Some(items.iter().map(|item| item.path.clone()).collect());
    }
    let name = source.secret_name.as_deref()?;
    let secret = container.pod.scene.snapshot.objects.secrets.get(container.pod.namespace(), name)?;
    secret.keys.as_ref().map(|keys| keys.iter().cloned().collect())
}

fn missing_path(message: &str) -> Option<&str> {
    static MISSING: Pattern = Pattern::new(
        r"(?i)no such file or directory|ENOENT|cannot find module|filenotfound|can't open file|could not find (?:a |the )?(?:file|config)|does not exist|NoSuchFileException|unable to access jarfile|not found",
    );
    if !MISSING.is_match(message) {
        return None;
    }
    entities::path(message)
}

fn finding(container: ContainerView<'_>, path: &str, place: &Place<'_>) -> Finding {
    let (mount, why, advice, confidence) = match place {
        Place::Below(mount) => below(container, *mount),
        Place::Elsewhere(mount, found) => {
            let why = format!("{} has it at `{found}`", mount.phrase());
            (
                *mount,
                why,
                format!("mount `{}` at the folder of `{path}`, or point the program to `{found}`", mount.mount.name),
                0.85,
            )
        }
    };
    let message = format!("{} does not find `{path}`: {why}", container.phrase());
    RULE.finding(container.subject(), message)
        .key(mount.mount.mount_path.clone())
        .confidence(confidence)
        .because(container.pod_ref(), mount.path(container), format!("{} ({})", mount.mount.mount_path, mount.phrase()))
        .recommend(Recommendation::new("edit-object", advice))
}

fn below<'s>(container: ContainerView<'s>, mount: Mount<'s>) -> (Mount<'s>, String, String, f64) {
    let at = &mount.mount.mount_path;
    if let Some(keys) = keys(container, mount) {
        let why = format!("{} mounted at {at} holds only {}", mount.phrase(), list(&keys));
        return (mount, why, format!("mount {} at a folder of its own, or add the file to it", mount.phrase()), 0.88);
    }
    let why = format!("{} mounted at {at} hides what the image has there", mount.phrase());
    (
        mount,
        why,
        format!("mount `{}` at a folder of its own instead of {at}, or put the file into the volume", mount.mount.name),
        0.75,
    )
}

fn list(keys: &[String]) -> String {
    let shown: Vec<String> = keys.iter().take(4).map(|key| format!("`{key}`")).collect();
    let more = if keys.len() > shown.len() { ", ..." } else { "" };
    if shown.is_empty() { "nothing".to_owned() } else { format!("{}{more}", shown.join(", ")) }
}
