//! kill -9 in a loop: this binary starts itself again as a child that writes, and kills it.

mod common;

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{changes, load, meta};
use weir_store::{BlockEncoder, EncodedBlock, Store};

/// Where the child writes. Only set by [`child`].
const DIRECTORY: &str = "WEIR_STORE_CRASH_DIRECTORY";
const BLOCKS: u32 = 60;
/// Blocks of a write that takes several batches: some 20 MB.
const LARGE_BLOCKS: u32 = 320;

/// Starts one of the tests below, which then is no test but a writer.
fn child(test: &str, dir: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--quiet"])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the child has acknowledged `count` barriers, and a little more, kills it, and returns the last barrier that it
/// acknowledged.
fn kill_after(mut child: Child, count: usize, more: Duration) -> Option<u64> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut stored =
        std::iter::from_fn(|| lines.by_ref().find_map(|line| line.rsplit_once("stored ")?.1.parse::<u64>().ok()));
    let mut last = stored.by_ref().take(count).last();
    // The moment of the kill must fall anywhere in a write: there is no condition to wait for.
    if let Err(error) = wait(&mut child, more) {
        panic!("the writer ended by itself: {error}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before it died counts as well.
    last = stored.last().or(last);
    last
}

/// Lets the child run on for this long.
fn wait(child: &mut Child, time: Duration) -> Result<(), std::process::ExitStatus> {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
    match child.try_wait().unwrap() {
        None => Ok(()),
        Some(status) => Err(status),
    }
}

/// In the child: writes barriers from where the store is, and says so after each.
#[test]
fn small_writer() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let shard = Store::open(dir).unwrap().store.shard("0").unwrap();
    for barrier in load(&shard, BLOCKS).unwrap() + 1.. {
        shard.write(&meta(barrier), changes(barrier, BLOCKS)).unwrap();
        println!("stored {barrier}");
    }
}

#[test]
fn after_a_kill_the_store_is_at_one_whole_barrier_no_older_than_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut at_start = 0;
    for kill in 0..25_u32 {
        let child = child("small_writer", dir.path());
        let acknowledged = kill_after(child, (kill % 7) as usize, Duration::from_micros(u64::from(kill) * 777));
        let opened = Store::open(dir.path()).unwrap();
        assert_eq!(opened.moved_aside, None);
        let found = load(&opened.store.shard("0").unwrap(), BLOCKS).unwrap();
        let least = acknowledged.unwrap_or(at_start);
        // One more barrier may have been stored and not acknowledged any more.
        assert!((least..=least + 1).contains(&found), "acknowledged {least}, found {found}");
        at_start = found;
    }
    assert!(at_start > 25, "only {at_start} barriers were written");
}

fn large_changes(barrier: u64) -> impl Iterator<Item = EncodedBlock> {
    (0..LARGE_BLOCKS).map(move |block| {
        let mut encoder = BlockEncoder::new(1, block, 1024);
        // Each barrier removes other blocks.
        let rows = if u64::from(block) % 8 == barrier % 8 { 0 } else { 15 };
        for slot in 0..rows {
            encoder.row(slot, 1, None, &[barrier as u32; 1024]).unwrap();
        }
        encoder.finish()
    })
}

fn load_large(dir: &Path) -> u64 {
    let shard = Store::open(dir).unwrap().store.shard("0").unwrap();
    let mut found: Vec<(u32, u32)> = Vec::new();
    let loaded = shard.load(&mut |block| {
        let first = block.rows().next().and_then(|row| row.words.iter().next()).unwrap();
        assert!(block.len() == 15 && block.rows().all(|row| row.words.iter().all(|word| word == first)));
        found.push((block.block, first));
    });
    let barrier = loaded.unwrap().map_or(0, |meta| meta.push_next);
    let there = |block: &u32| barrier > 0 && u64::from(*block) % 8 != barrier % 8;
    let expected: Vec<_> = (0..LARGE_BLOCKS).filter(there).map(|block| (block, barrier as u32)).collect();
    assert_eq!(found, expected);
    barrier
}

/// In the child: writes barriers of several batches each.
#[test]
fn large_writer() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let barrier = load_large(Path::new(&dir));
    let shard = Store::open(dir).unwrap().store.shard("0").unwrap();
    println!("stored {barrier}");
    for barrier in barrier + 1.. {
        shard.write(&meta(barrier), large_changes(barrier)).unwrap();
        println!("stored {barrier}");
    }
}

#[test]
fn a_large_write_that_is_killed_between_its_batches_is_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut barrier = 0;
    for kill in 0..15_u32 {
        // 1: the child has opened the store and begins to write.
        let child = child("large_writer", dir.path());
        let least = kill_after(child, 1, Duration::from_millis(u64::from(kill * 13 % 15) * 35)).unwrap();
        assert_eq!(barrier, barrier.min(least));
        barrier = load_large(dir.path());
        assert!((least..=least + 1).contains(&barrier), "acknowledged {least}, found {barrier}");
    }
    assert!(barrier > 0, "no barrier was ever written");
}
