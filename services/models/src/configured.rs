//! Models as the settings describe them.

use weir_learn::mf;
use weir_runtime::Settings;

use crate::recommender::RecommenderSettings;

/// The recommender's settings, checked.
///
/// # Errors
/// A hyper-parameter is out of its range.
pub fn recommender_settings(settings: &Settings) -> Result<RecommenderSettings, weir_learn::Error> {
    let recommender = &settings.recommender;
    let factors = mf::Settings::try_from(mf::HyperParameters {
        factors: recommender.factors.into(),
        factor_rate: recommender.factor_rate,
        initial_sum: recommender.initial_sum,
        user_bias_floor: recommender.user_bias_floor,
        item_bias_floor: recommender.item_bias_floor,
        bias_offset: recommender.bias_offset,
        regularisation: recommender.regularisation,
        initial_sd: recommender.initial_sd,
        initial_user_factor: recommender.initial_user_factor,
    })?;
    Ok(RecommenderSettings {
        factors,
        seed: recommender.seed,
        hash_seed: recommender.seed,
        half_life_hours: recommender.half_life_hours,
        seen_items: recommender.seen_items,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_defaults_are_those_that_were_measured() {
        let settings = recommender_settings(&Settings::default()).unwrap();
        assert_eq!(settings.factors, mf::Settings::default());
    }
}
