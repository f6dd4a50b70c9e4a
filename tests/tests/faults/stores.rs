//! Data directories that are deleted, copied back from an older moment, or damaged: they are copies, and all that they
//! hold can be had again.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use weir_tests::{Broker, Instance, Random, Trial};

use crate::{EVENTS_PER_SECOND, deployment, random};

const DISCARDED: &str = "weir_server_stores_discarded_total";
const SERVER: &str = "server-1";
const CUT: &str = "a store is cut short";

#[test]
fn counts_are_exact_whatever_becomes_of_data_directories() {
    let deployment = deployment(Broker::shared(), "stores").with("SERVER__STORE_INTERVAL_MS", 300);
    let old = deployment.data_dir("of-an-older-moment");
    let mut random = random(2);
    let mut trial = Trial::start(deployment, 2, 1, random.clone(), EVENTS_PER_SECOND);
    trial.fault("a server's directory is deleted", |trial| {
        killed(trial.instance(SERVER), Instance::delete_data);
    });
    trial.fault("a server's directory is copied", |trial| {
        killed(trial.instance(SERVER), |server| copy(&server.data_dir(), &old));
    });
    trial.fault("the older copy is put back", |trial| {
        let server = trial.instance(SERVER);
        let said = killed(server, |server| {
            server.delete_data();
            copy(&old, &server.data_dir());
        });
        assert!(is_from_older_state(&said), "the old store was not used: {said}");
    });
    for (what, damage) in DAMAGES {
        trial.fault(what, |trial| {
            let server = trial.instance(SERVER);
            let said = killed(server, |server| damage(&sled(server), &mut random));
            // sled may find an older state whole in what is left of a file that was cut; then that is what it was.
            if what != CUT || !is_from_older_state(&said) {
                check_reported(server, what, &said);
            }
        });
    }
    trial.fault("a snapshot is left half written", |trial| {
        let server = trial.instance(SERVER);
        let left = sled(server).join("snap.00000000000A0000.generating");
        let said = killed(server, |_| fs::write(&left, [0xa5; 100]).expect("the file can be written"));
        assert!(!left.exists() && !said.contains("damaged"), "{said}");
    });
    trial.fault("all directories are deleted", |trial| {
        trial.cluster().kill_all();
        trial.cluster().delete_data();
        trial.cluster().start_all();
    });
    drop(trial.finish());
}

type Damage = fn(&Path, &mut Random);

const DAMAGES: [(&str, Damage); 3] = [
    ("bytes of a store are flipped", |dir, random| {
        let path = dir.join("db");
        let length = fs::metadata(&path).expect("there is a store").len();
        let mut file = File::options().read(true).write(true).open(&path).expect("it can be opened");
        // So dense that something that matters is hit, wherever in the file it lies.
        for stretch in 0..length / 128 {
            flip(&mut file, stretch * 128 + random.below(128) as u64, random);
        }
    }),
    ("a store's settings are junk", |dir, random| {
        let junk: Vec<u8> = (0..200).map(|_| random.next() as u8).collect();
        fs::write(dir.join("conf"), junk).expect("the file can be written");
    }),
    (CUT, |dir, _| {
        let file = File::options().write(true).open(dir.join("db")).expect("there is a store");
        let length = file.metadata().expect("it has a length").len();
        file.set_len(length / 2).expect("it can be cut");
    }),
];

/// Kills the server, does something to its directory, and starts it; what it has logged since.
fn killed(server: &mut Instance, change: impl FnOnce(&Instance)) -> String {
    server.kill();
    let before = server.log().len();
    change(server);
    server.start();
    server.wait_ready();
    server.log().get(before..).unwrap_or_default().to_owned()
}

/// Each shard was loaded from its store, and the changelog had more.
fn is_from_older_state(said: &str) -> bool {
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("shard restored")).collect();
    let ahead = !lines.is_empty() && lines.iter().all(|line| !line.contains("changelog_records=0"));
    ahead && !said.contains("discarded") && !said.contains("damaged")
}

/// The damage is in the log and in the metrics.
fn check_reported(server: &Instance, what: &str, said: &str) {
    assert!(said.contains("damaged"), "{what}: {said}");
    assert!(server.metric_with(DISCARDED, "damaged") > 0.0, "{what}: {said}");
}

fn flip(file: &mut File, at: u64, random: &mut Random) {
    let mut byte = [0];
    let flipped = file
        .seek(SeekFrom::Start(at))
        .and_then(|_| file.read(&mut byte))
        .and_then(|_| file.seek(SeekFrom::Start(at)))
        .and_then(|_| file.write(&[byte[0] ^ (1 << random.below(8))]));
    assert_eq!(flipped.ok(), Some(1), "a byte at {at} cannot be flipped");
}

/// The folder of sled's files.
fn sled(server: &Instance) -> PathBuf {
    let shards = server.data_dir().join("shards");
    let inside = fs::read_dir(&shards).into_iter().flatten().flatten();
    // Beside it lie those that were moved aside.
    let store = inside.map(|entry| entry.path().join("sled")).find(|path| path.is_dir());
    store.unwrap_or_else(|| panic!("no store in {}", shards.display()))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be created");
    for entry in fs::read_dir(from).expect("the folder is there").map(|entry| entry.expect("it can be read")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}
