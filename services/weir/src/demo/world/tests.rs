use std::collections::BTreeSet;

use super::*;

fn world(seed: u64) -> World {
    World::new(seed).expect("a world")
}

fn ratings(world: &mut World, count: usize) -> Vec<Rating> {
    (0..count).map(|_| world.rating()).collect()
}

fn tastes(world: &World) -> Vec<[f32; TRAITS]> {
    world.people.iter().map(|person| person.taste).collect()
}

#[test]
fn the_same_seed_makes_the_same_ratings_and_another_one_others() {
    let of = |seed| ratings(&mut world(seed), 2_000);
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

/// What people think explains most of what they say: a mean leaves far more than the noise.
#[test]
fn there_is_something_to_learn() {
    let mut world = world(1);
    let (mut of_mean, mut of_truth, mut sum) = (0.0, 0.0, 0.0);
    for number in 0..20_000 {
        let Rating { user, item, stars } = world.rating();
        let mean = if number == 0 { 3.0 } else { sum / number as f32 };
        of_mean += (stars - mean).powi(2);
        of_truth += (stars - world.truth(&user, &item).expect("on offer").clamp(0.5, 5.0)).powi(2);
        sum += stars;
    }
    assert!(of_truth * 2.5 < of_mean, "{of_truth} is not far below {of_mean}");
}

#[test]
fn tastes_drift_and_stay_of_one_length() {
    let mut world = world(2);
    let before = tastes(&world);
    ratings(&mut world, 100_000);
    let alike = before.iter().zip(tastes(&world)).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
    let alike = alike.sum::<f32>() / PEOPLE as f32;
    assert!((0.7..0.95).contains(&alike), "after 100 ratings each the cosine with what it was is {alike}");
    assert!(tastes(&world).iter().all(|taste| (taste.iter().map(|part| part * part).sum::<f32>() - 1.0).abs() < 1e-3));
}

#[test]
fn items_come_and_go() {
    let mut world = world(3);
    let items = |ratings: &[Rating]| ratings.iter().map(|rating| rating.item.clone()).collect::<BTreeSet<_>>();
    let early = items(&ratings(&mut world, 5_000));
    (0..NEW_ITEM_EVERY * OFFERED as u64).for_each(|_| drop(world.rating()));
    let last = ratings(&mut world, 5_000);
    assert!(early.is_disjoint(&items(&last)), "all are new");
    let (user, item) = (&last[0].user, &last[0].item);
    assert!(
        world.truth(user, item).is_some() && world.truth(user, "item-1").is_some() && world.truth(user, "x").is_none()
    );
    assert!(world.truth("user-1000", item).is_none() && world.average("nobody").is_none());
    assert!(world.average(user).is_some_and(|average| (1.0..5.0).contains(&average)));
}

#[test]
fn people_take_what_promises_most_to_them() {
    let mut world = world(4);
    let mut better = 0.0;
    for Rating { user, item, .. } in ratings(&mut world, 2_000) {
        better += world.truth(&user, &item).expect("on offer") - world.average(&user).expect("a person");
    }
    assert!(better / 2_000.0 > 0.3, "{} stars better than anything on offer", better / 2_000.0);
}
