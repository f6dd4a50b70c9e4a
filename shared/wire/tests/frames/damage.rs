//! What is not a frame: each kind of damage has its own error, and no bytes at all make the reader panic.

use proptest::prelude::*;
use weir_wire::frame::{Frame, FrameError};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::golden::samples;
use crate::owned::Owned;

/// Makes the checksum right again, so that the structure behind it is what is tested.
fn seal(bytes: &mut [u8]) {
    if let Some((seed, rest)) = bytes.split_first_chunk::<8>()
        && let Some((_, body)) = rest.split_first_chunk::<8>()
    {
        let sum = xxh3_64_with_seed(body, u64::from_le_bytes(*seed));
        bytes[8..16].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Parses and, if it is a frame, reads everything in it.
fn read(bytes: &[u8]) -> Result<Owned, FrameError> {
    Frame::parse(bytes).map(|frame| Owned::read(&frame))
}

fn check(change: impl Fn(&mut Vec<u8>), expected: &FrameError) {
    for (name, sample) in samples() {
        let mut bytes = sample.bytes();
        change(&mut bytes);
        assert_eq!(read(&bytes).as_ref(), Err(expected), "{name}");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for (name, sample) in samples() {
        let mut bytes = sample.bytes();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes).is_err(), "{name}, bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    for (name, sample) in samples() {
        let bytes = sample.bytes();
        for length in 0..bytes.len() {
            let error = read(&bytes[..length]).unwrap_err();
            let expected = match length {
                0..4 => FrameError::Magic,
                4..24 => FrameError::Truncated(length),
                _ => FrameError::Checksum,
            };
            assert_eq!(error, expected, "{name} cut to {length}");
        }
    }
}

#[test]
fn each_damage_has_its_error() {
    check(|bytes| bytes[0] = b'w', &FrameError::Magic);
    check(|bytes| *bytes = b"{\"user\":1}".to_vec(), &FrameError::Magic);
    check(|bytes| bytes[4] = 2, &FrameError::Version(2));
    check(|bytes| bytes[4] = 0, &FrameError::Version(0));
    check(|bytes| bytes.push(0), &FrameError::Checksum);
    let sealed = |change: fn(&mut Vec<u8>)| {
        move |bytes: &mut Vec<u8>| {
            change(bytes);
            seal(bytes);
        }
    };
    check(sealed(|bytes| bytes[6] = 0), &FrameError::Kind(0));
    check(sealed(|bytes| bytes[6] = 8), &FrameError::Kind(8));
    check(sealed(|bytes| bytes.push(0)), &FrameError::Malformed("bytes after the end"));
    check(sealed(|bytes| bytes[7] = 2), &FrameError::Malformed("unknown flags"));
}

/// The sample `name` with one name only, of 256 bytes and at the very end.
fn with_longest_name(name: &str) -> Vec<u8> {
    let (_, mut sample) = samples().into_iter().find(|(sample, _)| *sample == name).unwrap();
    match &mut sample {
        Owned::Push { names, .. } => *names = vec![(1, 1, "n".repeat(256))],
        Owned::Row { name, .. } => *name = Some("n".repeat(256)),
        other => panic!("{other:?} has no names"),
    }
    sample.bytes()
}

#[test]
fn names_in_frames_are_no_longer_than_ids() {
    // The field with the name's length stands right before a push's name, and right before a row's two words.
    for (name, behind, error) in
        [("push", 256 + 2, "a name's length"), ("row-named", 256 + 2 * 4 + 2, "a row's name length")]
    {
        let mut bytes = with_longest_name(name);
        assert!(read(&bytes).is_ok(), "{name}");
        let length = bytes.len() - behind;
        assert_eq!(bytes[length..length + 2], [0, 1], "{name}");
        bytes[length] = 1;
        bytes.push(b'n');
        seal(&mut bytes);
        assert_eq!(read(&bytes), Err(FrameError::Malformed(error)), "{name}");
    }
}

#[test]
fn frames_of_another_model_are_told_apart() {
    for (name, sample) in samples() {
        let bytes = sample.bytes();
        let model = Frame::parse(&bytes).unwrap().model();
        assert_eq!(Frame::parse_for(model, &bytes).unwrap().shard(), 2, "{name}");
        let error = Frame::parse_for(model + 1, &bytes).unwrap_err();
        assert_eq!((error.as_str(), error), ("model", FrameError::Model(model)), "{name}");
    }
}

#[test]
fn every_sealed_change_is_a_frame_or_an_error() {
    for (_, sample) in samples() {
        let whole = sample.bytes();
        for place in 4..whole.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut bytes = whole.clone();
                bytes[place] = value;
                seal(&mut bytes);
                // A frame that can be read must be the one encoding of what it says.
                if let Ok(owned) = read(&bytes) {
                    assert_eq!(owned.bytes(), bytes);
                }
            }
        }
    }
}

/// A sample with some bytes overwritten, cut or lengthened, sealed again.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let bytes: Vec<Vec<u8>> = samples().iter().map(|(_, sample)| sample.bytes()).collect();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
    (prop::sample::select(bytes), edits, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(mut bytes, edits, cut, tail)| {
            for (place, value) in edits {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            if tail.len() > 20 {
                bytes.truncate(cut.index(bytes.len()));
                bytes.extend(tail);
            }
            seal(&mut bytes);
            bytes
        })
}

/// A right header of a kind that exists, before arbitrary bytes.
fn headed() -> impl Strategy<Value = Vec<u8>> {
    (0_u8..9, 0_u8..3, prop::collection::vec(prop_oneof![3 => Just(0), 1 => any::<u8>()], 0..200)).prop_map(
        |(kind, flags, body)| {
            let mut bytes = b"WEIR\x01\x00".to_vec();
            bytes.extend([kind, flags]);
            bytes.extend([0; 8]);
            bytes.extend(body);
            seal(&mut bytes);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_never_a_frame(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bodies_are_read_or_refused(bytes in headed()) {
        if let Ok(owned) = read(&bytes) {
            prop_assert_eq!(owned.bytes(), bytes);
        }
    }

    #[test]
    fn mutated_frames_are_read_or_refused(bytes in mutated()) {
        if let Ok(owned) = read(&bytes) {
            prop_assert_eq!(owned.bytes(), bytes);
        }
    }
}
