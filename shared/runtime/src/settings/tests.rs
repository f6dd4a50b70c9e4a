use std::path::PathBuf;

use super::*;

fn pairs(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Loads from a file of `text`, where it is not empty, an environment and a command line.
fn load(text: &str, environment: &[(&str, &str)], arguments: &[(&str, &str)]) -> Result<Settings, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("weir.toml");
    std::fs::write(&path, text).expect("a file");
    let file = (!text.is_empty()).then_some(path);
    let sources = Sources { file, environment: pairs(environment), arguments: pairs(arguments) };
    Settings::load(&sources).map_err(|error| error.to_string())
}

/// The error of loading is one line and contains all of `expected`.
fn refused(text: &str, environment: &[(&str, &str)], arguments: &[(&str, &str)], expected: &[&str]) {
    let error = load(text, environment, arguments).expect_err("refused");
    assert!(!error.contains('\n'), "one line: {error}");
    for part in expected {
        assert!(error.contains(part), "{error:?} does not contain {part:?}");
    }
}

#[test]
fn without_sources_the_defaults_are_in_force() {
    assert_eq!(load("", &[], &[]), Ok(Settings::default()));
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file() {
    let file = "brokers = \"file:1\"\nprefix = \"file\"\n[worker]\nin_flight = 5\nbatch_events = 100";
    let environment = [("WEIR_BROKERS", "environment:1"), ("WEIR_WORKER__IN_FLIGHT", "6"), ("HOME", "/nowhere")];
    let settings = load(file, &environment, &[("brokers", "command:1")]).expect("loaded");
    assert_eq!(settings.brokers, "command:1");
    assert_eq!(settings.worker.in_flight, 6);
    assert_eq!(settings.worker.batch_events, 100);
    assert_eq!(settings.prefix, "file");
    // What no layer says stays as it is, in the middle of a section too.
    assert_eq!(settings.worker.batch_wait_ms, WorkerSettings::default().batch_wait_ms);
    assert_eq!(settings.listen, Settings::default().listen);
}

#[test]
fn text_becomes_what_the_setting_is() {
    let environment = [
        ("WEIR_NAME", "007"),
        ("WEIR_PREFIX", "1e3"),
        ("WEIR_MODELS", "recommender, counting"),
        ("WEIR_WORKER__KEYED_BY_USER", "false"),
        ("WEIR_WORKER__CACHED_ROWS", "2_000"),
        ("WEIR_RECOMMENDER__FACTOR_RATE", "1"),
        ("WEIR_RECOMMENDER__RANKING__FACTORS", "8"),
        ("WEIR_RECOMMENDER__RANKING__POSITIVE_RATINGS", "at_least"),
        ("WEIR_LOG__FORMAT", "json"),
        ("WEIR_SERVER__PARTITIONER", "range"),
        ("WEIR_OPS", "127.0.0.1:0"),
    ];
    let settings = load("", &environment, &[("recommender.seed", "9223372036854775807")]).expect("loaded");
    assert_eq!(settings.name.as_deref(), Some("007"));
    assert_eq!(settings.prefix, "1e3");
    assert_eq!(settings.models, ["recommender", "counting"]);
    assert!(!settings.worker.keyed_by_user);
    assert_eq!(settings.worker.cached_rows, 2_000);
    assert_eq!(settings.recommender.factor_rate, 1.0);
    let ranking = RankingSettings::default();
    let expected = RankingSettings { factors: 8, positive_ratings: PositiveRatings::AtLeast, ..ranking };
    assert_eq!(settings.recommender.ranking, expected);
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.server.partitioner, PartitionerKind::Range);
    assert_eq!(settings.ops.as_deref(), Some("127.0.0.1:0"));
    assert_eq!(settings.recommender.seed, i64::MAX as u64);
}

#[test]
fn properties_of_librdkafka_are_taken_from_every_layer() {
    let file =
        "[kafka.settings]\nssl.ca.location = \"ca.pem\"\n\"queued.min.messages\" = 1000\nlog.connection.close = false";
    let environment = [("WEIR_KAFKA__SETTINGS__SASL_MECHANISM", "PLAIN")];
    let settings = load(file, &environment, &[("kafka.settings.security.protocol", "sasl_ssl")]).expect("loaded");
    let expected = [
        ("log.connection.close", "false"),
        ("queued.min.messages", "1000"),
        ("sasl.mechanism", "PLAIN"),
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.location", "ca.pem"),
    ];
    assert_eq!(settings.kafka.settings.into_iter().collect::<Vec<_>>(), pairs(&expected));
}

