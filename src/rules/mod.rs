//! The rules: one file each, with its docs and fixtures.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod category;
pub mod consequences;
mod rule;
#[cfg(test)]
mod tests;
pub mod unknown;

pub use rule::Rule;

use crate::model::{Finding, Kind, NotEvaluated, Snapshot};
use crate::scene::Scene;

/// Declares the rules: one line here expands to the module and the entry in [`ALL`].
macro_rules! rules {
    ($($family:ident { $($rule:ident,)* })*) => {
        $(#[doc = concat!("Rules of the family `", stringify!($family), "`.")] pub mod $family { $(pub mod $rule;)* })*

        /// All rules, in the order in which they run.
        pub static ALL: &[&Rule] = &[$($(&$family::$rule::RULE,)*)*];
    };
}

rules! {
    container {
        oom_killed,
        image_absent,
        image_unauthorized,
        image_registry_unresolved,
        image_registry_unreachable,
        image_registry_tls,
        image_rate_limited,
        image_platform_mismatch,
        image_name_invalid,
        image_never_pulled,
        image_pull_failed,
        missing_configmap,
        missing_configmap_key,
        missing_secret,
        missing_secret_key,
        bad_command,
        arch_mismatch,
        run_as_non_root,
        post_start_hook_failed,
        crash_no_logs,
        resource_unit,
        init_container_failed,
        init_container_waiting,
    }
    crash {
        app_exception,
        missing_env,
        wrong_env_host,
        wrong_env_port,
        wrong_env_credentials,
        wrong_env_value,
        dependency_unreachable,
        disk_full,
        volume_mount_path,
        volume_permission,
        port_conflict,
        too_many_connections,
        too_many_open_files,
        log_error_running,
        log_trend,
        external_dns,
        dev_server,
        rbac_forbidden,
        stale_secret_env,
    }
    probe {
        liveness_probe_failing,
        liveness_probe_too_early,
        liveness_probe_wrong_port,
        liveness_probe_wrong_protocol,
        readiness_probe_failing,
        readiness_probe_wrong_port,
        readiness_probe_wrong_protocol,
        startup_probe_failing,
        startup_probe_wrong_port,
    }
    service {
        gateway_misroute,
        gateway_route_rejected,
        ingress_backend_missing,
        ingress_class_missing,
        internal_traffic_policy,
        loadbalancer_pending,
        service_backends_missing,
        service_missing,
        service_protocol,
        service_selector_mismatch,
        service_target_port,
        service_wrong_pods,
        statefulset_service,
        tls_expired,
        tls_secret_missing,
    }
    network {
        cluster_dns_config,
        dns_policy,
        networkpolicy_egress,
        networkpolicy_ingress,
    }
    scheduling {
        insufficient_cpu,
        insufficient_memory,
        insufficient_pods,
        insufficient_resources,
        node_selector_mismatch,
        untolerated_taint,
        node_cordoned,
        anti_affinity,
        host_port_conflict,
        volume_node_affinity,
        scheduling_gated,
        readiness_gate,
        priority_preemption,
        scheduler_down,
    }
    storage {
        storageclass_missing,
        pvc_no_matching_pv,
        pvc_capacity_mismatch,
        pvc_access_mode_mismatch,
        pvc_class_mismatch,
        pvc_selector_mismatch,
        pvc_volume_taken,
        pvc_missing,
        volume_mount_failed,
    }
    admission {
        quota_exceeded,
        quota_exceeded_cpu,
        quota_exceeded_memory,
        quota_exceeded_pods,
        quota_exceeded_services,
        quota_missing_requests,
        limitrange_violation,
        psa_violation,
        webhook_blocking,
        webhook_mutation,
        service_account_missing,
    }
    workload {
        scaled_to_zero,
        rollout_stuck,
        hpa_no_metrics,
        owner_not_ready,
        pdb_blocks_eviction,
        job_deadline,
        job_backoff_limit,
        job_sidecar,
        cronjob_suspended,
        stuck_terminating,
        finalizer_stuck,
        config_changed,
    }
    performance {
        network_latency,
        network_packet_loss,
        cpu_overload,
        cpu_throttling,
        memory_saturation,
        disk_saturation,
        error_rate,
        node_network_latency,
        node_network_packet_loss,
        node_cpu_overload,
        node_memory_saturation,
        node_disk_saturation,
    }
    node {
        node_not_ready,
        kubelet_down,
        container_runtime_down,
        node_network,
        kube_proxy_down,
        node_pressure_eviction,
        ip_exhaustion,
        sandbox_failed,
    }
}

/// Finds a rule by its id.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().chain([&unknown::RULE]).find(|rule| rule.id == id)
}

/// Runs all rules, and tells those whose needs met a gap.
pub fn run(scene: &Scene<'_>) -> (Vec<Finding>, Vec<NotEvaluated>) {
    let mut not_evaluated = Vec::new();
    for rule in ALL.iter().copied().chain([&unknown::RULE]) {
        let gaps: Vec<usize> = rule.needs.iter().flat_map(|kind| gaps_of(scene.snapshot, *kind)).collect();
        if !gaps.is_empty() {
            not_evaluated.push(NotEvaluated { rule: rule.id, gaps });
        }
    }
    // A rule still judges what was read: in three namespaces of which one is closed, two are open.
    let mut findings: Vec<Finding> = ALL.iter().flat_map(|rule| (rule.check)(scene)).collect();
    findings.extend(unknown::check(scene, &findings));
    (findings, not_evaluated)
}

fn gaps_of(snapshot: &Snapshot, kind: Kind) -> impl Iterator<Item = usize> {
    let gaps = snapshot.gaps.iter().enumerate();
    gaps.filter(move |(_, gap)| gap.kind == Some(kind) && gap.name.is_none()).map(|(index, _)| index)
}
