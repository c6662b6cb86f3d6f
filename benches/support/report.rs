//! Results as a table and as JSON.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Least and middle value.
pub fn least_and_median(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted.first().copied().unwrap_or(0.0), sorted.get(sorted.len() / 2).copied().unwrap_or(0.0))
}

/// Prints rows under a header, columns aligned to the right but the first two.
pub fn table(header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::len);
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let line = |cells: Vec<&str>| {
        let padded: Vec<_> = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| match column {
                0 | 1 => format!("{cell:<width$}", width = width(column)),
                _ => format!("{cell:>width$}", width = width(column)),
            })
            .collect();
        println!("{}", padded.join("  "));
    };
    line(header.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// Writes `target/bench/<name>.json`.
pub fn save(name: &str, value: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    fs::create_dir_all(&folder).expect("the target folder");
    let file = folder.join(format!("{name}.json"));
    fs::write(&file, serde_json::to_string_pretty(value).expect("plain values")).expect("the target folder");
    println!("written to target/bench/{name}.json");
}