#[test]
fn variables_of_others_are_no_settings() {
    let foreign = [
        ("WEIR_TEST_BROKERS", "127.0.0.1:1"),
        ("WEIR_SERVICE_HOST", "10.0.0.1"),
        ("WEIR_SERVICE_PORT_HTTP", "80"),
        ("WEIR_PORT", "tcp://10.0.0.1:80"),
        ("WEIR_GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("WEIRD", "yes"),
        ("WEIR_NAME", ""),
    ];
    assert_eq!(load("", &foreign, &[]), Ok(Settings::default()));
}

#[test]
fn the_environment_names_the_file_unless_the_command_line_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let [first, second] = ["first", "second"].map(|name| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("prefix = \"{name}\"")).expect("a file");
        path
    });
    let environment = vec![("WEIR_CONFIG".to_owned(), first.display().to_string())];
    let mut sources = Sources { file: None, environment, arguments: Vec::new() };
    assert_eq!(Settings::load(&sources).expect("loaded").prefix, "first");
    sources.file = Some(second);
    assert_eq!(Settings::load(&sources).expect("loaded").prefix, "second");
}

#[test]
fn a_dump_can_be_fed_back() {
    let mut settings = Settings {
        name: Some("w\"0".into()),
        ops: Some("127.0.0.1:9".into()),
        data_dir: PathBuf::from("/var/lib/weir \\ \"x\""),
        models: vec!["counting".into(), "recommender".into()],
        ..Settings::default()
    };
    settings.name = Some("w0".into());
    settings.recommender.seed = i64::MAX as u64;
    settings.recommender.factor_rate = 0.1;
    settings.recommender.ranking.positive_ratings = PositiveRatings::Every;
    settings.kafka.settings.insert("ssl.ca.location".into(), "ca = \"1\"\n.pem".into());
    let kind = EventTypeSettings { meaning: None, rating: Some(4.1), weight: 0.1 };
    settings.input.ratings.types.insert("page.view".into(), kind);
    settings.input.ratings.user = FieldSource::Constant("a\n\"b".into());
    settings.input.messages.labels.insert(String::new(), "none".to_owned());
    for settings in [Settings::default(), settings] {
        let dumped = settings.to_toml(&Origins::default(), true).expect("dumped");
        assert_eq!(load(&dumped, &[], &[]).as_ref(), Ok(&settings), "{dumped}");
        assert!(dumped.contains("\n[worker]\n"), "{dumped}");
    }
    let defaults = Settings::default().to_toml(&Origins::default(), true).expect("dumped");
    assert!(defaults.contains("factor_rate = 0.4  # default\n"), "no digits that nobody wrote: {defaults}");
}

#[test]
fn a_dump_says_where_each_value_comes_from() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("weir.toml");
    let file = "prefix = \"file\"\n[worker]\nin_flight = 5\n[kafka.settings]\nssl.ca.location = \"ca.pem\"\n\
                [input.ratings]\nuser = { constant = 7 }";
    std::fs::write(&path, file).expect("a file");
    let environment = pairs(&[("WEIR_WORKER__IN_FLIGHT", "6"), ("WEIR_KAFKA__SETTINGS__SASL_MECHANISM", "PLAIN")]);
    let arguments = pairs(&[("server.shards", "5"), ("input.ratings.types.page.view.weight", "2")]);
    let sources = Sources { file: Some(path.clone()), environment, arguments };
    let (settings, origins) = Settings::load_with_origins(&sources).expect("loaded");
    let dumped = settings.to_toml(&origins, false).expect("dumped");
    let file = format!("# file {}", path.display());
    for (line, origin) in [
        ("listen = \"127.0.0.1:8080\"", "# default"),
        ("prefix = \"file\"", file.as_str()),
        ("\"ssl.ca.location\" = \"ca.pem\"", &file),
        ("user = \"constant:7\"", &file),
        ("in_flight = 6", "# environment WEIR_WORKER__IN_FLIGHT"),
        ("\"sasl.mechanism\" = \"PLAIN\"", "# environment WEIR_KAFKA__SETTINGS__SASL_MECHANISM"),
        ("shards = 5", "# command line"),
        ("weight = 2.0", "# command line"),
        ("batch_events = 16384", "# default"),
    ] {
        assert!(dumped.lines().any(|found| found == format!("{line}  {origin}")), "{line} {origin}: {dumped}");
    }
    assert_eq!(load(&dumped, &[], &[]), Ok(settings), "{dumped}");
}

