//! How many processes of a container the kernel killed for want of memory, as a kubelet's cAdvisor counts.

use std::collections::BTreeMap;

use crate::model::Snapshot;
use crate::scene::signals::cadvisor;

/// Counts from the start of the present run, with the cgroup's first process among them.
const KILLS: &str = "container_oom_events_total";

/// The counts of all containers that lost a process.
#[derive(Debug, Default)]
pub struct OomCounts<'a> {
    of: BTreeMap<(&'a str, &'a str, &'a str), Count>,
}

/// One container's count.
#[derive(Debug)]
pub struct Count {
    pub kills: f64,
    /// As it is quoted.
    pub words: String,
}

impl<'a> OomCounts<'a> {
    /// Reads the counts that are not zero.
    pub(in crate::scene) fn new(snapshot: &'a Snapshot) -> Self {
        let mut of = BTreeMap::new();
        for line in cadvisor::of_snapshot(snapshot, &[KILLS]).filter(|line| line.value >= 1.0 && line.value.is_finite())
        {
            let address = (line.label("namespace"), line.label("pod"), line.label("container"));
            of.insert(address, Count { kills: line.value, words: format!("{:.0}", line.value) });
        }
        Self { of }
    }

    /// Returns the count of a container, if it is not zero.
    pub fn get<'c>(&'c self, namespace: &'c str, pod: &'c str, container: &'c str) -> Option<&'c Count> {
        self.of.get(&(namespace, pod, container))
    }
}
