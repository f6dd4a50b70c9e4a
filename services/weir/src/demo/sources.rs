//! Where the events come from: made up, or out of a file.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use weir_wire::message::{self, Label, MessageEvent};
use weir_wire::rating::{self, RatingEvent};

use super::campaigns::{Mailbox, Message};
use super::world::{Rating, World};
use crate::events::Kind;
use crate::files::{Lines, Parser};

/// Ratings, one after the other.
pub(super) enum Ratings {
    MadeUp(Box<World>),
    File(Box<FileEvents>),
}

/// Messages, one after the other.
pub(super) enum Messages {
    MadeUp(Box<Mailbox>),
    File(Box<FileEvents>),
}

impl Ratings {
    /// Those of a file, or those that a seed makes.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn open(file: Option<&Path>, seed: u64) -> anyhow::Result<Self> {
        Ok(match file {
            Some(file) => Self::File(FileEvents::open(Kind::Ratings, file)?.into()),
            None => Self::MadeUp(World::new(seed)?.into()),
        })
    }

    /// The next one; none at the end of a file. Lines that rate nothing are passed over, and counted.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Rating>> {
        match self {
            Self::MadeUp(world) => Ok(Some(world.rating())),
            Self::File(file) => file.next(|payload| match rating::parse(None, Some(payload)).ok()? {
                RatingEvent::Rated { user, item, rating: Some(stars), .. } => {
                    Some(Rating { user: user.into_owned(), item: item.into_owned(), stars })
                }
                _ => None,
            }),
        }
    }

    /// The made-up world, where these are of one.
    pub(super) fn world(&self) -> Option<&World> {
        match self {
            Self::MadeUp(world) => Some(world),
            Self::File(_) => None,
        }
    }

    pub(super) fn passed_over(&self) -> u64 {
        if let Self::File(file) = self { file.passed_over } else { 0 }
    }
}

impl Messages {
    /// As [`Ratings::open`].
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn open(file: Option<&Path>, seed: u64) -> anyhow::Result<Self> {
        Ok(match file {
            Some(file) => Self::File(FileEvents::open(Kind::Messages, file)?.into()),
            None => Self::MadeUp(Mailbox::new(seed)?.into()),
        })
    }

    /// As [`Ratings::next`]; lines without a text or a label are passed over.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Message>> {
        match self {
            Self::MadeUp(mailbox) => Ok(Some(mailbox.message())),
            Self::File(file) => file.next(|payload| match message::parse(None, Some(payload)).ok()? {
                MessageEvent::Message { id, text: Some(text), label: Some(label), .. } => {
                    Some(Message { id: id.into_owned(), text: text.into_owned(), spam: label == Label::SPAM })
                }
                _ => None,
            }),
        }
    }

    pub(super) fn passed_over(&self) -> u64 {
        if let Self::File(file) = self { file.passed_over } else { 0 }
    }
}

/// The events of a file, by the parsers of `weir import`.
pub(super) struct FileEvents {
    kind: Kind,
    path: PathBuf,
    lines: Lines,
    parser: Option<Parser>,
    passed_over: u64,
}

impl FileEvents {
    fn open(kind: Kind, path: &Path) -> anyhow::Result<Self> {
        Ok(Self { kind, path: path.to_owned(), lines: Lines::open(path)?, parser: None, passed_over: 0 })
    }

    /// The next event that `take` makes something of.
    fn next<E>(&mut self, take: impl Fn(&[u8]) -> Option<E>) -> anyhow::Result<Option<E>> {
        loop {
            let line = self.lines.next().with_context(|| format!("read {}", self.path.display()))?;
            let Some(line) = line else { return Ok(None) };
            let parser = match &mut self.parser {
                Some(parser) => parser,
                none => none.insert(Parser::open(self.kind, &self.path, None, line.bytes)?),
            };
            match parser.payload(line) {
                // A heading or an empty line.
                Ok(None) => {}
                Ok(Some(payload)) => match take(&payload) {
                    None => self.passed_over += 1,
                    event => return Ok(event),
                },
                Err(_) => self.passed_over += 1,
            }
        }
    }
}
