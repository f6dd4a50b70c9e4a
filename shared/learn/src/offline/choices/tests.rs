use super::*;

const SIZE: Size = Size { users: 24, items: 18 };

/// Users and items of three kinds; each user has chosen most items of their own kind.
fn pairs() -> Vec<(u32, u32)> {
    let all = (0..SIZE.users as u32).flat_map(|user| (0..SIZE.items as u32).map(move |item| (user, item)));
    all.filter(|(user, item)| user % 3 == item % 3 && (user / 3 + item / 3) % 6 != 0).collect()
}

fn model(factors: usize) -> ranking::Settings {
    ranking::Settings::try_from(ranking::HyperParameters { factors, ..ranking::HyperParameters::default() }).unwrap()
}

fn trained(factors: usize, threads: usize) -> Trained {
    // So little would be drawn to 0 by the default.
    let values = HyperParameters { threads, prior: 1.0, ..HyperParameters::default() };
    let settings = Settings::try_from(values).unwrap();
    train(&pairs(), SIZE, &model(factors), &settings, 1, |_| true)
}

fn score(trained: &Trained, factors: usize, user: usize, item: usize) -> f32 {
    let (user_width, item_width) = (model(factors).user_width(), model(factors).item_width());
    ranking::score(&trained.users[user * user_width..][..user_width], &trained.items[item * item_width..][..item_width])
}

#[test]
fn what_was_not_chosen_yet_of_ones_own_kind_stands_above_all_others() {
    let trained = trained(6, 2);
    for user in 0..SIZE.users {
        let own = (0..SIZE.items).filter(|item| item % 3 == user % 3);
        let least = own.map(|item| score(&trained, 6, user, item)).fold(f32::INFINITY, f32::min);
        let others = (0..SIZE.items).filter(|item| item % 3 != user % 3);
        let most = others.map(|item| score(&trained, 6, user, item)).fold(f32::NEG_INFINITY, f32::max);
        assert!(least > most + 0.2, "user {user}: {least} {most}");
    }
}

#[test]
fn each_vector_is_the_least_of_the_loss_it_was_solved_for() {
    let (values, factors) = (HyperParameters::default(), 4);
    let mut users = Vectors::initial(&model(factors), Side::User, SIZE.users, 3);
    let items = Vectors::initial(&model(factors), Side::Item, SIZE.items, 3);
    let lists = Lists::new(&pairs(), SIZE.users, |pair| *pair);
    users.solve(&lists, &items, &values);
    let loss = |user: usize, vector: &[f32]| {
        let weight = lists.of(user).len() as f32 + values.prior;
        let mut sum = values.regularisation * weight * vector::dot(vector, vector);
        for item in 0..SIZE.items as u32 {
            let score = vector::dot(vector, items.of(item));
            sum += values.unobserved * score * score;
            if lists.of(user).contains(&item) {
                sum += (1.0 - score).powi(2);
            }
        }
        sum
    };
    for user in 0..SIZE.users {
        let best = users.of(user as u32).to_vec();
        for (place, change) in (0..factors).flat_map(|place| [(place, 0.02), (place, -0.02)]) {
            let mut other = best.clone();
            other[place] += change;
            assert!(loss(user, &other) >= loss(user, &best), "user {user}");
        }
    }
}

#[test]
fn the_mean_user_lies_along_the_first_factor_and_threads_change_nothing() {
    let (one, three) = (trained(5, 1), trained(5, 3));
    assert_eq!(one.users, three.users);
    assert_eq!(one.items, three.items);
    let width = model(5).user_width();
    let mut mean = [0.0; 5];
    for row in one.users.chunks_exact(width) {
        mean.iter_mut().zip(&row[USER_FACTORS..]).for_each(|(sum, value)| *sum += value);
    }
    assert!(mean[0] > 0.0 && mean[1..].iter().all(|value| value.abs() < 1e-3 * mean[0]), "{mean:?}");
    assert!(one.users.chunks_exact(width).all(|row| row[USER_SQUARED_GRADIENT_SUM] > 0.0));
}

#[test]
fn nothing_to_learn_from_is_no_error() {
    let settings = Settings::default();
    let none = train(&[], SIZE, &model(3), &settings, 1, |_| true);
    assert!(none.users.iter().chain(&none.items).all(|value| value.is_finite()));
    let flat = train(&pairs(), SIZE, &model(0), &settings, 1, |_| true);
    assert_eq!(flat.users.len(), SIZE.users * model(0).user_width());
    let mut sweeps = 0;
    let _ = train(&pairs(), SIZE, &model(2), &settings, 1, |sweep| {
        sweeps = sweep;
        sweep < 3
    });
    assert_eq!(sweeps, 3, "it ends when it is told to");
}

#[test]
fn settings_out_of_range_are_refused() {
    for change in [
        |values: &mut HyperParameters| values.sweeps = 0,
        |values: &mut HyperParameters| values.unobserved = 0.0,
        |values: &mut HyperParameters| values.regularisation = f32::NAN,
        |values: &mut HyperParameters| values.threads = 0,
    ] {
        let mut values = HyperParameters::default();
        change(&mut values);
        assert!(Settings::try_from(values).is_err(), "{values:?}");
    }
}
