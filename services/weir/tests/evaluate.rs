//! `weir evaluate ratings` as a user meets it: a file, figures, pictures. No broker is needed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use weir_tests::data;

/// `weir evaluate ratings FILE` with these arguments more, in an environment without settings.
fn evaluate(file: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEIR_")) {
        command.env_remove(name);
    }
    command.args(["evaluate", "ratings"]).arg(file).args(arguments);
    command.stdin(Stdio::null()).output().expect("weir runs")
}

/// What it printed, and its figures.
fn figures(file: &Path, arguments: &[&str]) -> (String, Value) {
    let json = file.with_extension("figures.json");
    let path = json.to_str().expect("a path in UTF-8");
    let output = evaluate(file, &[arguments, &["--json", path]].concat());
    assert!(output.status.success(), "{output:?}");
    let report = serde_json::from_slice(&fs::read(&json).expect("figures")).expect("JSON");
    (String::from_utf8(output.stdout).expect("text"), report)
}

/// The figure `name` of a configuration under a protocol.
fn figure(report: &Value, protocol: &str, configuration: &str, name: &str) -> f64 {
    let figure = &report[protocol]["configurations"][configuration][name];
    figure.as_f64().unwrap_or_else(|| panic!("no {name} of {configuration} under {protocol}: {report}"))
}

/// Sixty users of two kinds turn to items of their kind and rate them 5, and now and then to another, which they rate 1. Each
/// line is built from user, item, rating and second.
fn two_kinds(line: impl Fn(u32, u32, u32, u32) -> String) -> String {
    let mut text = String::new();
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for second in 0..3_000 {
        let (user, other) = (draw(60), draw(8) == 0);
        let kind = (user % 2) ^ u64::from(other);
        let item = 2 * draw(40) + kind;
        let line = line(user as u32, item as u32, if other { 1 } else { 5 }, second * 600);
        let _ = writeln!(text, "{line}");
    }
    text
}

#[test]
fn both_protocols_give_figures_of_every_configuration_and_pictures() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("u.data");
    fs::write(&file, two_kinds(|user, item, rating, second| format!("{user}\t{item}\t{rating}\t{second}")))
        .expect("written");
    let plots = dir.path().join("plots");
    let (text, report) = figures(
        &file,
        &[
            "--plots",
            plots.to_str().expect("UTF-8"),
            "--configuration",
            "small: recommender.factors=2",
            "--windows",
            "5",
        ],
    );
    for name in ["blend", "small", "running mean", "bias only", "item-to-item", "popularity"] {
        assert!(text.contains(name), "no {name} in {text}");
    }
    for name in ["rmse", "mae", "ndcg", "precision", "recall", "mrr"] {
        for protocol in ["progressive", "split"] {
            assert!(figure(&report, protocol, "blend", name) > 0.0, "{name} under {protocol}");
        }
    }
    assert!(figure(&report, "split", "blend", "coverage") > 0.2 && figure(&report, "split", "blend", "novelty") > 0.0);
    assert_eq!(report["progressive"]["known"], "out");
    assert!(text.contains("items that the user has had left out"), "{text}");
    // Tastes can be told here, and what is popular says nothing.
    assert!(figure(&report, "split", "blend", "ndcg") > 1.2 * figure(&report, "split", "popularity", "ndcg"));
    assert!(
        figure(&report, "progressive", "blend", "rmse") < 0.9 * figure(&report, "progressive", "running mean", "rmse")
    );
    let lead = &report["split"]["configurations"]["popularity"]["first_leads"];
    assert!(lead["p"].as_f64().is_some_and(|p| p < 0.05), "{lead}");
    assert_eq!(report["progressive"]["configurations"]["blend"]["windows"].as_array().map(Vec::len), Some(5));
    for (picture, line) in [("rmse.svg", "running mean"), ("recall.svg", "popularity")] {
        let svg = fs::read_to_string(plots.join(picture)).expect("a picture");
        assert!(svg.starts_with("<svg") && svg.contains("blend") && svg.contains(line), "{picture}");
    }
}

#[test]
fn shapes_of_files_make_no_difference_and_the_same_seed_gives_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let of = |name: &str, text: String| {
        let file = dir.path().join(name);
        fs::write(&file, text).expect("written");
        let (_, mut report) =
            figures(&file, &["--protocol", "split", "--order", "time", "--relevant", "positives", "--k", "5"]);
        report["file"] = Value::Null;
        report
    };
    let tabs = of("u.data", two_kinds(|user, item, rating, second| format!("{user}\t{item}\t{rating}\t{second}")));
    assert_eq!((&tabs["split"]["relevant"], &tabs["split"]["k"]), (&"positives".into(), &5.into()));
    assert!(tabs.get("progressive").is_none());
    let heading = "userId,movieId,rating,timestamp\n".to_owned();
    let commas = heading + &two_kinds(|user, item, rating, second| format!("{user},{item},{rating},{second}"));
    assert_eq!(of("ratings.csv", commas), tabs);
    let colons = two_kinds(|user, item, rating, second| format!("{user}::{item}::{rating}::{second}"));
    assert_eq!(of("ratings.dat", colons), tabs);
}

#[test]
fn a_search_tries_every_way_and_names_the_best() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("u.data");
    fs::write(&file, two_kinds(|user, item, rating, second| format!("{user}\t{item}\t{rating}\t{second}")))
        .expect("written");
    let search =
        ["--search", "recommender.ranking.loss=squared_error,bpr,listwise", "--search", "recommender.factors=0,4"];
    let (text, report) =
        figures(&file, &[&search[..], &["--protocol", "progressive", "--known", "in", "--goal", "rmse"]].concat());
    let own = ["squared_error", "bpr", "listwise"].iter().flat_map(|loss| {
        ["0", "4"].map(|factors| format!("recommender.ranking.loss={loss} recommender.factors={factors}"))
    });
    let rmse = |name: &str| figure(&report, "progressive", name, "rmse");
    let all: Vec<String> = own.chain(["blend".to_owned()]).collect();
    let best = all.iter().map(|name| rmse(name)).fold(f64::INFINITY, f64::min);
    let named = text.lines().find_map(|line| line.strip_prefix("best of 7 configurations: ")).expect("the best");
    assert!((rmse(named) - best).abs() < 1e-12, "{named}");
    assert!(text.contains("kept in"), "{text}");
    let refused = evaluate(&file, &["--search", "recommender.ranking.loss=hinge"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("recommender.ranking.loss"), "{said}");
}

/// What the README's table says of `MovieLens` 100K, as far as the last digit may differ between machines.
#[test]
fn movielens_is_predicted_and_listed_as_well_as_the_readme_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ml-100k.inter");
    fs::copy(data::movielens_100k(), &file).expect("a copy");
    let (_, report) = figures(&file, &["--rank-events", "500"]);
    assert!(figure(&report, "progressive", "blend", "rmse") < 0.936);
    assert!(figure(&report, "split", "blend", "ndcg") >= 0.42);
    assert!(figure(&report, "split", "blend", "ndcg") > 1.5 * figure(&report, "split", "popularity", "ndcg"));
}
