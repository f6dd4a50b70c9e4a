//! Frames as plain values, so that what was written and what is read can be compared and printed.

use std::fmt;

use weir_wire::frame::{
    self, Frame, FrameError, Name, Op, Position, PositionsHead, PullHead, PushHead, QueryHead, ReplyHead, ReplyRows,
    Rows, Section, SourceDone, SourceRange,
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) number: u8,
    pub(crate) op: Op,
    pub(crate) width: u16,
    pub(crate) keys: Vec<u64>,
    pub(crate) words: Vec<u32>,
    pub(crate) flags: Vec<u8>,
}

/// Bytes that should be JSON, printed as text.
#[derive(Clone, PartialEq)]
pub(crate) struct Json(pub(crate) Vec<u8>);

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.escape_ascii())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owned {
    Push { head: PushHead, ranges: Vec<SourceRange>, tables: Vec<Table>, names: Vec<(u8, u64, String)> },
    Pull { head: PullHead, tables: Vec<Table> },
    Reply { head: ReplyHead, tables: Vec<Table> },
    Row { model: u32, shard: u32, name: Option<String>, words: Vec<u32> },
    Barrier { model: u32, shard: u32, push_next: u64, positions: Vec<SourceDone>, layout: Json },
    Query { head: QueryHead, sources: Vec<u32> },
    Positions { head: PositionsHead, positions: Vec<(u32, Option<Position>)> },
}

impl Owned {
    /// Encodes behind what `out` holds already.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        match self {
            Self::Push { head, ranges, tables, names } => {
                let names = names.iter().map(|(table, key, name)| Name { table: *table, key: *key, name });
                frame::encode_push(out, head, ranges, tables.iter().map(rows), names)
            }
            Self::Pull { head, tables } => {
                frame::encode_pull(out, head, tables.iter().map(|table| (table.number, table.keys.as_slice())))
            }
            Self::Reply { head, tables } => frame::encode_reply(out, head, tables.iter().map(reply_rows)),
            Self::Row { model, shard, name, words } => frame::encode_row(out, *model, *shard, name.as_deref(), words),
            Self::Barrier { model, shard, push_next, positions, layout } => {
                frame::encode_barrier(out, *model, *shard, *push_next, positions, &layout.0)
            }
            Self::Query { head, sources } => frame::encode_query(out, head, sources),
            Self::Positions { head, positions } => frame::encode_positions(out, head, positions),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out).unwrap();
        out
    }

    /// Reads all that a frame holds, through every accessor.
    pub(crate) fn read(frame: &Frame<'_>) -> Self {
        let (model, shard) = (frame.model(), frame.shard());
        match frame {
            Frame::Push(push) => Self::Push {
                head: push.head,
                ranges: push.ranges().collect(),
                tables: push.sections().map(|section| table(&section)).collect(),
                names: push.names().map(|name| (name.table, name.key, name.name.to_owned())).collect(),
            },
            Frame::Pull(pull) => {
                Self::Pull { head: pull.head, tables: pull.sections().map(|section| table(&section)).collect() }
            }
            Frame::Reply(reply) => {
                Self::Reply { head: reply.head, tables: reply.sections().map(|section| table(&section)).collect() }
            }
            Frame::Row(row) => {
                let mut words = Vec::new();
                row.copy_words(&mut words);
                Self::Row { model, shard, name: row.name.map(str::to_owned), words }
            }
            Frame::Barrier(barrier) => Self::Barrier {
                model,
                shard,
                push_next: barrier.push_next,
                positions: barrier.positions().collect(),
                layout: Json(barrier.layout_json.to_vec()),
            },
            Frame::Query(query) => Self::Query { head: query.head, sources: query.sources().collect() },
            Frame::Positions(answer) => Self::Positions { head: answer.head, positions: answer.positions().collect() },
        }
    }
}

fn rows(table: &Table) -> Rows<'_> {
    Rows { table: table.number, op: table.op, width: table.width, keys: &table.keys, words: &table.words }
}

fn reply_rows(table: &Table) -> ReplyRows<'_> {
    let Table { number, width, keys, words, flags, .. } = table;
    ReplyRows { table: *number, width: *width, keys, words, flags }
}

fn table(section: &Section<'_>) -> Table {
    let (mut keys, mut words) = (Vec::new(), Vec::new());
    section.copy_keys(&mut keys);
    section.copy_words(&mut words);
    assert!(section.keys().eq(keys.iter().copied()));
    assert!(section.rows().flatten().map(|word| word.get()).eq(words.iter().copied()));
    assert_eq!((section.len(), section.is_empty()), (keys.len(), keys.is_empty()));
    let Section { table, op, width, .. } = *section;
    Table { number: table, op, width, keys, words, flags: section.flags().to_vec() }
}
