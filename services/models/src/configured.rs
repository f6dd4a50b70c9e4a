//! Models as the settings describe them.

use weir_learn::balance::Ratio;
use weir_learn::linear::Learner;
use weir_learn::passive_aggressive::multiclass::{Costs, Update};
use weir_learn::passive_aggressive::{self, Variant};
use weir_learn::ranking::{self, negatives, positive};
use weir_learn::{Error, adagrad, arow, blend, ftrl, mf, neighbours, text};
use weir_runtime::{
    BlendSettings, MulticlassUpdate, NegativesFrom, NeighbourSettings, PositiveRatings, RankingLoss, RankingSettings,
    Settings, SpamLearner,
};
use weir_wire::message::Label;
use weir_wire::verdict::Thresholds;

use crate::recommender::{Bounds, Predictions, RecommenderSettings};
use crate::spam::{Classes, Influence, Learning, Method, Policy, SpamSettings};

/// The recommender's settings, checked.
///
/// # Errors
/// A hyper-parameter is out of its range.
pub fn recommender_settings(settings: &Settings) -> Result<RecommenderSettings, Error> {
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
        ranking: ranking_settings(&recommender.ranking)?,
        positive: positive_rule(&recommender.ranking),
        seed: recommender.seed,
        hash_seed: recommender.seed,
        half_lives_hours: recommender.half_lives_hours,
        neighbours: neighbour_settings(&recommender.neighbours)?,
        blend: blend_settings(&recommender.blend)?,
        seen_items: recommender.seen_items,
        bounds: bounds(settings),
    })
}

fn bounds(settings: &Settings) -> Bounds {
    let recommender = &settings.recommender;
    let share = |all: u64| usize::try_from(all.div_ceil(settings.server.shards.max(1).into())).unwrap_or(usize::MAX);
    let age_ms = u64::from(recommender.forget_after_hours) * 3_600_000;
    Bounds {
        users: share(recommender.max_users),
        items: share(recommender.max_items),
        age_ms: Some(age_ms).filter(|age| *age > 0),
    }
}

fn neighbour_settings(neighbours: &NeighbourSettings) -> Result<neighbours::Settings, Error> {
    neighbours::Settings::try_from(neighbours::HyperParameters {
        slots: neighbours.slots.into(),
        pairs: neighbours.pairs.into(),
        history: neighbours.history.into(),
        damping: neighbours.damping,
    })
}

fn blend_settings(blend: &BlendSettings) -> Result<blend::Settings, Error> {
    let [short, middle, long] = blend.popularity;
    blend::Settings::try_from(blend::HyperParameters {
        weights: [blend.ranking, blend.transitions, blend.company, short, middle, long],
        rate: blend.rate,
        initial_sum: blend.initial_sum,
        share: blend.share,
        fresh_hours: blend.fresh_hours,
    })
}

/// Which ratings are put out as they were predicted; none where the share is 0.
#[must_use]
pub fn predictions(settings: &Settings) -> Option<Predictions> {
    let (topic, recommender) = (settings.topics.ratings.as_str(), &settings.recommender);
    let share = recommender.predicted_share;
    (share > 0.0).then(|| Predictions::new(topic, share, recommender.seed))
}

fn ranking_settings(ranking: &RankingSettings) -> Result<ranking::Settings, Error> {
    ranking::Settings::try_from(ranking::HyperParameters {
        factors: ranking.factors.into(),
        factor_rate: ranking.factor_rate,
        bias_rate: ranking.bias_rate,
        initial_sum: ranking.initial_sum,
        regularisation: ranking.regularisation,
        initial_sd: ranking.initial_sd,
        initial_user_factor: ranking.initial_user_factor,
        negatives: ranking.negatives.into(),
        window: ranking.window as usize,
        source: match ranking.negatives_from {
            NegativesFrom::Uniform => negatives::Source::Uniform,
            NegativesFrom::Popularity => negatives::Source::Popularity,
            NegativesFrom::LeastRecent => negatives::Source::LeastRecent,
        },
        loss: match ranking.loss {
            RankingLoss::SquaredError => ranking::Loss::SquaredError,
            RankingLoss::Bpr => ranking::Loss::Pairs,
            RankingLoss::Listwise => ranking::Loss::List,
        },
    })
}

