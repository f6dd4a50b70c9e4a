mod tables;

use proptest::prelude::*;
use weir_learn::item_events::ItemEvent;
use weir_learn::seen::{Chunk, Chunks, Ring, chunk_key};
use weir_learn::{GlobalMean, calibration, mf, popularity, ranking, text};
use weir_models::recommender::{ACTIVITY, ITEMS, MEAN, MEAN_KEY, POPULARITY, SEEN, SEEN_HEADS, USERS};
use weir_models::spam::{self, Content, WEIGHTS, weight_key};
use weir_models::{Named, describe};
use weir_ps::counting;
use weir_runtime::Settings;

use std::sync::LazyLock;

use super::*;
use crate::catalogue::{Catalogue, Moment};
use crate::served::ServedModel;

/// Factors per part of a row in these tests.
pub(crate) const FACTORS: usize = 2;
/// Values of a row's first part, that for ratings.
const RATINGS: usize = mf::FACTORS + FACTORS;
/// A day in 2026 in milliseconds since 1970.
pub(crate) const NOW_MS: i64 = 1_790_000_000_000;

/// Now, with a catalogue of nothing.
pub(crate) fn moment() -> Moment<'static> {
    static NOTHING: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(0));
    Moment { now_ms: NOW_MS, catalogue: &NOTHING }
}

/// Settings of small rows and few seen items.
pub(crate) fn settings() -> Settings {
    let models = vec!["recommender".into(), "counting".into(), "spam".into()];
    let mut settings = Settings { models, ..Settings::default() };
    settings.recommender.factors = FACTORS as u16;
    settings.recommender.ranking.factors = FACTORS as u16;
    settings.recommender.seen_items = 32;
    settings.recommender.half_lives_hours = [24.0; 3];
    // Scores that can be worked out by hand: the ranking alone.
    let blend = &mut settings.recommender.blend;
    (blend.ranking, blend.transitions, blend.company, blend.popularity) = (1.0, 0.0, 0.0, [0.0; 3]);
    settings
}

mod blend;

/// A view filled by hand, row by row.
pub(crate) struct Filled {
    pub(crate) model: ServedModel,
    pub(crate) view: View,
}

impl Filled {
    pub(crate) fn new(model: &str) -> Self {
        Self::with(model, &settings())
    }

    pub(crate) fn with(model: &str, settings: &Settings) -> Self {
        let named = Named::parse(model).expect("a model of this build");
        let description = describe(named, settings).expect("settings");
        let model = ServedModel::new(description, settings).expect("a model");
        let view = model.empty_view(2);
        Self { model, view }
    }

    /// A user or item whose part for ratings is `[count, bias, 0, factors]`.
    pub(crate) fn factors(&mut self, table: u8, id: &str, count: f32, bias: f32, factors: [f32; FACTORS]) -> &mut Self {
        self.set(table, id, 0, &[&[count, bias, 0.0][..], &factors].concat())
    }

    /// A user whose part for the ranking is `[0, 0, 1, factors]`: something was learned of what they choose.
    pub(crate) fn chooses(&mut self, user: &str, factors: [f32; FACTORS]) -> &mut Self {
        self.set(USERS, user, RATINGS, &[&[0.0, 0.0, 1.0][..], &factors].concat())
    }

    /// An item whose part for the ranking is `[bias, 0, factors]`.
    pub(crate) fn ranked(&mut self, item: &str, bias: f32, factors: [f32; FACTORS]) -> &mut Self {
        self.set(ITEMS, item, RATINGS, &[&[bias, 0.0][..], &factors].concat())
    }

    /// Sets values of a row from `place` on; the others stay, at first at 0.
    fn set(&mut self, table: u8, id: &str, place: usize, values: &[f32]) -> &mut Self {
        let key = self.model.key(id);
        let width = self.model.schema().tables()[usize::from(table)].width;
        let mut row = self.view.row(table, key).map_or_else(|| vec![0; width], <[u32]>::to_vec);
        words::f32s_mut(&mut row)[place..][..values.len()].copy_from_slice(values);
        self.view.put(table, key, Some(id), &row);
        self
    }

