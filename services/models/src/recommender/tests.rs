use weir_learn::{popularity, seen};
use weir_ps::{
    Batch,
    memory::{Faults, Outcome, Plan, run},
    words,
};
use weir_wire::rating::{EventType, Meaning, RatingSources, Unlisted};

use super::*;
use crate::{Decoder, Input, InputModel};

mod together;

const NOW_MS: i64 = 1_700_000_000_000;

fn model() -> RecommenderModel {
    RecommenderModel::new(settings())
}

pub(super) fn settings() -> RecommenderSettings {
    RecommenderSettings {
        factors: mf::Settings::default(),
        // Larger steps than for real ratings, for which the default is: there are so few here.
        ranking: ranking::Settings::try_from(ranking::HyperParameters {
            factor_rate: 0.5,
            initial_sum: 1.0,
            ..ranking::HyperParameters::default()
        })
        .unwrap(),
        positive: positive::Rule::default(),
        seed: 1,
        hash_seed: 1,
        half_lives_hours: [720.0; 3],
        neighbours: neighbours::Settings::default(),
        blend: blend::Settings::default(),
        seen_items: 32,
        bounds: Bounds { users: 1_000, items: 1_000, age_ms: None },
    }
}

/// A record: key and value.
type Record = (Option<&'static str>, Option<String>);

fn rated(user: &str, item: &str, rating: &str) -> Record {
    (None, Some(format!(r#"{{"user":"{user}","item":"{item}","rating":{rating}}}"#)))
}

fn decode(model: &RecommenderModel, (key, value): &Record, batch: &mut Batch<RecommenderEvent>) {
    let (key, payload) = (key.map(str::as_bytes), value.as_deref().map(str::as_bytes));
    model.decoder().decode(Input { key, payload, timestamp_ms: NOW_MS, offset: 0 }, batch).unwrap();
}

fn learn(records: Vec<Record>, plan: &Plan) -> Outcome {
    let model = model();
    run(&model, &[records], plan, |record, batch| decode(&model, record, batch)).unwrap()
}

fn key(id: &str) -> u64 {
    weir_wire::key(1, id)
}

fn events(outcome: &Outcome, user: &str) -> u64 {
    outcome.row(ACTIVITY, key(user)).map_or(0, |row| words::u64_at(row, 0))
}

fn seen_items(outcome: &Outcome, user: &str) -> Vec<u64> {
    let head = outcome.row(SEEN_HEADS, key(user)).map_or(0, |row| words::u64_at(row, 0));
    let chunks =
        (0..head.div_ceil(16) as u32).filter_map(|number| outcome.row(SEEN, seen::chunk_key(key(user), number)));
    chunks.flat_map(|row| (0..16).map(|place| words::u64_at(row, place)).filter(|&item| item != 0)).collect()
}

fn parts() -> RowParts {
    RowParts::new(&settings().factors, &settings().ranking)
}

fn ratings_part<'a>(outcome: &'a Outcome, table: u8, id: &str) -> &'a [f32] {
    parts().ratings(outcome.row(table, key(id)).unwrap())
}

fn ranking_part<'a>(outcome: &'a Outcome, table: u8, id: &str) -> &'a [f32] {
    let row = outcome.row(table, key(id)).unwrap();
    if table == USERS { parts().user_ranking(row) } else { parts().item_ranking(row) }
}

fn predicted(outcome: &Outcome, user: &str, item: &str) -> f32 {
    let mean = outcome.row(MEAN, MEAN_KEY).unwrap();
    let mean = weir_learn::GlobalMean::from_words(*mean.as_array().unwrap()).mean();
    let mut unknown = vec![0.0; settings().factors.width()];
    mf::initial(&settings().factors, settings().seed, mf::Side::User, key(user), &mut unknown);
    let user = outcome.row(USERS, key(user)).map_or(&unknown[..], |row| parts().ratings(row));
    mf::predict(mean, user, ratings_part(outcome, ITEMS, item))
}

fn ranked(outcome: &Outcome, user: &str, item: &str) -> f32 {
    ranking::score(ranking_part(outcome, USERS, user), ranking_part(outcome, ITEMS, item))
}

#[test]
fn what_users_like_is_predicted_higher_through_any_number_of_parts() {
    let mut records = Vec::new();
    for round in 0..40 {
        for user in 0..8 {
            let (item, likes) = (round % 6, (user + round) % 2 == 0);
            records.push(rated(&format!("u{user}"), &format!("i{item}"), if likes { "5" } else { "1" }));
        }
    }
    for (workers, shards) in [(1, 1), (2, 3)] {
        let outcome = learn(records.clone(), &Plan::small(5, workers, shards));
        assert!(predicted(&outcome, "u0", "i0") > predicted(&outcome, "u0", "i1") + 1.0);
        assert!(predicted(&outcome, "u1", "i1") > predicted(&outcome, "u1", "i0") + 1.0);
        assert_eq!((0..8).map(|user| events(&outcome, &format!("u{user}"))).sum::<u64>(), 320);
    }
}

