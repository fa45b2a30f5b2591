//! Images that would work in place of one that cannot be had.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation};
use crate::scene::images::image::{PullFailure, parts};
use crate::scene::pods::owners;
use crate::scene::{ContainerView, Scene, near};

/// The images that nodes and running containers hold, by repository.
#[derive(Debug, Default)]
pub struct ImageHints<'s> {
    /// Repository → tag → who has it.
    tags: BTreeMap<String, BTreeMap<&'s str, ObjectRef>>,
    /// Full name → nodes that hold it.
    nodes: BTreeMap<(String, &'s str), BTreeSet<&'s str>>,
    /// What was found already, by workload, container and image: a workload may have a thousand pods.
    found: RefCell<BTreeMap<(ObjectRef, String, String), Option<Alternative>>>,
}

/// An image that is there, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    pub image: String,
    pub object: ObjectRef,
    pub path: &'static str,
    /// What to say of it: `ran before`, `runs in the cluster`.
    pub merit: &'static str,
}

impl<'s> ImageHints<'s> {
    /// Collects the images; linear in pods and in the images of nodes.
    pub fn new(scene: &'s Scene<'_>) -> Self {
        let mut hints = Self::default();
        let mut last = "";
        for container in scene.containers() {
            let pulled = container.status.is_some_and(|status| !status.image_id.is_empty());
            // Replicas follow each other, and one speaks for all.
            if pulled && container.image() != last {
                last = container.image();
                hints.add(last, container.pod.workload().object.clone());
            }
        }
        for node in &scene.snapshot.objects.nodes {
            let images = node.status.as_ref().and_then(|status| status.images.as_ref());
            for name in images.into_iter().flatten().flat_map(|image| image.names.iter().flatten()) {
                if name.contains('@') {
                    continue;
                }
                hints.add(name, ObjectRef::new(Kind::Node, "", node.name()));
                hints.nodes.entry(parts(name)).or_default().insert(node.name());
            }
        }
        hints
    }

    fn add(&mut self, image: &'s str, object: ObjectRef) {
        let (repository, tag) = parts(image);
        self.tags.entry(repository).or_default().entry(tag).or_insert(object);
    }

    /// Returns the nodes that hold an image.
    pub fn nodes_with(&self, image: &str) -> Vec<&'s str> {
        let (repository, tag) = parts(image);
        let same = self.nodes.iter().filter(|((other, other_tag), _)| *other == repository && *other_tag == tag);
        same.flat_map(|(_, nodes)| nodes.iter().copied()).collect()
    }

    /// Returns the names under which nodes hold an image of the same last part and tag: `localhost/cart:1` for `cart:1`.
    pub fn other_names(&self, image: &str) -> Vec<String> {
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let (repository, tag) = parts(image);
        let same = |(other, other_tag): &&(String, &str)| {
            last(other) == last(&repository) && *other != repository && *other_tag == tag
        };
        self.nodes.keys().filter(same).map(|(other, tag)| format!("{other}:{tag}")).collect()
    }

    /// Returns an image that would work, the surest first: what the workload ran before, then a near name that is held.
    pub fn alternative(&self, container: ContainerView<'_>) -> Option<Alternative> {
        let image = container.image();
        let key = (container.pod.workload().object.clone(), container.name().to_owned(), image.to_owned());
        let search = || before(container).or_else(|| self.near_tag(image)).or_else(|| self.near_repository(image));
        self.found.borrow_mut().entry(key).or_insert_with(search).clone()
    }

    fn near_tag(&self, image: &str) -> Option<Alternative> {
        let (repository, tag) = parts(image);
        let tags = self.tags.get(&repository)?;
        let others = || tags.keys().copied().filter(|other| *other != tag && !other.starts_with("sha256:"));
        let best = near::nearest(tag, others()).first().copied().or_else(|| others().next_back())?;
        Some(held(format!("{}:{best}", written_repository(image)), &tags[best]))
    }

    fn near_repository(&self, image: &str) -> Option<Alternative> {
        let (repository, tag) = parts(image);
        // Most of a repository's name is its registry and folder: only a real slip counts.
        let others = self.tags.keys().filter(|other| **other != repository);
        let (_, best) = others.filter_map(|other| Some((near::slips(&repository, other, 2)?, other))).min()?;
        let tags = &self.tags[best];
        let (tag, object) = tags.get_key_value(tag).or_else(|| tags.last_key_value())?;
        let short = best.strip_prefix("docker.io/library/").unwrap_or(best);
        Some(held(format!("{short}:{tag}"), object))
    }
}

fn held(image: String, object: &ObjectRef) -> Alternative {
    let (path, merit) = if object.is(Kind::Node) {
        ("status.images", "is on a node")
    } else {
        ("spec.containers.image", "runs in the cluster")
    };
    Alternative { image, object: object.clone(), path, merit }
}

fn written_repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    name[slash..].find(':').map_or(name, |at| &name[..slash + at])
}

/// Returns the image with which the workload ran before: in another revision with ready pods, else the revision before.
fn before(container: ContainerView<'_>) -> Option<Alternative> {
    let (pod, workload) = (container.pod, &container.pod.workload().object);
    let sets = pod.scene.snapshot.objects.replica_sets.in_namespace(pod.namespace());
    let owned = sets.filter(|set| {
        owners::controller(set.meta())
            .is_some_and(|owner| owner.name == workload.name && owners::reference(owner, pod.namespace()) == *workload)
    });
    let images = owned.filter_map(|set| {
        let spec = set.spec.as_ref()?.template.as_ref()?.spec.as_ref()?;
        let image = spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
            .find(|other| other.name == container.name())?
            .image
            .as_deref()?;
        let ready = set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0) > 0;
        let revision: u64 =
            set.metadata.annotations.as_ref()?.get("deployment.kubernetes.io/revision")?.parse().ok()?;
        Some((ready, revision, image, set.name()))
    });
    let (ready, _, image, set) = images.filter(|(_, _, image, _)| *image != container.image()).max()?;
    let merit = if ready { "still runs in an older revision" } else { "is the image of an older revision" };
    let object = ObjectRef::new(Kind::ReplicaSet, pod.namespace(), set);
    Some(Alternative { image: image.to_owned(), object, path: "spec.template.spec.containers.image", merit })
}

/// Adds what would work to a finding: a fact and what to do.
pub fn recommend(finding: Finding, failure: &PullFailure<'_>, alternative: Option<&Alternative>) -> Finding {
    let container = failure.container;
    let Some(found) = alternative else {
        let summary = format!(
            "correct the image of `{}`, or push `{}` to {}",
            container.name(),
            failure.image(),
            crate::scene::images::image::registry(failure.image())
        );
        return finding.recommend(Recommendation::new("fix-image", summary));
    };
    let summary =
        format!("set the image of `{}` to one that exists: `{}` {}", container.name(), found.image, found.merit);
    let mut recommendation = Recommendation::new("fix-image", summary);
    recommendation.command = crate::scene::commands::set_image(container, &found.image);
    finding.because(found.object.clone(), found.path, found.image.as_str()).recommend(recommendation)
}
