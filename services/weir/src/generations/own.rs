//! What a generation has of its own among the settings.

use std::collections::BTreeMap;

use weir_runtime::Settings;

/// Sections that a generation may have settings of its own in, and single settings: what shapes and trains a model.
/// All else is about the process or the deployment.
const SECTIONS: [&str; 2] = ["recommender.", "spam."];
const SINGLE: [&str; 2] = ["server.shards", "server.partitioner"];
/// The catalogue's items go by the recommender's keys, whichever generation serves.
const SHARED: [&str; 1] = ["recommender.seed"];

/// Whether a generation may have this setting of its own.
pub(super) fn may_have(name: &str) -> bool {
    let own = SECTIONS.iter().any(|section| name.starts_with(section)) || SINGLE.contains(&name);
    own && !SHARED.contains(&name)
}

/// The settings in force for a generation: those of the process, and its own over them.
///
/// # Errors
/// One of them is not a generation's, is unknown, or out of its range.
pub(crate) fn settings_of(settings: &Settings, own: &BTreeMap<String, String>) -> anyhow::Result<Settings> {
    for name in own.keys() {
        anyhow::ensure!(
            may_have(name),
            "setting {name} is of the deployment, not of a generation: a generation may have settings under recommender \
             (but not recommender.seed) and spam of its own, server.shards and server.partitioner"
        );
    }
    if own.is_empty() {
        return Ok(settings.clone());
    }
    Ok(settings.with(own)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_has_settings_of_its_own_over_those_of_all() {
        let mut settings = Settings::default();
        settings.recommender.seed = 7;
        let own = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let found = settings_of(&settings, &own("recommender.factors", "20")).expect("valid");
        assert_eq!((found.recommender.factors, found.recommender.seed), (20, 7));
        assert_eq!(settings_of(&settings, &own("server.shards", "5")).expect("valid").server.shards, 5);
        assert_eq!(settings_of(&settings, &BTreeMap::new()).expect("valid"), settings);
        for (name, value, part) in [
            ("topics.ratings", "others", "of the deployment"),
            ("brokers", "elsewhere:9092", "of the deployment"),
            ("recommender.seed", "8", "of the deployment"),
            ("recommender.no_such", "1", "there is no setting recommender.no_such in the generation's settings"),
            ("recommender.factors", "many", "setting recommender.factors"),
            ("server.shards", "0", "server.shards"),
        ] {
            let error = settings_of(&settings, &own(name, value)).expect_err("refused").to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
