//! The status report as a page for people: plain HTML, no script, nothing loaded from elsewhere.

use std::fmt::Write;

use serde_json::Value;

use super::columns;

/// Renders a report. Values that are lists of objects become tables.
pub fn render(report: &Value) -> String {
    let mut page = String::from(HEAD);
    if let Value::Object(fields) = report {
        let (tables, plain): (Vec<_>, Vec<_>) =
            fields.iter().partition(|(_, value)| value.is_array() || value.is_object());
        page.push_str("<table>");
        for (name, value) in plain {
            row(&mut page, name, value);
        }
        page.push_str("</table>");
        for (name, value) in tables {
            let _ = write!(page, "<h2>{}</h2>", escape(&name.replace('_', " ")));
            section(&mut page, value);
        }
    }
    page.push_str("<p><a href=\"/status\">status as JSON</a> <a href=\"/metrics\">metrics</a></p></body></html>\n");
    page
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>bluebucket</title>\
<meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"5\"><style>\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:75rem}\
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid #8884}\
td{font-variant-numeric:tabular-nums}h2{font-size:1rem;margin:1.5rem 0 .3rem}</style></head>\
<body><h1>bluebucket</h1>";

fn section(page: &mut String, value: &Value) {
    page.push_str("<table>");
    match value {
        Value::Array(rows) => match rows.first() {
            Some(Value::Object(first)) => table(page, &columns(first), rows),
            _ => rows.iter().for_each(|other| single(page, other)),
        },
        Value::Object(fields) => fields.iter().for_each(|(name, value)| row(page, name, value)),
        other => single(page, other),
    }
    page.push_str("</table>");
}

/// The fields of each row below their names.
fn table(page: &mut String, columns: &[&str], rows: &[Value]) {
    page.push_str("<tr>");
    for name in columns {
        let _ = write!(page, "<th>{}</th>", escape(&name.replace('_', " ")));
    }
    page.push_str("</tr>");
    for row in rows {
        page.push_str("<tr>");
        columns.iter().for_each(|name| cell(page, row.get(name).unwrap_or(&Value::Null)));
        page.push_str("</tr>");
    }
}

fn single(page: &mut String, value: &Value) {
    page.push_str("<tr>");
    cell(page, value);
    page.push_str("</tr>");
}

fn row(page: &mut String, name: &str, value: &Value) {
    let _ = write!(page, "<tr><th>{}</th>", escape(&name.replace('_', " ")));
    cell(page, value);
    page.push_str("</tr>");
}

fn cell(page: &mut String, value: &Value) {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let _ = write!(page, "<td>{}</td>", escape(&text));
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
