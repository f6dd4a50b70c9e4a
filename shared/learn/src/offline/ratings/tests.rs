use super::*;

const SIZE: Size = Size { users: 60, items: 40 };

/// Ratings that two factors and biases explain, but for a little noise.
fn world(seed: u64) -> Vec<Rating> {
    let mut noise = Noise::new(seed, 99, 0);
    let mut values = |count: usize| -> Vec<[f32; 3]> {
        (0..count).map(|_| [noise.normal() * 0.4, noise.normal(), noise.normal()]).collect()
    };
    let (users, items) = (values(SIZE.users), values(SIZE.items));
    let mut noise = Noise::new(seed, 98, 0);
    let mut ratings = Vec::new();
    for (user, u) in users.iter().enumerate() {
        for (item, i) in items.iter().enumerate() {
            if noise.next() % 10 < 6 {
                let rating = 3.0 + u[0] + i[0] + 0.5 * (u[1] * i[1] + u[2] * i[2]) + 0.1 * noise.normal();
                ratings.push(Rating { user: user as u32, item: item as u32, rating });
            }
        }
    }
    ratings
}

fn settings(change: impl FnOnce(&mut HyperParameters)) -> Settings {
    let mut values = HyperParameters { rate: 0.05, regularisation: 0.01, ..HyperParameters::default() };
    change(&mut values);
    Settings::try_from(values).unwrap()
}

fn model(factors: usize) -> mf::Settings {
    mf::Settings::try_from(mf::HyperParameters { factors, ..mf::HyperParameters::default() }).unwrap()
}

fn split(ratings: &[Rating]) -> (Vec<Rating>, Vec<Rating>) {
    let numbered = ratings.iter().enumerate();
    let (held, learned): (Vec<_>, Vec<_>) = numbered.partition(|(number, _)| number % 8 == 0);
    let plain = |ratings: Vec<(usize, &Rating)>| ratings.into_iter().map(|(_, rating)| *rating).collect();
    (plain(learned), plain(held))
}

#[test]
fn what_was_held_out_is_predicted_by_the_rows_that_come_out() {
    let (learned, held) = split(&world(1));
    for threads in [1, 3] {
        // So little teaches little in one pass.
        let settings = settings(|values| (values.threads, values.patience, values.epochs) = (threads, 30, 500));
        let trained = train((&learned, &held), SIZE, &model(3), &settings, 1, |_| true).unwrap();
        let width = model(3).width();
        let error = |rating: &Rating| {
            let user = &trained.users[rating.user as usize * width..][..width];
            let item = &trained.items[rating.item as usize * width..][..width];
            f64::from(rating.rating - mf::predict(trained.mean, user, item))
        };
        let rmse = (held.iter().map(|rating| error(rating).powi(2)).sum::<f64>() / held.len() as f64).sqrt();
        // The noise is 0.1; biases alone leave 0.7.
        assert!(rmse < 0.2, "{rmse} with {threads} threads");
        assert!((rmse - trained.best.held_out.unwrap()).abs() < 1e-4, "{rmse}, {:?}", trained.best);
        let counts: f32 = trained.users.chunks_exact(width).map(|row| row[mf::COUNT]).sum();
        assert_eq!(counts, learned.len() as f32);
        assert!(trained.items.chunks_exact(width).all(|row| row[mf::SQUARED_GRADIENT_SUM] >= 0.0));
    }
}

#[test]
fn one_thread_learns_the_same_again_and_each_pass_is_told() {
    let (learned, held) = split(&world(2));
    let run = || {
        let mut epochs = Vec::new();
        let settings = settings(|values| values.epochs = 5);
        let trained = train((&learned, &held), SIZE, &model(2), &settings, 7, |epoch| {
            epochs.push(*epoch);
            true
        });
        (trained.unwrap().users, epochs)
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert_eq!(first.1.iter().map(|epoch| epoch.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(first.1[4].rmse < first.1[0].rmse);
}

#[test]
fn the_rate_follows_the_loss_and_training_ends_in_time() {
    let (learned, held) = split(&world(3));
    let mut rates = Vec::new();
    let patient = settings(|values| (values.epochs, values.patience) = (10_000, 2));
    let trained = train((&learned, &held), SIZE, &model(2), &patient, 1, |epoch| {
        rates.push(epoch.rate);
        true
    })
    .unwrap();
    assert!(rates.len() < 10_000, "it never ended");
    assert_eq!(rates.len() as u32, trained.best.number + 2, "two passes beyond the best");
    assert!((rates[1] / rates[0] - 1.05).abs() < 1e-5, "{rates:?}");
    let mut told = 0;
    let stopped = train((&learned, &held), SIZE, &model(2), &patient, 1, |_| {
        told += 1;
        told < 3
    });
    assert_eq!((told, stopped.unwrap().best.number), (3, 3));
}

#[test]
fn a_rate_that_is_far_too_high_is_halved_and_numbers_out_of_range_are_an_error() {
    let (mut learned, held) = split(&world(4));
    for rating in &mut learned {
        rating.rating *= 10.0;
    }
    let wild = settings(|values| (values.rate, values.epochs) = (1.0, 3));
    let mut rates = Vec::new();
    let trained = train((&learned, &held), SIZE, &model(2), &wild, 1, |epoch| {
        rates.push(epoch.rate);
        true
    });
    assert!(rates.first().is_some_and(|rate| *rate < 1.0), "{rates:?}");
    assert!(trained.unwrap().users.iter().all(|value| value.is_finite()));
    learned[0].rating = 1e38;
    let error = train((&learned, &held), SIZE, &model(2), &wild, 1, |_| true).unwrap_err();
    assert!(error.to_string().contains("diverges"), "{error}");
}

#[test]
fn settings_out_of_range_are_refused() {
    for change in [
        |values: &mut HyperParameters| values.epochs = 0,
        |values: &mut HyperParameters| values.patience = 0,
        |values: &mut HyperParameters| values.rate = f32::NAN,
        |values: &mut HyperParameters| values.regularisation = -1.0,
        |values: &mut HyperParameters| values.threads = 0,
    ] {
        let mut values = HyperParameters::default();
        change(&mut values);
        assert!(Settings::try_from(values).is_err(), "{values:?}");
    }
}
