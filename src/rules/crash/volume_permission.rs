//! The program may not write, or read, where a volume is mounted.

use crate::scene::pattern::Pattern;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::log::entities;
use crate::scene::{ContainerView, Mount, Scene, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "volume-permission",
    category: "volume_permission",
    summary: "detects programs that may not use a path of a volume: wrong user or group, or read-only",
    docs: "\
## What it means
The user whom the container runs as has no right to the files of a volume, or the file system is mounted read-only.

## How it is detected
The log says `permission denied` or `read-only file system` for a path below a volume mount, or below the root when \
`readOnlyRootFilesystem` is set. The mount's `readOnly` and the security context tell which of the two it is.

## What to do
Set `fsGroup` in the pod's security context to the program's group, so that the kubelet gives it the volume. For a \
read-only root, mount an emptyDir where the program writes.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["init-container-failed"],
    ],
    check,
};

/// Why the program may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Denied,
    ReadOnly,
}

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| volume_permission(&testimony)).collect()
}

fn volume_permission(testimony: &Testimony<'_>) -> Option<Finding> {
    let container = testimony.container;
    let (template, (why, path)) = testimony.find(|message| {
        let why = why(message)?;
        let path = entities::path(message)?;
        concerns(container, path, why).then(|| (why, path.to_owned()))
    })?;
    let mount = Mount::over(container, &path);
    let what = match why {
        Why::Denied => "is denied",
        Why::ReadOnly => "finds a read-only file system at",
    };
    let place = mount.map_or_else(
        || "its readOnlyRootFilesystem".to_owned(),
        |mount| format!("{} mounted at {}", mount.phrase(), mount.mount.mount_path),
    );
    let message = format!("{} {what} `{path}`, in {place}{}", container.phrase(), identity(container, why));
    let key = mount.map_or_else(|| "/".to_owned(), |mount| mount.mount.mount_path.clone());
    let mut finding = testimony.attest(RULE.finding(container.subject(), message).key(key).confidence(0.88), template);
    finding = match mount {
        Some(mount) => finding.because(
            container.pod_ref(),
            mount.path(container),
            format!("{}{}", mount.mount.mount_path, if mount.is_read_only() { " (read-only)" } else { "" }),
        ),
        None => {
            finding.because(container.pod_ref(), container.spec_path("securityContext.readOnlyRootFilesystem"), "true")
        }
    };
    Some(finding.recommend(cure(container, mount, why, &path)).next(testimony.logs_command()))
}

fn why(message: &str) -> Option<Why> {
    static DENIED: Pattern = Pattern::new(
        r"(?i)permission denied|EACCES|operation not permitted|EPERM|AccessDeniedException|not writable|is not readable",
    );
    static READ_ONLY: Pattern = Pattern::new(r"(?i)read-only file ?system|EROFS");
    if READ_ONLY.is_match(message) {
        return Some(Why::ReadOnly);
    }
    DENIED.is_match(message).then_some(Why::Denied)
}

/// Returns whether a path lies in a volume, or the whole root is read-only.
fn concerns(container: ContainerView<'_>, path: &str, why: Why) -> bool {
    let read_only_root =
        container.spec.security_context.as_ref().and_then(|context| context.read_only_root_filesystem) == Some(true);
    Mount::over(container, path).is_some() || (why == Why::ReadOnly && read_only_root)
}

/// Says as whom the container runs, as far as the spec tells.
fn identity(container: ContainerView<'_>, why: Why) -> String {
    if why == Why::ReadOnly {
        return String::new();
    }
    let own = container.spec.security_context.as_ref();
    let pod = container.pod.spec().and_then(|spec| spec.security_context.as_ref());
    let user = own.and_then(|context| context.run_as_user).or_else(|| pod.and_then(|context| context.run_as_user));
    let group = pod.and_then(|context| context.fs_group);
    let user = user.map_or_else(|| "as the image's user".to_owned(), |user| format!("as user {user}"));
    let group = group.map_or_else(|| "without fsGroup".to_owned(), |group| format!("with fsGroup {group}"));
    format!(" ({user}, {group})")
}

fn cure(container: ContainerView<'_>, mount: Option<Mount<'_>>, why: Why, path: &str) -> Recommendation {
    let summary = match (why, mount) {
        (Why::ReadOnly, Some(mount)) if mount.mount.read_only == Some(true) => {
            format!("set readOnly to false on the volume mount `{}`", mount.mount.name)
        }
        (Why::ReadOnly, Some(mount)) => {
            format!("have the program write elsewhere: {} can only be read", mount.phrase())
        }
        (Why::ReadOnly, None) => format!("mount an emptyDir over the folder of `{path}`"),
        (Why::Denied, _) => {
            let user = container
                .spec
                .security_context
                .as_ref()
                .and_then(|context| context.run_as_group.or(context.run_as_user));
            let group = user.map_or_else(|| "the program's group".to_owned(), |group| group.to_string());
            format!("set spec.securityContext.fsGroup of the pod to {group}, so that the volume's files belong to it")
        }
    };
    Recommendation::new("edit-object", summary)
}
