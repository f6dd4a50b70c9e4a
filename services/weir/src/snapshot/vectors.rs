//! Vectors as CSV, for tools that know nothing of weir.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use csv_core::{WriteResult, Writer};
use weir_models::Description;
use weir_ps::{Rule, TableSpec};
use weir_wire::Frame;
use weir_wire::frame::ChangelogKey;

use super::content::Content;

/// Writes `DIR/TABLE.csv` for each table whose rows are vectors with a name: the name, then the values.
pub(super) fn write(dir: &Path, description: &Description, shards: &[Content]) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    for table in description.schema.tables().iter().filter(|table| is_vectors(table)) {
        let mut out = BufWriter::new(fs::File::create(dir.join(format!("{}.csv", table.name)))?);
        let heading = std::iter::once("id".to_owned()).chain((0..table.width).map(|number| format!("v{number}")));
        line(&mut out, heading)?;
        for (key, value) in shards.iter().flat_map(|shard| &shard.rows) {
            let Ok(Frame::Row(row)) = Frame::parse_for(description.hash(), value) else { continue };
            match (ChangelogKey::parse(key), row.name) {
                (Some(ChangelogKey::Row { table: id, .. }), Some(name)) if id == table.id => {
                    let values = row.words().iter().map(|word| f32::from_bits(word.get()).to_string());
                    line(&mut out, std::iter::once(name.to_owned()).chain(values))?;
                }
                _ => {}
            }
        }
        out.flush()?;
    }
    Ok(())
}

fn is_vectors(table: &TableSpec) -> bool {
    table.named && matches!(table.rule, Rule::AddF32)
}

fn line(out: &mut impl Write, fields: impl Iterator<Item = String>) -> std::io::Result<()> {
    let (mut writer, mut buffer) = (Writer::new(), [0; 1_024]);
    for (number, field) in fields.enumerate() {
        if number > 0 {
            let (_, written) = writer.delimiter(&mut buffer);
            out.write_all(&buffer[..written])?;
        }
        let mut rest = field.as_bytes();
        loop {
            let (result, read, written) = writer.field(rest, &mut buffer);
            out.write_all(&buffer[..written])?;
            rest = &rest[read..];
            if result == WriteResult::InputEmpty {
                break;
            }
        }
    }
    let (_, written) = writer.terminator(&mut buffer);
    out.write_all(&buffer[..written])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut out = Vec::new();
        let long = "x".repeat(3_000);
        for fields in [vec!["id", "v0"], vec!["a \"b\", c", "0.5"], vec![long.as_str(), "-1"]] {
            line(&mut out, fields.into_iter().map(str::to_owned)).expect("memory takes all");
        }
        assert_eq!(String::from_utf8(out).expect("text"), format!("id,v0\n\"a \"\"b\"\", c\",0.5\n{long},-1\n"));
    }
}
