//! Whose the lines of cAdvisor are.
//!
//! Where a kubelet's cAdvisor does not find the runtime, as with a socket at another place, it measures each cgroup and knows
//! no names. The path of a container's cgroup ends with its id, which the pod's status has too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::Snapshot;
use crate::model::store::HasMeta as _;

/// Namespace, pod and container by the container's id.
pub(super) struct Containers<'s> {
    of: BTreeMap<&'s str, (&'s str, &'s str, &'s str)>,
}

impl<'s> Containers<'s> {
    /// Collects the containers in scope that run now.
    pub(super) fn new(snapshot: &'s Snapshot) -> Self {
        let pods = snapshot.objects.pods.iter().filter(|pod| snapshot.scope.includes(pod.object.namespace()));
        let of = pods.flat_map(|pod| {
            let status = pod.status.iter();
            let statuses = status.flat_map(|status| {
                status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten())
            });
            statuses.filter_map(|status| {
                let (_, id) = status.container_id.as_deref()?.split_once("://")?;
                Some((id, (pod.object.namespace(), pod.object.name(), status.name.as_str())))
            })
        });
        Self { of: of.collect() }
    }

    /// Returns a line with the names of its container; as it is where it has them, or where the container is not known.
    pub(super) fn named<'l>(&self, line: &'l str) -> Cow<'l, str> {
        let found = || {
            let (_, rest) = line.split_once("id=\"").filter(|_| line.contains(NAMELESS))?;
            self.of.get(container_id(rest.split_once('"')?.0))
        };
        let Some((namespace, pod, container)) = found() else { return Cow::Borrowed(line) };
        let line = line.replacen(NAMELESS, &format!("container=\"{container}\""), 1);
        let line = line.replacen("namespace=\"\"", &format!("namespace=\"{namespace}\""), 1);
        Cow::Owned(line.replacen("pod=\"\"", &format!("pod=\"{pod}\""), 1))
    }
}

const NAMELESS: &str = "container=\"\"";

/// Returns the id at the end of a cgroup's path: bare, or as systemd's `cri-containerd-….scope`.
fn container_id(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(".scope").unwrap_or(last);
    last.rsplit('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_names_gets_those_of_its_cgroup() {
        let containers = Containers { of: BTreeMap::from([("4f5e", ("shop", "cart-1", "main"))]) };
        for path in
            ["/kubepods/burstable/podaa-bb/4f5e", "/kubepods.slice/kubepods-podaa_bb.slice/cri-containerd-4f5e.scope"]
        {
            let line = format!("m{{container=\"\",id=\"{path}\",name=\"\",namespace=\"\",pod=\"\"}} 1");
            let named = format!("m{{container=\"main\",id=\"{path}\",name=\"\",namespace=\"shop\",pod=\"cart-1\"}} 1");
            assert_eq!(containers.named(&line), named);
        }
        let others = [
            "m{container=\"\",id=\"/kubepods\",namespace=\"\",pod=\"\"} 1",
            "m 1",
            "m{container=\"a\",id=\"/x/4f5e\"} 1",
        ];
        for line in others {
            assert_eq!(containers.named(line), line);
        }
    }
}
