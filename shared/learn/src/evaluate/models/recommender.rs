//! The whole recommender on rows in memory: what worker, shards and gateway do to them, one event after the other.

use crate::blend::{self, Parts};
use crate::evaluate::{Event, Model, Size};
use crate::mf::{self, Side};
use crate::neighbours::{self, Neighbour};
use crate::noise::Noise;
use crate::offline::{choices, ratings};
use crate::ranking::negatives::{self, RecentItems};
use crate::ranking::{self, positive};
use crate::{GlobalMean, history, popularity};

/// Tells the numbers that are drawn here from others.
const NOISE: u8 = 7;

/// What shapes the recommender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The model that predicts ratings.
    pub ratings: mf::Settings,
    /// The factor model that puts items in order.
    pub ranking: ranking::Settings,
    /// Which events are choices.
    pub positive: positive::Rule,
    /// Which items go together.
    pub neighbours: neighbours::Settings,
    /// How the parts are put together.
    pub blend: blend::Settings,
    /// Hours after which an event counts half for popularity, the shortest first.
    pub half_lives_hours: [f32; blend::WINDOWS],
    /// Of initial values and of what is drawn.
    pub seed: u64,
}

/// The recommender.
pub struct Recommender {
    settings: Settings,
    mean: GlobalMean,
    scale: Scale,
    users: Rows,
    items: Rows,
    ranking_users: Rows,
    ranking_items: Rows,
    /// Chunks of neighbours by item.
    neighbours: Vec<Vec<[u32; neighbours::CHUNK_WIDTH]>>,
    totals: Vec<f32>,
    /// Last items by user, and when the last one was.
    histories: Vec<Vec<u32>>,
    last_hours: Vec<f32>,
    popularity: Vec<[[f32; popularity::WIDTH]; blend::WINDOWS]>,
    blend: [f32; blend::WIDTH],
    recent: RecentItems,
    noise: Noise,
    drawn: Vec<u64>,
    affinities: Affinities,
}

/// The range of the ratings seen.
#[derive(Clone, Copy, Debug)]
struct Scale {
    least: f32,
    most: f32,
}

/// Rows of one width, by number.
struct Rows {
    width: usize,
    values: Vec<f32>,
}

impl Rows {
    fn new(width: usize, count: usize, initial: impl Fn(u64, &mut [f32])) -> Self {
        let mut values = vec![0.0; width * count];
        // Keys are not 0.
        (1..).zip(values.chunks_exact_mut(width)).for_each(|(key, row)| initial(key, row));
        Self { width, values }
    }

    /// Copies a row from where many of its width lie, from a value on.
    fn install(&mut self, number: u32, rows: &[f32], from: usize) {
        let width = self.width;
        self.row_mut(number)[from..].copy_from_slice(&rows[number as usize * width..][..width][from..]);
    }

    fn row(&self, number: u32) -> &[f32] {
        &self.values[number as usize * self.width..][..self.width]
    }

    fn row_mut(&mut self, number: u32) -> &mut [f32] {
        &mut self.values[number as usize * self.width..][..self.width]
    }
}

/// One user's row and those of all items in the model that ranks.
struct RankingRows<'a> {
    user: &'a mut [f32],
    items: &'a mut Rows,
}

impl ranking::Rows for RankingRows<'_> {
    type Item = u32;

    fn with<T>(&mut self, item: u32, act: impl FnOnce(&mut [f32], &mut [f32]) -> T) -> T {
        act(self.user, self.items.row_mut(item))
    }
}

/// What a user's last items say of others: only of few, so that the rest stays at 0.
#[derive(Default)]
struct Affinities {
    transitions: Vec<f32>,
    company: Vec<f32>,
    touched: Vec<u32>,
}

impl Affinities {
    fn clear(&mut self) {
        for item in self.touched.drain(..) {
            self.transitions[item as usize] = 0.0;
            self.company[item as usize] = 0.0;
        }
    }
}

