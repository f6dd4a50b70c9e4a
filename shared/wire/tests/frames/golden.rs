//! Every version's files are read for ever; the newest version's are also what is written.
//!
//! `NAME.hex` is the frame, `NAME.txt` what it says. Files of a released version are never changed: a format that
//! changes is a new version with files of its own. For those, `WEIR_GOLDEN=write cargo test -p weir-wire` makes them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use weir_wire::frame::{
    Frame, Layout, NAME_UNKNOWN, Op, Position, PositionsHead, PullHead, PushHead, QueryHead, ReplyHead, RequestId,
    SourceDone, SourceRange, TableLayout, VERSION,
};
use weir_wire::topic::model_hash;

use crate::owned::{Json, Owned, Table};

const SHARD: u32 = 2;
const REQUEST: RequestId = RequestId { instance: 0xFEDC_BA98_7654_3210, number: 41 };

fn model() -> u32 {
    model_hash("recommender", "g1")
}

fn position(pass: u32, sequence: u64) -> Position {
    Position { pass, sequence }
}

fn floats(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn table(number: u8, op: Op, width: u16, keys: &[u64], words: Vec<u32>, flags: &[u8]) -> Table {
    Table { number, op, width, keys: keys.to_vec(), words, flags: flags.to_vec() }
}

/// The layout as the barrier's JSON; part of the format too.
pub(crate) fn layout() -> Layout {
    Layout {
        cluster_id: "MkU3OEVBNTcwNTJENDM2Qk".into(),
        topic_ids: vec![("ratings".into(), "bc1a0000-0000-0001".into()), ("pushes \"x\"".into(), "é".into())],
        partitioner: "xxh3-multiply-shift".into(),
        shards: 3,
        hash_seed: u64::MAX,
        model_seed: 42,
        tables: vec![TableLayout { id: 1, name: "items".into(), width: 19 }],
        logic_version: 1,
        settings: Vec::new(),
    }
}

fn push() -> Owned {
    let ranges = vec![
        SourceRange { source: 0, first: position(0, 100), next: position(0, 8_292) },
        SourceRange { source: 3, first: position(1, 0), next: position(1, 1 << 40) },
    ];
    let tables = vec![
        table(1, Op::Add, 2, &[1, u64::MAX], floats(&[0.5, -1.0, f32::MIN_POSITIVE, f32::NAN]), &[]),
        table(2, Op::Delete, 0, &[7], vec![], &[]),
        table(9, Op::Add, 1, &[], vec![], &[]),
    ];
    let names = vec![(1, 1, "u1".into()), (1, u64::MAX, "Zoë 😀".into())];
    Owned::Push { head: PushHead { model: model(), shard: SHARD, part: 1, parts: 3 }, ranges, tables, names }
}

fn requests() -> Vec<(&'static str, Owned)> {
    let pull = |at_least| {
        let head = PullHead { model: model(), shard: SHARD, request: REQUEST, reply_partition: 5, source: 3, at_least };
        Owned::Pull { head, tables: vec![table(1, Op::Add, 0, &[5, 6, 7], vec![], &[])] }
    };
    let reply = |applied| {
        let head = ReplyHead { model: model(), shard: SHARD, request: REQUEST, source: 3, applied };
        let words = floats(&[1.0, 2.0, 3.0, 4.0]);
        Owned::Reply { head, tables: vec![table(1, Op::Add, 2, &[5, 6], words, &[0, NAME_UNKNOWN])] }
    };
    let query = QueryHead { model: model(), shard: SHARD, request: REQUEST, reply_partition: 5 };
    let positions = PositionsHead { model: model(), shard: SHARD, request: REQUEST };
    vec![
        ("pull", pull(None)),
        ("pull-at-least", pull(Some(position(0, 0)))),
        ("reply", reply(None)),
        ("reply-applied", reply(Some(position(2, 77)))),
        ("query", Owned::Query { head: query, sources: vec![0, 3] }),
        ("positions", Owned::Positions { head: positions, positions: vec![(0, None), (3, Some(position(0, 8_292)))] }),
    ]
}

/// One frame of each kind, and of each optional value.
pub(crate) fn samples() -> Vec<(&'static str, Owned)> {
    let row = |name: Option<&str>| Owned::Row {
        model: model(),
        shard: SHARD,
        name: name.map(str::to_owned),
        words: floats(&[3.0, -0.25]),
    };
    let done = SourceDone { source: 3, position: position(0, 8_292), parts_done: 1 };
    let layout = Json(layout().to_json().unwrap());
    let barrier = Owned::Barrier { model: model(), shard: SHARD, push_next: 1_000, positions: vec![done], layout };
    let mut samples = requests();
    samples.extend([("push", push()), ("row", row(None)), ("row-named", row(Some("Zoë"))), ("barrier", barrier)]);
    samples
}

fn folder(version: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}"))
}

fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

#[test]
fn the_newest_version_is_written_bit_for_bit() {
    for (name, sample) in samples() {
        let hex = folder(VERSION).join(name).with_extension("hex");
        let txt = hex.with_extension("txt");
        if std::env::var("WEIR_GOLDEN").as_deref() == Ok("write") && !hex.exists() {
            fs::create_dir_all(folder(VERSION)).unwrap();
            fs::write(&hex, to_hex(&sample.bytes())).unwrap();
            fs::write(&txt, format!("{sample:#?}\n")).unwrap();
        }
        assert_eq!(to_hex(&sample.bytes()), fs::read_to_string(&hex).unwrap(), "{name}");
        assert_eq!(format!("{sample:#?}\n"), fs::read_to_string(&txt).unwrap(), "{name}");
    }
}

#[test]
fn all_versions_are_read() {
    for version in 1..=VERSION {
        let mut read = 0;
        for entry in fs::read_dir(folder(version)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "hex") {
                let bytes = from_hex(&fs::read_to_string(&path).unwrap());
                let said = format!("{:#?}\n", Owned::read(&Frame::parse(&bytes).unwrap()));
                assert_eq!(said, fs::read_to_string(path.with_extension("txt")).unwrap(), "{}", path.display());
                read += 1;
            }
        }
        assert!(read >= 10, "version {version} has {read} files");
    }
}

#[test]
fn layouts_name_where_they_differ() {
    let expected = layout();
    assert_eq!(expected.difference(&layout()), None);
    let check = |change: fn(&mut Layout), message: &str| {
        let mut found = layout();
        change(&mut found);
        assert_eq!(expected.difference(&found).map(|difference| difference.to_string()), Some(message.to_owned()));
    };
    check(|found| found.cluster_id = "x".into(), "cluster_id is \"x\", expected \"MkU3OEVBNTcwNTJENDM2Qk\"");
    check(
        |found| found.topic_ids.truncate(0),
        "topic_ids is [], expected [(\"ratings\", \"bc1a0000-0000-0001\"), (\"pushes \\\"x\\\"\", \"é\")]",
    );
    check(|found| found.partitioner = "x".into(), "partitioner is \"x\", expected \"xxh3-multiply-shift\"");
    check(|found| found.shards = 4, "shards is 4, expected 3");
    check(|found| found.hash_seed = 1, "hash_seed is 1, expected 18446744073709551615");
    check(|found| found.model_seed = 1, "model_seed is 1, expected 42");
    check(
        |found| found.tables.truncate(0),
        "tables is [], expected [TableLayout { id: 1, name: \"items\", width: 19 }]",
    );
    check(
        |found| {
            found.logic_version = 2;
            found.tables.truncate(0);
        },
        "logic_version is 2, expected 1",
    );
    check(|found| found.settings.push(("k".into(), 2)), "settings is k = 2, expected none");
}

#[test]
fn layouts_name_the_settings_in_which_they_differ() {
    let with = |settings: &[(&str, u64)]| {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Layout { settings, ..layout() }
    };
    let difference = with(&[("a", 1), ("b", 2)]).difference(&with(&[("a", 1), ("b", 3)])).unwrap();
    assert_eq!(difference.to_string(), "settings is b = 3, expected b = 2");
    let json = with(&[("a", 1)]).to_json().unwrap();
    assert!(json.ends_with(br#","settings":[["a",1]]}"#));
    assert_eq!(Layout::from_json(&json), Ok(with(&[("a", 1)])));
}

#[test]
fn layouts_come_back() {
    let (_, barrier) = samples().pop().unwrap();
    let bytes = barrier.bytes();
    let Ok(Frame::Barrier(barrier)) = Frame::parse(&bytes) else { panic!("not a barrier") };
    assert_eq!(barrier.layout(), Ok(layout()));
    assert!(matches!(Layout::from_json(b"{}"), Err(weir_wire::FrameError::Layout(_))));
}
