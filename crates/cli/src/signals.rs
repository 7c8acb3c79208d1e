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

/// A write beyond a limit of file sizes fails, as one to a full disk does, and ends nothing: the system would end us.
///
/// Sources: <https://man7.org/linux/man-pages/man2/setrlimit.2.html> (`RLIMIT_FSIZE`), signal 25 on Linux and macOS.
pub(crate) fn survive_file_limits() {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        // Its handler stays when it is dropped.
        drop(signal::unix::signal(signal::unix::SignalKind::from_raw(25)));
    }
}
