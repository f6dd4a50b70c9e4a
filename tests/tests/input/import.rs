//! Files into Kafka: every format, plain and packed, what is refused, and an import that is killed and resumed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use weir_tests::process::Process;
use weir_tests::{Broker, Deployment, place, topic, wait_until, weir};

use crate::PATIENCE;

/// A deployment with topics of its own, and a folder for files.
struct Site {
    deployment: Deployment,
    folder: PathBuf,
}

impl Site {
    fn new(label: &str) -> Self {
        let deployment = Deployment::new(Broker::shared(), label).with("KAFKA__PARTITIONS", 2);
        let folder = place::existing(deployment.data_dir("files"));
        Self { deployment, folder }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    fn import(&self, kind: &str, file: &Path, more: &[&str]) -> Output {
        let file = file.display().to_string();
        self.deployment.run(&[&["import", kind, &file][..], more].concat())
    }

    /// The events of a topic as JSON, each with its key.
    fn events(&self, topic: &str) -> Vec<(String, Value)> {
        let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().expect("it is there")).expect("text");
        let records = topic::read_all(self.deployment.brokers(), topic);
        let event = |record: &topic::Seen| (text(&record.key), text(&record.payload));
        let events = records.iter().map(event).map(|(key, json)| (key, serde_json::from_str(&json).expect("JSON")));
        events.collect()
    }
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

fn xz(path: &Path, text: &str) -> PathBuf {
    let pack = "import lzma, sys; open(sys.argv[1], 'wb').write(lzma.compress(sys.argv[2].encode()))";
    let status = Command::new("python3").args(["-c", pack]).arg(path).arg(text).status().expect("python3 runs");
    assert!(status.success(), "cannot pack {}", path.display());
    path.to_owned()
}

/// 30 ratings of 7 users as (user, item, stars, seconds).
fn ratings() -> Vec<(String, String, f32, u64)> {
    (0..30_u16)
        .map(|n| (format!("u{}", n % 7), format!("i{n}"), f32::from(n % 10) / 2.0, 1_000_000_000 + u64::from(n)))
        .collect()
}

fn lines(separator: &str) -> String {
    let line = |(user, item, stars, seconds): &(String, String, f32, u64)| {
        format!("{user}{separator}{item}{separator}{stars}{separator}{seconds}\n")
    };
    ratings().iter().map(line).collect()
}

#[track_caller]
fn said(output: &Output, code: i32, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn ratings_of_every_format_arrive_in_order_with_their_keys() {
    let json = |(user, item, stars, seconds): &(String, String, f32, u64)| {
        format!("{{\"user\":\"{user}\",\"item\":\"{item}\",\"rating\":{stars},\"ts\":{}}}\n", seconds * 1000)
    };
    let json: String = ratings().iter().map(json).collect();
    let csv = format!("userId,movieId,rating,timestamp\n{}", lines(","));
    let site = Site::new("formats");
    let packed = [
        site.file("ratings.csv", csv.as_bytes()),
        site.file("ratings.csv.gz", &gz(&csv)),
        xz(&site.folder.join("ratings.csv.xz"), &csv),
        site.file("u.data", lines("\t").as_bytes()),
        site.file("ratings.dat.gz", &gz(&lines("::"))),
        xz(&site.folder.join("ratings.jsonl.xz"), &json),
    ];
    for file in &packed {
        said(&site.import("ratings", file, &[]), 0, &["30 events sent", "0 lines refused"]);
    }
    let mut items: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, event) in site.events(site.deployment.ratings_topic()) {
        assert_eq!(event["user"], key);
        let found = (event["rating"].as_f64(), event["ts"].as_u64());
        let (_, item, stars, seconds) =
            ratings().into_iter().find(|(_, item, ..)| event["item"] == **item).expect("one of the ratings");
        assert_eq!(found, (Some(f64::from(stars)), Some(seconds * 1000)), "{event}");
        items.entry(key).or_default().push(item);
    }
    for (user, found) in items {
        let of_user: Vec<String> =
            ratings().into_iter().filter(|rating| rating.0 == user).map(|rating| rating.1).collect();
        let each_time: Vec<String> = std::iter::repeat_n(of_user, packed.len()).flatten().collect();
        assert_eq!(found, each_time, "{user}");
    }
}

#[test]
fn messages_arrive_with_ids_that_a_repetition_has_too() {
    let site = Site::new("sms");
    let text = "ham\tGo until jurong point, crazy..\nspam\tFree entry\tnow\n";
    for file in [site.file("SMSSpamCollection", text.as_bytes()), xz(&site.folder.join("SMSSpamCollection.xz"), text)] {
        said(&site.import("messages", &file, &[]), 0, &["2 events sent"]);
    }
    let mut events = site.events(site.deployment.messages_topic());
    events.sort_by_key(|(key, _)| key.clone());
    let found: Vec<_> =
        events.iter().map(|(key, event)| (key.as_str(), event["text"].as_str(), event["label"].as_str())).collect();
    let first = ("SMSSpamCollection-1", Some("Go until jurong point, crazy.."), Some("ham"));
    let second = ("SMSSpamCollection-2", Some("Free entry\tnow"), Some("spam"));
    assert_eq!(found, [first, first, second, second]);
}

#[test]
fn what_is_refused_is_told_line_by_line() {
    let site = Site::new("refused");
    let mut text = String::from("userId,movieId,rating,timestamp\nu,i,4,1\nu,,4,1\nu,i,five,1\n\nu\n");
    text.extend((0..30).map(|_| "u,i,1e9,1\n"));
    let file = site.file("bad.csv", text.as_bytes());
    let output = site.import("ratings", &file, &[]);
    let expected = [
        "1 events sent",
        "33 lines refused, 0 passed over by the mapping, 2 empty or headings",
        "line 3: item: is empty",
        "line 4: rating: is \"five\", a rating is a number (bad_number)",
        "line 6: has 1 columns",
        "line 23: rating",
        "weir: 33 lines were refused",
    ];
    said(&output, 3, &expected);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("line 24:"), "more than twenty are printed");
    assert_eq!(site.events(site.deployment.ratings_topic()).len(), 1);
    let cut = site.file("cut.csv.gz", &gz(&lines(","))[..60]);
    said(&site.import("ratings", &cut, &[]), 1, &["stopped, with every line up to", "cut.csv.gz"]);
    said(&site.import("ratings", &site.folder.join("absent.csv"), &[]), 1, &["absent.csv"]);
    let what = site.file("what", b"nobody knows\n");
    said(&site.import("ratings", &what, &[]), 1, &["--format"]);
    said(&site.import("ratings", &what, &["--format", "sms"]), 1, &["--format"]);
}

