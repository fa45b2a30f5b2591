//! `cleanup`: deletes what agents left behind.

use crate::cli::agent_args::CleanupArgs;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::source;
use crate::cli::ui::Ui;
use crate::collect::client::ApiClient;
use crate::collect::kubeconfig;
use crate::failure::{Exit, Failure};
use crate::job::cleanup::{self, Leftover};

/// Runs `cleanup`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &CleanupArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let connection = kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process())?;
    source::check_name("namespace", &connection.namespace)?;
    let namespace = (!cluster.all_namespaces).then_some(connection.namespace.as_str());
    let runtime = source::runtime()?;
    let deleted = runtime.block_on(async {
        let client = ApiClient::connect(&connection, &cluster.limits()).await?;
        let found = cleanup::find(&client, namespace, args.all, jiff::Timestamp::now()).await;
        let found = found.map_err(|error| error.into_failure("jobs"))?;
        for leftover in &found {
            let Leftover { kind, namespace, name } = leftover;
            let word = kind.name().to_lowercase();
            let done = cleanup::delete(&client, leftover).await;
            done.map_err(|error| {
                Failure::unreachable(format!("cannot delete {word}/{name} in namespace \"{namespace}\": {error}"))
                    .hint(format!("kubectl auth can-i delete {} -n {namespace}", kind.plural()))
            })?;
            ui.data(format!("{word}/{name} in namespace {namespace} deleted\n").as_bytes())?;
        }
        Ok(found.len())
    });
    runtime.shutdown_background();
    if deleted? == 0 {
        let place = namespace.map_or("the cluster".to_owned(), |name| format!("namespace {name}"));
        ui.note(&format!("no agent left anything in {place}"));
    }
    Ok(Exit::Examined)
}
