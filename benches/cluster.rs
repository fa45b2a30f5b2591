//! `kubectl rca namespace` over a large namespace of a real API server, against the bare requests.
//!
//! Run by the script `benches/cluster`, which makes the namespace. Both sides are processes of their own and alternate: one
//! sends the same URLs with the same page size and Accept headers through the same HTTP client and throws the bodies away,
//! the other is the plugin itself. The best of each counts.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kubectl_rca::collect::client::{ApiClient, Limits};
use kubectl_rca::collect::kubeconfig::{Env, Overrides, resolve};
use kubectl_rca::collect::live;

const BARE: &str = "RCA_BENCH_BARE";
const RUNS: usize = 7;

fn main() -> anyhow::Result<()> {
    let Ok(namespace) = env::var("RCA_BENCH_NAMESPACE") else {
        println!("skipped: run benches/cluster, which makes a namespace to measure on");
        return Ok(());
    };
    if env::var_os(BARE).is_some() {
        return bare(&namespace);
    }
    let (mut bares, mut plugins) = (Vec::new(), Vec::new());
    let mut last = String::new();
    for run in 1..=RUNS {
        bares.push(time(Command::new(env::current_exe()?).env(BARE, "1"))?.0);
        let mut plugin = Command::new(env!("CARGO_BIN_EXE_kubectl-rca"));
        let (elapsed, told) = time(plugin.args(["namespace", &namespace, "-o", "json", "-v"]))?;
        plugins.push(elapsed);
        last = told;
        println!("run {run}: bare {:?}, plugin {elapsed:?}", bares[run - 1]);
    }
    let best = |times: &[Duration]| times.iter().min().copied().unwrap_or_default().as_secs_f64();
    println!(
        "best: bare {:.3} s, plugin {:.3} s, ratio {:.2}",
        best(&bares),
        best(&plugins),
        best(&plugins) / best(&bares)
    );
    println!("{last}");
    Ok(())
}

fn time(command: &mut Command) -> anyhow::Result<(Duration, String)> {
    let start = Instant::now();
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?.wait_with_output()?;
    let elapsed = start.elapsed();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{told}");
    Ok((elapsed, told))
}

/// Sends the requests and throws the answers away.
fn bare(namespace: &str) -> anyhow::Result<()> {
    // The process has one TLS provider; that it may be installed already does not matter.
    _ = rustls::crypto::ring::default_provider().install_default();
    let connection = resolve(&Overrides::default(), &Env::from_process())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let client = ApiClient::connect(&connection, &Limits::default()).await?;
        let lists = live::first_lists(&client, namespace).into_iter().map(|mut pages| async move {
            while let Some(page) = pages.next().await {
                drop(page);
            }
        });
        futures::future::join_all(lists).await;
        Ok(())
    })
}
