//! The binary `kubectl-rca`.

use std::panic;
use std::process::{ExitCode, exit};

use kubectl_rca::cli;
use kubectl_rca::failure::Exit;

fn main() -> ExitCode {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        default(info);
        // It would abort: scripts are told of a bug by its exit code.
        exit(Exit::Bug as i32);
    }));
    // kube and reqwest share one TLS stack; a second installation is refused, which is fine.
    _ = rustls::crypto::ring::default_provider().install_default();
    ExitCode::from(cli::run() as u8)
}
