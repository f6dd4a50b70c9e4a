//! A small synthetic world with something to learn: people whose tastes drift, and items that keep coming.
//!
//! Pure and seeded: the same seed makes the same ratings in the same order, on every machine. It stands for no real
//! people and no real shop, and whoever shows it says so.

#[cfg(test)]
mod tests;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal, Zipf};

/// Dimensions of tastes and of what items are like.
const TRAITS: usize = 3;
const PEOPLE: usize = 1_000;
/// Items that are on offer at a time: more than a person gets to know.
const OFFERED: usize = 2_000;
/// Ratings after which a new item takes the place of the oldest on offer.
const NEW_ITEM_EVERY: u64 = 5_000;
/// How far a person's taste moves with each rating of theirs, before it is brought back to its length.
const DRIFT: f32 = 0.06;
/// How skewed the demand for items is.
const ZIPF: f64 = 0.8;
/// What a rating differs from what its person would say on another day.
const NOISE: f32 = 0.4;
/// Items that a person looks at before taking the one that promises most.
const LOOKED_AT: usize = 3;
/// Share of the ratings that are of one of the newest items.
const CURIOSITY: f64 = 0.15;
const NEWEST: usize = 10;

/// One rating.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rating {
    pub(crate) user: String,
    pub(crate) item: String,
    /// 0.5 to 5, in halves where the world makes them.
    pub(crate) stars: f32,
}

/// The world, which makes one rating after the other.
pub(crate) struct World {
    random: StdRng,
    normal: Normal<f32>,
    demand: Zipf<f64>,
    people: Vec<Person>,
    /// All there ever were; the last ones are on offer. One for thousands of ratings, so they are few.
    items: Vec<Item>,
    made: u64,
}

struct Person {
    mood: f32,
    taste: [f32; TRAITS],
}

struct Item {
    quality: f32,
    traits: [f32; TRAITS],
}

impl World {
    /// The world of this seed.
    ///
    /// # Errors
    /// Never in practice: the distributions' parameters are constants.
    pub(crate) fn new(seed: u64) -> anyhow::Result<Self> {
        let (normal, demand) = (Normal::new(0.0, 1.0)?, Zipf::new(OFFERED as f64, ZIPF)?);
        let random = StdRng::seed_from_u64(seed);
        let mut world = Self { random, normal, demand, people: Vec::new(), items: Vec::new(), made: 0 };
        for _ in 0..PEOPLE {
            let person = Person { mood: 0.4 * world.draw(), taste: world.direction() };
            world.people.push(person);
        }
        (0..OFFERED).for_each(|_| world.offer());
        Ok(world)
    }

    /// The next rating.
    pub(crate) fn rating(&mut self) -> Rating {
        self.made += 1;
        if self.made.is_multiple_of(NEW_ITEM_EVERY) {
            self.offer();
        }
        let user = self.random.random_range(0..PEOPLE);
        let item = self.choose(user);
        let said = self.opinion(user, item) + NOISE * self.draw();
        self.drift(user);
        let stars = ((2.0 * said).round() / 2.0).clamp(0.5, 5.0);
        Rating { user: format!("user-{user}"), item: format!("item-{item}"), stars }
    }

    /// What a user thinks of an item at the moment, without noise: what a recommender tries to find out. None if there
    /// is no such user or item.
    pub(crate) fn truth(&self, user: &str, item: &str) -> Option<f32> {
        let (person, item) = (number(user, "user-")?, number(item, "item-")?);
        (person < PEOPLE && item < self.items.len()).then(|| self.opinion(person, item))
    }

    /// What a user thinks of all that is on offer, on average.
    pub(crate) fn average(&self, user: &str) -> Option<f32> {
        let person = number(user, "user-").filter(|person| *person < PEOPLE)?;
        let offered = self.oldest_offered()..self.items.len();
        Some(offered.map(|item| self.opinion(person, item)).sum::<f32>() / OFFERED as f32)
    }

    fn oldest_offered(&self) -> usize {
        self.items.len().saturating_sub(OFFERED)
    }

    fn opinion(&self, person: usize, item: usize) -> f32 {
        let (person, item) = (&self.people[person], &self.items[item]);
        let match_of_tastes: f32 = person.taste.iter().zip(&item.traits).map(|(taste, is)| taste * is).sum();
        3.2 + person.mood + item.quality + match_of_tastes
    }

    /// People take what promises most to them of the few that they come upon.
    fn choose(&mut self, person: usize) -> usize {
        let seen: [usize; LOOKED_AT] = std::array::from_fn(|_| self.come_upon());
        let promise = |item: &usize| self.opinion(person, *item);
        seen.into_iter().max_by(|one, other| promise(one).total_cmp(&promise(other))).unwrap_or_default()
    }

    /// Some look for what is new, most for what everybody takes.
    fn come_upon(&mut self) -> usize {
        if self.random.random_bool(CURIOSITY) {
            return self.items.len() - 1 - self.random.random_range(0..NEWEST);
        }
        let rank = self.demand.sample(&mut self.random) as usize;
        self.oldest_offered() + rank.clamp(1, OFFERED) - 1
    }

    fn drift(&mut self, person: usize) {
        let by = self.direction();
        let taste = &mut self.people[person].taste;
        taste.iter_mut().zip(by).for_each(|(taste, by)| *taste += DRIFT * by);
        *taste = unit(*taste);
    }

    fn offer(&mut self) {
        let quality = 0.5 * self.draw();
        let traits = std::array::from_fn(|_| 0.7 * self.draw());
        self.items.push(Item { quality, traits });
    }

    fn direction(&mut self) -> [f32; TRAITS] {
        unit(std::array::from_fn(|_| self.draw()))
    }

    fn draw(&mut self) -> f32 {
        self.normal.sample(&mut self.random)
    }
}

fn number(id: &str, prefix: &str) -> Option<usize> {
    id.strip_prefix(prefix)?.parse().ok()
}

fn unit(direction: [f32; TRAITS]) -> [f32; TRAITS] {
    let length = direction.iter().map(|part| part * part).sum::<f32>().sqrt().max(f32::EPSILON);
    direction.map(|part| part / length)
}
