//! How well the ranking model foretells what users choose next, progressively and in time order, beside popularity:
//! `cargo run --release -p weir-learn --example ranking -- ratings.csv [batch [side_by_side [part]]]`
//!
//! Lines of `user, item, rating, time`, separated by `,`, tabs or `::`. For each positive event of the last `part` of the file (0.2 if not
//! said), all items known so far that the user has not had are put in order, and the place of the one that was chosen counts. A model
//! learns when its batch is over; of batches side by side, all from the same rows, and what they changed is added up.

use std::{
    collections::{HashMap, HashSet},
    env,
    error::Error,
    fs,
    time::{Duration, Instant},
};

use weir_learn::{
    mf::Side,
    popularity,
    ranking::{self, Settings, Target, negatives, negatives::RecentItems, positive},
};

#[derive(Clone, Copy)]
struct Event {
    user: usize,
    item: usize,
    rating: f32,
    hours: f32,
}

/// Something that puts items in order.
trait Model {
    fn scores(&self, event: Event, scores: &mut [f32]);
    fn learn(&mut self, event: Event);
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize, default: f64| arguments.get(place).map_or(Ok(default), |text| text.parse::<f64>());
    let path = arguments.first().ok_or("usage: ranking FILE [BATCH [SIDE_BY_SIDE [PART]]]")?;
    let (batch, side_by_side) = (number(1, 256.0)? as usize, number(2, 1.0)? as usize);
    let (events, users, items) = read(&fs::read_to_string(path)?);
    let evaluated = (events.len() as f64 * (1.0 - number(3, 0.2)?)) as usize;
    let evaluate = |name: &str, model: &mut dyn Model| evaluate(name, model, &events, (users, items), evaluated);
    for half_life_hours in [1e9, 2160.0, 720.0, 168.0] {
        let mut model = Popular { rows: vec![popularity::EMPTY; items], half_life_hours };
        evaluate(&format!("popularity, {half_life_hours} h"), &mut model);
    }
    let mut model = Ranking::new(Settings::default(), users, items, batch, side_by_side);
    evaluate("ranking", &mut model);
    println!("    {} ns an event", model.spent.as_nanos() / events.len().max(1) as u128);
    Ok(())
}

fn read(contents: &str) -> (Vec<Event>, usize, usize) {
    let (mut users, mut items) = (HashMap::new(), HashMap::new());
    let mut events: Vec<(f64, Event)> = Vec::new();
    for line in contents.lines() {
        let line = line.replace("::", ",").replace('\t', ",");
        let fields: Vec<&str> = line.split(',').collect();
        let [user, item, rating, seconds] = fields[..] else { continue };
        let (Ok(rating), Ok(seconds)) = (rating.parse(), seconds.trim().parse::<f64>()) else { continue };
        let number = |numbers: &mut HashMap<String, usize>, id: &str| {
            let next = numbers.len();
            *numbers.entry(id.to_owned()).or_insert(next)
        };
        let (user, item) = (number(&mut users, user), number(&mut items, item));
        let hours = popularity::hours((seconds * 1000.0) as i64, i64::MAX);
        events.push((seconds, Event { user, item, rating, hours }));
    }
    events.sort_by(|left, right| left.0.total_cmp(&right.0));
    (events.into_iter().map(|(_, event)| event).collect(), users.len(), items.len())
}

fn evaluate(name: &str, model: &mut dyn Model, events: &[Event], (users, items): (usize, usize), evaluated: usize) {
    let mut seen = vec![HashSet::new(); users];
    let mut known = vec![false; items];
    let mut heads = vec![[0.0; ranking::USER_FACTORS]; users];
    let mut scores = vec![0.0; items];
    let (mut chosen, mut recall, mut ndcg) = (0.0, 0.0, 0.0);
    for (place, &event) in events.iter().enumerate() {
        let positive = positive::classify(positive::Rule::default(), Some(event.rating), &mut heads[event.user]);
        let had = &mut seen[event.user];
        if place >= evaluated && positive && !had.contains(&event.item) {
            chosen += 1.0;
            model.scores(event, &mut scores);
            let own = scores[event.item];
            let better = |&item: &usize| {
                known[item]
                    && (scores[item] > own || (scores[item] == own && item < event.item))
                    && !had.contains(&item)
            };
            let rank = (0..items).filter(better).count();
            if known[event.item] && rank < 10 {
                recall += 1.0;
                ndcg += 1.0 / (rank as f64 + 2.0).log2();
            }
        }
        had.insert(event.item);
        known[event.item] = true;
        model.learn(event);
    }
    println!("{name:24} NDCG@10 {:.4}, recall@10 {:.4} of {chosen} choices", ndcg / chosen, recall / chosen);
}

