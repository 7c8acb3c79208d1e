//! Numbers as CB-Spider's texts.

/// `1.50 GiB`.
#[expect(clippy::cast_precision_loss, reason = "two digits of it are told")]
pub(super) fn gibibytes(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1_u32 << 30))
}

/// `12.50 %`.
pub(super) fn percent(percent: f64) -> String {
    format!("{percent:.2} %")
}

/// `512 B`, `1.50 KB`: of 1024 each, whatever they are called.
#[expect(clippy::cast_precision_loss, reason = "two digits of it are told")]
pub(super) fn bytes(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut told = bytes as f64 / 1024.0;
    let mut units = ["KB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while told >= 1024.0 {
        let Some(next) = units.next() else { break };
        (told, unit) = (told / 1024.0, next);
    }
    format!("{told:.2} {unit}")
}

/// What came in a second; a count that began anew tells nothing.
pub(super) fn rate(before: u64, after: u64) -> String {
    format!("{}/s", bytes(after.saturating_sub(before)))
}

/// `3 days, 2 hours, 1 minutes`.
pub(super) fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} minutes"),
        (0, _) => format!("{hours} hours, {minutes} minutes"),
        _ => format!("{days} days, {hours} hours, {minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_cb_spider_tells_them() {
        assert_eq!([bytes(1023), bytes(1536), bytes(5 << 30)], ["1023 B", "1.50 KB", "5.00 GB"]);
        assert_eq!(
            [uptime(59), uptime(3661), uptime(93_784)],
            ["0 minutes", "1 hours, 1 minutes", "1 days, 2 hours, 3 minutes"]
        );
        assert_eq!((gibibytes(3 << 29), percent(12.345)), ("1.50 GiB".to_owned(), "12.35 %".to_owned()));
    }
}
