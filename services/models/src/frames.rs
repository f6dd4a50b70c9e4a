//! Between the parameter server's values and the wire's frames.
//!
//! Both sides are plain data of crates that do not know each other; here is the one place that maps them, for workers
//! and servers alike. Decoding checks sections against the model's tables, so that nothing behind it has to.

use weir_ps::{
    Op, Part, Position, Pull, PullSection, Push, Reply, ReplySection, RequestId, Schema, Section, SourceRange,
    TableSpec,
};
use weir_wire::frame::{
    self, FrameError, Name, PullFrame, PullHead, PushFrame, PushHead, ReplyFrame, ReplyHead, ReplyRows, Rows,
};

// Flags go through as they are.
const _: () = assert!(weir_ps::ROW_UNNAMED == frame::NAME_UNKNOWN);

/// A position as frames have it.
#[must_use]
pub fn position_to_wire(position: Position) -> frame::Position {
    frame::Position { pass: position.pass, sequence: position.sequence }
}

/// A position out of a frame.
#[must_use]
pub fn position_from_wire(position: frame::Position) -> Position {
    Position { pass: position.pass, sequence: position.sequence }
}

/// A request's id as frames have it.
#[must_use]
pub fn request_to_wire(request: RequestId) -> frame::RequestId {
    frame::RequestId { instance: request.instance, number: request.number }
}

/// A request's id out of a frame.
#[must_use]
pub fn request_from_wire(request: frame::RequestId) -> RequestId {
    RequestId { instance: request.instance, number: request.number }
}

/// The frames of a push to one shard, one per part.
///
/// # Errors
/// Something does not fit a frame's fields, which would be a mistake in the learner.
pub fn encode_push(model: u32, shard: u32, push: &Push) -> Result<Vec<Vec<u8>>, FrameError> {
    let ranges: Vec<frame::SourceRange> = push.ranges.iter().map(range_to_wire).collect();
    let parts = u16::try_from(push.parts.len()).map_err(|_| FrameError::Encode("a push has at most 65,535 parts"))?;
    let encode = |(number, part): (usize, &Part)| {
        let head = PushHead { model, shard, part: number as u16, parts };
        let mut out = Vec::new();
        let names = part.names.iter().map(|(table, key, name)| Name { table: *table, key: *key, name });
        frame::encode_push(&mut out, &head, &ranges, part.sections.iter().map(rows), names)?;
        Ok(out)
    };
    push.parts.iter().enumerate().map(encode).collect()
}

/// A part of a push and the ranges that it belongs to.
///
/// # Errors
/// A section does not fit the model's tables.
pub fn decode_push(schema: &dyn Schema, push: &PushFrame<'_>) -> Result<(Vec<SourceRange>, Part), FrameError> {
    let mut part = Part::default();
    for section in push.sections() {
        let spec = table(schema, section.table)?;
        if section.op == frame::Op::Add && usize::from(section.width) != spec.width {
            return Err(FrameError::Malformed("a section's width is not its table's"));
        }
        let (mut keys, mut words) = (Vec::with_capacity(section.len()), Vec::with_capacity(section.words().len()));
        section.copy_keys(&mut keys);
        section.copy_words(&mut words);
        let op = if section.op == frame::Op::Add { Op::Add } else { Op::Delete };
        part.sections.push(Section { table: section.table, op, keys, words });
    }
    for Name { table: id, key, name } in push.names() {
        table(schema, id)?;
        part.names.push((id, key, name.to_owned()));
    }
    Ok((push.ranges().map(range_from_wire).collect(), part))
}

/// The frame of a pull; its reply is awaited at the partition `reply_to`.
///
/// # Errors
/// Something does not fit a frame's fields.
pub fn encode_pull(model: u32, pull: &Pull) -> Result<Vec<u8>, FrameError> {
    let (request, at_least) = (request_to_wire(pull.request), pull.at_least.map(position_to_wire));
    let (shard, reply_partition, source) = (pull.shard, pull.reply_to, pull.source);
    let head = PullHead { model, shard, request, reply_partition, source, at_least };
    let mut out = Vec::new();
    frame::encode_pull(&mut out, &head, pull.sections.iter().map(|section| (section.table, section.keys.as_slice())))?;
    Ok(out)
}

/// A pull.
///
/// # Errors
/// It asks for a table that the model does not have.
pub fn decode_pull(schema: &dyn Schema, pull: &PullFrame<'_>) -> Result<Pull, FrameError> {
    let mut sections = Vec::with_capacity(pull.sections().len());
    for section in pull.sections() {
        table(schema, section.table)?;
        let mut keys = Vec::with_capacity(section.len());
        section.copy_keys(&mut keys);
        sections.push(PullSection { table: section.table, keys });
    }
    let (request, at_least) = (request_from_wire(pull.head.request), pull.head.at_least.map(position_from_wire));
    let PullHead { shard, source, reply_partition, .. } = pull.head;
    Ok(Pull { request, shard, source, at_least, reply_to: reply_partition, sections })
}

/// The frame of a reply.
///
/// # Errors
/// Something does not fit a frame's fields.
pub fn encode_reply(model: u32, schema: &dyn Schema, reply: &Reply) -> Result<Vec<u8>, FrameError> {
    let (request, applied) = (request_to_wire(reply.request), reply.applied.map(position_to_wire));
    let head = ReplyHead { model, shard: reply.shard, request, source: reply.source, applied };
    let tables = reply.sections.iter().map(|section| ReplyRows {
        table: section.table,
        width: width(schema, section.table) as u16,
        keys: &section.keys,
        words: &section.words,
        flags: &section.flags,
    });
    let mut out = Vec::new();
    frame::encode_reply(&mut out, &head, tables)?;
    Ok(out)
}

/// A reply that came in at the partition `reply_to`.
#[must_use]
pub fn decode_reply(reply_to: u32, reply: &ReplyFrame<'_>) -> Reply {
    let sections = reply.sections().map(|section| {
        let (mut keys, mut words) = (Vec::with_capacity(section.len()), Vec::with_capacity(section.words().len()));
        section.copy_keys(&mut keys);
        section.copy_words(&mut words);
        ReplySection { table: section.table, keys, words, flags: section.flags().to_vec() }
    });
    let (request, applied) = (request_from_wire(reply.head.request), reply.head.applied.map(position_from_wire));
    let ReplyHead { shard, source, .. } = reply.head;
    Reply { request, shard, source, reply_to, applied, sections: sections.collect() }
}

fn table(schema: &dyn Schema, id: u8) -> Result<&TableSpec, FrameError> {
    schema.tables().get(usize::from(id)).ok_or(FrameError::Malformed("a section is for a table that the model lacks"))
}

fn width(schema: &dyn Schema, id: u8) -> usize {
    schema.tables().get(usize::from(id)).map_or(0, |spec| spec.width)
}

fn rows(section: &Section) -> Rows<'_> {
    let (op, width) = match section.op {
        Op::Add => (frame::Op::Add, section.words.len() / section.keys.len().max(1)),
        Op::Delete => (frame::Op::Delete, 0),
    };
    Rows { table: section.table, op, width: width as u16, keys: &section.keys, words: &section.words }
}

fn range_to_wire(range: &SourceRange) -> frame::SourceRange {
    let (first, next) = (position_to_wire(range.first), position_to_wire(range.next));
    frame::SourceRange { source: range.source, first, next }
}

fn range_from_wire(range: frame::SourceRange) -> SourceRange {
    let (first, next) = (position_from_wire(range.first), position_from_wire(range.next));
    SourceRange { source: range.source, first, next }
}

#[cfg(test)]
mod tests;
