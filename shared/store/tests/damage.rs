//! Damaged files: what is loaded is a barrier that was written, or nothing, or an error; and it always goes on.

mod common;

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use common::{changes, load, meta};
use weir_store::{Error, Store};

const BLOCKS: u32 = 60;
const BARRIERS: u64 = 25;

/// A closed store of [`BARRIERS`] barriers.
fn written(dir: &Path) {
    let shard = Store::open(dir).unwrap().store.shard("0").unwrap();
    for barrier in 1..=BARRIERS {
        shard.write(&meta(barrier), changes(barrier, BLOCKS)).unwrap();
    }
}

/// What became of a damaged store.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    MovedAside,
    Damaged,
    Barrier(u64),
}

/// Opens and loads a store as a server does, including its recovery, and checks that it works again afterwards.
fn recover(dir: &Path) -> Outcome {
    let mut outcome = None;
    // Once to find the damage, once more if sled's own files are damaged and have to be moved aside.
    for _ in 0..3 {
        let opened = Store::open(dir).unwrap();
        if let Some(aside) = &opened.moved_aside {
            assert!(aside.join("db").exists() || aside.join("conf").exists());
            outcome.get_or_insert(Outcome::MovedAside);
        }
        let result = opened.store.shard("0").and_then(|shard| {
            let barrier = load(&shard, BLOCKS)?;
            assert!(barrier <= BARRIERS);
            outcome.get_or_insert(Outcome::Barrier(barrier));
            shard.clear()?;
            shard.write(&meta(1), changes(1, BLOCKS))?;
            load(&shard, BLOCKS)
        });
        match result {
            Ok(barrier) => {
                assert_eq!(barrier, 1);
                return outcome.unwrap();
            }
            Err(Error::Damaged { shard, .. }) => {
                assert_eq!(shard, "0");
                outcome.get_or_insert(Outcome::Damaged);
                // As a server does: rebuild at once if that is possible, else go down and open again.
                let _ = opened.store.shard("0").and_then(|shard| shard.clear());
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it does not recover")
}

fn database(dir: &Path) -> PathBuf {
    dir.join("sled/db")
}

fn overwrite(file: &Path, at: u64, change: impl FnOnce(&mut [u8])) {
    let mut file = File::options().read(true).write(true).open(file).unwrap();
    let mut bytes = [0; 64];
    file.seek(SeekFrom::Start(at)).unwrap();
    let length = file.read(&mut bytes).unwrap();
    change(&mut bytes[..length]);
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&bytes[..length]).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Applies each of many damages to a copy of its own, and returns what became of them.
fn each_on_a_copy(damages: usize, damage: impl Fn(usize, &Path)) -> Vec<Outcome> {
    let original = tempfile::tempdir().unwrap();
    written(original.path());
    let outcome = |number| {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        copy(original.path(), &store);
        damage(number, &store);
        recover(&store)
    };
    (0..damages).map(outcome).collect()
}

#[test]
fn an_undamaged_copy_is_at_its_last_barrier() {
    assert_eq!(each_on_a_copy(1, |_, _| {}), [Outcome::Barrier(BARRIERS)]);
}

#[test]
fn flipped_bytes_never_pass_for_a_barrier() {
    const PLACES: usize = 60;
    let outcomes = each_on_a_copy(PLACES, |number, store| {
        let file = database(store);
        let length = fs::metadata(&file).unwrap().len();
        overwrite(&file, length * number as u64 / PLACES as u64 + 17, |bytes| bytes[0] ^= 0x10);
    });
    println!("{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| *outcome != Outcome::Barrier(BARRIERS)), "some of it must have mattered");
}

#[test]
fn overwritten_stretches_never_pass_for_a_barrier() {
    const PLACES: usize = 30;
    for byte in [0, 0xFF] {
        let outcomes = each_on_a_copy(PLACES, |number, store| {
            let file = database(store);
            let length = fs::metadata(&file).unwrap().len();
            for part in 0..8 {
                overwrite(&file, length * number as u64 / PLACES as u64 + part * 64, |bytes| bytes.fill(byte));
            }
        });
        println!("{outcomes:?}");
    }
}

#[test]
fn a_truncated_file_never_passes_for_a_barrier() {
    const PLACES: usize = 20;
    let outcomes = each_on_a_copy(PLACES, |number, store| {
        let file = File::options().write(true).open(database(store)).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length * number as u64 / PLACES as u64 + number as u64 % 3).unwrap();
    });
    println!("{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| *outcome != Outcome::Barrier(BARRIERS)), "some of it must have mattered");
}

#[test]
fn a_snapshot_left_half_written_does_not_matter() {
    let outcomes = each_on_a_copy(2, |number, store| {
        let junk = [0xA5; 100];
        fs::write(store.join("sled/snap.00000000000A0000.generating"), &junk[..number * 100]).unwrap();
    });
    assert_eq!(outcomes, [Outcome::Barrier(BARRIERS), Outcome::Barrier(BARRIERS)]);
}

#[test]
fn junk_in_place_of_files_is_moved_aside() {
    let outcomes = each_on_a_copy(4, |number, store| match number {
        0 => fs::write(database(store), b"not a database").unwrap(),
        1 => fs::write(store.join("sled/conf"), [0x5A; 200]).unwrap(),
        2 => fs::write(store.join("sled/snap.00000000000A0000"), [0x5A; 200]).unwrap(),
        _ => fs::remove_file(database(store)).unwrap(),
    });
    println!("{outcomes:?}");
}

#[test]
fn of_the_stores_moved_aside_two_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let mut moved = Vec::new();
    for _ in 0..5 {
        written(&store);
        fs::write(store.join("sled/conf"), [0x5A; 200]).unwrap();
        moved.extend(Store::open(&store).unwrap().moved_aside);
    }
    let names: Vec<_> = moved.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["store.damaged-1", "store.damaged-2", "store.damaged-3", "store.damaged-4", "store.damaged-5"]);
    let kept: Vec<_> = moved.iter().map(|path| path.exists()).collect();
    assert_eq!(kept, [false, false, false, true, true]);
}
