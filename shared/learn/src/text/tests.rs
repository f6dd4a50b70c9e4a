use proptest::prelude::*;

use super::*;

fn settings(change: impl FnOnce(&mut HyperParameters)) -> Settings {
    let mut values = HyperParameters::default();
    change(&mut values);
    Settings::try_from(values).unwrap()
}

fn slots(settings: Settings, text: &str) -> Vec<u32> {
    Extractor::new(settings).extract(text).slots.to_vec()
}

/// These slots are in force wherever weights were learned for them: if this fails, a new generation of every model is needed.
#[test]
fn slots_are_the_same_for_ever() {
    // From an implementation of its own, in another language.
    let check = |text, expected: &[u32]| assert_eq!(slots(Settings::default(), text), expected, "{text}");
    check("", &[2_398_986]);
    let free =
        [107_148, 479_479, 536_412, 556_613, 875_080, 1_108_336, 1_441_164, 1_694_039, 1_890_437, 2_398_986, 3_065_322];
    check("Free £5!", &free);
    check("Straße", &[41_872, 128_023, 449_235, 1_427_213, 2_014_613, 2_398_986, 2_774_749, 3_912_131]);
    let other = settings(|values| (values.seed, values.slot_bits) = (7, 10));
    assert_eq!(slots(other, "Free £5!"), [236, 352, 395, 661, 768, 814, 836, 866, 893, 974, 987]);
}

#[test]
fn spelling_and_repetition_change_nothing() {
    let check = |text, same| assert_eq!(slots(Settings::default(), text), slots(Settings::default(), same), "{text}");
    check("WIN a PRIZE", "win a prize");
    check("w\u{200B}in", "win");
    check("ｗｉｎ 123", "win 456");
    check("win win win win ", "win win win win win win ");
}

#[test]
fn words_and_grams_of_the_same_bytes_differ() {
    // Of " free ": the grams " fre", "free", "ree ", the word, and the empty word.
    assert_eq!(slots(Settings::default(), "free").len(), 5);
    // Too short for more than one gram: " a ", as a word and the empty one.
    assert_eq!(slots(Settings::default(), "a").len(), 2);
}

#[test]
fn the_value_gives_length_1() {
    let mut extractor = Extractor::default();
    let features = extractor.extract("free");
    assert_eq!(features.value, 1.0 / 5.0_f32.sqrt());
    assert_eq!(extractor.extract("").value, 1.0);
    assert_eq!(unit_value(0), 0.0);
}

#[test]
fn of_a_long_text_both_ends_are_read() {
    let settings = settings(|values| values.max_bytes = 64);
    let long = |middle: &str, end: &str| format!("{}{}{}", "ham ".repeat(20), middle.repeat(1000), end);
    assert_eq!(slots(settings, &long("x", &"é".repeat(20))), slots(settings, &long("yz", &"é".repeat(20))));
    assert_ne!(
        slots(settings, &long("x", "free prize now free prize now ok")),
        slots(settings, &long("x", &"ham ".repeat(8)))
    );
    // Cut between characters, wherever the border falls.
    for shift in 0..5 {
        let (head, tail) = (format!("{}{}", "a".repeat(shift), "€".repeat(99)), "");
        assert!(!slots(settings, &format!("{head}{tail}")).is_empty());
    }
}

#[test]
fn of_too_many_features_the_smallest_slots_are_kept() {
    let text: String =
        ('a'..='z').flat_map(|letter| ["word", " "].map(|part| part.replace('w', &letter.to_string()))).collect();
    let all = slots(Settings::default(), &text);
    let some = slots(settings(|values| values.max_features = 16), &text);
    assert_eq!(some, all[..16]);
}

proptest! {
    #[test]
    fn any_text_gives_rising_slots_of_unit_length(
        text in prop_oneof!["\\PC{0,200}", any::<String>()],
        slot_bits in 8_u32..=31,
        max_bytes in 64_usize..200,
    ) {
        let settings = settings(|values| (values.slot_bits, values.max_bytes) = (slot_bits, max_bytes));
        let mut extractor = Extractor::new(settings);
        let features = extractor.extract(&text);
        prop_assert!(features.slots.is_sorted_by(|left, right| left < right));
        prop_assert!(features.slots.iter().all(|slot| *slot < settings.slots()));
        // Each half may grow to the whole window and a character beyond; no more grams than bytes, and a word for two.
        prop_assert!(features.slots.len() <= (2 * max_bytes + 64) * 3 / 2);
        let norm_squared: f32 = features.slots.iter().map(|_| features.value * features.value).sum();
        prop_assert!((norm_squared - 1.0).abs() < 1e-3);
    }

    #[test]
    fn what_was_extracted_before_makes_no_difference(texts in prop::collection::vec("\\PC{0,60}", 1..6)) {
        let mut extractor = Extractor::default();
        for text in texts {
            prop_assert_eq!(extractor.extract(&text).slots, slots(Settings::default(), &text));
        }
    }
}