    pub(crate) fn mean(&mut self, mean: f32) -> &mut Self {
        self.view.put(MEAN, MEAN_KEY, None, &GlobalMean::of(mean).to_words());
        self
    }

    pub(crate) fn activity(&mut self, user: &str, events: u32, last_event: u64) -> &mut Self {
        let [low, high] = words::from_u64(last_event);
        self.view.put(ACTIVITY, self.model.key(user), None, &[events, 0, low, high]);
        self
    }

    pub(crate) fn popular(&mut self, item: &str, hours_ago: f32, sum: f32) -> &mut Self {
        let hours = popularity::hours(NOW_MS, NOW_MS) - hours_ago;
        let time_ms = (NOW_MS - (hours_ago * 3_600_000.0) as i64) as u64;
        let events = ItemEvent { hours, weight: sum, paired: 0.0, time_ms };
        self.view.put(POPULARITY, self.model.key(item), None, &events.to_words());
        self
    }

    pub(crate) fn seen(&mut self, user: &str, items: &[&str]) -> &mut Self {
        let user = self.model.key(user);
        let mut chunks = Vec::<Chunk>::new();
        let mut head = [0; 2];
        for item in items {
            self.model.taste().ring.append(&mut head, &mut Ringed(&mut chunks), self.model.key(item));
        }
        for (number, chunk) in chunks.iter().enumerate() {
            self.view.put(SEEN, chunk_key(user, number as u32), None, chunk);
        }
        self.view.put(SEEN_HEADS, user, None, &[head[0], head[1], 0]);
        self
    }

    /// All shards' barriers at these offsets.
    pub(crate) fn barriers(&mut self, offsets: &[u64]) -> &mut Self {
        let sources = offsets.iter().enumerate().map(|(partition, next)| (partition as u32, *next)).collect::<Vec<_>>();
        let barrier = |shard| Change::Barrier { shard, sources: sources.clone() };
        let list = (0..self.model.shards()).map(barrier).collect();
        self.apply(list);
        self
    }

    fn apply(&mut self, list: Vec<Change>) -> bool {
        let mut changes = Changes::default();
        changes.list = list;
        self.view.apply(&changes).moved
    }

    fn recommend(&self, user: &str, k: usize) -> (Source, Vec<(String, f32)>) {
        self.choose(user, &Choice { k, ..Choice::default() })
    }

    fn choose(&self, user: &str, choice: &Choice) -> (Source, Vec<(String, f32)>) {
        let (source, scored) = self.view.recommend(self.model.taste(), self.model.key(user), choice, moment());
        (source, self.view.named(&scored).into_iter().map(|item| (item.item, item.score)).collect())
    }
}

struct Ringed<'a>(&'a mut Vec<Chunk>);

impl Chunks for Ringed<'_> {
    fn chunk(&self, number: u32) -> Option<&Chunk> {
        self.0.get(number as usize)
    }

    fn chunk_mut(&mut self, number: u32) -> &mut Chunk {
        if self.0.len() <= number as usize {
            self.0.resize(number as usize + 1, [0; weir_learn::seen::CHUNK_WIDTH]);
        }
        &mut self.0[number as usize]
    }
}

/// A spam filter to which only the text `free prize` is spam, by these weights of its features.
pub(crate) fn filter(weight: f32) -> Filled {
    let mut filled = Filled::new("spam");
    for &slot in text::Extractor::new(filled.model.text().0).extract("free prize").slots {
        filled.view.put(WEIGHTS, weight_key(slot), None, &[weight.to_bits()]);
    }
    filled.view.put(spam::CALIBRATION, spam::CALIBRATION_KEY, None, &[0, 2.0_f32.to_bits(), 0]);
    filled.view.put(spam::COUNTS, spam::counts_key(0), None, &[7, 0, 7, 0, 1, 0, 0, 0, 0, 0]);
    filled.view.put(spam::CLASSES, spam::CLASSES_KEY, None, &[60, 0, 3, 0]);
    // Known, taught, ham, all of its five features.
    filled.view.put(spam::REMEMBERED, filled.model.key("m 1"), None, &[0x8023_0005, 0, 1, 9]);
    filled.view.put(spam::FEATURES, 1, None, &vec![1; filled.model.schema().tables()[3].width]);
    filled.barriers(&[7]);
    filled
}

