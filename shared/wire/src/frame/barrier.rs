//! Barriers: what a shard's changelog is the exact state of.

use super::encode::{self, Start};
use super::raw::{self, BarrierPart, Cursor, Header, RawSourceDone};
use super::{FrameError, Layout, Position};

/// How far a shard has applied one source partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDone {
    /// Source partition.
    pub source: u32,
    /// Position next to apply.
    pub position: Position,
    /// Parts that are applied already of the step that begins at `position`.
    pub parts_done: u16,
}

/// The value of a barrier record, as a view of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct BarrierValue<'a> {
    /// The model's number.
    pub model: u32,
    /// Shard whose barrier it is.
    pub shard: u32,
    /// Offset next to read in the shard's partition of the pushes topic.
    pub push_next: u64,
    /// The layout as it was written; equal bytes are equal layouts.
    pub layout_json: &'a [u8],
    positions: &'a [RawSourceDone],
}

impl<'a> BarrierValue<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        header.no_flags()?;
        let part: &BarrierPart = body.part("a barrier's fixed part")?;
        let positions = body.slice(part.positions.get() as usize, "a barrier's positions")?;
        let layout_json = body.slice(part.layout.get() as usize, "a barrier's layout")?;
        let (model, shard) = (header.model.get(), header.shard.get());
        Ok(Self { model, shard, push_next: part.push_next.get(), layout_json, positions })
    }

    /// How far each source partition is applied.
    #[must_use]
    pub fn positions(&self) -> impl ExactSizeIterator<Item = SourceDone> + Clone + use<'a> {
        self.positions.iter().map(|raw| SourceDone {
            source: raw.source.get(),
            position: raw.position.into(),
            parts_done: raw.parts_done.get(),
        })
    }

    /// Decodes the layout; it is not read by [`super::Frame::parse`], because it rarely changes.
    ///
    /// # Errors
    /// [`FrameError::Layout`] if it is not the JSON of a layout.
    pub fn layout(&self) -> Result<Layout, FrameError> {
        Layout::from_json(self.layout_json)
    }
}

/// Appends a barrier's value to `out`; `layout_json` comes from [`Layout::to_json`], once per start.
///
/// # Errors
/// [`FrameError::Encode`] if a count does not fit; `out` is as before.
pub fn encode_barrier(
    out: &mut Vec<u8>,
    model: u32,
    shard: u32,
    push_next: u64,
    positions: &[SourceDone],
    layout_json: &[u8],
) -> Result<(), FrameError> {
    encode::frame(out, Start { kind: raw::BARRIER, flags: 0, model, shard }, |out| {
        let (count, layout) = (encode::count(positions.len())?, encode::count(layout_json.len())?);
        let part = BarrierPart { push_next: push_next.into(), positions: count.into(), layout: layout.into() };
        encode::part(out, &part);
        for done in positions {
            let SourceDone { source, position, parts_done } = *done;
            let raw = RawSourceDone { source: source.into(), position: position.into(), parts_done: parts_done.into() };
            encode::part(out, &raw);
        }
        out.extend_from_slice(layout_json);
        Ok(())
    })
}