#[test]
fn an_import_that_is_killed_loses_nothing_and_repeats_what_was_under_way() {
    const LINES: usize = 20_000;
    let site = Site::new("resumed");
    let line = |n| format!("u{}\ti{n}\t3\t{n}\n", n % 100);
    let text: String = (0..LINES).map(line).collect();
    let file = site.file("u.data", text.as_bytes());
    let log = place::log_dir().join("import-killed.log");
    let deployment = &site.deployment;
    let mut running = Process::start("the import", &log, weir::binary(), |command| {
        deployment.configure(command);
        command.args(["import", "ratings"]).arg(&file).args(["--rate", "4000"]);
    });
    let kept = || -> Option<u64> {
        let state = fs::read_to_string(file.with_extension("data.weir-import")).ok()?;
        serde_json::from_str::<Value>(&state).ok()?["lines"].as_u64()
    };
    wait_until("some of it is kept", PATIENCE, || kept().filter(|lines| *lines > 2_000).map(drop));
    running.kill();
    let behind = kept().expect("a state");
    assert!(behind < LINES as u64, "it had finished: {behind}");
    let there = topic::ends(deployment.brokers(), deployment.ratings_topic()).iter().sum::<u64>();
    said(&site.import("ratings", &file, &[]), 1, &["--resume", &format!("behind line {behind}")]);
    let going_on = format!("going on behind line {behind}");
    let sent = format!("{} events sent", LINES as u64 - behind);
    said(&site.import("ratings", &file, &["--resume"]), 0, &[&going_on, &sent]);
    said(&site.import("ratings", &file, &["--resume"]), 0, &["0 events sent"]);
    let mut times = vec![0_u64; LINES];
    for (_, event) in site.events(deployment.ratings_topic()) {
        times[event["ts"].as_u64().expect("a time") as usize / 1000] += 1;
    }
    // Once up to the line that was kept, and never lost or more than twice behind it.
    assert!(times[..behind as usize].iter().all(|times| *times == 1), "a line that was safe came twice");
    assert!(times.iter().all(|times| (1..=2).contains(times)), "a line was lost");
    let repeated = times.iter().filter(|times| **times == 2).count() as u64;
    println!("at least {there} of {LINES} had arrived, {behind} were kept as safe, {repeated} came twice");
    assert!(repeated >= there - behind, "what had arrived and was not kept as safe comes again");
}