#[test]
fn texts_are_scored_by_their_weights() {
    let filter = filter(0.5);
    assert_eq!((filter.view.events(), filter.view.row(spam::FEATURES, 1)), (7, None), "what workers need is not kept");
    let scores = filter.view.score(
        (filter.model.text().0, &filter.model.text().1),
        ["free prize", "Free  PRIZE", "dinner"].into_iter().map(|text| (Content::new(text, None), 0)),
    );
    // n features of equal weight w, each of the value 1/√n.
    let features = text::Extractor::new(filter.model.text().0).extract("free prize").slots.len() as f32;
    assert!((scores[0].margin - 0.5 * features.sqrt()).abs() < 1e-5, "{scores:?}");
    // Three labels of ham allow no more than 4/5.
    let expected = calibration::probability(&[0.0, 2.0, 0.0], scores[0].margin).min(0.8);
    assert_eq!((scores[0].label, scores[0].probability), (weir_wire::message::Label::SPAM, expected));
    assert!(scores[1].margin < scores[0].margin && scores[1].margin > 1.0, "two spaces are other features: {scores:?}");
    assert!(scores[2].margin > 0.0 && scores[2].margin < 0.5, "only what every text has: {scores:?}");
    let nothing = Filled::new("spam");
    let unlearned = nothing.view.score(
        (nothing.model.text().0, &nothing.model.text().1),
        ["free prize"].into_iter().map(|text| (Content::new(text, None), 0)),
    );
    assert_eq!((unlearned[0].margin, unlearned[0].probability), (0.0, 0.5));
}

/// Three items, a user who rated and chose, one who did neither, and what is popular.
pub(crate) fn recommender() -> Filled {
    let mut filled = Filled::new("recommender");
    filled.mean(3.5).factors(ITEMS, "a", 1.0, 0.5, [1.0, 0.0]).factors(ITEMS, "b", 1.0, 0.25, [0.0, 1.0]);
    filled.factors(ITEMS, "c", 0.0, 0.0, [0.0, 0.0]).factors(USERS, "rater", 2.0, 0.125, [0.5, 2.0]);
    filled.factors(USERS, "looker", 0.0, 0.0, [0.0, 0.0]).chooses("rater", [0.5, 0.25]);
    filled.ranked("a", 0.5, [0.5, 0.0]).ranked("b", 0.125, [0.0, 0.5]).ranked("c", 0.125, [0.5, 0.5]);
    filled.popular("a", 24.0, 4.0).popular("b", 0.0, 1.0).popular("c", 0.0, 3.0).popular("without-a-name", 0.0, 99.0);
    filled.activity("rater", 2, 1_700_000_000_000).activity("looker", 5, 1_600_000_000_000);
    filled.barriers(&[7, 3]);
    filled
}

#[test]
fn a_user_who_has_chosen_gets_what_ranks_highest() {
    let mut filled = recommender();
    // bias + p·q, by hand; by predicted rating b would come first.
    let expected = [("a", 0.75), ("c", 0.5), ("b", 0.25)].map(|(item, score)| (item.to_owned(), score));
    assert_eq!(filled.recommend("rater", 10), (Source::Blended, expected.to_vec()));
    assert_eq!(filled.recommend("rater", 1).1, expected[..1]);
    filled.seen("rater", &["a"]);
    assert_eq!(filled.recommend("rater", 10).1, expected[1..]);
}

#[test]
fn a_user_who_rated_and_chose_nothing_gets_what_is_popular() {
    let mut filled = recommender();
    filled.factors(USERS, "critic", 3.0, -2.0, [0.5, 2.0]);
    assert_eq!(filled.recommend("critic", 1), (Source::Popular, vec![("c".to_owned(), 3.0)]));
}

