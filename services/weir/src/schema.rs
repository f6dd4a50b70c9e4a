//! `weir schema`: what the events of the topics look like, for those who write or read them.

use anyhow::Context as _;
use weir_wire::schema;

/// Prints the JSON Schema of one topic's events, or which topics there are.
///
/// # Errors
/// There is none of that name.
pub(crate) fn print(topic: Option<&str>) -> anyhow::Result<()> {
    let all = schema::all();
    if let Some(topic) = topic {
        let found = all.iter().find(|(name, _)| *name == topic);
        let (_, text) = found.with_context(|| format!("there is no schema {topic}, only {}", names(&all)))?;
        print!("{text}");
        return Ok(());
    }
    for (name, text) in all {
        let title = serde_json::from_str::<serde_json::Value>(text)?["title"].take();
        println!("{name:<20} {}", title.as_str().unwrap_or_default());
    }
    println!("`weir schema NAME` prints one; names are those that topics have by default");
    Ok(())
}

fn names(all: &[(&str, &str)]) -> String {
    all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
