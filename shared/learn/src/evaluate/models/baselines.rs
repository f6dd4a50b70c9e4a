//! What a recommender has to beat.

use super::recommender::{Recommender, Settings};
use crate::blend;
use crate::evaluate::{Event, Model, Size};
use crate::mf;
use crate::{GlobalMean, popularity};

/// Predicts the mean of all ratings so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunningMean(GlobalMean);

impl Model for RunningMean {
    fn predict(&mut self, _user: u32, _item: u32) -> Option<f32> {
        Some(self.0.mean())
    }

    fn scores(&mut self, _user: u32, _time_ms: i64, _scores: &mut [f32]) -> bool {
        false
    }

    fn learn(&mut self, event: &Event) {
        self.0 = event.rating.map_or(self.0, |rating| self.0.plus(GlobalMean::of(rating)));
    }
}

/// Knows how users and items deviate from the mean, and no taste. Its order is that of the predicted ratings.
pub struct Biases(Recommender);

impl Biases {
    /// One that has seen nothing.
    ///
    /// # Errors
    /// None for settings that were checked.
    pub fn new(settings: Settings, size: Size) -> Result<Self, crate::Error> {
        let ratings = mf::Settings::try_from(mf::HyperParameters { factors: 0, ..*settings.ratings.values() })?;
        Ok(Self(Recommender::new(Settings { ratings, ..settings }, size)))
    }
}

impl Model for Biases {
    fn predict(&mut self, user: u32, item: u32) -> Option<f32> {
        self.0.predict(user, item)
    }

    fn scores(&mut self, user: u32, _time_ms: i64, scores: &mut [f32]) -> bool {
        for (item, score) in scores.iter_mut().enumerate() {
            *score = self.0.predict_unclipped(user, item as u32);
        }
        true
    }

    fn learn(&mut self, event: &Event) {
        if let Some(rating) = event.rating {
            self.0.learn_rating(event, rating);
        }
    }
}

/// What everybody does, events counting half after a while.
#[derive(Clone, Debug)]
pub struct Popularity {
    half_life_hours: f32,
    rows: Vec<[f32; popularity::WIDTH]>,
}

impl Popularity {
    /// With this half-life; an infinite one counts all events alike.
    #[must_use]
    pub fn new(half_life_hours: f32, size: Size) -> Self {
        Self { half_life_hours, rows: vec![popularity::EMPTY; size.items] }
    }
}

impl Model for Popularity {
    fn predict(&mut self, _user: u32, _item: u32) -> Option<f32> {
        None
    }

    fn scores(&mut self, _user: u32, _time_ms: i64, scores: &mut [f32]) -> bool {
        for (score, row) in scores.iter_mut().zip(&self.rows) {
            *score = popularity::order(*row, self.half_life_hours) as f32;
        }
        true
    }

    fn learn(&mut self, event: &Event) {
        let hours = popularity::hours(event.time_ms, event.time_ms);
        popularity::merge(&mut self.rows[event.item as usize], [hours, event.weight], self.half_life_hours);
    }
}

/// What goes together with the user's last items, and nothing else.
pub struct ItemToItem(Recommender);

impl ItemToItem {
    /// One that has seen nothing.
    ///
    /// # Errors
    /// None for settings that were checked.
    pub fn new(settings: Settings, size: Size) -> Result<Self, crate::Error> {
        let mut values = *settings.blend.values();
        values.weights = [0.0; blend::PARTS];
        values.weights[blend::COMPANY] = 1.0;
        values.rate = 0.0;
        Ok(Self(Recommender::new(Settings { blend: blend::Settings::try_from(values)?, ..settings }, size)))
    }
}

impl Model for ItemToItem {
    fn predict(&mut self, _user: u32, _item: u32) -> Option<f32> {
        None
    }

    fn scores(&mut self, user: u32, time_ms: i64, scores: &mut [f32]) -> bool {
        self.0.scores(user, time_ms, scores)
    }

    fn learn(&mut self, event: &Event) {
        self.0.count(event);
    }
}
