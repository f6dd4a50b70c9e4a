//! Lists in the order of the blend, beside a full sort by the formula's own words.

use std::collections::BTreeMap;

use weir_learn::blend as formula;
use weir_learn::neighbours::{self, Neighbour};
use weir_learn::{history, item_events};
use weir_models::recommender::{BLEND, BLEND_KEY, LAST_ITEMS, LastItems, NEIGHBOURS};

use super::*;

/// All parts on, and few slots, so that many pairs share a chunk.
fn blended() -> Filled {
    let mut settings = settings();
    settings.recommender.blend = weir_runtime::BlendSettings::default();
    settings.recommender.neighbours.slots = 32;
    settings.recommender.half_lives_hours = [24.0, 96.0, 720.0];
    Filled::with("recommender", &settings)
}

/// Rows of what goes together, as shards have them.
#[derive(Default)]
struct Pairs(BTreeMap<u64, Vec<u32>>);

impl Pairs {
    fn count(&mut self, item: u64, other: u64, weight: f32) {
        let key = neighbours::chunk_key(item, neighbours::chunk_of(other, 2));
        let words = self.0.entry(key).or_insert_with(|| vec![0; neighbours::CHUNK_WIDTH]);
        neighbours::count_in_chunk(words, item, Neighbour { item: other, weight });
    }

    fn chunks(&self) -> impl Iterator<Item = (u64, &[u32])> {
        self.0.values().filter_map(|words| neighbours::chunk(words))
    }

    fn total(&self, item: u64) -> f32 {
        self.chunks().filter(|(of, _)| *of == item).map(|(_, row)| neighbours::total(row)).sum()
    }

    fn affinity(&self, item: u64, other: u64) -> f32 {
        let found = self.chunks().filter(|(of, _)| *of == item).flat_map(|(_, row)| neighbours::neighbours(row));
        let weight = found.filter(|neighbour| neighbour.item == other).map(|neighbour| neighbour.weight).sum();
        neighbours::affinity(weight, self.total(item), self.total(other), 20.0)
    }
}

impl Filled {
    fn pairs(&mut self, pairs: &Pairs) -> &mut Self {
        pairs.0.iter().for_each(|(key, words)| self.view.put(NEIGHBOURS, *key, None, words));
        self
    }

    fn last(&mut self, user: &str, hours_ago: f32, items: &[u64]) -> &mut Self {
        let mut row = vec![0; LastItems::width(4)];
        row[0] = (popularity::hours(NOW_MS, NOW_MS) - hours_ago).to_bits();
        items.iter().rev().for_each(|item| history::push(&mut row[1..], *item));
        self.view.put(LAST_ITEMS, self.model.key(user), None, &row);
        self
    }

    fn weights(&mut self, weights: formula::Parts) -> &mut Self {
        let mut row = [0; formula::WIDTH];
        words::f32s_mut(&mut row)[..formula::PARTS].copy_from_slice(&weights);
        self.view.put(BLEND, BLEND_KEY, None, &row);
        self
    }
}

#[test]
fn a_list_shows_what_it_is_made_of() {
    let mut filled = blended();
    filled.ranked("a", 0.5, [1.0, 0.0]).ranked("b", 0.0, [0.0, 0.0]).ranked("had", 0.0, [0.0, 0.0]);
    filled.popular("a", 0.0, 10.0).popular("b", 0.0, 30.0).chooses("u", [2.0, 0.0]).seen("u", &["had"]);
    filled.popular("had", 0.0, 0.5).apply(vec![]);
    let [a, b, had] = ["a", "b", "had"].map(|id| filled.model.key(id));
    let mut pairs = Pairs::default();
    pairs.count(had, b, 6.0);
    pairs.count(b, had, 6.0);
    filled.pairs(&pairs).last("u", 24.0, &[had]).weights([0.5, 2.0, 3.0, 1.0, 0.0, 0.0]);
    let choice = Choice { k: 5, ..Choice::default() };
    let (user, taste) = (filled.model.key("u"), filled.model.taste());
    let (source, scored) = filled.view.recommend(taste, user, &choice, moment());
    let found = filled.view.named_and_explained(&taste, user, &scored);
    assert_eq!((source, scored.iter().map(|item| item.key).collect::<Vec<_>>()), (Source::Blended, vec![b, a]));
    let affinity = 6.0 / 26.0;
    let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
    let said = (1.0_f32 + affinity / 0.02).ln();
    let parts = found[0].parts.expect("parts");
    // A day is half a life of what came last.
    // Down to a step of time.
    assert!((parts.transitions / said - 1.0).abs() < 0.02, "{parts:?}");
    close(parts.company, 3.0 * said);
    close(parts.popularity, 4.0_f32.ln());
    close(parts.ranking, 0.0);
    close(found[0].score, parts.transitions + parts.company + parts.popularity);
    let because = found[0].because.as_ref().expect("reasons");
    assert_eq!((because.len(), because[0].item.as_str()), (1, "had"));
    close(because[0].affinity, affinity);
    let parts = found[1].parts.expect("parts");
    close(parts.ranking, 0.5 * 2.5);
    assert_eq!((parts.transitions, parts.company, found[1].because.as_deref()), (0.0, 0.0, Some(&[][..])));
    // What is popular has no parts, and five events are not few.
    let nobody = filled.model.key("nobody");
    assert_eq!(filled.view.named_and_explained(&taste, nobody, &scored)[0].parts, None);
    filled.activity("u", 5, 1);
    assert_eq!(filled.view.recommend(taste, user, &choice, moment()).0, Source::Personal);
}

