use proptest::prelude::*;
use weir_ps::{counting::CountingSchema, words};
use weir_wire::Frame;

use super::*;

fn position() -> impl Strategy<Value = Position> {
    (any::<u32>(), any::<u64>()).prop_map(|(pass, sequence)| Position { pass, sequence })
}

fn range() -> impl Strategy<Value = SourceRange> {
    (any::<u32>(), position(), position()).prop_map(|(source, first, next)| SourceRange { source, first, next })
}

fn section() -> impl Strategy<Value = Section> {
    let add = prop::collection::vec((any::<u64>(), any::<u64>()), 1..20).prop_map(|rows| {
        let (keys, values): (Vec<u64>, Vec<u64>) = rows.into_iter().unzip();
        (Op::Add, keys, values.into_iter().flat_map(words::from_u64).collect())
    });
    let delete = prop::collection::vec(any::<u64>(), 0..20).prop_map(|keys| (Op::Delete, keys, vec![]));
    (0..3_u8, prop_oneof![add, delete]).prop_map(|(table, (op, keys, words))| Section { table, op, keys, words })
}

fn part() -> impl Strategy<Value = Part> {
    let names = prop::collection::vec((0..3_u8, any::<u64>(), "[a-zß]{1,9}"), 0..5);
    (prop::collection::vec(section(), 0..5), names).prop_map(|(sections, names)| Part { sections, names })
}

fn request() -> impl Strategy<Value = RequestId> {
    (any::<u64>(), any::<u64>()).prop_map(|(instance, number)| RequestId { instance, number })
}

proptest! {
    #[test]
    fn pushes_come_back(ranges in prop::collection::vec(range(), 0..4), parts in prop::collection::vec(part(), 1..4)) {
        let push = Push { ranges, parts };
        let frames = encode_push(7, 2, &push).unwrap();
        let mut parts = Vec::new();
        for (number, bytes) in frames.iter().enumerate() {
            let Ok(Frame::Push(frame)) = Frame::parse(bytes) else { panic!("a push") };
            prop_assert_eq!((frame.head.model, frame.head.shard), (7, 2));
            prop_assert_eq!((usize::from(frame.head.part), usize::from(frame.head.parts)), (number, frames.len()));
            let (ranges, part) = decode_push(&CountingSchema::default(), &frame).unwrap();
            prop_assert_eq!(&ranges, &push.ranges);
            parts.push(part);
        }
        prop_assert_eq!(parts, push.parts);
    }

    #[test]
    fn pulls_and_replies_come_back(
        request in request(),
        (shard, source) in (any::<u32>(), any::<u32>()),
        at_least in prop::option::of(position()),
        keys in prop::collection::vec(any::<u64>(), 0..20),
        flag in 0..2_u8,
    ) {
        let sections = vec![PullSection { table: 1, keys: keys.clone() }];
        let pull = Pull { request, shard, source, at_least, reply_to: 5, sections };
        let bytes = encode_pull(7, &pull).unwrap();
        let Ok(Frame::Pull(frame)) = Frame::parse(&bytes) else { panic!("a pull") };
        prop_assert_eq!(decode_pull(&CountingSchema::default(), &frame).unwrap(), pull);

        let words = keys.iter().flat_map(|&key| words::from_u64(key)).collect();
        let flags = vec![flag; keys.len()];
        let sections = vec![ReplySection { table: 1, keys, words, flags }];
        let reply = Reply { request, shard, source, reply_to: 5, applied: at_least, sections };
        let bytes = encode_reply(7, &CountingSchema::default(), &reply).unwrap();
        let Ok(Frame::Reply(frame)) = Frame::parse(&bytes) else { panic!("a reply") };
        prop_assert_eq!(decode_reply(5, &frame), reply);
    }
}

#[test]
fn sections_that_do_not_fit_the_tables_are_refused() {
    for (table, width) in [(9, 2), (1, 3)] {
        let words = vec![0; width];
        let section = Section { table, op: Op::Add, keys: vec![1], words };
        let push = Push { ranges: vec![], parts: vec![Part { sections: vec![section], names: vec![] }] };
        let bytes = encode_push(7, 0, &push).unwrap().remove(0);
        let Ok(Frame::Push(frame)) = Frame::parse(&bytes) else { panic!("a push") };
        assert!(decode_push(&CountingSchema::default(), &frame).is_err(), "table {table}, width {width}");
    }
}
