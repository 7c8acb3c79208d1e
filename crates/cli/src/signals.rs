//! Ctrl-C, and being told to end.

use tokio::signal;

/// Returns on Ctrl-C.
pub(crate) async fn interrupt() {
    if signal::ctrl_c().await.is_err() {
        // Without a handler the system ends us by itself.
        std::future::pending::<()>().await;
    }
}

/// Returns on Ctrl-C, or when told to end (SIGTERM).
pub(crate) async fn end() {
    #[cfg(unix)]
    {
        if let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
            tokio::select! {
                () = interrupt() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt().await;
}
