//! What is written is read, from any address, and an encoder that refuses leaves no trace.

use proptest::collection::vec;
use proptest::prelude::*;
use weir_wire::frame::{
    self, Frame, Op, Position, PositionsHead, PullHead, PushHead, QueryHead, ReplyHead, RequestId, SourceDone,
    SourceRange,
};

use crate::golden::samples;
use crate::owned::{Json, Owned, Table};

fn position() -> impl Strategy<Value = Position> {
    any::<(u32, u64)>().prop_map(|(pass, sequence)| Position { pass, sequence })
}

fn request() -> impl Strategy<Value = RequestId> {
    any::<(u64, u64)>().prop_map(|(instance, number)| RequestId { instance, number })
}

/// A table with `width` words a row, and flags where the frame has them.
fn table(op: Op, widths: std::ops::Range<u16>, flagged: bool) -> impl Strategy<Value = Table> {
    (any::<u8>(), widths, 0_usize..12).prop_flat_map(move |(number, width, rows)| {
        let flags = if flagged { rows } else { 0 };
        (vec(any::<u64>(), rows), vec(any::<u32>(), rows * usize::from(width)), vec(any::<u8>(), flags))
            .prop_map(move |(keys, words, flags)| Table { number, op, width, keys, words, flags })
    })
}

fn push() -> impl Strategy<Value = Owned> {
    let range =
        (any::<u32>(), position(), position()).prop_map(|(source, first, next)| SourceRange { source, first, next });
    let tables = vec(prop_oneof![table(Op::Add, 1..40, false), table(Op::Delete, 0..1, false)], 0..5);
    let names = vec((any::<u8>(), any::<u64>(), "\\PC{1,60}"), 0..5);
    (any::<(u32, u32, u16)>(), 1_u16..100, vec(range, 0..5), tables, names).prop_map(
        |((model, shard, part), parts, ranges, tables, names)| Owned::Push {
            head: PushHead { model, shard, part: part % parts, parts },
            ranges,
            tables,
            names,
        },
    )
}

fn pull() -> impl Strategy<Value = Owned> {
    let head = (any::<(u32, u32, u32, u32)>(), request(), prop::option::of(position()));
    (head, vec(table(Op::Add, 0..1, false), 0..5)).prop_map(
        |(((model, shard, reply_partition, source), request, at_least), tables)| Owned::Pull {
            head: PullHead { model, shard, request, reply_partition, source, at_least },
            tables,
        },
    )
}

fn reply() -> impl Strategy<Value = Owned> {
    let head = (any::<(u32, u32, u32)>(), request(), prop::option::of(position()));
    (head, vec(table(Op::Add, 1..40, true), 0..5)).prop_map(|(((model, shard, source), request, applied), tables)| {
        Owned::Reply { head: ReplyHead { model, shard, request, source, applied }, tables }
    })
}

fn changelog() -> impl Strategy<Value = Owned> {
    let row = (any::<(u32, u32)>(), prop::option::of("\\PC{1,60}"), vec(any::<u32>(), 0..80))
        .prop_map(|((model, shard), name, words)| Owned::Row { model, shard, name, words });
    let done = (any::<(u32, u16)>(), position()).prop_map(|((source, parts_done), position)| SourceDone {
        source,
        position,
        parts_done,
    });
    let barrier = (any::<(u32, u32, u64)>(), vec(done, 0..6), vec(any::<u8>(), 0..60)).prop_map(
        |((model, shard, push_next), positions, layout)| Owned::Barrier {
            model,
            shard,
            push_next,
            positions,
            layout: Json(layout),
        },
    );
    prop_oneof![row, barrier]
}

fn question() -> impl Strategy<Value = Owned> {
    let query = (any::<(u32, u32, u32)>(), request(), vec(any::<u32>(), 0..9)).prop_map(
        |((model, shard, reply_partition), request, sources)| Owned::Query {
            head: QueryHead { model, shard, request, reply_partition },
            sources,
        },
    );
    let answers = vec((any::<u32>(), prop::option::of(position())), 0..9);
    let positions = (any::<(u32, u32)>(), request(), answers).prop_map(|((model, shard), request, positions)| {
        Owned::Positions { head: PositionsHead { model, shard, request }, positions }
    });
    prop_oneof![query, positions]
}

