//! Vectors as CSV and in the npy format of `NumPy`, for tools that know nothing of weir.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use csv_core::{WriteResult, Writer};
use ndarray::Array2;
use weir_models::Description;
use weir_ps::{Rule, TableSpec};
use weir_wire::Frame;
use weir_wire::frame::ChangelogKey;

use super::content::Content;

/// For each table whose rows are vectors with a name, writes `DIR/TABLE.csv`, the name and then the values, and
/// `DIR/TABLE.npy`, the values alone as a matrix of `f32` of the shape (rows, width), in the order of the lines.
pub(super) fn write(dir: &Path, description: &Description, shards: &[Content]) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    for table in description.schema.tables().iter().filter(|table| is_vectors(table)) {
        let mut out = BufWriter::new(fs::File::create(dir.join(format!("{}.csv", table.name)))?);
        let heading = std::iter::once("id".to_owned()).chain((0..table.width).map(|number| format!("v{number}")));
        line(&mut out, heading)?;
        let mut values = Vec::new();
        for (key, value) in shards.iter().flat_map(|shard| &shard.rows) {
            let Ok(Frame::Row(row)) = Frame::parse_for(description.hash(), value) else { continue };
            match (ChangelogKey::parse(key), row.name) {
                (Some(ChangelogKey::Row { table: id, .. }), Some(name)) if id == table.id => {
                    let of_row = row.words().iter().map(|word| f32::from_bits(word.get()));
                    values.extend(of_row.clone());
                    line(&mut out, std::iter::once(name.to_owned()).chain(of_row.map(|value| value.to_string())))?;
                }
                _ => {}
            }
        }
        out.flush()?;
        write_matrix(&dir.join(format!("{}.npy", table.name)), values, table.width)?;
    }
    Ok(())
}

fn write_matrix(file: &Path, values: Vec<f32>, width: usize) -> anyhow::Result<()> {
    let rows = values.len() / width.max(1);
    Ok(ndarray_npy::write_npy(file, &Array2::from_shape_vec((rows, width), values)?)?)
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

    #[test]
    fn a_matrix_is_what_was_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("users.npy");
        let read = || ndarray_npy::read_npy::<_, Array2<f32>>(&file).expect("read");
        write_matrix(&file, vec![0.5, -1.0, f32::MIN_POSITIVE, 4.0, 5.0, 6.0], 3).expect("written");
        assert_eq!(read(), ndarray::arr2(&[[0.5, -1.0, f32::MIN_POSITIVE], [4.0, 5.0, 6.0]]));
        write_matrix(&file, Vec::new(), 3).expect("written");
        assert_eq!(read().dim(), (0, 3));
    }
}
