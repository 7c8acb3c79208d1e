//! Tables without lines, as kubectl prints them. Wide characters (Korean) take the two columns that they need.

use std::io::IsTerminal;

use comfy_table::{Attribute, Cell, Color, Table, presets};
use serde_json::Value;

use super::Column;

/// The rows of a table.
pub(crate) fn table(columns: &[Column], rows: &[Value], wide: bool, no_color: bool) -> String {
    let shown: Vec<&Column> = columns.iter().filter(|column| wide || !column.wide).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Lines are never broken to fit: a row is a line, for grep and for the eye.
    table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
    let coloured = std::io::stdout().is_terminal() && !no_color;
    if !coloured {
        table.force_no_tty();
    }
    table.set_header(shown.iter().map(|column| {
        let cell = Cell::new(column.title);
        if coloured { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    for row in rows {
        table.add_row(shown.iter().map(|column| cell(column, row, coloured)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn cell(column: &Column, row: &Value, coloured: bool) -> Cell {
    let text = column.text(row);
    let shown = if text.is_empty() { "-".to_owned() } else { clean(&text) };
    let cell = Cell::new(shown);
    match status_color(&text).filter(|_| coloured && matches!(column.title, "STATUS" | "STATE")) {
        Some(color) => cell.fg(color),
        None => cell,
    }
}

fn status_color(word: &str) -> Option<Color> {
    match word.to_lowercase().as_str() {
        "active" | "succeeded" | "satisfied" | "running" | "done" => Some(Color::Green),
        "failed" | "missing" | "degraded" | "blocked" => Some(Color::Red),
        "creating" | "updating" | "deleting" | "queued" => Some(Color::Yellow),
        _ => None,
    }
}

/// What a cloud says is data: it must not move the cursor, break a row, or let its letters be read in another order.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// Whether a terminal takes a character for an order: control characters, ends of lines, and those that turn the
/// direction of writing round. Source: <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
pub(crate) fn steers(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] =
        &[Column::at("NAME", "/name"), Column::at("SAYS", "/says"), Column::at("MORE", "/more").wide()];

    #[test]
    fn wide_characters_keep_columns_aligned() {
        let rows = [json!({"name": "한글", "says": "x"}), json!({"name": "abcd", "says": "y"})];
        assert_eq!(table(COLUMNS, &rows, false, true), "NAME  SAYS\n한글  x\nabcd  y");
    }

    #[test]
    fn a_row_stays_a_row() {
        let rows = [json!({"name": "a\n\u{1b}[2Jb", "more": 7})];
        assert_eq!(table(COLUMNS, &rows, true, true), "NAME     SAYS  MORE\na  [2Jb  -     7");
    }

    #[test]
    fn nothing_of_a_text_steers_a_terminal() {
        let hostile = "a\u{1b}]0;x\u{7}\u{9b}2J\r\n\u{202e}b\u{2066}\u{2028}\u{7f}한글\u{1f680}";
        assert_eq!(clean(hostile), "a ]0;x  2J   b   한글\u{1f680}");
    }
}