fn positive_rule(ranking: &RankingSettings) -> positive::Rule {
    let rated = match ranking.positive_ratings {
        PositiveRatings::Mean => positive::Rated::AtOrAboveMean,
        PositiveRatings::AtLeast => positive::Rated::AtLeast(ranking.positive_at_least),
        PositiveRatings::Every => positive::Rated::Every,
    };
    positive::Rule { rated, unrated: ranking.positive_without_rating, growth: ranking.positive_growth }
}

/// The spam filter's settings, checked.
///
/// # Errors
/// A hyper-parameter is out of its range.
pub fn spam_settings(settings: &Settings) -> Result<SpamSettings, weir_learn::Error> {
    let spam = &settings.spam;
    let text = text::Settings::try_from(text::HyperParameters {
        seed: spam.seed,
        slot_bits: spam.slot_bits.into(),
        max_bytes: spam.max_bytes,
        max_features: spam.max_features,
    })?;
    Ok(SpamSettings {
        topic: settings.topics.messages.as_str().into(),
        text,
        learning: learning(spam)?,
        influence: Influence { steps: spam.tenant_influence, share: spam.tenant_share },
        remembered_ids: spam.remembered_ids,
        remembered_seconds: spam.remembered_hours * 3_600,
        remembered_bytes: spam.remembered_bytes,
        labels_wait: spam.labels_wait,
        policy: Policy {
            ready_labels: spam.ready_labels,
            thresholds: Thresholds { review: spam.review_from, reject: spam.reject_from },
        },
    })
}

fn learning(spam: &weir_runtime::SpamSettings) -> Result<Learning, Error> {
    let named = |names: &[String]| names.iter().filter_map(|name| Label::named(name)).collect::<Vec<_>>();
    let (labels, learner) = (named(&spam.labels), spam_learner(spam, spam.learner)?);
    let costs = costs(spam);
    let method = match learner {
        // The settings' own check lets no other learner through where there are more.
        Learner::PassiveAggressive(settings) if labels.len() > 2 => {
            let update = match spam.multiclass {
                MulticlassUpdate::PredictionBased => Update::PredictionBased,
                MulticlassUpdate::MaxLoss => Update::MaxLoss,
            };
            Method::Several(settings, update, Costs::new(&costs)?)
        }
        learner => Method::Two(learner, [costs[0][1], costs[1][0]]),
    };
    Ok(Learning {
        classes: Classes::new(&labels, &named(&spam.wanted)),
        method,
        balance: Ratio::try_from(spam.balance)?,
    })
}

/// By right label and answer.
fn costs(spam: &weir_runtime::SpamSettings) -> Vec<Vec<f32>> {
    let cost = |right: &String, answer: &String| spam.costs.get(right).and_then(|costs| costs.get(answer)).copied();
    let row = |right| spam.labels.iter().map(|answer| cost(right, answer).unwrap_or(1.0)).collect();
    spam.labels.iter().map(row).collect()
}

