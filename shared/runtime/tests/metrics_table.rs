//! The README's table of metrics is what the code registers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use weir_runtime::{Family, Metrics, Registry};

const BEGIN: &str = "<!-- metrics: made by `WEIR_UPDATE=1 cargo test -p weir-runtime --test metrics_table` -->\n";
const END: &str = "<!-- end of metrics -->";

#[test]
fn the_readme_lists_every_metric() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(&path).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("where the table begins");
    let (table, after) = rest.split_once(END).expect("where the table ends");
    let metrics = Metrics::new(Registry::new()).expect("registered");
    let made = table_of(metrics.families());
    if std::env::var_os("WEIR_UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).expect("README.md can be written");
        return;
    }
    assert!(table == made, "the table in README.md is old; make it anew: see the comment above it\n{made}");
}

fn table_of(families: &[Family]) -> String {
    let mut table = "| metric | kind | labels | |\n| --- | --- | --- | --- |\n".to_owned();
    for Family { name, kind, labels, help } in families {
        let labels = if labels.is_empty() { String::new() } else { format!("`{}`", labels.join("`, `")) };
        writeln!(table, "| `{name}` | {} | {labels} | {help} |", kind.as_str()).expect("written to a string");
    }
    table
}
