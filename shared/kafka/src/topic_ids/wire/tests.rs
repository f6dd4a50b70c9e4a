use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const ID: [u8; ID_BYTES] = [0xfb, 0xef, 0xff, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn append_string(bytes: &mut Vec<u8>, text: &str) {
    append_varint(bytes, text.len() as u32 + 1);
    bytes.extend_from_slice(text.as_bytes());
}

/// An answer to question 7 as a broker writes it, with a rack, a tag, and partitions behind the id.
fn answer(code: i16, topic: &str, id: [u8; ID_BYTES]) -> Vec<u8> {
    let mut bytes = 7_i32.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[1, 9, 2, 0xff, 0xff]);
    bytes.extend_from_slice(&0_i32.to_be_bytes());
    bytes.push(3);
    for node in [1_i32, 2] {
        bytes.extend_from_slice(&node.to_be_bytes());
        append_string(&mut bytes, "broker.example");
        bytes.extend_from_slice(&9092_i32.to_be_bytes());
        match node {
            1 => append_string(&mut bytes, "rack"),
            _ => bytes.push(0),
        }
        bytes.push(0);
    }
    append_string(&mut bytes, "cluster");
    bytes.extend_from_slice(&1_i32.to_be_bytes());
    bytes.push(2);
    bytes.extend_from_slice(&code.to_be_bytes());
    append_string(&mut bytes, topic);
    bytes.extend_from_slice(&id);
    bytes.extend_from_slice(&[0, 1, 0x80, 0, 0, 0, 0, 0]);
    bytes
}

fn versions(code: i16, first: i16, last: i16) -> Vec<u8> {
    let mut bytes = 7_i32.to_be_bytes().to_vec();
    bytes.extend_from_slice(&code.to_be_bytes());
    bytes.extend_from_slice(&2_i32.to_be_bytes());
    for number in [0, 0, 9, API_METADATA, first, last] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes
}

#[test]
fn requests_are_as_the_protocol_says() {
    let expected = b"\0\0\0\x0b\0\x12\0\0\0\0\0\x07\0\x01c";
    assert_eq!(encode_api_versions(7, "c"), expected);
    let header = b"\0\0\0\x24\0\x03\0\x0c\0\0\0\x07\0\x01c\0";
    let expected = [&header[..], &[2], &[0; 16], b"\x03ab\0", b"\0\0\0"].concat();
    assert_eq!(encode_metadata(7, "c", "ab"), expected);
    let long = "c".repeat(40_000);
    assert_eq!(encode_api_versions(7, &long), b"\0\0\0\x0a\0\x12\0\0\0\0\0\x07\xff\xff");
}

#[test]
fn a_topic_has_an_id_or_none_or_is_refused() {
    let read = |code, id| decode_topic(&answer(code, "ratings", id), 7, "ratings");
    assert_eq!(read(0, ID), Ok(Topic::Known("--__AwQFBgcICQoLDA0ODw".to_owned())));
    assert_eq!(read(0, [0; ID_BYTES]), Ok(Topic::Absent));
    assert_eq!(read(UNKNOWN_TOPIC, [0; ID_BYTES]), Ok(Topic::Absent));
    assert_eq!(read(INVALID_TOPIC, [0; ID_BYTES]), Ok(Topic::Absent));
    assert_eq!(read(29, [0; ID_BYTES]), Ok(Topic::Refused(29)));
}

#[test]
fn an_answer_to_something_else_is_refused() {
    let answer = answer(0, "ratings", ID);
    assert_eq!(decode_topic(&answer, 8, "ratings"), Err(Malformed("it answers another question")));
    assert_eq!(decode_topic(&answer, 7, "rating"), Err(Malformed("it is about another topic")));
    let end = answer.len() - 8;
    for cut in 0..end {
        assert!(decode_topic(&answer[..cut], 7, "ratings").is_err(), "cut at {cut}");
    }
    assert!(decode_topic(&answer[..end], 7, "ratings").is_ok(), "what is behind the id does not matter");
}

#[test]
fn brokers_that_do_not_speak_the_version_are_known() {
    let speaks = |code, first, last| decode_speaks_metadata(&versions(code, first, last), 7);
    assert_eq!(speaks(0, 0, 12), Ok(true));
    assert_eq!(speaks(0, 4, 13), Ok(true));
    assert_eq!(speaks(0, 0, 11), Ok(false));
    assert_eq!(speaks(0, 13, 14), Ok(false));
    assert_eq!(speaks(35, 0, 12), Ok(false));
    assert!(decode_speaks_metadata(&versions(0, 0, 12)[..20], 7).is_err());
}

#[test]
fn base64_is_that_of_the_rfc_with_the_url_safe_letters() {
    for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
    assert_eq!(base64(&[0xff; 16]), "_____________________w");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut bytes in vec(any::<u8>(), 0..300), fitting in any::<bool>()) {
        if let (true, Some(number)) = (fitting, bytes.first_chunk_mut()) {
            *number = 7_i32.to_be_bytes();
        }
        let _ = decode_topic(&bytes, 7, "ratings");
        let _ = decode_speaks_metadata(&bytes, 7);
    }

    #[test]
    fn no_damage_makes_it_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        inserted in any::<prop::sample::Index>(),
        more in vec(any::<u8>(), 0..6),
    ) {
        for mut bytes in [answer(0, "ratings", ID), versions(0, 0, 12)] {
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            let at = inserted.index(bytes.len());
            bytes.splice(at..at, more.iter().copied());
            let _ = decode_topic(&bytes, 7, "ratings");
            let _ = decode_speaks_metadata(&bytes, 7);
        }
    }

    #[test]
    fn lengths_come_back(value in any::<u32>()) {
        let mut bytes = Vec::new();
        append_varint(&mut bytes, value);
        prop_assert_eq!(Rest(&bytes).varint(), Ok(value));
    }
}
