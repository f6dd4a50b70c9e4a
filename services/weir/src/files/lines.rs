//! The lines of a file, one after the other: plain, gzip or xz, told apart by their first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

/// Longest line that is looked at: more than any event may have.
const MAX_LINE_BYTES: usize = 1 << 20;
const BUFFER_BYTES: usize = 1 << 16;
const GZIP: &[u8] = b"\x1f\x8b";
const XZ: &[u8] = b"\xfd7zXZ\0";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Its bytes; of one that is too long only the beginning.
    pub(crate) bytes: &'a [u8],
    /// Whether it has more bytes than are looked at.
    pub(crate) is_cut: bool,
}

/// Reads lines.
pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
    /// Bytes taken from the file itself, that is compressed ones.
    taken: Arc<AtomicU64>,
    length: Option<u64>,
}

impl Lines {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::of(Box::new(io::stdin()), None).context("read standard input");
        }
        let opened = || -> io::Result<Self> {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            Self::of(Box::new(file), Some(length))
        };
        opened().with_context(|| format!("read {}", path.display()))
    }

    fn of(source: Box<dyn Read + Send>, length: Option<u64>) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { source, taken: Arc::clone(&taken) };
        let mut source = BufReader::with_capacity(BUFFER_BYTES, counted);
        let head = source.fill_buf()?;
        let (is_gzip, is_xz) = (head.starts_with(GZIP), head.starts_with(XZ));
        let reader: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(source)))
        } else if is_xz {
            // Files of several streams, as `xz -T` and `cat` make them, are one.
            Box::new(BufReader::with_capacity(BUFFER_BYTES, XzReader::new(source, true)))
        } else {
            Box::new(source)
        };
        Ok(Self { reader, line: Vec::new(), number: 0, taken, length })
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// The file cannot be read on, a compressed one that was cut off for example.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut read = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(buffer.len(), |end| end + 1);
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&buffer[..end.unwrap_or(taken).min(room)]);
            read += taken;
            self.reader.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_cut = read > self.line.len() + 1;
        let bytes = self.line.strip_suffix(b"\r").filter(|_| !is_cut).unwrap_or(&self.line);
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| self.number == 1).unwrap_or(bytes);
        Ok(Some(Line { number: self.number, bytes, is_cut }))
    }

    /// Bytes of the file in all, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// How many of them were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Counts what is read.
struct Counted {
    source: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use lzma_rust2::{XzOptions, XzWriter};
    use proptest::prelude::*;

    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("compressed");
        encoder.finish().expect("compressed")
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("an encoder");
        encoder.write_all(bytes).expect("compressed");
        encoder.finish().expect("compressed")
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<Vec<u8>>> {
        let mut lines = Lines::of(Box::new(Cursor::new(bytes)), None)?;
        let mut found = Vec::new();
        while let Some(line) = lines.next()? {
            assert_eq!(line.number, found.len() as u64 + 1);
            found.push(line.bytes.to_vec());
        }
        Ok(found)
    }

    #[test]
    fn lines_are_the_same_however_they_are_packed() {
        let text = b"\xef\xbb\xbfone\r\ntwo\n\nlast";
        let expected = [&b"one"[..], b"two", b"", b"last"].map(<[u8]>::to_vec);
        let halves = [gz(&text[..9]), gz(&text[9..])].concat();
        let streams = [xz(&text[..9]), xz(&text[9..])].concat();
        for bytes in [text.to_vec(), gz(text), xz(text), halves, streams] {
            assert_eq!(read(bytes).expect("read"), expected);
        }
        assert!(read(Vec::new()).expect("read").is_empty());
    }

    #[test]
    fn a_file_that_was_cut_off_is_an_error() {
        let text: Vec<u8> = (0..5_000_u32).flat_map(|number| format!("{}\n", number * 7_919).into_bytes()).collect();
        for packed in [gz(&text), xz(&text)] {
            assert!(read(packed[..packed.len() / 2].to_vec()).is_err());
        }
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_the_longest() {
        let mut text = vec![b'x'; 3 * MAX_LINE_BYTES];
        text.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::of(Box::new(Cursor::new(text)), None).expect("opened");
        let line = lines.next().expect("read").expect("a line");
        assert_eq!((line.number, line.bytes.len(), line.is_cut), (1, MAX_LINE_BYTES, true));
        let next = lines.next().expect("read");
        assert_eq!(next, Some(Line { number: 2, bytes: b"next", is_cut: false }));
        assert!(lines.line.capacity() <= 2 * MAX_LINE_BYTES);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_joined_is_parted(lines in proptest::collection::vec("[^\r\n]{0,40}", 0..30)) {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            prop_assume!(!text.starts_with(['\u{feff}', '\u{1f}']));
            let found = read(text.into_bytes()).expect("read");
            prop_assert_eq!(found, lines.into_iter().map(String::into_bytes).collect::<Vec<_>>());
        }
    }
}
