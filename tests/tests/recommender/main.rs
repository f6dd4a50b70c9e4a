//! The recommender on real ratings: what it learns beats the baselines, what it recommends is
//! chosen more often than what is popular, every event counts once, nothing that is killed
//! or deleted changes an answer, a client reads its own write, and a new user's first rating changes what they are shown.

mod answers;
mod bounds;
mod catalogue;
mod fresh;
mod lists;
mod predicted;
mod quality;
mod ranking;
mod recreated;
mod stream;

use weir_tests::{alone, data};

use crate::answers::Answers;
use crate::stream::Stream;

/// What is predicted before it is written.
const NEXT: usize = 5_000;

#[test]
fn real_ratings_are_learned_and_survive_everything() {
    let _alone = alone();
    let ratings = data::ratings();
    let (past, next) = &data::past_and_next(&ratings, NEXT);
    let mut stream = Stream::start("real");
    stream.write(&past[..past.len() / 2]);
    stream.wait_for_progress();
    stream.cluster.kill_all();
    stream.cluster.start_all();
    stream.write(&past[past.len() / 2..]);
    stream.wait_contained();
    quality::check_beats_the_baselines(&stream.cluster.rest(), past, next);
    ranking::check_beats_popularity(&stream.cluster.rest(), past, next);

    stream.write(next);
    stream.wait_contained();
    stream.check_events();
    let answers = Answers::collect(&stream.cluster.rest(), &ratings);
    stream.cluster.kill_all();
    stream.cluster.start_all();
    answers.check_unchanged(&stream.cluster.rest(), "after kill -9 of everything");
    stream.cluster.kill_all();
    stream.cluster.delete_data();
    stream.cluster.start_all();
    answers.check_unchanged(&stream.cluster.rest(), "after all data directories were deleted");

    // What the servers hold must be right too, not only what the gateway has read from the changelog.
    stream.write(next);
    stream.wait_contained();
    stream.check_events();
}