/// Two kinds of users, each choosing among its own half of the items; without ratings, or with some that say so.
fn choices(rounds: usize, with_ratings: bool) -> Vec<Record> {
    let mut records = Vec::new();
    for round in 0..rounds {
        for user in 0..10 {
            let item = (round * 7 + user * 3) % 5 * 2;
            let (user, own, other) = (format!("u{user}"), item + user % 2, item + 1 - user % 2);
            if with_ratings {
                records.push(rated(&user, &format!("i{own}"), "5"));
                records.push(rated(&user, &format!("i{other}"), "1"));
            } else {
                records.push((None, Some(format!(r#"{{"user":"{user}","item":"i{own}"}}"#))));
            }
        }
    }
    records
}

#[test]
fn tastes_are_learned_from_choices_through_any_number_of_parts() {
    for (with_ratings, workers, shards) in [(false, 1, 1), (false, 2, 3), (true, 2, 3)] {
        let outcome = learn(choices(100, with_ratings), &Plan::small(5, workers, shards));
        for user in 0..10 {
            let mean = |half: usize| {
                let scores = (0..5).map(|item| ranked(&outcome, &format!("u{user}"), &format!("i{}", 2 * item + half)));
                scores.sum::<f32>() / 5.0
            };
            let (own, other) = (mean(user % 2), mean(1 - user % 2));
            // Own items are chosen once for every two times that they are drawn, others never: a third and 0 at the best.
            assert!(
                own > other + 0.15,
                "user {user} with {workers} workers, ratings {with_ratings}: {own} and {other}"
            );
        }
    }
}

#[test]
fn what_is_disliked_sinks_is_seen_and_is_not_popular() {
    let sources = RatingSources {
        types: [("hide".to_owned(), EventType { meaning: Meaning::Disliked, weight: 2.0 })].into(),
        unlisted: Unlisted::AsSent,
        ..RatingSources::default()
    };
    let model = RecommenderModel::new(settings()).with_mapping(RatingMapping::new(&sources).unwrap());
    let decode = |record: &Record, batch: &mut Batch<RecommenderEvent>| decode(&model, record, batch);
    let says = |more: &str| (None, Some(format!(r#"{{"user":"u","item":"i"{more}}}"#)));
    let (chosen, hidden) = (says(""), says(r#","event":"hide","rating":5"#));
    let outcome = |records: Vec<Record>| run(&model, &[records], &Plan::small(1, 1, 1), decode).unwrap();
    let (before, after) = (outcome(vec![chosen.clone()]), outcome(vec![chosen, hidden.clone()]));
    assert!(ranked(&after, "u", "i") < ranked(&before, "u", "i"));
    assert_eq!(after.row(POPULARITY, key("i")), before.row(POPULARITY, key("i")));
    let alone = outcome(vec![hidden]);
    assert_eq!((events(&alone, "u"), seen_items(&alone, "u")), (1, vec![key("i")]));
    assert!(alone.row(POPULARITY, key("i")).is_none(), "nobody chose it");
    assert_eq!(ratings_part(&alone, ITEMS, "i")[mf::COUNT], 0.0, "a dislike is no rating");
}

#[test]
fn only_choices_teach_the_ranking() {
    let implicit = || (None, Some(r#"{"user":"u","item":"i"}"#.to_owned()));
    let check = |rated_rule, unrated, records: Vec<Record>, known| {
        let positive = positive::Rule { rated: rated_rule, unrated, ..positive::Rule::default() };
        let model = RecommenderModel::new(RecommenderSettings { positive, ..settings() });
        let decode = |record: &Record, batch: &mut Batch<RecommenderEvent>| decode(&model, record, batch);
        let outcome = run(&model, &[records], &Plan::small(1, 1, 1), decode).unwrap();
        assert_eq!(ranking::is_known(ranking_part(&outcome, USERS, "u")), known, "{positive:?}");
    };
    check(positive::Rated::AtOrAboveMean, true, vec![implicit()], true);
    check(positive::Rated::AtOrAboveMean, false, vec![implicit()], false);
    check(positive::Rated::AtOrAboveMean, false, vec![implicit(), rated("u", "a", "1")], true);
    check(positive::Rated::AtLeast(4.0), true, vec![rated("u", "a", "3.9"), rated("u", "a", "null")], false);
    check(positive::Rated::AtLeast(4.0), true, vec![rated("u", "a", "4")], true);
}

#[test]
fn crashes_and_lost_messages_leave_counts_exact_and_tastes_learned() {
    let records = choices(60, true);
    for seed in 0..10 {
        let mut plan = Plan::small(seed, 2, 3);
        plan.faults = Faults { crash_worker: 5, crash_shard: 5, move_source: 5, lose_message: 20 };
        let outcome = learn(records.clone(), &plan);
        for user in 0..10 {
            let user = format!("u{user}");
            assert_eq!(events(&outcome, &user), 120, "seed {seed}");
            // Each rating was counted once by both models: 60 of 5 and 60 of 1.
            assert_eq!(ratings_part(&outcome, USERS, &user)[mf::COUNT], 120.0, "seed {seed}");
            assert_eq!(ranking_part(&outcome, USERS, &user)[..2], [120.0, 360.0], "seed {seed}");
        }
        let (own, other) = (ranked(&outcome, "u0", "i0"), ranked(&outcome, "u0", "i1"));
        assert!(own > other, "seed {seed}: {own} and {other}");
    }
}

#[test]
fn every_kind_of_event_does_what_it_says() {
    let implicit = (None, Some(r#"{"user":"u","item":"seen","ts":1000000000000}"#.to_owned()));
    let records = vec![rated("u", "a", "4"), rated("u", "b", "2"), implicit, rated("u", "a", "null")];
    let outcome = learn(records, &Plan::small(1, 1, 2));
    assert_eq!(events(&outcome, "u"), 4, "a removal is an event too");
    assert_eq!(outcome.row(ACTIVITY, key("u")).map(|row| words::u64_at(row, 1)), Some(NOW_MS as u64));
    let mut seen = seen_items(&outcome, "u");
    seen.sort_unstable();
    let mut expected = [key("b"), key("seen")];
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(ratings_part(&outcome, USERS, "u")[mf::COUNT], 2.0, "only ratings train predictions");
    assert_eq!(ranking_part(&outcome, USERS, "u")[..2], [2.0, 6.0], "and count for the user's mean");
    let old = words::f32s(outcome.row(POPULARITY, key("seen")).unwrap());
    assert_eq!(old[popularity::HOURS], popularity::hours(1_000_000_000_000, NOW_MS), "by the event's time");
}

#[test]
fn weights_multiply_popularity_and_training_and_not_the_count_of_events() {
    use weir_wire::rating::{EventType, Meaning, RatingSources};

    let types = [("buy", Meaning::Rating(5.0), 4.0), ("view", Meaning::Implicit, 0.5), ("login", Meaning::Skip, 1.0)];
    let mapping = RatingMapping::new(&RatingSources {
        types: types.map(|(name, meaning, weight)| (name.to_owned(), EventType { meaning, weight })).into(),
        ..RatingSources::default()
    });
    let model = model().with_mapping(mapping.unwrap());
    let event = |kind, item| (None, Some(format!(r#"{{"user":"u","item":"{item}","event":"{kind}"}}"#)));
    let records = vec![event("buy", "a"), event("view", "a"), event("view", "b"), event("login", "c")];
    let outcome =
        run(&model, &[records], &Plan::small(1, 1, 2), |record, batch| decode(&model, record, batch)).unwrap();
    let popular = |item| outcome.row(POPULARITY, key(item)).map(|row| words::f32s(row)[popularity::SUM]);
    assert_eq!((popular("a"), popular("b"), popular("c")), (Some(4.5), Some(0.5), None));
    assert_eq!(events(&outcome, "u"), 3, "each event is one, and what is passed over is none");
    assert_eq!(words::f32s(outcome.row(USERS, key("u")).unwrap())[mf::COUNT], 4.0);
}

#[test]
fn items_without_a_rating_are_known_by_name() {
    let outcome = learn(vec![(None, Some(r#"{"user":"u","item":"häns"}"#.to_owned()))], &Plan::small(1, 1, 2));
    let table = outcome.shards.iter().find_map(|rows| rows.table(ITEMS).filter(|table| table.len() == 1)).unwrap();
    assert_eq!(table.iter().next().unwrap().1, Some("häns"));
}

#[test]
fn a_forgotten_user_leaves_no_row_and_may_begin_anew() {
    let mut records: Vec<Record> = (0..40).map(|item| rated("u", &format!("i{item}"), "3")).collect();
    records.push((Some("u"), None));
    let gone = learn(records.clone(), &Plan::small(1, 1, 2));
    for table in [USERS, ACTIVITY, SEEN_HEADS, SEEN, EVENT_IDS, LAST_ITEMS] {
        let left = gone.shards.iter().filter_map(|rows| rows.table(table)).map(weir_ps::RowTable::len).sum::<usize>();
        assert_eq!(left, 0, "table {table}");
    }
    records.push(rated("u", "i1", "5"));
    for seed in 0..20 {
        let mut plan = Plan::small(seed, 2, 2);
        plan.faults = Faults { crash_worker: 5, crash_shard: 5, move_source: 5, lose_message: 20 };
        let outcome = learn(records.clone(), &plan);
        assert_eq!((events(&outcome, "u"), seen_items(&outcome, "u")), (1, vec![key("i1")]), "seed {seed}");
        assert_eq!(ratings_part(&outcome, USERS, "u")[mf::COUNT], 1.0);
        assert_eq!(ranking_part(&outcome, USERS, "u")[..2], [1.0, 5.0]);
    }
}

/// The second one teaches nothing, is not counted as seen again and is not popular; an event without an id is always new.
#[test]
fn an_event_that_is_sent_twice_with_its_id_is_learned_once() {
    let event = |id: &str, item: &str| (None, Some(format!(r#"{{"user":"u","item":"{item}","rating":4{id}}}"#)));
    let once = vec![event(r#","id":"e1""#, "a"), event(r#","id":2"#, "b"), event("", "a"), event("", "a")];
    let mut twice = once.clone();
    twice.insert(1, once[0].clone());
    twice.push(once[1].clone());
    let [once, twice] = [once, twice].map(|records| learn(records, &Plan::small(1, 1, 2)));
    assert_eq!((events(&once, "u"), events(&twice, "u")), (4, 4));
    // Not the parts that rank: what they are shown as not chosen is drawn anew for each batch. Where a batch ends, sums are
    // rounded.
    for (table, id) in [(USERS, "u"), (ITEMS, "a"), (ITEMS, "b")] {
        let both = ratings_part(&once, table, id).iter().zip(ratings_part(&twice, table, id));
        both.for_each(|(once, twice)| assert!((once - twice).abs() < 0.005, "{once} and {twice} in table {table}"));
    }
    for (table, id) in [(POPULARITY, "a"), (POPULARITY, "b"), (SEEN_HEADS, "u")] {
        assert_eq!(once.row(table, key(id)), twice.row(table, key(id)), "table {table}");
    }
}

#[test]
fn times_from_the_future_do_not_outlive_the_present() {
    let future = (None, Some(r#"{"user":"u","item":"i","rating":1,"ts":4000000000000}"#.to_owned()));
    let outcome = learn(vec![future], &Plan::small(1, 1, 1));
    assert_eq!(outcome.row(ACTIVITY, key("u")).map(|row| words::u64_at(row, 1)), Some(NOW_MS as u64));
}

/// Many batches at a time read the row of an item that everybody rates alike and better than the rest. Their plain sum would
/// throw its bias far beyond any rating.
#[test]
fn an_item_that_all_batches_rate_at_once_is_not_thrown_off() {
    let event = |source: usize, number: usize| match number % 2 {
        0 => rated(&format!("u{source}-{number}"), "hit", "5"),
        _ => rated(&format!("u{source}-{number}"), &format!("i{}", number % 40), "3"),
    };
    let input: Vec<Vec<Record>> = (0..4).map(|source| (0..600).map(|number| event(source, number)).collect()).collect();
    let mut plan = Plan::small(3, 2, 2);
    (plan.batch.events, plan.worker.frame_bytes) = (100, 1 << 20);
    let outcome = run(&model(), &input, &plan, |record, batch| decode(&model(), record, batch)).unwrap();
    let predicted = predicted(&outcome, "nobody", "hit");
    assert!((4.5..5.5).contains(&predicted), "{predicted}");
    let marks = &words::f32s(outcome.row(ITEMS, key("hit")).unwrap())[parts().item_width() - 2..];
    assert_eq!(marks, [0.0, 0.0], "marks are for pushes only");
    assert_eq!(ratings_part(&outcome, ITEMS, "hit")[mf::COUNT], 1_200.0, "counts are added whole");
}

#[test]
fn predicted_ratings_name_the_generation_of_their_worker() {
    let check = |predictions: Predictions, expected: &str| {
        let model = model().with_predictions(Some(predictions));
        let records = vec![rated("u", "i", "4")];
        let outcome =
            run(&model, &[records], &Plan::small(1, 1, 1), |record, batch| decode(&model, record, batch)).unwrap();
        let predicted = weir_wire::predicted::parse(outcome.outputs[0].value.as_deref().unwrap()).unwrap();
        assert_eq!((outcome.outputs.len(), &*predicted.model.generation), (1, expected));
    };
    let predictions = Predictions::new("ratings", 1.0, 7);
    check(predictions.clone(), "g1");
    check(predictions.in_generation("g12".parse().unwrap()), "g12");
}