/// One of the spam filter's learners, with the hyper-parameters that the settings give it.
///
/// # Errors
/// One of them is out of its range.
pub fn spam_learner(spam: &weir_runtime::SpamSettings, learner: SpamLearner) -> Result<Learner, Error> {
    let passive_aggressive = |variant| {
        let values = passive_aggressive::HyperParameters { variant, aggressiveness: spam.aggressiveness };
        passive_aggressive::Settings::try_from(values).map(Learner::PassiveAggressive)
    };
    match learner {
        SpamLearner::Pa => passive_aggressive(Variant::Pa),
        SpamLearner::PaI => passive_aggressive(Variant::PaI),
        SpamLearner::PaIi => passive_aggressive(Variant::PaII),
        SpamLearner::Arow => {
            let values = arow::HyperParameters { regularisation: spam.arow.regularisation };
            arow::Settings::try_from(values).map(Learner::Arow)
        }
        SpamLearner::Ftrl => {
            let weir_runtime::FtrlSettings { rate, smoothing, l1, l2 } = spam.ftrl;
            ftrl::Settings::try_from(ftrl::HyperParameters { rate, smoothing, l1, l2 }).map(Learner::Ftrl)
        }
        SpamLearner::Adagrad => {
            let weir_runtime::AdagradSettings { rate, initial_sum, tolerance } = spam.adagrad;
            let values = adagrad::HyperParameters { rate, initial_sum, tolerance };
            adagrad::Settings::try_from(values).map(Learner::AdaGrad)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_defaults_are_those_that_were_measured() {
        let settings = recommender_settings(&Settings::default()).unwrap();
        assert_eq!(settings.factors, mf::Settings::default());
        assert_eq!(settings.ranking, ranking::Settings::default());
        assert_eq!(settings.positive, positive::Rule::default());
        assert_eq!(settings.neighbours, neighbours::Settings::default());
        assert_eq!(settings.blend, blend::Settings::default());
        assert_eq!(settings.half_lives_hours, blend::HALF_LIVES_HOURS);
        let settings = spam_settings(&Settings::default()).unwrap();
        assert_eq!(settings.text, text::Settings::default());
        let spam = weir_runtime::SpamSettings::default();
        let named = |learner| spam_learner(&spam, learner).unwrap();
        let defaults = [
            Learner::PassiveAggressive(passive_aggressive::Settings::default()),
            Learner::Arow(arow::Settings::default()),
            Learner::Ftrl(ftrl::Settings::default()),
            Learner::AdaGrad(adagrad::Settings::default()),
        ];
        let found = [SpamLearner::PaI, SpamLearner::Arow, SpamLearner::Ftrl, SpamLearner::Adagrad].map(named);
        assert_eq!(found, defaults);
        assert_eq!(settings.learning, Learning::two(named(spam.learner)));
        assert_eq!(settings.policy, Policy::default());
        assert_eq!(settings.influence, Influence::default());
    }

    #[test]
    fn every_loss_and_every_way_to_draw_can_be_set() {
        let settings = |loss, negatives_from| {
            let ranking = RankingSettings { loss, negatives_from, ..RankingSettings::default() };
            let settings = ranking_settings(&ranking).unwrap();
            (settings.values().loss, settings.values().source)
        };
        let found = settings(RankingLoss::Bpr, NegativesFrom::Popularity);
        assert_eq!(found, (ranking::Loss::Pairs, negatives::Source::Popularity));
        let found = settings(RankingLoss::Listwise, NegativesFrom::LeastRecent);
        assert_eq!(found, (ranking::Loss::List, negatives::Source::LeastRecent));
    }

    #[test]
    fn every_rule_of_positives_can_be_set() {
        let check = |positive_ratings, positive_without_rating, rated| {
            let ranking = RankingSettings {
                positive_growth: 0.5,
                positive_ratings,
                positive_at_least: 4.0,
                positive_without_rating,
                ..RankingSettings::default()
            };
            assert_eq!(
                positive_rule(&ranking),
                positive::Rule { rated, unrated: positive_without_rating, growth: 0.5 }
            );
        };
        check(PositiveRatings::Mean, false, positive::Rated::AtOrAboveMean);
        check(PositiveRatings::AtLeast, true, positive::Rated::AtLeast(4.0));
        check(PositiveRatings::Every, true, positive::Rated::Every);
    }

    #[test]
    fn classes_and_costs_are_as_set() {
        let mut spam = weir_runtime::SpamSettings { balance: 3.0, ..weir_runtime::SpamSettings::default() };
        spam.costs.entry("ham".to_owned()).or_default().insert("spam".to_owned(), 5.0);
        let learner = spam_learner(&spam, spam.learner).unwrap();
        let balance = Ratio::try_from(3.0).unwrap();
        let two = Learning { method: Method::Two(learner, [1.0, 5.0]), balance, ..Learning::two(learner) };
        assert_eq!(learning(&spam).unwrap(), two);
        spam.labels.push("phishing".to_owned());
        let costs = Costs::new(&[vec![0.0, 1.0, 1.0], vec![5.0, 0.0, 1.0], vec![1.0, 1.0, 0.0]]).unwrap();
        let several = Method::Several(passive_aggressive::Settings::default(), Update::MaxLoss, costs);
        assert_eq!(learning(&spam).unwrap().method, several);
        assert_eq!(learning(&spam).unwrap().classes.sides(&[1, 10, 100]), [101, 10]);
    }
}
