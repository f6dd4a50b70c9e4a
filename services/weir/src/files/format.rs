//! The formats of files, and how one is told from another.

#![expect(clippy::doc_markdown, reason = "the doc comments of formats are help texts, printed as they are")]

use std::path::Path;

use clap::ValueEnum;

use crate::events::Kind;

/// How events stand in a file, one a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Ratings as `user,item,rating,seconds`, the columns in any order if the first line names them (MovieLens .csv)
    Csv,
    /// Ratings as `user<TAB>item<TAB>rating<TAB>seconds` (MovieLens u.data)
    Tabs,
    /// Ratings as `user::item::rating::seconds` (MovieLens .dat, MovieTweetings)
    Colons,
    /// Messages as `label<TAB>text` (SMS Spam Collection)
    Sms,
    /// Ratings, messages or items as JSON objects, exactly as they are to stand in the topic
    Json,
}

impl Format {
    /// What the file's name says, or else its first line.
    pub(crate) fn guess(kind: Kind, path: &Path, first_line: &[u8]) -> Option<Self> {
        Self::of_name(kind, path).or_else(|| Self::of_line(kind, first_line))
    }

    /// Whether events of this kind come in this format.
    pub(crate) fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Json => true,
            Self::Sms => kind == Kind::Messages,
            Self::Csv | Self::Tabs | Self::Colons => kind == Kind::Ratings,
        }
    }

    fn of_name(kind: Kind, path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".xz")).unwrap_or(&name);
        let format = match name.rsplit_once('.')?.1 {
            "csv" => Self::Csv,
            "data" => Self::Tabs,
            "dat" => Self::Colons,
            "json" | "jsonl" | "ndjson" => Self::Json,
            _ => return None,
        };
        Some(format).filter(|format| format.fits(kind))
    }

    fn of_line(kind: Kind, line: &[u8]) -> Option<Self> {
        let text = str::from_utf8(line).ok()?;
        match kind {
            _ if text.trim_start().starts_with('{') => Some(Self::Json),
            Kind::Ratings if text.contains("::") => Some(Self::Colons),
            Kind::Ratings if text.contains('\t') => Some(Self::Tabs),
            Kind::Ratings if text.contains(',') => Some(Self::Csv),
            Kind::Messages if text.contains('\t') => Some(Self::Sms),
            Kind::Ratings | Kind::Messages | Kind::Items => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_name_or_first_line() {
        let check = |kind, name: &str, line: &[u8], expected| {
            assert_eq!(Format::guess(kind, Path::new(name), line), expected, "{name}");
        };
        check(Kind::Ratings, "a/ratings.csv", b"", Some(Format::Csv));
        check(Kind::Ratings, "ratings.CSV.gz", b"", Some(Format::Csv));
        check(Kind::Ratings, "u.data", b"", Some(Format::Tabs));
        check(Kind::Ratings, "ratings.dat.xz", b"", Some(Format::Colons));
        check(Kind::Messages, "mails.jsonl.xz", b"", Some(Format::Json));
        check(Kind::Messages, "messages.csv", b"ham\thello", Some(Format::Sms));
        check(Kind::Messages, "SMSSpamCollection", b"ham\tGo until jurong point, crazy..", Some(Format::Sms));
        check(Kind::Ratings, "-", b" {\"user\":1}", Some(Format::Json));
        check(Kind::Ratings, "-", b"1::2::3::4", Some(Format::Colons));
        check(Kind::Ratings, "-", b"1\t2\t3\t4", Some(Format::Tabs));
        check(Kind::Ratings, "-", b"1,2,3", Some(Format::Csv));
        check(Kind::Ratings, "-", b"what is this", None);
        check(Kind::Messages, "-", b"\xff\xff", None);
    }
}
