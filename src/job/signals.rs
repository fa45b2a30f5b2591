//! Ctrl-C, and how a terminal or a system ends a process.

/// The ways in which a person or a system asks us to stop.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    streams: Vec<tokio::signal::unix::Signal>,
}

impl Default for Signals {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen: from now on they end nothing by themselves.
    pub fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self { streams: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        if self.streams.is_empty() {
            return futures::future::pending().await;
        }
        let any = self.streams.iter_mut().map(|stream| Box::pin(stream.recv()));
        _ = futures::future::select_all(any).await;
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Starts to listen: from now on they end nothing by themselves.
    pub fn new() -> Self {
        Self {}
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        _ = tokio::signal::ctrl_c().await;
    }
}
