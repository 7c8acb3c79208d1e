//! A page that names every operation and leads to the document. No script, and nothing from elsewhere.

use std::fmt::Write as _;

use super::parts;

/// The page, as HTML.
pub(crate) fn page() -> String {
    let mut page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>pmks at /spider</title>\
        <body style=\"font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;color-scheme:light dark\">\
        <h1>pmks, as CB-Spider's managed Kubernetes</h1>\
        <p>The description that programs read: <a href=\"/spider/api/doc.json\">doc.json</a> (Swagger 2.0).</p>"
        .to_owned();
    for (part, rows) in parts() {
        let _ = write!(page, "<h2>{part}</h2><table>");
        for row in rows {
            let _ = write!(
                page,
                "<tr><td><code>{} {}</code></td><td>{}</td></tr>",
                row.method, row.path, row.says
            );
        }
        page.push_str("</table>");
    }
    page
}
