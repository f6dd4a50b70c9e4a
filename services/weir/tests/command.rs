//! The command as a user meets it: what it prints, and how it refuses. No broker is needed for any of this.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// `weir` with these arguments in an environment without settings.
fn weir(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEIR_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn run(mut command: Command) -> Output {
    command.stdin(Stdio::null()).output().expect("weir runs")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Ends with exit code 1 and one sentence that contains all of `expected`.
fn refused(command: Command, expected: &[&str]) {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    for part in expected {
        assert!(said.contains(part), "{said:?} does not contain {part:?}");
    }
}

/// `weir server` that would start, was there nothing wrong with `arguments`.
fn server(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = weir(&["server", "--brokers", "127.0.0.1:1", "--data-dir"]);
    command.arg(directory.join("data")).args(arguments);
    command
}

#[test]
fn help_shows_how_to_start_and_how_to_set() {
    for arguments in [&["--help"][..], &["standalone", "--help"], &["topics", "--help"]] {
        let help = printed(&run(weir(arguments)));
        assert!(help.contains("weir standalone --brokers") && help.contains("WEIR_WORKER__IN_FLIGHT=4"), "{help}");
    }
    let help = printed(&run(weir(&["server", "--help"])));
    for option in ["--brokers", "--data-dir", "--ops", "--name", "--prefix", "--models", "--config", "--set"] {
        assert!(help.contains(option), "{option} is not in {help}");
    }
    assert!(printed(&run(weir(&["--version"]))).starts_with("weir "));
}

#[test]
fn a_dump_fed_back_gives_the_same_dump() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("weir.toml");
    std::fs::write(&file, "prefix = \"file\"\n[kafka.settings]\n\"client.rack\" = \"a\"\n").expect("written");
    let mut first = weir(&["config", "--dump", "--name", "w0", "--set", "worker.in_flight=4", "--config"]);
    first.arg(&file).env("WEIR_PREFIX", "environment").env("WEIR_SERVER__SHARDS", "5");
    let dumped = printed(&run(first));
    for (line, origin) in [
        ("name = \"w0\"", "command line".to_owned()),
        ("prefix = \"environment\"", "environment WEIR_PREFIX".to_owned()),
        ("shards = 5", "environment WEIR_SERVER__SHARDS".to_owned()),
        ("in_flight = 4", "command line".to_owned()),
        ("\"client.rack\" = \"a\"", format!("file {}", file.display())),
        ("batch_wait_ms = 20", "default".to_owned()),
    ] {
        let line = format!("{line}  # {origin}");
        assert!(dumped.lines().any(|found| found == line), "{line} is not in {dumped}");
    }
    std::fs::write(&file, &dumped).expect("written");
    let mut second = weir(&["config", "--dump"]);
    second.env("WEIR_CONFIG", &file);
    let values = |dump: &str| dump.lines().map(|line| line.split("  # ").next().map(str::to_owned)).collect::<Vec<_>>();
    let again = printed(&run(second));
    assert_eq!(values(&again), values(&dumped));
    assert!(!again.contains("# environment") && !again.contains("# default"), "{again}");
    assert!(printed(&run(weir(&["config"]))).contains("valid"));
}

#[test]
fn a_dump_keeps_passwords_to_itself() {
    let arguments = ["config", "--dump", "--set", "kafka.settings.sasl.password=hunter2"];
    let dumped = printed(&run(weir(&arguments)));
    assert!(!dumped.contains("hunter2") && dumped.contains("--show-secrets"), "{dumped}");
    let shown = printed(&run(weir(&[&arguments[..], &["--show-secrets"]].concat())));
    assert!(shown.contains("\"sasl.password\" = \"hunter2\"  # command line\n"), "{shown}");
}

#[test]
fn schemas_are_listed_and_printed() {
    let list = printed(&run(weir(&["schema"])));
    for name in ["ratings", "messages", "items", "messages.scored", "ratings.predicted", "weir.models"] {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(name)), "{list}");
        let schema: serde_json::Value = serde_json::from_str(&printed(&run(weir(&["schema", name])))).expect("JSON");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
    refused(weir(&["schema", "nothing"]), &["no schema nothing", "messages.scored"]);
}