#[test]
fn secrets_are_dumped_only_when_asked_for() {
    let secrets = ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"];
    let mut settings = Settings::default();
    settings.kafka.settings.insert("sasl.username".into(), "weir".into());
    for name in secrets {
        settings.kafka.settings.insert(name.into(), "tell\nnobody".into());
    }
    let shown = settings.to_toml(&Origins::default(), true).expect("dumped");
    assert_eq!(load(&shown, &[], &[]).as_ref(), Ok(&settings), "{shown}");
    let hidden = settings.to_toml(&Origins::default(), false).expect("dumped");
    assert!(!hidden.contains("nobody"), "{hidden}");
    for name in secrets {
        let line = format!("# \"{name}\" = \"hidden, --show-secrets prints it\"  # default");
        assert!(hidden.lines().any(|found| found == line), "{hidden}");
        settings.kafka.settings.remove(name);
    }
    assert_eq!(load(&hidden, &[], &[]), Ok(settings), "what is hidden is not set: {hidden}");
}

#[test]
fn a_value_out_of_range_is_named_with_its_three_places() {
    let how = ["--set worker.in_flight=VALUE", "WEIR_WORKER__IN_FLIGHT", "in_flight under [worker]"];
    let expected = [&["setting worker.in_flight is 0, but must be 1 to 1000"][..], &how].concat();
    refused("[worker]\nin_flight = 0", &[], &[], &expected);
    refused("", &[("WEIR_WORKER__IN_FLIGHT", "0")], &[], &expected);
    refused("", &[], &[("worker.in_flight", "0")], &expected);
    refused(
        "",
        &[],
        &[("brokers", "nowhere")],
        &["setting brokers is nowhere", "--brokers", "WEIR_BROKERS", "or brokers in"],
    );
}

#[test]
fn values_that_cannot_work_are_refused() {
    for (setting, value) in [
        ("brokers", "a:1,"),
        ("brokers", "a:99999"),
        ("data_dir", ""),
        ("listen", "8080"),
        ("listen", ":8080"),
        ("ops", "127.0.0.1:http"),
        ("name", "a b"),
        ("name", ""),
        ("prefix", ".."),
        ("prefix", "ü"),
        ("topics.ratings", "a/b"),
        ("topics.messages", ""),
        ("topics.scored", "messages"),
        ("topics.scored", "ratings"),
        ("topics.predicted", "messages"),
        ("models", ""),
        ("models", "eggs"),
        ("models", "counting,counting"),
        ("shutdown_timeout_ms", "0"),
        ("kafka.replication", "0"),
        ("kafka.partitions", "0"),
        ("kafka.session_timeout_ms", "5999"),
        ("kafka.transaction_timeout_ms", "1"),
        ("recommender.factors", "1025"),
        ("recommender.seed", "9223372036854775808"),
        ("recommender.factor_rate", "NaN"),
        ("recommender.regularisation", "-1"),
        ("recommender.half_lives_hours", "12,96,inf"),
        ("recommender.blend.popularity", "1,2,-1"),
        ("recommender.blend.share", "1.5"),
        ("recommender.neighbours.slots", "15"),
        ("recommender.neighbours.history", "1"),
        ("recommender.seen_items", "17"),
        ("recommender.predicted_share", "1.5"),
        ("recommender.ranking.factors", "1025"),
        ("recommender.ranking.initial_sum", "0"),
        ("recommender.ranking.negatives", "0"),
        ("recommender.ranking.positive_at_least", "NaN"),
        ("spam.aggressiveness", "0"),
        ("spam.labels", "spam"),
        ("spam.labels", "spam,ham,Phishing"),
        ("spam.labels", "spam,ham,needed"),
        ("spam.labels", "spam,ham,spam"),
        ("spam.wanted", "eggs"),
        ("spam.wanted", "ham,spam"),
        ("spam.costs.ham.eggs", "2"),
        ("spam.costs.ham.spam", "0"),
        ("spam.balance", "0.5"),
        ("spam.tenant_influence", "-1"),
        ("spam.tenant_share", "1.5"),
        ("spam.arow.regularisation", "NaN"),
        ("spam.ftrl.l1", "-1"),
        ("spam.adagrad.tolerance", "0.6"),
        ("spam.slot_bits", "7"),
        ("spam.max_bytes", "1"),
        ("spam.remembered_ids", "0"),
        ("spam.remembered_bytes", "18"),
        ("spam.review_from", "-0.1"),
        ("spam.reject_from", "0.4"),
        ("server.shards", "0"),
        ("server.publish_share", "1.5"),
        ("worker.frame_bytes", "1"),
        ("gateway.request_timeout_ms", "5000"),
        ("gateway.max_k", "0"),
        ("log.filter", "info=info=info"),
        ("log.filter", ""),
    ] {
        refused("", &[], &[(setting, value)], &[&format!("setting {setting} is "), "set it with "]);
    }
}

