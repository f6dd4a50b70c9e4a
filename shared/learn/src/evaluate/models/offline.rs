//! The recommender trained on everything at once, when it is first asked.

use std::thread;

use super::recommender::{Recommender, Settings};
use crate::evaluate::{Event, Model, Size};
use crate::mf;
use crate::offline::events::{self, Ratings};
use crate::offline::{choices, ratings};
use crate::ranking;

/// Of so many ratings one is held out, by which the number of passes is told.
const HELD_OUT: usize = 10;

/// Learns by collecting; the first question trains, and what comes after it is learned by training anew.
pub struct Offline {
    settings: Settings,
    size: Size,
    events: Vec<Event>,
    trained: Option<Trained>,
}

struct Trained {
    /// None where nothing was rated, or training came to no numbers.
    ratings: Option<ratings::Trained>,
    choices: choices::Trained,
    least: f32,
    most: f32,
}

impl Offline {
    /// One that has seen nothing; of `settings` only the two factor models and the rule of choices matter.
    #[must_use]
    pub fn new(settings: Settings, size: Size) -> Self {
        Self { settings, size, events: Vec::new(), trained: None }
    }

    fn trained(&mut self) -> &Trained {
        let Self { settings, size, events, trained } = self;
        trained.get_or_insert_with(|| Trained::new(settings, *size, events))
    }
}

impl Trained {
    fn new(settings: &Settings, size: Size, events: &[Event]) -> Self {
        // As many as any machine has, which is far from what is refused.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(1_024);
        let of_choices = choices::HyperParameters { threads, ..choices::HyperParameters::default() };
        let of_choices = choices::Settings::try_from(of_choices).unwrap_or_default();
        let of_ratings = ratings::HyperParameters { threads, ..ratings::HyperParameters::default() };
        let of_ratings = ratings::Settings::try_from(of_ratings).unwrap_or_default();
        let pairs = events::choices(events, size, settings.positive);
        let Ratings { learned, held_out } = Ratings::of(events, HELD_OUT);
        let parts = (&*learned, &*held_out);
        let trained = || ratings::train(parts, size, &settings.ratings, &of_ratings, settings.seed, |_| true).ok();
        let rated = || events.iter().filter_map(|event| event.rating);
        Self {
            ratings: if learned.is_empty() { None } else { trained() },
            choices: choices::train(&pairs, size, &settings.ranking, &of_choices, settings.seed, |_| true),
            least: rated().fold(f32::INFINITY, f32::min),
            most: rated().fold(f32::NEG_INFINITY, f32::max),
        }
    }
}

impl Model for Offline {
    fn predict(&mut self, user: u32, item: u32) -> Option<f32> {
        let width = self.settings.ratings.width();
        let Trained { ratings, least, most, .. } = self.trained();
        let rows = ratings.as_ref()?;
        let row = |number: u32| number as usize * width..(number as usize + 1) * width;
        Some(mf::predict(rows.mean, &rows.users[row(user)], &rows.items[row(item)]).clamp(*least, *most))
    }

    fn scores(&mut self, user: u32, _time_ms: i64, scores: &mut [f32]) -> bool {
        let (user_width, item_width) = (self.settings.ranking.user_width(), self.settings.ranking.item_width());
        let rows = &self.trained().choices;
        let user = &rows.users[user as usize * user_width..][..user_width];
        for (score, item) in scores.iter_mut().zip(rows.items.chunks_exact(item_width)) {
            *score = ranking::score(user, item);
        }
        true
    }

    fn learn(&mut self, event: &Event) {
        self.events.push(*event);
        self.trained = None;
    }
}

/// The recommender that is trained on its first events at once, and learns the others as they come, or not at all.
pub struct TrainedFirst {
    settings: Settings,
    size: Size,
    inner: Recommender,
    first: Vec<Event>,
    count: usize,
    goes_on: bool,
}

impl TrainedFirst {
    /// One that trains when it has seen `count` events, and learns those behind them if it `goes_on`.
    #[must_use]
    pub fn new(settings: Settings, size: Size, count: usize, goes_on: bool) -> Self {
        Self { settings, size, inner: Recommender::new(settings, size), first: Vec::new(), count, goes_on }
    }
}

