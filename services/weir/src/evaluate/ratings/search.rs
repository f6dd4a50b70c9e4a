//! Configurations out of lists of values: all of them, or so many at random.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::Configuration;

/// A setting and the values to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Values {
    setting: String,
    values: Vec<String>,
}

/// `SETTING=VALUE,VALUE,...`
pub(super) fn values(text: &str) -> Result<Values, String> {
    let problem = || "expected SETTING=VALUE,VALUE,..., for example recommender.factors=8,16,32".to_owned();
    let (setting, values) = text.split_once('=').ok_or_else(problem)?;
    let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
    if setting.is_empty() || values.iter().any(String::is_empty) {
        return Err(problem());
    }
    Ok(Values { setting: setting.to_owned(), values })
}

/// One configuration for each way to choose a value of every list; no more than `most`, then drawn at random, the same for the same
/// seed. Each is named by what it sets.
pub(super) fn configurations(lists: &[Values], most: usize, seed: u64) -> Vec<Configuration> {
    let ways = lists.iter().map(|list| list.values.len() as u128).fold(1_u128, u128::saturating_mul);
    let numbers: Vec<u128> = match u64::try_from(ways) {
        _ if lists.is_empty() => Vec::new(),
        Ok(ways) if ways <= most as u64 => (0..ways.into()).collect(),
        _ => {
            let (mut random, mut drawn) = (StdRng::seed_from_u64(seed), BTreeSet::new());
            while drawn.len() < most {
                drawn.insert(random.random_range(0..ways));
            }
            drawn.into_iter().collect()
        }
    };
    numbers.into_iter().map(|number| configuration(lists, number)).collect()
}

/// The `number`-th way: its digits, in bases of the lists' lengths, say which values.
fn configuration(lists: &[Values], mut number: u128) -> Configuration {
    let choose = |list: &Values| {
        let place = (number % list.values.len() as u128) as usize;
        number /= list.values.len() as u128;
        (list.setting.clone(), list.values[place].clone())
    };
    let settings: Vec<(String, String)> = lists.iter().map(choose).collect();
    let name = settings.iter().map(|(setting, value)| format!("{setting}={value}")).collect::<Vec<_>>().join(" ");
    Configuration { name, settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Vec<Values> {
        ["a=1,2", "b=x", "c=5, 6,7"].map(|text| values(text).expect("values")).to_vec()
    }

    #[test]
    fn all_ways_are_tried_once_or_some_of_them() {
        let all = configurations(&lists(), 6, 1);
        let names: BTreeSet<_> = all.iter().map(|configuration| configuration.name.as_str()).collect();
        assert_eq!((all.len(), names.len(), all[0].name.as_str()), (6, 6, "a=1 b=x c=5"));
        let some = configurations(&lists(), 4, 1);
        assert_eq!((some.len(), &some), (4, &configurations(&lists(), 4, 1)));
        assert!(some.iter().all(|configuration| names.contains(configuration.name.as_str())));
        assert!(configurations(&[], 4, 1).is_empty());
    }

    #[test]
    fn lists_are_settings_with_values() {
        for text in ["a", "a=", "=1", "a=1,,2"] {
            assert!(values(text).is_err(), "{text}");
        }
    }
}
