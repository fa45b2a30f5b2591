//! `version`: of this program, of its report and of the server.

use std::time::Duration;

use serde::Serialize;

use crate::cli::args::{VersionArgs, VersionFormat};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::ui::Ui;
use crate::collect::client::{ApiClient, Limits};
use crate::collect::{kubeconfig, live};
use crate::failure::{Exit, Failure};
use crate::render::{json, safe, yaml};

/// A server that says nothing for so long does not keep the program's own version back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The versions, as `-o json` prints them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    client: &'static str,
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

/// Runs `version`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &VersionArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let asked = if args.client { Ok(None) } else { server(cluster) };
    let (server, failure) = asked.map_or_else(|failure| (None, Some(failure)), |server| (server, None));
    let versions = Versions { client: env!("CARGO_PKG_VERSION"), schema: json::VERSION, server };
    ui.data(&print(&versions, args.output)?)?;
    failure.map_or(Ok(Exit::Examined), Err)
}

fn print(versions: &Versions, format: Option<VersionFormat>) -> Result<Vec<u8>, Failure> {
    let bug = |error: anyhow::Error| Failure::bug(format!("rendering the versions: {error}"));
    match format {
        Some(VersionFormat::Json) => json::written(versions).map_err(bug),
        Some(VersionFormat::Yaml) => yaml::write(versions).map_err(bug),
        None => {
            let server = versions.server.as_deref().map(|server| format!("server {}\n", safe::line(server)));
            let Versions { client, schema, .. } = versions;
            Ok(format!("kubectl-rca {client}\nreport {schema}\n{}", server.unwrap_or_default()).into_bytes())
        }
    }
}

/// Asks the server for its version; where no kubeconfig is, there is none to ask.
fn server(cluster: &ClusterArgs) -> Result<Option<String>, Failure> {
    let env = kubeconfig::Env::from_process();
    if cluster.names_nothing() && !kubeconfig::is_there(&env) {
        return Ok(None);
    }
    let connection = kubeconfig::resolve(&cluster.overrides(), &env)?;
    let limits = cluster.limits();
    let limits = Limits { request_timeout: Some(limits.request_timeout.unwrap_or(PATIENCE)), ..limits };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::bug(format!("starting the runtime: {error}")))?;
    let version = runtime.block_on(async {
        let client = ApiClient::connect(&connection, &limits).await?;
        live::version(&client).await.map_err(|error| error.into_failure("the server's version"))
    });
    runtime.shutdown_background();
    version
}