impl Model for TrainedFirst {
    fn predict(&mut self, user: u32, item: u32) -> Option<f32> {
        self.inner.predict(user, item)
    }

    fn scores(&mut self, user: u32, time_ms: i64, scores: &mut [f32]) -> bool {
        self.inner.scores(user, time_ms, scores)
    }

    fn learn(&mut self, event: &Event) {
        if self.first.len() == self.count {
            if self.goes_on {
                self.inner.learn(event);
            }
            return;
        }
        self.inner.learn(event);
        self.first.push(*event);
        if self.first.len() == self.count {
            let Trained { ratings, choices, .. } = Trained::new(&self.settings, self.size, &self.first);
            self.inner.install((ratings.as_ref(), &choices), &self.first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::positive;
    use crate::{blend, neighbours};

    fn settings() -> Settings {
        Settings {
            ratings: mf::Settings::default(),
            ranking: ranking::Settings::default(),
            positive: positive::Rule { rated: positive::Rated::Every, ..positive::Rule::default() },
            neighbours: neighbours::Settings::default(),
            blend: blend::Settings::default(),
            half_lives_hours: [24.0; blend::WINDOWS],
            seed: 1,
        }
    }

    #[test]
    fn it_knows_what_it_has_seen_when_it_is_asked() {
        let settings = settings();
        let mut model = Offline::new(settings, Size { users: 20, items: 20 });
        // Of each kind everybody has most items of their own; what they rate, they rate by their kind.
        for (user, item) in (0..20).flat_map(|user| (0..20).map(move |item| (user, item))) {
            if user % 2 == item % 2 && (user + item) % 6 != 0 {
                let rating = Some(if user % 2 == 0 { 5.0 } else { 2.0 });
                model.learn(&Event { user, item, rating, weight: 1.0, time_ms: 0 });
            }
        }
        let mut scores = vec![0.0; 20];
        assert!(model.scores(0, 0, &mut scores));
        assert!(scores[6] > scores[7] + 0.1, "{scores:?}");
        let (kind, other) = (model.predict(0, 6).expect("a rating"), model.predict(1, 5).expect("a rating"));
        assert!(kind > 4.0 && other < 3.0, "{kind} {other}");
        let mut none = Offline::new(settings, Size { users: 1, items: 1 });
        assert_eq!(none.predict(0, 0), None);
    }

    #[test]
    fn what_was_trained_first_is_known_and_goes_on_or_does_not() {
        let (size, count) = (Size { users: 20, items: 20 }, 400);
        let rate = |user: u32, item: u32| if (user + item).is_multiple_of(2) { 5.0 } else { 1.0 };
        let event = |user, item, rating| Event { user, item, rating: Some(rating), weight: 1.0, time_ms: 0 };
        let [mut goes_on, mut stays] = [true, false].map(|goes_on| TrainedFirst::new(settings(), size, count, goes_on));
        for (user, item) in (0..20).flat_map(|user| (0..20).map(move |item| (user, item))) {
            for model in [&mut goes_on, &mut stays] {
                model.learn(&event(user, item, rate(user, item)));
            }
        }
        let mut offline = Offline::new(settings(), size);
        for (user, item) in (0..20).flat_map(|user| (0..20).map(move |item| (user, item))) {
            offline.learn(&event(user, item, rate(user, item)));
        }
        let trained = offline.predict(3, 4).expect("a rating");
        for model in [&mut goes_on, &mut stays] {
            let off = model.predict(3, 4).expect("a rating") - trained;
            assert!(off.abs() < 1e-3, "{off}");
        }
        let before = goes_on.predict(3, 4);
        for model in [&mut goes_on, &mut stays] {
            (0..50).for_each(|_| model.learn(&event(3, 4, 5.0)));
        }
        assert_eq!(stays.predict(3, 4), before);
        assert!(goes_on.predict(3, 4) > before);
    }
}