#[test]
fn a_visitor_is_answered_by_the_blend() {
    let mut filled = blended();
    filled.ranked("a", 0.5, [0.0, 0.0]).ranked("b", 0.0, [0.0, 0.0]).ranked("had", 0.0, [0.0, 0.0]);
    let [a, b, had] = ["a", "b", "had"].map(|id| filled.model.key(id));
    let mut pairs = Pairs::default();
    pairs.count(had, b, 6.0);
    pairs.count(b, had, 6.0);
    filled.pairs(&pairs).weights([1.0, 2.0, 3.0, 0.0, 0.0, 0.0]).apply(vec![]);
    let (taste, choice) = (filled.model.taste(), Choice { k: 5, ..Choice::default() });
    // The last of it was just now, so what comes next counts in full; what is named twice counts once.
    let (source, scored) = filled.view.recommend_to_visitor(taste, &[had, 77, had], &choice, moment());
    let said = (1.0_f32 + 6.0 / 26.0 / 0.02).ln();
    assert_eq!((source, scored.iter().map(|item| item.key).collect::<Vec<_>>()), (Source::Personal, vec![b, a]));
    assert!((scored[0].score - 5.0 * said).abs() < 1e-4 && (scored[1].score - 0.5).abs() < 1e-6, "{scored:?}");
    // What goes together was let go: nothing is said any more.
    let chunks = (0..taste.neighbours.chunks()).map(|number| weir_learn::neighbours::chunk_key(had, number));
    filled.apply(chunks.map(|key| Change::Remove { table: NEIGHBOURS, key }).collect());
    let (_, scored) = filled.view.recommend_to_visitor(taste, &[had], &choice, moment());
    let scores: Vec<(u64, f32)> = scored.iter().map(|scored| (scored.key, scored.score)).collect();
    assert_eq!(scores, [(a, 0.5), (b, 0.0)]);
}

#[test]
fn popularity_grows_old_with_the_events_of_others() {
    let mut filled = blended();
    filled.ranked("a", 0.0, [0.0, 0.0]).popular("a", 0.0, 30.0).chooses("u", [0.0, 0.0]);
    filled.weights([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]).apply(vec![]);
    let score = |filled: &Filled| filled.recommend("u", 1).1[0].1;
    assert!((score(&filled) - 4.0_f32.ln()).abs() < 1e-5);
    filled.popular("b", -24.0, 1.0).apply(vec![]);
    // Down to a step of time, which is a hundredth of what is left.
    assert!((score(&filled) - 2.5_f32.ln()).abs() < 2e-2, "{}", score(&filled));
    filled.popular("a", -24.1, 30.0);
    assert!((score(&filled) - 4.0_f32.ln()).abs() < 1e-5, "what came later is as of its own time");
}

#[test]
fn a_part_that_is_turned_off_counts_for_nothing_whatever_was_learned() {
    let mut settings = settings();
    settings.recommender.blend.popularity = [0.0, 0.0, 1.0];
    let mut filled = Filled::with("recommender", &settings);
    filled.ranked("a", 0.5, [0.0, 0.0]).popular("a", 0.0, 30.0).chooses("u", [0.0, 0.0]);
    filled.weights([2.0, 9.0, 9.0, 9.0, 9.0, 0.25]);
    assert!((filled.recommend("u", 1).1[0].1 - (1.0 + 0.25 * 4.0_f32.ln())).abs() < 1e-5);
}

