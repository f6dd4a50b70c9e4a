//! From a line to the JSON of an event.

use std::path::Path;

use anyhow::Context as _;
use csv_core::{ReadRecordResult, Reader};
use weir_wire::message::{self, Label, MessageEvent};
use weir_wire::rating::{self, MAX_RATING, RatingEvent};

use super::{Format, Line};
use crate::events::Kind;

/// Most columns of a line that are looked at.
const MAX_COLUMNS: usize = 64;
/// A time beyond this many seconds since 1970, the year 5138, was meant as milliseconds.
const MAX_SECONDS: f64 = 1e11;

/// Where user, item, rating and time stand, counted from 0; the time need not be there.
type Columns = [Option<usize>; 4];

const IN_ORDER: Columns = [Some(0), Some(1), Some(2), Some(3)];
/// What the columns are called in the heading of a CSV or TSV file, in lower case, without underscores and without the type that may
/// follow a colon.
const NAMES: [&[&str]; 4] =
    [&["userid", "user"], &["movieid", "itemid", "item", "movie"], &["rating", "score"], &["timestamp", "ts", "time"]];

/// Why a line is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The reason's class: one of those of refused events, or `bad_line`.
    pub(crate) reason: &'static str,
    /// What is wrong.
    pub(crate) detail: String,
}

impl Refusal {
    fn line(detail: impl Into<String>) -> Self {
        Self { reason: "bad_line", detail: detail.into() }
    }
}

/// Reads the lines of one file, from its first on.
pub(crate) struct Parser {
    format: Format,
    columns: Columns,
    /// First part of the ids of messages that have none: the file's name.
    name: String,
    csv: Reader,
    text: Vec<u8>,
}

impl Parser {
    /// For events of a kind in a file of the format named, or of the one that the file seems to have.
    ///
    /// # Errors
    /// The format cannot be told, or holds other events.
    pub(crate) fn open(kind: Kind, file: &Path, format: Option<Format>, first_line: &[u8]) -> anyhow::Result<Self> {
        let format = format.or_else(|| Format::guess(kind, file, first_line));
        let unknown = || format!("the format of {} cannot be told; name it with --format", file.display());
        let format = format.with_context(unknown)?;
        anyhow::ensure!(format.fits(kind), "--format: files of that format hold other events, see --help");
        Ok(Self::new(format, file))
    }

    /// For a file of this name.
    pub(crate) fn new(format: Format, path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = name.split('.').next().filter(|stem| !stem.is_empty() && *stem != "-").unwrap_or("line");
        Self { format, columns: IN_ORDER, name: stem.to_owned(), csv: Reader::new(), text: Vec::new() }
    }

    /// The event as JSON; none for a heading or an empty line.
    ///
    /// # Errors
    /// Why the line is no event. What it gives may still be refused by whoever reads the topic.
    pub(crate) fn payload(&mut self, line: Line<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        if line.is_cut {
            return Err(Refusal::line(format!("is longer than {} bytes", line.bytes.len())));
        }
        if line.bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        if self.format == Format::Json {
            return Ok(Some(line.bytes.to_vec()));
        }
        let text = str::from_utf8(line.bytes).map_err(|error| Refusal {
            reason: "invalid_utf8",
            detail: format!("byte {} of the line is not UTF-8", error.valid_up_to()),
        })?;
        match self.format {
            Format::Tabs => table_row(&mut self.columns, line.number, &text.split('\t').collect::<Vec<_>>()),
            Format::Colons => rating(&text.split("::").collect::<Vec<_>>(), &self.columns).map(Some),
            Format::Csv => self.csv(line.number, text),
            Format::Sms | Format::Json => self.sms(line.number, text).map(Some),
        }
    }

    fn csv(&mut self, number: u64, text: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let mut ends = [0; MAX_COLUMNS];
        let columns = csv_columns(&mut self.csv, text, &mut self.text, &mut ends)?;
        let fields: Vec<&str> = columns.iter().map(|field| str::from_utf8(field).unwrap_or_default()).collect();
        table_row(&mut self.columns, number, &fields)
    }

    /// `label<TAB>text`. The line is the message's id, so that a repeated import teaches nothing twice.
    fn sms(&self, number: u64, text: &str) -> Result<Vec<u8>, Refusal> {
        let (label, text) = text.split_once('\t').ok_or_else(|| Refusal::line("has no tab between label and text"))?;
        let label = Label::among(&Label::ALL, label.trim()).ok_or_else(|| Refusal {
            reason: "unknown_label",
            detail: format!("label: is \"{}\", a label is \"spam\" or \"ham\"", shown(label)),
        })?;
        Ok(message::to_json(&MessageEvent::Message {
            id: format!("{}-{number}", self.name).into(),
            text: Some(text.into()),
            label: Some(label),
            ts: None,
            tenant: None,
            content_type: None,
            sender: None,
        }))
    }
}