fn frames() -> impl Strategy<Value = Owned> {
    prop_oneof![3 => push(), 2 => pull(), 2 => reply(), 2 => changelog(), 2 => question()]
}

/// The size that `frame::size` foretells, for the kinds that are split.
fn foretold(owned: &Owned) -> Option<usize> {
    let sections = |tables: &[Table], size: fn(usize, usize) -> usize| {
        tables.iter().map(|table| size(table.keys.len(), usize::from(table.width))).sum::<usize>()
    };
    match owned {
        Owned::Push { ranges, tables, names, .. } => {
            let names: usize = names.iter().map(|(_, _, name)| frame::size::name(name.len())).sum();
            Some(frame::size::push(ranges.len()) + sections(tables, frame::size::section) + names)
        }
        Owned::Pull { tables, .. } => Some(frame::size::pull() + sections(tables, frame::size::section)),
        Owned::Reply { tables, .. } => Some(frame::size::reply() + sections(tables, frame::size::reply_section)),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(owned in frames(), before in vec(any::<u8>(), 0..9)) {
        // Bytes before the frame move it to any alignment.
        let mut out = before.clone();
        owned.encode(&mut out).unwrap();
        let (kept, bytes) = out.split_at(before.len());
        prop_assert_eq!(kept, &before[..]);
        prop_assert_eq!(&Owned::read(&Frame::parse(bytes).unwrap()), &owned);
        prop_assert_eq!(foretold(&owned).unwrap_or(bytes.len()), bytes.len());
    }

    #[test]
    fn a_flipped_bit_is_noticed(owned in frames(), bit in any::<prop::sample::Index>()) {
        let mut bytes = owned.bytes();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Frame::parse(&bytes).is_err());
    }
}

#[test]
fn sections_know_how_many_are_left() {
    let (_, push) = samples().into_iter().find(|(name, _)| *name == "push").unwrap();
    let bytes = push.bytes();
    let Ok(Frame::Push(push)) = Frame::parse(&bytes) else { panic!("not a push") };
    let mut sections = push.sections();
    assert_eq!((sections.len(), push.names().len()), (3, 2));
    sections.next();
    assert_eq!(sections.len(), 2);
    assert!(sections.by_ref().count() == 2 && sections.next().is_none());
}

/// Spoils a push.
type ChangePush = fn(&mut PushHead, &mut Vec<Table>, &mut Vec<(u8, u64, String)>);

fn refused(change: impl Fn(&mut Owned), expected: &str) {
    let mut seen = false;
    for (name, mut sample) in samples() {
        let before = sample.clone();
        change(&mut sample);
        if sample != before {
            let mut out = b"before".to_vec();
            let error = sample.encode(&mut out).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot encode frame: {expected}"), "{name}");
            assert_eq!(out, b"before", "{name}");
            seen = true;
        }
    }
    assert!(seen, "{expected}");
}

#[test]
fn what_does_not_fit_together_is_refused_without_a_trace() {
    let push = |change: ChangePush| {
        move |owned: &mut Owned| {
            if let Owned::Push { head, tables, names, .. } = owned {
                change(head, tables, names);
            }
        }
    };
    refused(push(|head, _, _| head.part = head.parts), "a push's part must be below its parts");
    refused(push(|_, tables, _| tables[0].words.truncate(3)), "a section needs width words for every key");
    refused(push(|_, tables, _| tables[1].op = Op::Add), "a section's width does not fit its operation");
    refused(push(|_, tables, _| tables[0].op = Op::Delete), "a section's width does not fit its operation");
    refused(push(|_, _, names| names[1].2 = String::new()), "a name must have 1 to 256 bytes");
    refused(push(|_, _, names| names[1].2 = "x".repeat(257)), "a name must have 1 to 256 bytes");
    let reply = |owned: &mut Owned| {
        if let Owned::Reply { tables, .. } = owned {
            tables[0].flags.pop();
        }
    };
    refused(reply, "a reply needs one flag byte for every key");
    let row = |length: usize| {
        move |owned: &mut Owned| {
            if let Owned::Row { words, .. } = owned {
                words.resize(length, 0);
            }
        }
    };
    let long_name = |owned: &mut Owned| {
        if let Owned::Row { name, .. } = owned {
            *name = Some("x".repeat(257));
        }
    };
    refused(long_name, "a name must have 1 to 256 bytes");
    refused(row(65_536), "a row has at most 65,535 words");
}
