use proptest::prelude::*;

use super::*;

type OwnedRow = (u16, u64, Option<String>, Vec<u32>);

fn encode(table: u8, block: u32, width: u16, rows: &[OwnedRow]) -> EncodedBlock {
    let mut encoder = BlockEncoder::new(table, block, width);
    for (slot, key, name, words) in rows {
        encoder.row(*slot, *key, name.as_deref(), words).unwrap();
    }
    encoder.finish()
}

fn decode(block: Block<'_>) -> Vec<OwnedRow> {
    let own = |row: Row<'_>| (row.slot, row.key, row.name.map(str::to_owned), row.words.iter().collect());
    block.rows().map(own).collect()
}

fn golden_rows() -> Vec<OwnedRow> {
    vec![(0, 0x0102_0304_0506_0708, Some("Amélie".to_owned()), vec![1, 0xDEAD_BEEF]), (65_535, 9, None, vec![0, 2])]
}

#[test]
fn format_1_is_read_and_written_for_ever() {
    let golden = include_bytes!("../../tests/golden/block-1.bin");
    let block = Block::parse(golden).unwrap();
    assert_eq!((block.table, block.block, block.width), (3, 0x0A0B_0C0D, 2));
    assert_eq!(decode(block), golden_rows());
    assert_eq!(encode(3, 0x0A0B_0C0D, 2, &golden_rows()).as_bytes(), golden);
}

#[test]
fn a_block_refuses_what_does_not_fit_and_stays_as_it_was() {
    let mut encoder = BlockEncoder::new(1, 2, 1024);
    let refused = encoder.row(0, 1, None, &[0; 3]).unwrap_err();
    assert_eq!(refused.to_string(), "a row of 3 words does not fit into table 1, whose rows have 1024");
    let rows = rows_that_fit(1024, 100);
    assert_eq!(rows, 15);
    let name = "n".repeat(100);
    for slot in 0..rows {
        encoder.row(slot as u16, 1, Some(&name), &[0; 1024]).unwrap();
    }
    let refused = encoder.row(15, 1, None, &[0; 1024]).unwrap_err();
    assert_eq!(refused.to_string(), "block 2 of table 1 would have 67252 bytes, at most 65536 are allowed");
    let finished = encoder.finish();
    assert_eq!(Block::parse(finished.as_bytes()).unwrap().len(), 15);
}

#[test]
fn a_format_of_the_future_is_told_from_damage() {
    let mut bytes = encode(1, 2, 2, &golden_rows()).as_bytes().to_vec();
    bytes[4] = 2;
    assert_eq!(Block::parse(&bytes).unwrap_err(), Refused::Damaged("its checksum is wrong"));
    let checksum = checksum(&bytes);
    bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    assert_eq!(Block::parse(&bytes).unwrap_err(), Refused::Version(2));
}

fn row(width: usize) -> impl Strategy<Value = OwnedRow> {
    let words = prop::collection::vec(any::<u32>(), width);
    (any::<u16>(), any::<u64>(), prop::option::of(".{0,20}"), words)
}

fn block() -> impl Strategy<Value = (u8, u32, u16, Vec<OwnedRow>)> {
    (0_u16..40).prop_flat_map(|width| {
        (any::<u8>(), any::<u32>(), Just(width), prop::collection::vec(row(width.into()), 0..70))
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded((table, number, width, rows) in block()) {
        let encoded = encode(table, number, width, &rows);
        let block = Block::parse(encoded.as_bytes()).unwrap();
        prop_assert_eq!((block.table, block.block, block.width, block.len()), (table, number, width, rows.len()));
        prop_assert_eq!(encoded.is_empty(), rows.is_empty());
        prop_assert_eq!(decode(block), rows);
    }

    #[test]
    fn a_flipped_bit_is_noticed((table, number, width, rows) in block(), at: prop::sample::Index, bit in 0..8) {
        let mut bytes = encode(table, number, width, &rows).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(Block::parse(&bytes).is_err());
    }

    #[test]
    fn a_cut_block_is_noticed((table, number, width, rows) in block(), at: prop::sample::Index) {
        let encoded = encode(table, number, width, &rows);
        let bytes = encoded.as_bytes();
        prop_assert!(Block::parse(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), sound: bool) {
        if sound && bytes.len() >= HEADER_BYTES {
            bytes[..4].copy_from_slice(&MAGIC);
            bytes[4] = VERSION;
            let checksum = checksum(&bytes);
            bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        }
        if let Ok(block) = Block::parse(&bytes) {
            prop_assert_eq!(block.rows().count(), block.len());
        }
    }
}
