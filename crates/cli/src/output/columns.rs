//! A column of a table: its title, and how its text is found in an answer of the API.

use serde_json::Value;

/// A column: its title, and how its text is found.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) wide: bool,
    pub(crate) text: Text,
}

/// Where a column's text comes from.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// A JSON pointer.
    At(&'static str),
    /// A JSON pointer to a time, shown in whole seconds.
    Time(&'static str),
    /// A function of the whole row.
    By(fn(&Value) -> String),
}

impl Column {
    /// The value at a JSON pointer.
    pub(crate) const fn at(title: &'static str, pointer: &'static str) -> Self {
        Self { title, wide: false, text: Text::At(pointer) }
    }

    /// The time at a JSON pointer.
    pub(crate) const fn time(title: &'static str, pointer: &'static str) -> Self {
        Self { title, wide: false, text: Text::Time(pointer) }
    }

    /// What a function makes of the row.
    pub(crate) const fn by(title: &'static str, text: fn(&Value) -> String) -> Self {
        Self { title, wide: false, text: Text::By(text) }
    }

    /// Only shown by `-o wide`.
    pub(crate) const fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// The text of a row.
    pub(crate) fn text(&self, row: &Value) -> String {
        match self.text {
            Text::At(pointer) => row.pointer(pointer).map(scalar).unwrap_or_default(),
            Text::Time(pointer) => {
                let time = row.pointer(pointer).map(scalar).unwrap_or_default();
                match time.split_once('.') {
                    Some((whole, _)) => format!("{whole}Z"),
                    None => time,
                }
            }
            Text::By(text) => text(row),
        }
    }
}

/// A value as a cell shows it; texts of a list are joined.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(scalar).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Whole seconds as people say them: `45s`, `9m05s`, `1h10m`.
pub(crate) fn seconds(total: u64) -> String {
    match (total / 3600, total / 60 % 60, total % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (total, text) in [(0, "0s"), (45, "45s"), (540, "9m"), (545, "9m05s"), (4200, "1h10m")] {
            assert_eq!(seconds(total), text);
        }
    }

    #[test]
    fn times_are_shown_in_whole_seconds() {
        let column = Column::time("AT", "/at");
        for (at, text) in [
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ] {
            assert_eq!(column.text(&serde_json::json!({"at": at})), text);
        }
    }
}
