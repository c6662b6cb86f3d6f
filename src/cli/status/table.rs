//! A list of the report as a table for a terminal.

use serde_json::{Map, Value};

use crate::admin::columns;

/// The rows below a heading, each column as wide as it has to be; `None` if they are not alike.
pub fn render(rows: &[Value]) -> Option<String> {
    let rows: Vec<&Map<String, Value>> = rows.iter().map(Value::as_object).collect::<Option<_>>()?;
    let first = rows.first().filter(|first| !first.is_empty())?;
    let alike = rows.iter().all(|row| row.len() == first.len() && first.keys().all(|name| row.contains_key(name)));
    if !alike {
        return None;
    }
    let columns: Vec<Column> = columns(first).into_iter().map(|name| Column::new(name, &rows)).collect();
    let line = |index: usize| {
        let cells: Vec<String> = columns.iter().map(|column| column.cell(index)).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    let lines: Vec<String> = (0..=rows.len()).map(line).collect();
    Some(lines.join("\n") + "\n")
}

/// The heading of a column and all that stands below it.
struct Column {
    cells: Vec<String>,
    width: usize,
    /// Numbers stand below one another.
    numbers: bool,
}

impl Column {
    fn new(name: &str, rows: &[&Map<String, Value>]) -> Self {
        let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(name)).collect();
        let cells = std::iter::once(name.replace('_', " ")).chain(values.iter().map(|value| super::one_line(value)));
        let cells: Vec<String> = cells.collect();
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let numbers = values.iter().any(|value| value.is_number())
            && values.iter().all(|value| value.is_number() || value.is_null());
        Self { cells, width, numbers }
    }

    fn cell(&self, index: usize) -> String {
        let text = self.cells.get(index).map_or("", String::as_str);
        let width = self.width;
        if self.numbers { format!("{text:>width$}") } else { format!("{text:<width$}") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [
            json!({"component": "flink", "blob_requests_per_request": 1.5, "sent_bytes": 12345, "last_seen": "5 s ago"}),
            json!({"component": "trino", "blob_requests_per_request": null, "sent_bytes": 0, "last_seen": "never"}),
        ];
        let shown = "  component  blob requests per request  sent bytes  last seen\n\
                     \x20 flink                            1.5       12345  5 s ago\n\
                     \x20 trino                              -           0  never\n";
        assert_eq!(render(&rows).as_deref(), Some(shown));
    }

    #[test]
    fn rows_that_are_not_alike_are_no_table() {
        for rows in [
            vec![],
            vec![json!({})],
            vec![json!(1)],
            vec![json!({"a": 1}), json!({"b": 1})],
            vec![json!({"a": 1}), json!({"a": 1, "b": 1})],
        ] {
            assert_eq!(render(&rows), None, "{rows:?}");
        }
    }
}