/// The columns of one line of CSV (RFC 4180), unquoted into `text`.
fn csv_columns<'a>(
    reader: &mut Reader,
    line: &str,
    text: &'a mut Vec<u8>,
    ends: &mut [usize; MAX_COLUMNS],
) -> Result<Vec<&'a [u8]>, Refusal> {
    // Unquoting only makes it shorter.
    text.resize(line.len() + 1, 0);
    reader.reset();
    let (inside, _, written, begun) = reader.read_record(line.as_bytes(), text, ends);
    if matches!(inside, ReadRecordResult::Record) {
        return Err(Refusal::line("has a carriage return inside"));
    }
    let (end, _, _, last) = reader.read_record(b"\n", &mut text[written..], &mut ends[begun..]);
    match (inside, end) {
        (ReadRecordResult::InputEmpty, ReadRecordResult::Record) => {
            let starts = [0].into_iter().chain(ends.iter().copied());
            Ok(starts.zip(ends.iter()).take(begun + last).map(|(start, &end)| &text[start..end]).collect())
        }
        (ReadRecordResult::InputEmpty, ReadRecordResult::InputEmpty) => {
            Err(Refusal::line("has a quote that is not closed; a column cannot go on in the next line"))
        }
        _ => Err(Refusal::line(format!("has more than {MAX_COLUMNS} columns"))),
    }
}

/// A line of a table whose first line may be a heading.
fn table_row(columns: &mut Columns, number: u64, fields: &[&str]) -> Result<Option<Vec<u8>>, Refusal> {
    if number == 1
        && let Some(named) = heading(fields)
    {
        *columns = named;
        return Ok(None);
    }
    rating(fields, columns).map(Some)
}

/// The columns that a heading names, if it is one.
fn heading(fields: &[&str]) -> Option<Columns> {
    let place = |names: &&[&str]| {
        let name = |field: &str| field.split(':').next().unwrap_or_default().trim().to_lowercase().replace('_', "");
        fields.iter().position(|field| names.contains(&name(field).as_str()))
    };
    let columns = NAMES.each_ref().map(place);
    (columns[0].is_some() && columns[1].is_some()).then_some(columns)
}

fn rating(fields: &[&str], columns: &Columns) -> Result<Vec<u8>, Refusal> {
    let field = |place: usize| columns[place].and_then(|column| fields.get(column)).map(|field| field.trim());
    let missing = || {
        let detail = format!("has {} columns, it needs user, item and rating, and may have a time", fields.len());
        Refusal::line(detail)
    };
    let (user, item) = (field(0).ok_or_else(missing)?, field(1).ok_or_else(missing)?);
    let rating = match field(2) {
        Some(text) => Some(number("rating", text)?),
        // A heading that names no rating: implicit feedback.
        None if columns[2].is_none() => None,
        None => return Err(missing()),
    };
    let event = RatingEvent::Rated {
        user: user.into(),
        item: item.into(),
        rating: rating.map(|rating| rating as f32),
        ts: field(3).map(milliseconds).transpose()?,
        event: None,
        id: None,
    };
    Ok(rating::to_json(&event))
}

fn number(field: &str, text: &str) -> Result<f64, Refusal> {
    match text.parse::<f64>() {
        Ok(number) if number.abs() <= f64::from(MAX_RATING) || (field != "rating" && number.is_finite()) => Ok(number),
        Ok(_) => Err(bad_number(field, text, "lies between -1000000 and 1000000")),
        Err(_) => Err(bad_number(field, text, "is a number")),
    }
}

/// Seconds since 1970 as milliseconds.
fn milliseconds(text: &str) -> Result<i64, Refusal> {
    let seconds = number("time", text)?;
    if seconds.abs() > MAX_SECONDS {
        return Err(bad_number("time", text, "is in seconds since 1970, not in milliseconds"));
    }
    Ok((seconds * 1000.0).round() as i64)
}

fn bad_number(field: &str, text: &str, rule: &str) -> Refusal {
    Refusal { reason: "bad_number", detail: format!("{field}: is \"{}\", a {field} {rule}", shown(text)) }
}

/// The beginning of a text, fit for one line.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
