//! `rbac`: what this program reads, as roles for an administrator to apply.

use crate::cli::agent_args::RbacArgs;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::commands::{examine, manifests};
use crate::cli::source;
use crate::cli::ui::Ui;
use crate::collect::client::ApiClient;
use crate::collect::kubeconfig;
use crate::failure::{Exit, Failure};
use crate::job::{life, manifest, rights::Wanted};

/// Runs `rbac`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &RbacArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    if cluster.all_namespaces {
        return Err(
            Failure::usage("rights are printed for one namespace at a time").hint("kubectl rca rbac -n NAMESPACE")
        );
    }
    let named = cluster.namespaces().pop();
    let namespace = match named {
        // No kubeconfig is needed to print what does not depend on a cluster.
        Some(name) => name,
        None => kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process())?.namespace,
    };
    source::check_name("namespace", &namespace)?;
    let tls_secrets = if args.read_tls_secrets { tls_secrets(cluster, &namespace)? } else { Vec::new() };
    // Whoever may ask about a pod may ask about the namespace too.
    let is_one_pod = true;
    let skip = examine::known_rules(&args.skip)?;
    let wanted =
        Wanted { namespace, is_one_pod, custom: Vec::new(), skip, cluster_scope: args.cluster_scope, tls_secrets };
    ui.data(&manifests::write(&manifest::provision(&wanted, args.in_cluster), args.output)?)?;
    Ok(Exit::Examined)
}

fn tls_secrets(cluster: &ClusterArgs, namespace: &str) -> Result<Vec<String>, Failure> {
    let connection = kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process())?;
    let runtime = source::runtime()?;
    let names = runtime.block_on(async {
        let client = ApiClient::connect(&connection, &cluster.limits()).await?;
        life::tls_secrets(&client, namespace).await
    });
    runtime.shutdown_background();
    names
}
