//! The binary `kubectl-rca`.

use std::panic;
use std::process::ExitCode;

use kubectl_rca::cli;
use kubectl_rca::failure::Exit;

fn main() -> ExitCode {
    // kube and reqwest share one TLS stack; a second installation is refused, which is fine.
    _ = rustls::crypto::ring::default_provider().install_default();
    let exit = panic::catch_unwind(cli::run).unwrap_or(Exit::Bug);
    ExitCode::from(exit as u8)
}