struct Popular {
    rows: Vec<[f32; popularity::WIDTH]>,
    half_life_hours: f32,
}

impl Model for Popular {
    fn scores(&self, _event: Event, scores: &mut [f32]) {
        for (score, row) in scores.iter_mut().zip(&self.rows) {
            *score = popularity::order(*row, self.half_life_hours) as f32;
        }
    }

    fn learn(&mut self, event: Event) {
        popularity::merge(&mut self.rows[event.item], [event.hours, 1.0], self.half_life_hours);
    }
}

/// The ranking model, its rows in memory.
struct Ranking {
    settings: Settings,
    users: Vec<f32>,
    items: Vec<f32>,
    recent: RecentItems,
    random: fastrand::Rng,
    batch: usize,
    side_by_side: usize,
    waiting: Vec<Event>,
    spent: Duration,
}

impl Ranking {
    fn new(settings: Settings, users: usize, items: usize, batch: usize, side_by_side: usize) -> Self {
        let rows = |side, count: usize, width: usize| {
            let mut rows = vec![0.0; count * width];
            for (key, row) in rows.chunks_exact_mut(width).enumerate() {
                ranking::initial(&settings, 1, side, key as u64 + 1, row);
            }
            rows
        };
        Self {
            settings,
            users: rows(Side::User, users, settings.user_width()),
            items: rows(Side::Item, items, settings.item_width()),
            recent: RecentItems::new(settings.values().window),
            random: fastrand::Rng::with_seed(1),
            batch,
            side_by_side,
            waiting: Vec::new(),
            spent: Duration::ZERO,
        }
    }

    fn learn_batch(&mut self, events: &[Event]) {
        let (user_width, item_width) = (self.settings.user_width(), self.settings.item_width());
        let wanted = self.settings.values().negatives;
        self.recent.add_batch(&events.iter().map(|event| event.item as u64).collect::<Vec<_>>());
        let mut drawn = Vec::new();
        self.recent.draw(self.settings.values().source, wanted * events.len(), || self.random.u64(..), &mut drawn);
        for event in events {
            let user = event.user * user_width..(event.user + 1) * user_width;
            if !positive::classify(positive::Rule::default(), Some(event.rating), &mut self.users[user.clone()]) {
                continue;
            }
            for turn in 0..=wanted {
                let drawn = if turn == 0 { None } else { negatives::pick(&drawn, self.random.u64(..)) };
                let (item, target) = match drawn.map(|item| item as usize) {
                    None => (event.item, Target::Positive),
                    Some(item) if item == event.item => continue,
                    Some(item) => (item, Target::Negative),
                };
                let item = &mut self.items[item * item_width..(item + 1) * item_width];
                ranking::learn(&self.settings, target, &mut self.users[user.clone()], item);
            }
        }
    }

    /// Every batch learns from the rows as they are now; what they changed is added up.
    fn learn_side_by_side(&mut self) {
        let events = std::mem::take(&mut self.waiting);
        let before = (self.users.clone(), self.items.clone());
        let mut after = before.clone();
        for batch in events.chunks(self.batch) {
            (self.users, self.items) = before.clone();
            self.learn_batch(batch);
            for (after, (now, before)) in
                [(&mut after.0, (&self.users, &before.0)), (&mut after.1, (&self.items, &before.1))]
            {
                for (after, (now, before)) in after.iter_mut().zip(now.iter().zip(before)) {
                    *after += now - before;
                }
            }
        }
        (self.users, self.items) = after;
    }
}

impl Model for Ranking {
    fn scores(&self, event: Event, scores: &mut [f32]) {
        let width = self.settings.user_width();
        let user = &self.users[event.user * width..(event.user + 1) * width];
        for (score, item) in scores.iter_mut().zip(self.items.chunks_exact(self.settings.item_width())) {
            *score = ranking::score(user, item);
        }
    }

    fn learn(&mut self, event: Event) {
        self.waiting.push(event);
        if self.waiting.len() < self.batch * self.side_by_side {
            return;
        }
        let begun = Instant::now();
        if self.side_by_side == 1 {
            let events = std::mem::take(&mut self.waiting);
            self.learn_batch(&events);
        } else {
            self.learn_side_by_side();
        }
        self.spent += begun.elapsed();
    }
}