#[test]
fn a_file_is_judged_without_a_broker() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("events");
    let judge = |lines: &str, more: &[&str]| {
        std::fs::write(&file, lines).expect("written");
        let mut command = weir(&["validate", "ratings"]);
        command.arg(&file).args(more);
        let output = run(command);
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let good = "{\"user\":1,\"item\":2,\"rating\":3}\n";
    assert!(matches!(judge(good, &[]), (Some(0), said) if said.contains("1 events, 0 would be refused")));
    let (code, said) = judge(&good.repeat(3).replacen("\"item\"", "\"itm\"", 1), &[]);
    assert_eq!(code, Some(3), "{said}");
    for part in
        ["3 events, 1 would be refused", "refused: missing_field item", "line 1: item: is missing", "[input.ratings]"]
    {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let mapped = ["--set", "input.ratings.item=/itm", "--first", "1"];
    assert!(matches!(judge(&good.replace("\"item\"", "\"itm\""), &mapped), (Some(0), _)));
    let output = run(weir(&["validate", "ratings"]));
    assert_eq!(output.status.code(), Some(2), "neither a file nor the topic: {output:?}");
}

#[test]
fn bad_configuration_is_one_sentence() {
    let directory = tempfile::tempdir().expect("a directory");
    let with = |arguments: &[&str]| server(directory.path(), arguments);
    let how = ["--set worker.in_flight=VALUE", "WEIR_WORKER__IN_FLIGHT", "[worker]"];
    refused(with(&["--set", "worker.in_flight=0"]), &[&["worker.in_flight is 0"][..], &how].concat());
    refused(with(&["--models", "sapm"]), &["setting models is sapm", "--models", "WEIR_MODELS"]);
    refused(with(&["--config", "no-such-file.toml"]), &["no-such-file.toml"]);
    refused(
        with(&["--set", "kafka.settings.isolation.level=read_uncommitted"]),
        &["isolation.level", "read_committed"],
    );
    refused(with(&["--set", "kafka.settings.no.such.property=1"]), &["no.such.property", "WEIR_KAFKA__SETTINGS__"]);
    refused(
        with(&["--set", "input.ratings.user=customer.id"]),
        &["input.ratings.user", "customer.id", "WEIR_INPUT__RATINGS__USER"],
    );
    refused(with(&["--set", "input.ratings.rating=constant:x"]), &["input.ratings.rating", "is no number"]);
    let mut misspelt = with(&[]);
    misspelt.env("WEIR_BROKER", "127.0.0.1:1");
    refused(misspelt, &["no setting broker in the environment"]);
    let output = run(weir(&["server", "--listen", "127.0.0.1:0"]));
    assert_eq!(output.status.code(), Some(2), "a server does not listen: {output:?}");
    assert!(!directory.path().join("data").exists(), "nothing was begun");
}

#[test]
fn a_taken_port_is_one_sentence() {
    let directory = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    refused(server(directory.path(), &["--ops", &address]), &[&address, "the port is taken", "--ops", "WEIR_OPS"]);
    for role in ["standalone", "gateway"] {
        let mut command = weir(&[role, "--listen", &address, "--data-dir"]);
        command.arg(directory.path());
        refused(command, &[&address, "the port is taken", "--listen", "WEIR_LISTEN"]);
    }
}

#[test]
fn a_data_directory_that_cannot_be_used_is_one_sentence() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    std::fs::create_dir(&data).expect("created");
    let lock = std::fs::File::create(data.join("lock")).expect("created");
    lock.try_lock().expect("locked");
    refused(server(directory.path(), &[]), &["in use by another weir process", "--data-dir", "WEIR_DATA_DIR"]);
    drop(lock);
    std::fs::write(data.join("name"), "no name").expect("written");
    refused(server(directory.path(), &[]), &["holds no usable name", "--name"]);
    // Root may write everywhere, so what stands in the way is a file where the directory would be.
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("written");
    refused(server(&file, &[]), &["cannot be used", "--data-dir", "WEIR_DATA_DIR"]);
}

#[test]
fn topics_without_a_broker_is_one_sentence_with_the_address() {
    refused(weir(&["topics", "--brokers", "127.0.0.1:1"]), &["127.0.0.1:1"]);
}

/// A process that has said where it serves health and metrics, killed when the test ends.
struct Running {
    child: Child,
    ops: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().expect("weir starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains(" ops=") {
            line.clear();
            assert!(log.read_line(&mut line).expect("text") > 0, "weir ended");
        }
        // What is logged later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let ops = line.split(" ops=").nth(1).and_then(|rest| rest.split_whitespace().next());
        Self { ops: ops.expect("an address").to_owned(), child }
    }

    fn status_of(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.ops).expect("connected");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: weir\r\nconnection: close\r\n\r\n").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("sent");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_a_broker_it_lives_unready_until_it_is_asked_to_stop() {
    let directory = tempfile::tempdir().expect("a directory");
    for (role, signal) in [("server", Signal::SIGTERM), ("worker", Signal::SIGINT), ("gateway", Signal::SIGTERM)] {
        let mut command = weir(&[role, "--brokers", "127.0.0.1:1", "--ops", "127.0.0.1:0", "--data-dir"]);
        command.arg(directory.path().join("data")).env("WEIR_LISTEN", "127.0.0.1:0");
        let mut running = Running::start(command);
        assert_eq!(running.status_of("/health/live"), "200", "{role}");
        assert_eq!(running.status_of("/health/ready"), "503", "{role}");
        assert_eq!(running.status_of("/metrics"), "200", "{role}");
        running.signal(signal);
        assert_eq!(running.child.wait().expect("ended").code(), Some(0), "{role} {signal}");
    }
}

#[test]
fn messages_are_evaluated_by_every_learner() {
    let dir = tempfile::tempdir().expect("a folder");
    let [file, json] = ["sms", "figures.json"].map(|name| dir.path().join(name));
    let line = |number: usize| match number % 3 {
        0 => format!("spam\twin a free prize now, call {number}\n"),
        _ => format!("ham\tsee you at home, dinner at {number}\n"),
    };
    std::fs::write(&file, (0..300).map(line).collect::<Vec<_>>().concat()).expect("there is room");
    let paths = [&file, &json].map(|path| path.to_string_lossy().into_owned());
    let printed = printed(&run(weir(&["evaluate", "messages", &paths[0], "--json", &paths[1], "--delay", "3"])));
    assert!(printed.contains("300 messages, 100 of them spam") && printed.contains("pa-i *"), "{printed}");
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).expect("it is there")).expect("JSON");
    for learner in ["pa", "pa-i", "pa-ii", "arow", "ftrl", "adagrad"] {
        let figures = &figures["learners"][learner];
        assert!(figures["accuracy"].as_f64() > Some(90.0), "{learner}: {figures}");
        assert!(figures["messages_per_second"].as_f64() > Some(0.0), "{learner}: {figures}");
    }
}