#[test]
fn a_user_without_choices_gets_what_is_popular() {
    let mut filled = recommender();
    // One half-life has passed since a's sum was 4.
    let expected = [("c", 3.0), ("a", 2.0), ("b", 1.0)].map(|(item, score)| (item.to_owned(), score));
    assert_eq!(filled.recommend("nobody", 10), (Source::Popular, expected.to_vec()));
    assert_eq!(filled.recommend("looker", 2), (Source::Popular, expected[..2].to_vec()));
    filled.seen("looker", &["c", "b"]);
    assert_eq!(filled.recommend("looker", 10), (Source::Popular, expected[1..2].to_vec()));
}

#[test]
fn seen_items_reach_over_all_chunks() {
    let mut filled = Filled::new("recommender");
    let ids: Vec<String> = (0..30).map(|number| format!("i{number}")).collect();
    for id in &ids {
        filled.ranked(id, 0.0, [0.0, 0.0]);
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    filled.chooses("u", [0.0, 0.0]).seen("u", &all[..29]);
    assert_eq!(filled.recommend("u", 10).1, [("i29".to_owned(), 0.0)]);
}

#[test]
fn whoever_is_unknown_is_predicted_with_the_row_that_everyone_begins_with() {
    let filled = recommender();
    let schema = filled.model.schema();
    let parts = filled.model.taste().parts;
    let begin = |table: u8, key| {
        let mut row = vec![0; schema.tables()[usize::from(table)].width];
        schema.initial(table, key, &mut row);
        parts.ratings(&row).to_vec()
    };
    let (user, item) = (filled.model.key("nobody"), filled.model.key("nothing"));
    let expected = mf::predict(3.5, &begin(USERS, user), &begin(ITEMS, item));
    let found = filled.view.predict(parts, &[(user, item), (filled.model.key("rater"), filled.model.key("a"))]);
    assert_eq!(found, [expected, 4.625]);
    assert!((expected - 3.5).abs() < 0.5, "{expected}");
}

#[test]
fn activity_and_totals_follow_puts_and_removals() {
    let mut filled = recommender();
    let rater = filled.model.key("rater");
    let expected = Activity { events: 2, last_event: 1_700_000_000_000 };
    assert_eq!((filled.view.activity(rater), filled.view.events()), (Some(expected), 7));
    filled.activity("rater", 9, 1);
    assert_eq!(filled.view.events(), 14);
    let (rows, remove) = (filled.view.len(), Change::Remove { table: ACTIVITY, key: rater });
    for _ in 0..2 {
        let list = vec![remove.clone()];
        assert!(!filled.apply(list), "rows move no offset");
    }
    assert_eq!((filled.view.activity(rater), filled.view.events(), filled.view.len()), (None, 5, rows - 1));
    assert_eq!(*filled.view.offsets(), [7, 3]);
}

#[test]
fn the_counting_model_counts_its_users() {
    let mut filled = Filled::new("counting");
    for (id, count) in [("u", 3), ("v", 4), ("u", 5)] {
        filled.view.put(counting::USERS, filled.model.key(id), Some(id), &words::from_u64(count));
    }
    filled.view.put(counting::ITEMS, 1, None, &words::from_u64(100));
    assert_eq!((filled.view.events(), filled.view.len()), (9, 3));
}

#[test]
fn items_that_go_are_in_no_list() {
    let mut filled = recommender();
    let key = filled.model.key("a");
    filled.apply(vec![Change::Remove { table: ITEMS, key }]);
    for user in ["rater", "nobody"] {
        assert_eq!(filled.recommend(user, 10).1.iter().map(|(item, _)| item.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    }
    filled.apply(vec![Change::Remove { table: POPULARITY, key: filled.model.key("c") }]);
    assert_eq!(filled.recommend("nobody", 10).1, [("b".to_owned(), 1.0)]);
    assert_eq!(filled.recommend("rater", 1).1, [("c".to_owned(), 0.5)], "it has a row still");
}

#[test]
fn an_item_is_listed_once_its_id_is_known() {
    let mut filled = recommender();
    let key = filled.model.key("late");
    let row = filled.view.row(ITEMS, filled.model.key("a")).expect("a row").to_vec();
    filled.view.put(ITEMS, key, None, &row);
    assert_eq!(filled.recommend("rater", 10).1.len(), 3);
    filled.view.put(ITEMS, key, Some("late"), &row);
    assert_eq!(filled.recommend("rater", 10).1.len(), 4);
}

proptest! {
    #[test]
    fn recommendations_are_those_of_a_full_sort(
        items in prop::collection::vec((-2.0_f32..2.0, -2_i8..3, 0.0_f32..50.0, 0_u8..5), 0..60),
        factors in (-2_i8..3, -2_i8..3),
        seen in prop::collection::vec(0_usize..60, 0..40),
        (k, offset) in (1_usize..70, prop_oneof![Just(0), 1_usize..20]),
        (chosen, with_seen) in (any::<bool>(), any::<bool>()),
        excluded in prop::collection::vec(0_usize..70, 0..20),
        only in prop::option::of(prop::collection::vec(0_usize..70, 0..40)),
    ) {
        let mut filled = Filled::new("recommender");
        let factors = [f32::from(factors.0), f32::from(factors.1)];
        filled.factors(USERS, "u", 1.0, 0.5, factors);
        if chosen {
            filled.chooses("u", factors);
        }
        let ids: Vec<String> = (0..items.len()).map(|number| format!("i{number}")).collect();
        for (id, (bias, factor, hours_ago, sum)) in ids.iter().zip(&items) {
            // What was there before counts no more.
            filled.ranked(id, 9.0, [9.0, 9.0]).popular(id, 0.0, 99.0);
            // Few different values, so that ties are common.
            filled.ranked(id, bias.round(), [f32::from(*factor), 1.0]);
            filled.popular(id, hours_ago.round(), f32::from(*sum));
        }
        let seen: Vec<&str> = seen.iter().filter_map(|index| ids.get(*index)).map(String::as_str).collect();
        filled.seen("u", &seen);
        let remembered = &seen_by_ring(filled.model.taste().ring, &seen);

        let score = |(id, (bias, factor, hours_ago, sum)): (&String, &(f32, i8, f32, u8))| {
            let row = [bias.round(), 0.0, f32::from(*factor), 1.0];
            let personal = ranking::score(&[0.0, 0.0, 1.0, factors[0], factors[1]], &row);
            let hours = popularity::hours(NOW_MS, NOW_MS);
            let popularity_row = [hours - hours_ago.round(), f32::from(*sum)];
            let order = popularity::order(popularity_row, 24.0);
            let popular = popularity::at(popularity_row, hours, 24.0);
            (id.clone(), if chosen { (f64::from(personal), personal) } else { (order, popular) })
        };
        let mut expected: Vec<_> = ids.iter().zip(&items).map(score).collect();
        let among = |places: &[usize], id: &str| places.iter().any(|place| ids.get(*place).is_some_and(|other| other == id));
        expected.retain(|(id, (order, _))| {
            let unseen = with_seen || !remembered.contains(&id.as_str());
            let wanted = !among(&excluded, id) && only.as_ref().is_none_or(|only| among(only, id));
            *order > f64::NEG_INFINITY && unseen && wanted
        });
        let key = |id: &str| filled.model.key(id);
        expected.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(key(&a.0).cmp(&key(&b.0))));
        let expected: Vec<_> = expected.into_iter().map(|(id, (_, score))| (id, score)).skip(offset).take(k).collect();
        // Ids of which nothing is known may be named too.
        let keys = |places: &[usize]| places.iter().map(|place| key(&format!("i{place}"))).collect::<Keys>();
        let choice = Choice { k, offset, with_seen, exclude: keys(&excluded), only: only.as_deref().map(keys), ..Choice::default() };
        let (source, found) = filled.choose("u", &choice);
        prop_assert_eq!(source == Source::Blended, chosen && !items.is_empty());
        prop_assert_eq!(found, expected);
    }
}

/// What a ring still knows after these appends.
fn seen_by_ring<'a>(ring: Ring, items: &[&'a str]) -> Vec<&'a str> {
    let mut known: Vec<&str> = Vec::new();
    for item in items {
        if !known.contains(item) {
            known.push(item);
        }
        if known.len() as u64 > ring.capacity() {
            known.remove(0);
        }
    }
    known
}
