use proptest::prelude::*;
use weir_wire::control;

use super::*;

fn generation(number: u32) -> Generation {
    format!("g{number}").parse().unwrap()
}

fn after(state: &State, change: Change) -> State {
    propose(state, state.version, change).unwrap()
}

fn refused(state: &State, change: Change) -> String {
    propose(state, state.version, change).unwrap_err().to_string()
}

/// The stages in order, `T`raining, `C`atching up, `S`hadow, `L`ive and `R`etired, and those that served before.
fn shown(state: &State) -> String {
    let letter = |entry: &Entry| entry.stage.name().to_uppercase().remove(0);
    let stages: String = state.generations.iter().map(letter).collect();
    let served: Vec<_> = state.served.iter().map(Generation::to_string).collect();
    format!("{stages} {}", served.join(","))
}

const fn promote(generation: Generation, keep: usize) -> Change {
    Change::Promote { generation, keep }
}

fn shadow(state: &State) -> State {
    let begun = after(state, Change::Begin(BTreeMap::new()));
    let new = begun.generations.last().unwrap().generation;
    after(&after(&begun, Change::Trained(new)), Change::CaughtUp(new))
}

#[test]
fn a_generation_is_trained_promoted_rolled_back_and_retired() {
    let state = State::default();
    assert_eq!((shown(&state), state.version), ("L ".into(), 0));
    let settings = BTreeMap::from([("recommender.factors".to_owned(), "20".to_owned())]);
    let state = after(&state, Change::Begin(settings.clone()));
    assert_eq!((shown(&state), state.version), ("LT ".into(), 1));
    assert_eq!(state.entry(generation(2)).unwrap().settings, settings);
    let state = after(&state, Change::Trained(generation(2)));
    assert_eq!(shown(&state), "LC ");
    let state = after(&state, Change::CaughtUp(generation(2)));
    assert_eq!(shown(&state), "LS ");
    let promoted = after(&state, promote(generation(2), 1));
    assert_eq!((shown(&promoted), promoted.live()), ("SL g1".into(), Some(generation(2))));
    let state = after(&promoted, Change::RollBack);
    assert_eq!((shown(&state), state.live()), ("LS ".into(), Some(generation(1))));
    let state = after(&state, Change::Retire(generation(2)));
    assert_eq!((shown(&state), state.version, state.next), ("LR ".into(), 6, generation(3)));
    let state = after(&promoted, Change::Retire(generation(1)));
    assert_eq!(shown(&state), "RL ");
}

#[test]
fn a_generation_whose_rows_come_from_elsewhere_catches_up_when_it_is_loaded() {
    let second = generation(2);
    let state = after(&State::default(), Change::Reserve(BTreeMap::new()));
    assert_eq!(state.entry(second).unwrap().stage, Stage::Loading);
    assert_eq!(
        refused(&state, Change::CaughtUp(second)),
        "generation g2 is loading, and only one that is catching up becomes a shadow"
    );
    let loaded = after(&state, Change::Loaded(second));
    assert_eq!(shown(&loaded), "LC ");
    let expected = "generation g2 is catching-up, and only one that is loading is loaded";
    assert_eq!(refused(&loaded, Change::Loaded(second)), expected);
    assert_eq!(shown(&after(&state, Change::Retire(second))), "LR ", "what failed half-way can be ended");
}

#[test]
fn as_many_as_configured_are_kept_for_a_rollback() {
    let state = shadow(&after(&shadow(&State::default()), promote(generation(2), 2)));
    assert_eq!(shown(&state), "SLS g1");
    assert_eq!(shown(&after(&state, promote(generation(3), 2))), "SSL g1,g2");
    assert_eq!(shown(&after(&state, promote(generation(3), 1))), "RSL g2");
    assert_eq!(shown(&after(&state, promote(generation(3), 0))), "RRL ");
    // One that served before and is promoted again is no longer one to go back to.
    assert_eq!(shown(&after(&state, promote(generation(1), 2))), "LSS g2");
    let both = after(&state, promote(generation(3), 2));
    let first = after(&after(&both, Change::RollBack), Change::RollBack);
    assert_eq!(shown(&first), "LSS ");
}