impl Recommender {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings, size: Size) -> Self {
        let Settings { ratings, ranking, neighbours, seed, .. } = settings;
        let rating_rows =
            |side, count| Rows::new(ratings.width(), count, |key, row| mf::initial(&ratings, seed, side, key, row));
        let ranking_rows =
            |side, count, width| Rows::new(width, count, |key, row| ranking::initial(&ranking, seed, side, key, row));
        Self {
            mean: GlobalMean::default(),
            scale: Scale { least: f32::INFINITY, most: f32::NEG_INFINITY },
            users: rating_rows(Side::User, size.users),
            items: rating_rows(Side::Item, size.items),
            ranking_users: ranking_rows(Side::User, size.users, ranking.user_width()),
            ranking_items: ranking_rows(Side::Item, size.items, ranking.item_width()),
            neighbours: vec![vec![[0; neighbours::CHUNK_WIDTH]; neighbours.chunks() as usize]; size.items],
            totals: vec![0.0; size.items],
            histories: vec![vec![0; history::width(neighbours::COMPANY)]; size.users],
            last_hours: vec![f32::NEG_INFINITY; size.users],
            popularity: vec![[popularity::EMPTY; blend::WINDOWS]; size.items],
            blend: settings.blend.initial(),
            recent: RecentItems::new(ranking.values().window),
            noise: Noise::new(seed, NOISE, 0),
            drawn: Vec::new(),
            affinities: Affinities {
                transitions: vec![0.0; size.items],
                company: vec![0.0; size.items],
                touched: Vec::new(),
            },
            settings,
        }
    }

    /// The weights of the blend as they are.
    #[must_use]
    pub fn weights(&self) -> Parts {
        blend::weights(&self.blend)
    }

    /// Looks up what so many of the user's last items say.
    fn look_up(&mut self, user: u32, most: usize) {
        self.affinities.clear();
        let values = self.settings.neighbours.values();
        for (place, last) in history::items(&self.histories[user as usize]).take(most).enumerate() {
            let total = self.totals[number(last) as usize];
            let rows = self.neighbours[number(last) as usize].iter().filter_map(|words| neighbours::chunk(words));
            for Neighbour { item, weight } in rows.flat_map(|(_, row)| neighbours::neighbours(row)) {
                let item = number(item) as usize;
                let other = self.totals[item];
                let affinity = neighbours::affinity(weight, total, other, values.damping);
                if self.affinities.company[item] == 0.0 {
                    self.affinities.touched.push(item as u32);
                }
                self.affinities.company[item] += affinity;
                if place < values.pairs {
                    self.affinities.transitions[item] += affinity;
                }
            }
        }
    }

    fn parts(&self, user: u32, item: u32, hours: f32) -> Parts {
        let mut parts = [0.0; blend::PARTS];
        parts[blend::FACTORS] = ranking::score(self.ranking_users.row(user), self.ranking_items.row(item));
        let fresh = blend::fresh(&self.settings.blend, hours - self.last_hours[user as usize]);
        parts[blend::TRANSITIONS] = fresh * blend::of_affinity(self.affinities.transitions[item as usize]);
        parts[blend::COMPANY] = blend::of_affinity(self.affinities.company[item as usize]);
        for (window, row) in self.popularity[item as usize].iter().enumerate() {
            let count = popularity::at(*row, hours.max(row[popularity::HOURS]), self.settings.half_lives_hours[window]);
            parts[blend::POPULARITY + window] = blend::of_count(count);
        }
        parts
    }

    /// The predicted rating, not held within the scale seen.
    pub(super) fn predict_unclipped(&self, user: u32, item: u32) -> f32 {
        mf::predict(self.mean.mean(), self.users.row(user), self.items.row(item))
    }

    /// Puts rows that were trained on everything at once in the place of those of the users and items that `events` have. What
    /// was counted stays.
    pub(super) fn install(&mut self, trained: (Option<&ratings::Trained>, &choices::Trained), events: &[Event]) {
        let (rated, chosen) = trained;
        for event in events {
            let (user, item) = (event.user, event.item);
            if let Some(rated) = rated {
                self.users.install(user, &rated.users, 0);
                self.items.install(item, &rated.items, 0);
            }
            // How many ratings a user gave, and of which sum, is in the row already.
            self.ranking_users.install(user, &chosen.users, ranking::USER_SQUARED_GRADIENT_SUM);
            self.ranking_items.install(item, &chosen.items, 0);
        }
    }

    pub(super) fn learn_rating(&mut self, event: &Event, rating: f32) {
        self.mean = self.mean.plus(GlobalMean::of(rating));
        self.scale = Scale { least: self.scale.least.min(rating), most: self.scale.most.max(rating) };
        let (user, item) = (self.users.row_mut(event.user), self.items.row_mut(event.item));
        mf::learn_weighted(&self.settings.ratings, self.mean.mean(), rating, event.weight, user, item);
    }

    fn learn_choice(&mut self, event: &Event) {
        self.drawn.clear();
        self.recent.add_batch(&[event.item.into()]);
        let Self { recent, noise, drawn, .. } = self;
        let ranking = self.settings.ranking.values();
        recent.draw(ranking.source, ranking.negatives.max(blend::DRAWN), || noise.next(), drawn);
        let user = self.ranking_users.row_mut(event.user);
        let Some(weight) = positive::classify_weighted(self.settings.positive, event.rating, user) else { return };
        if blend::learns(&self.settings.blend, self.noise.next()) {
            self.learn_blend(event);
        }
        let Self { settings, noise, drawn, .. } = self;
        let drawn = (0..settings.ranking.values().negatives)
            .filter_map(|_| negatives::pick(drawn, noise.next()))
            .map(|item| item as u32)
            .filter(|item| *item != event.item);
        let mut rows = RankingRows { user: self.ranking_users.row_mut(event.user), items: &mut self.ranking_items };
        ranking::learn_choice(&settings.ranking, weight * event.weight, &mut rows, event.item, drawn);
    }

    /// Learns the weights from what the event's item had before it was chosen, beside what the drawn ones have.
    fn learn_blend(&mut self, event: &Event) {
        let hours = popularity::hours(event.time_ms, event.time_ms);
        // Workers know no more of a user's items.
        self.look_up(event.user, self.settings.neighbours.values().history);
        let had: Vec<u32> = history::items(&self.histories[event.user as usize]).map(number).collect();
        let others = self.drawn.iter().map(|item| *item as u32);
        let others: Vec<Parts> = others
            .filter(|item| *item != event.item && !had.contains(item))
            .map(|item| self.parts(event.user, item, hours))
            .collect();
        if !others.is_empty() && !had.contains(&event.item) {
            let chosen = self.parts(event.user, event.item, hours);
            blend::learn(&self.settings.blend, event.weight, &chosen, &others, &mut self.blend);
        }
    }

    pub(super) fn count(&mut self, event: &Event) {
        let hours = popularity::hours(event.time_ms, event.time_ms);
        for (row, half_life) in self.popularity[event.item as usize].iter_mut().zip(self.settings.half_lives_hours) {
            popularity::merge(row, [hours, event.weight], half_life);
        }
        self.last_hours[event.user as usize] = hours;
        let (pairs, row) = (self.settings.neighbours.values().pairs, &mut self.histories[event.user as usize]);
        let last: Vec<u64> = history::items(row).take(pairs).collect();
        let own = key(event.item);
        if last.first() == Some(&own) {
            return;
        }
        history::push(row, own);
        for other in last.into_iter().filter(|other| *other != own) {
            self.count_neighbour(other, own, event.weight);
            self.count_neighbour(own, other, event.weight);
        }
    }

    fn count_neighbour(&mut self, item: u64, other: u64, weight: f32) {
        let chunk = neighbours::chunk_of(other, self.settings.neighbours.chunks()) as usize;
        let words = &mut self.neighbours[number(item) as usize][chunk];
        neighbours::count_in_chunk(words, item, Neighbour { item: other, weight });
        self.totals[number(item) as usize] += weight;
    }
}

/// The key of an item: 0 is none.
fn key(item: u32) -> u64 {
    u64::from(item) + 1
}

/// The item of a key.
fn number(key: u64) -> u32 {
    (key - 1) as u32
}

impl Model for Recommender {
    fn predict(&mut self, user: u32, item: u32) -> Option<f32> {
        let predicted = self.predict_unclipped(user, item);
        let Scale { least, most } = self.scale;
        Some(if least <= most { predicted.clamp(least, most) } else { predicted })
    }

    fn scores(&mut self, user: u32, time_ms: i64, scores: &mut [f32]) -> bool {
        let (hours, weights) = (popularity::hours(time_ms, time_ms), self.weights());
        self.look_up(user, neighbours::COMPANY);
        for (item, score) in scores.iter_mut().enumerate() {
            *score = blend::score(&weights, &self.parts(user, item as u32, hours));
        }
        true
    }

    fn learn(&mut self, event: &Event) {
        if let Some(rating) = event.rating {
            self.learn_rating(event, rating);
        }
        self.learn_choice(event);
        self.count(event);
    }
}
