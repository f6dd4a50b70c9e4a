//! Apache Kafka from Maven, fetched once per build folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::place;

/// Kafka's version unless `WEIR_TEST_KAFKA` names another one. 4.3.1 loses transaction markers when a lone broker is
/// killed (KAFKA-20734).
pub const KAFKA_VERSION: &str = "4.1.1";

/// Chooses another version: 4.3.1 is worth a run of the faults.
const VERSION_VARIABLE: &str = "WEIR_TEST_KAFKA";

/// The version that is in force.
pub(crate) fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| std::env::var(VERSION_VARIABLE).unwrap_or_else(|_| KAFKA_VERSION.to_owned()))
}

/// Said when there is neither a broker nor what is needed to start one.
const ADVICE: &str = "the end-to-end tests need Apache Kafka: install a JDK (17 or newer) and Maven \
     (Debian: apt-get install openjdk-17-jre-headless maven), or set WEIR_TEST_BROKERS=HOST:PORT to use a running broker";

/// The program that runs Kafka, and the folder with Kafka's jars.
#[derive(Clone, Debug)]
pub(crate) struct Kafka {
    pub(crate) java: PathBuf,
    pub(crate) jars: PathBuf,
}

/// Finds Java and fetches the jars, unless an earlier run did.
///
/// Test binaries run at the same time: a file lock lets one of them call Maven while the others wait.
pub(crate) fn fetch() -> Result<Kafka, String> {
    let java = find_java()?;
    let dir = place::existing(place::target_dir().join("kafka").join(version()));
    let jars = dir.join("libs");
    let lock = File::create(dir.join("lock")).and_then(|file| file.lock().map(|()| file));
    let _lock = lock.map_err(|error| format!("cannot lock {}: {error}", dir.display()))?;
    let complete = dir.join("complete");
    if !complete.is_file() {
        copy_dependencies(&dir, &jars)?;
        fs::write(&complete, version()).map_err(|error| format!("cannot write {}: {error}", complete.display()))?;
    }
    Ok(Kafka { java, jars })
}

fn find_java() -> Result<PathBuf, String> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let java = home.filter(|java| java.is_file()).unwrap_or_else(|| PathBuf::from("java"));
    // Prints `java 17.0.15 2025-04-15`, or `openjdk 17.0.15 2025-04-15`.
    let output = Command::new(&java).arg("--version").output().map_err(|_| format!("java was not found: {ADVICE}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    match version {
        Some(version) if version >= 17 => Ok(java),
        _ => Err(format!("java is too old ({}): {ADVICE}", text.lines().next().unwrap_or("no version"))),
    }
}

fn copy_dependencies(dir: &Path, jars: &Path) -> Result<(), String> {
    let pom = dir.join("pom.xml");
    fs::write(&pom, pom_text()).map_err(|error| format!("cannot write {}: {error}", pom.display()))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "-f"]).arg(&pom).arg("dependency:copy-dependencies");
    maven.arg(format!("-DoutputDirectory={}", jars.display()));
    let output = maven.output().map_err(|_| format!("mvn was not found: {ADVICE}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let version = version();
    Err(format!("maven could not fetch kafka {version} ({}); {ADVICE}:\n{said}", output.status))
}

fn pom_text() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>\n"
        )
    };
    let dependencies = [
        dependency("org.apache.kafka", "kafka_2.13", version()),
        dependency("org.apache.kafka", "kafka-tools", version()),
        // Without a binding the broker logs nothing; this one fits the SLF4J 1.7 that Kafka comes with.
        dependency("org.slf4j", "slf4j-simple", "1.7.36"),
    ];
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n<modelVersion>4.0.0</modelVersion>\n\
         <groupId>weir</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging>\n\
         <dependencies>\n{}</dependencies>\n</project>\n",
        dependencies.concat()
    )
}