proptest! {
    #[test]
    fn blended_lists_are_those_of_a_full_sort(
        items in prop::collection::vec((-1_i8..2, -2_i8..3, 0.0_f32..50.0, 0_u8..40), 1..50),
        pairs in prop::collection::vec((0_usize..50, 0_usize..50, 1_u8..6), 0..250),
        changed in prop::collection::vec((0_usize..50, -1_i8..2, 0_u8..40), 0..20),
        seen in prop::collection::vec(0_usize..50, 1..30),
        weights in prop::array::uniform6(prop_oneof![Just(0.0_f32), 0.0_f32..3.0]),
        (k, offset, with_seen, chosen) in (1_usize..60, 0_usize..10, any::<bool>(), any::<bool>()),
    ) {
        let mut filled = blended();
        let key = |filled: &Filled, place: usize| filled.model.key(&format!("i{place}"));
        for (place, (bias, factor, hours_ago, sum)) in items.iter().enumerate() {
            let id = format!("i{place}");
            filled.ranked(&id, f32::from(*bias), [f32::from(*factor), 1.0]).popular(&id, *hours_ago, f32::from(*sum));
        }
        if chosen {
            filled.chooses("u", [1.0, -0.5]);
        }
        let mut counted = Pairs::default();
        for (one, other, weight) in pairs.iter().filter(|(one, other, _)| one != other) {
            let (one, other) = (key(&filled, *one), key(&filled, *other));
            counted.count(one, other, f32::from(*weight));
            counted.count(other, one, f32::from(*weight));
            // As they come, so that chunks change while they are there.
            if weight % 2 == 0 {
                filled.pairs(&counted);
            }
        }
        filled.pairs(&counted);
        let ids: Vec<String> = seen.iter().map(|place| format!("i{place}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        filled.seen("u", &ids).weights(weights);
        let last: Vec<u64> = seen.iter().rev().take(2).map(|place| key(&filled, *place)).collect();
        filled.last("u", 6.0, &last);
        filled.apply(vec![]);
        for (place, bias, sum) in changed.iter().filter(|(place, ..)| *place < items.len()) {
            let id = format!("i{place}");
            filled.ranked(&id, f32::from(*bias), [0.5, 1.0]).popular(&id, 0.0, f32::from(*sum));
        }

        filled.apply(vec![]);
        let taste = filled.model.taste();
        // The time of the last event of all, down to a 64th of the shortest half-life.
        let last_hours = (0..items.len()).filter_map(|place| filled.view.row(POPULARITY, key(&filled, place)));
        let last_hours = last_hours.map(|row| item_events::popular(row, 0)[popularity::HOURS]).fold(f32::MIN, f32::max);
        let hours = (last_hours / 0.375).floor() * 0.375;
        let remembered: Vec<u64> = seen_by_ring(taste.ring, &ids).iter().map(|id| filled.model.key(id)).collect();
        let mut last_distinct: Vec<u64> = Vec::new();
        for item in last {
            if !last_distinct.contains(&item) {
                last_distinct.push(item);
            }
        }
        let fresh = formula::fresh(&taste.blend, hours - (popularity::hours(NOW_MS, NOW_MS) - 6.0));
        let score = |place: usize| {
            let item = key(&filled, place);
            let row = filled.view.row(ITEMS, item).expect("a row");
            let ranking_row = taste.parts.item_ranking(row);
            let user = if chosen { [0.0, 0.0, 1.0, 1.0, -0.5] } else { [0.0; 5] };
            let sum = |items: &[u64]| items.iter().map(|own| counted.affinity(*own, item)).sum::<f32>();
            let mut parts = [0.0; formula::PARTS];
            parts[formula::FACTORS] = ranking::score(&user, ranking_row);
            parts[formula::TRANSITIONS] = fresh * formula::of_affinity(sum(&last_distinct));
            parts[formula::COMPANY] = formula::of_affinity(sum(&remembered));
            let popular = filled.view.row(POPULARITY, item).expect("a row");
            let at = hours.max(item_events::popular(popular, 0)[popularity::HOURS]);
            parts[formula::POPULARITY..].copy_from_slice(&item_events::parts(popular, at, &taste.half_lives_hours));
            formula::score(&weights, &parts)
        };
        let mut expected: Vec<(u64, f32)> = (0..items.len()).map(|place| (key(&filled, place), score(place))).collect();
        expected.retain(|(item, _)| with_seen || !remembered.contains(item));
        let by_key: BTreeMap<u64, f32> = expected.iter().copied().collect();
        expected.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));

        let choice = Choice { k, offset, with_seen, ..Choice::default() };
        let (_, found) = filled.view.recommend(taste, filled.model.key("u"), &choice, moment());
        prop_assert_eq!(found.len(), expected.len().saturating_sub(offset).min(k));
        for (place, scored) in found.iter().enumerate() {
            // Sums in another order are rounded otherwise: what stands at a place is as good as what a full sort has there.
            let own = by_key[&scored.key];
            prop_assert!((own - scored.score).abs() < 1e-3, "{own} {}", scored.score);
            prop_assert!((expected[offset + place].1 - scored.score).abs() < 1e-3);
        }
        for pair in found.windows(2) {
            prop_assert!(pair[0].score > pair[1].score || pair[0].score == pair[1].score && pair[0].key < pair[1].key);
        }
        let only = found.iter().map(|scored| scored.key).collect::<Keys>();
        let again = Choice { k, with_seen, only: Some(only), ..Choice::default() };
        prop_assert_eq!(filled.view.recommend(taste, filled.model.key("u"), &again, moment()).1, found);
    }
}
