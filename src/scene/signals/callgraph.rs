//! Who calls whom, as meshes and traces count it; where none does, as env, args and ConfigMaps say.

use std::collections::{BTreeMap, BTreeSet};

use super::places::Places;
use crate::model::Series;
use crate::scene::Scene;

/// The labels of a caller and of whom it calls, with their namespaces: Istio and Hubble, Linkerd, Tempo and others.
const ENDS: &[[&[&str]; 4]] = &[
    [
        &["source_workload"],
        &["source_workload_namespace", "source_namespace"],
        &["destination_workload", "destination_service_name"],
        &["destination_workload_namespace", "destination_service_namespace", "destination_namespace"],
    ],
    [
        &["deployment", "statefulset", "daemonset"],
        &["namespace"],
        &["dst_deployment", "dst_statefulset", "dst_daemonset", "dst_service"],
        &["dst_namespace"],
    ],
    [&["client"], &["client_k8s_namespace_name"], &["server"], &["server_k8s_namespace_name"]],
];

/// Calls between workloads, as indices into the scene.
#[derive(Debug, Default)]
pub struct CallGraph {
    calls: BTreeMap<usize, BTreeSet<usize>>,
}

impl CallGraph {
    /// Collects the calls.
    pub fn new(scene: &Scene<'_>, places: &Places<'_>) -> Self {
        let mut graph = Self::default();
        for series in scene.snapshot.metrics.iter().flatten() {
            if let Some((caller, callee)) = ends(series, places) {
                graph.add(caller, callee);
            }
        }
        if graph.calls.is_empty() {
            for call in scene.calls() {
                if let Some(callee) = places.app(Some(&call.service.0), &call.service.1) {
                    graph.add(call.caller, callee);
                }
            }
        }
        graph
    }

    fn add(&mut self, caller: usize, callee: usize) {
        if caller != callee {
            self.calls.entry(caller).or_default().insert(callee);
        }
    }

    /// Iterates over whom a workload calls.
    pub fn callees(&self, caller: usize) -> impl Iterator<Item = usize> {
        self.calls.get(&caller).into_iter().flatten().copied()
    }

    /// Returns whether one calls the other.
    pub fn calls(&self, caller: usize, callee: usize) -> bool {
        self.calls.get(&caller).is_some_and(|callees| callees.contains(&callee))
    }

    /// Returns everything that a workload calls, also through others; itself not.
    pub fn reach(&self, caller: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = vec![caller];
        while let Some(next) = open.pop() {
            open.extend(self.callees(next).filter(|callee| *callee != caller && reached.insert(*callee)));
        }
        reached
    }
}

fn ends(series: &Series, places: &Places<'_>) -> Option<(usize, usize)> {
    ENDS.iter().find_map(|[caller, caller_place, callee, callee_place]| {
        let first = |names: &[&str]| names.iter().find_map(|name| series.label(name));
        let (from, to) = (first(caller)?, first(callee)?);
        Some((places.app(first(caller_place), from)?, places.app(first(callee_place), to)?))
    })
}
