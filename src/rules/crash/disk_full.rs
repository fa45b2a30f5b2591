//! No space is left where the program writes.

use crate::scene::pattern::Pattern;

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::log::descriptors::Limit;
use crate::scene::log::entities;
use crate::scene::{ContainerView, EventView, Mount, PodView, Scene, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "disk-full",
    category: "disk_full",
    summary: "detects programs that find no space left where they write, and pods evicted for what they wrote",
    docs: "\
## What it means
The file system at a path is full: a volume, the size limit of an emptyDir, the 64Mi that a container gets at /dev/shm, or \
the pod's ephemeral storage.

## How it is detected
The log says `No space left on device` or `disk quota exceeded` and names the path; or the kubelet evicted the pod because \
an emptyDir or its ephemeral storage outgrew a limit. Messages about inotify watches use the same words and are another rule.

## What to do
Enlarge the volume or its size limit, or have the program write less and clean up. For /dev/shm, mount an emptyDir with \
`medium: Memory` there.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let logged = testimonies(scene).filter_map(|testimony| disk_full(&testimony));
    logged.chain(scene.suspects().filter_map(evicted)).collect()
}

fn disk_full(testimony: &Testimony<'_>) -> Option<Finding> {
    static FULL: Pattern = Pattern::new(
        r"(?i)no space left on device|ENOSPC|disk quota exceeded|EDQUOT|not enough (?:free )?(?:disk )?space|disk (?:is )?full",
    );
    let (template, path) = testimony.find(|message| {
        (FULL.is_match(message) && Limit::of(message).is_none()).then(|| entities::path(message).map(str::to_owned))
    })?;
    let container = testimony.container;
    let mount = path.as_deref().and_then(|path| Mount::over(container, path));
    let place = path.as_deref().map_or_else(|| "on its disk".to_owned(), |path| format!("at `{path}`"));
    let message = format!("{} finds no space left {place}{}", container.phrase(), room(path.as_deref(), mount));
    let finding = RULE
        .finding(container.subject(), message)
        .key(mount.map_or(path.clone().unwrap_or_default(), |mount| mount.mount.mount_path.clone()));
    let finding = testimony.attest(finding.confidence(0.9), template);
    let finding = match mount {
        Some(mount) => finding.because(
            container.pod_ref(),
            mount.path(container),
            format!("{} ({})", mount.mount.mount_path, mount.phrase()),
        ),
        None => finding,
    };
    Some(advise(finding, container, path.as_deref(), mount).next(testimony.logs_command()))
}

/// Says what the place is and how large.
fn room(path: Option<&str>, mount: Option<Mount<'_>>) -> String {
    let Some(mount) = mount else {
        let is_shm = path.is_some_and(is_shm);
        return if is_shm {
            ", which has 64Mi as nothing is mounted there".to_owned()
        } else {
            ", in its own file system".to_owned()
        };
    };
    let empty = mount.volume.and_then(|volume| volume.empty_dir.as_ref());
    let limit = empty.and_then(|empty| empty.size_limit.as_ref()).map(|limit| format!(" with a limit of {}", limit.0));
    format!(", in {}{}", mount.phrase(), limit.unwrap_or_default())
}

fn is_shm(path: &str) -> bool {
    path == "/dev/shm" || path.starts_with("/dev/shm/")
}

fn advise(finding: Finding, container: ContainerView<'_>, path: Option<&str>, mount: Option<Mount<'_>>) -> Finding {
    let summary = match mount {
        None if path.is_some_and(is_shm) => {
            "mount an emptyDir with `medium: Memory` at /dev/shm, with a sizeLimit that fits".to_owned()
        }
        Some(mount) => match mount.volume {
            Some(volume) if volume.persistent_volume_claim.is_some() => {
                format!("enlarge {}, or delete what is not needed on it", mount.phrase())
            }
            Some(volume) if volume.empty_dir.is_some() => format!(
                "raise the sizeLimit of the volume `{}`, or write less to {}",
                volume.name, mount.mount.mount_path
            ),
            _ => format!("make room in {}", mount.phrase()),
        },
        None => "mount a volume where the program writes, or write less".to_owned(),
    };
    let pod = container.pod;
    let look = quote::command(&[
        "kubectl",
        "exec",
        "-n",
        pod.namespace(),
        pod.name(),
        "-c",
        container.name(),
        "--",
        "df",
        "-h",
    ]);
    finding.recommend(Recommendation::new("edit-object", summary).risk(Risk::Low)).next(look)
}

/// The kubelet evicted the pod for its own use, not for its neighbours'.
fn evicted(pod: PodView<'_>) -> Option<Finding> {
    static LIMIT: Pattern = Pattern::new(
        r#"(?i)usage of emptydir volume "?([^" ]+)"? exceeds|ephemeral local storage usage exceeds|exceeded its local ephemeral storage limit"#,
    );
    let event: &EventView<'_> =
        pod.events().filter(|event| event.reason == "Evicted" && LIMIT.is_match(event.message)).last()?;
    if !pod.scene.is_recent(event.last) {
        return None;
    }
    let workload = pod.workload().object.clone();
    let what = LIMIT
        .captures(event.message)
        .and_then(|found| found.get(1))
        .map_or("its ephemeral storage", |volume| volume.as_str());
    let message = format!(
        "{} was evicted because it outgrew the limit of {what}: {}",
        workload.short(),
        event.message.trim().trim_end_matches('.')
    );
    let finding =
        RULE.finding(workload, message).key(what).confidence(0.96).affects(pod.object()).seen(event.first, event.last);
    Some(finding.because_at(pod.object(), "events[Evicted].message", event.message, event.last).recommend(
        Recommendation::new("edit-object", format!("raise the limit of {what}, or have the program write less")),
    ))
}