#[test]
fn what_would_do_harm_is_refused() {
    let state = State::default();
    let begun = after(&state, Change::Begin(BTreeMap::new()));
    let (first, second) = (generation(1), generation(2));
    let check = |state: &State, change, expected: &str| assert_eq!(refused(state, change), expected);
    check(
        &begun,
        promote(second, 1),
        "generation g2 is training, and only a shadow, which has caught up, can be promoted",
    );
    let catching = after(&begun, Change::Trained(second));
    let expected = "generation g2 is catching-up, and only a shadow, which has caught up, can be promoted";
    check(&catching, promote(second, 1), expected);
    check(&state, promote(first, 1), "generation g1 is live, and only a shadow, which has caught up, can be promoted");
    check(&state, Change::Retire(first), "generation g1 is live, and only one that does not serve can be retired");
    check(&state, Change::Retire(second), "there is no generation g2");
    check(
        &begun,
        Change::CaughtUp(second),
        "generation g2 is training, and only one that is catching up becomes a shadow",
    );
    check(&catching, Change::Trained(second), "generation g2 is catching-up, and only one in training catches up");
    check(&begun, Change::RollBack, "no generation that served before g1 is kept; promote another one instead");
    let retired = after(&begun, Change::Retire(second));
    check(
        &retired,
        Change::Retire(second),
        "generation g2 is retired, and only one that does not serve can be retired",
    );
    let full = (1..MOST_KEPT).fold(state, |state, _| after(&state, Change::Begin(BTreeMap::new())));
    let expected = "there are 16 generations that are not retired already; retire one first";
    check(&full, Change::Begin(BTreeMap::new()), expected);
    let last = State { next: generation(u32::MAX), ..State::default() };
    check(&last, Change::Begin(BTreeMap::new()), "no generation comes after g4294967295");
}

#[test]
fn of_two_operators_who_saw_the_same_only_one_is_heard() {
    let state = shadow(&shadow(&State::default()));
    let (one, other) = (after(&state, promote(generation(2), 1)), after(&state, promote(generation(3), 1)));
    assert!(one.follows(&state) && !other.follows(&one), "a reader who has taken one leaves the other");
    let late = propose(&one, state.version, promote(generation(3), 1)).unwrap_err();
    assert_eq!(late, Refusal::Moved { seen: 6, found: 7 });
    assert_eq!(late.to_string(), "the generations are at version 7, not at 6: somebody has changed them; look again");
}

fn changes() -> impl Strategy<Value = Change> {
    let any_generation = || (1_u32..12).prop_map(generation);
    prop_oneof![
        2 => Just(Change::Begin(BTreeMap::new())),
        1 => Just(Change::Reserve(BTreeMap::new())),
        2 => any_generation().prop_map(Change::Loaded),
        4 => any_generation().prop_map(Change::Trained),
        4 => any_generation().prop_map(Change::CaughtUp),
        4 => (any_generation(), 0..4_usize).prop_map(|(generation, keep)| promote(generation, keep)),
        1 => Just(Change::RollBack),
        1 => any_generation().prop_map(Change::Retire),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is wished in whatever order: one serves, nobody serves who had not caught up, the retired stay
    /// retired, no name is used twice, and every state can be written and read.
    #[test]
    fn every_state_holds_what_readers_rely_on(wishes in proptest::collection::vec(changes(), 1..200)) {
        let mut state = State::default();
        let mut caught_up = vec![Generation::FIRST];
        for wish in wishes {
            let Ok(next) = propose(&state, state.version, wish.clone()) else { continue };
            if let Change::CaughtUp(generation) = wish {
                caught_up.push(generation);
            }
            prop_assert_eq!(next.version, state.version + 1);
            prop_assert!(next.next >= state.next);
            prop_assert!(next.live().is_some_and(|live| caught_up.contains(&live)));
            for entry in state.generations.iter().filter(|entry| entry.stage == Stage::Retired) {
                prop_assert!(next.entry(entry.generation).is_none_or(|after| after.stage == Stage::Retired));
            }
            let mut written = Vec::new();
            prop_assert!(next.write(&mut written).is_ok());
            prop_assert_eq!(&control::parse(&written).unwrap(), &next);
            state = next;
        }
    }

    /// However the records of racing operators are mixed up, readers who begin anywhere agree in the end.
    #[test]
    fn readers_agree_whatever_compaction_has_taken(versions in proptest::collection::vec(1_u64..4, 1..60), from in 0_usize..60) {
        let mut log = Vec::new();
        let mut state = State::default();
        for steps in versions {
            // Somebody writes on top of the newest, or of one that is no longer.
            let version = (state.version + 2).saturating_sub(steps).max(1);
            let record = State { version, next: generation(2 + log.len() as u32), ..State::default() };
            if record.follows(&state) {
                state = record.clone();
            }
            log.push(record);
        }
        let fold = |records: &[State]| {
            records.iter().fold(State::default(), |state, record| if record.follows(&state) { record.clone() } else { state })
        };
        prop_assert_eq!(&fold(&log), &state);
        // Compaction takes from the front, and never the newest that holds: the writer is fenced, so nothing lies behind it.
        let newest = log.iter().position(|record| *record == state).unwrap_or_default();
        prop_assert_eq!(&fold(&log[from.min(newest)..]), &state);
    }
}
