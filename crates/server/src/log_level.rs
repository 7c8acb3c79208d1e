//! What the process logs, changed while it runs. The log is the program's; the server asks it.

/// The log of the process.
pub trait LogFilter: Send + Sync {
    /// What is logged now, as it was asked for.
    fn filter(&self) -> String;

    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// Why it is no filter.
    fn set(&self, filter: &str) -> Result<(), String>;
}