#[test]
fn values_of_another_type_are_refused_with_their_origin() {
    let expected = ["setting worker.in_flight in the environment", "\"many\"", "WEIR_WORKER__IN_FLIGHT"];
    refused("", &[("WEIR_WORKER__IN_FLIGHT", "many")], &[], &expected);
    refused("", &[], &[("worker.in_flight", "-1")], &["setting worker.in_flight in the command line", "-1"]);
    refused("", &[], &[("kafka.replication", "70000")], &["setting kafka.replication", "70000"]);
    refused("", &[], &[("log.format", "xml")], &["setting log.format", "xml", "text"]);
    refused("", &[], &[("server.partitioner", "random")], &["setting server.partitioner", "random", "hash", "range"]);
    let positive = "recommender.ranking.positive_ratings";
    refused("", &[], &[(positive, "4")], &["setting recommender.ranking.positive_ratings", "4", "at_least"]);
    refused("", &[], &[("spam.learner", "pa-3")], &["setting spam.learner", "pa-3", "pa-ii", "arow"]);
    refused(
        "",
        &[],
        &[("recommender.half_lives_hours", "12,96")],
        &["setting recommender.half_lives_hours", "length 3"],
    );
    refused("prefix = 3", &[], &[], &["setting prefix in configuration file", "weir.toml"]);
    refused("worker = 3", &[], &[], &["setting worker in configuration file"]);
    refused("[kafka.settings]\na = [1]", &[], &[], &["setting kafka.settings", "weir.toml"]);
}

#[test]
fn unknown_settings_are_refused_with_what_was_meant() {
    refused(
        "",
        &[("WEIR_IN_FLIGHT", "3")],
        &[],
        &["no setting in_flight in the environment, only spam.in_flight, worker.in_flight"],
    );
    refused("", &[], &[("server.in_flight", "3")], &["no setting server.in_flight in the command line"]);
    refused("[worker]\nnonsense = 1", &[], &[], &["no setting worker.nonsense", "weir.toml", "worker.batch_events"]);
    refused("nonsense = 1", &[], &[], &["no setting nonsense", "brokers", "ops"]);
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    refused("a = 1\nb = = 2", &[], &[], &["configuration file", "weir.toml: line 2: "]);
    let sources = Sources { file: Some("no/such/file.toml".into()), ..Sources::default() };
    let error = Settings::load(&sources).expect_err("refused").to_string();
    assert!(error.starts_with("configuration file no/such/file.toml: No such file"), "{error}");
}

#[test]
fn the_way_to_set_a_property_keeps_its_dots() {
    let how = how_to_set("kafka.settings.ssl.ca.location");
    assert!(how.contains("--set kafka.settings.ssl.ca.location=VALUE"), "{how}");
    assert!(how.contains("WEIR_KAFKA__SETTINGS__SSL_CA_LOCATION"), "{how}");
    assert!(how.contains("\"ssl.ca.location\" under [kafka.settings]"), "{how}");
}

#[test]
fn classes_and_what_mistakes_cost_can_be_set_anywhere() {
    let text = "[spam]\nlabels = [\"spam\", \"ham\", \"news\"]\nwanted = [\"ham\", \"news\"]\n[spam.costs]\nham = { spam = 5 }";
    let settings = load(text, &[("WEIR_SPAM__COSTS__NEWS__SPAM", "2.5")], &[("spam.costs.ham.news", "0.5")]);
    let spam = settings.expect("loaded").spam;
    assert_eq!(spam.wanted, ["ham", "news"]);
    assert_eq!((spam.costs["ham"]["spam"], spam.costs["ham"]["news"], spam.costs["news"]["spam"]), (5.0, 0.5, 2.5));
    let several = [("spam.labels", "spam,ham,news"), ("spam.learner", "arow")];
    refused("", &[], &several, &["setting spam.learner is arow", "pa, pa-i or pa-ii where spam.labels has more"]);
}
