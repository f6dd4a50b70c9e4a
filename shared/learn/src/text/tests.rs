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
    let free = [
        107_148, 479_479, 536_412, 556_613, 875_080, 1_108_336, 1_441_164, 1_694_039, 1_890_437, 2_398_986, 2_958_988,
        3_065_322,
    ];
    check("Free £5!", &free);
    check("Straße", &[41_872, 128_023, 449_235, 1_427_213, 2_014_613, 2_398_986, 2_774_749, 3_912_131]);
    let cheap = [
        79_937, 301_403, 473_024, 809_966, 1_103_009, 1_374_110, 1_497_521, 1_705_874, 1_738_863, 2_398_986, 2_697_050,
        3_459_219,
    ];
    check("买便宜", &cheap);
    check("f\u{200B}ree", &[107_148, 536_412, 775_257, 875_080, 1_694_039, 2_398_986]);
    let other = settings(|values| (values.seed, values.slot_bits) = (7, 10));
    assert_eq!(slots(other, "Free £5!"), [236, 352, 395, 661, 768, 814, 836, 866, 893, 974, 987]);
    assert_eq!(VERSION, 2, "other slots are another version");
}

#[test]
fn spelling_and_repetition_change_nothing() {
    let check = |text, same| assert_eq!(slots(Settings::default(), text), slots(Settings::default(), same), "{text}");
    check("WIN a PRIZE", "win a prize");
    check("win 123", "win 456");
    check("win win win win ", "win win win win win win ");
}

#[test]
fn what_tricks_with_letters_did_is_undone_and_said() {
    let check = |text, plain, effect: &str| {
        let mut extractor = Extractor::default();
        extractor.begin();
        extractor.add_text(plain);
        extractor.add("spelling", effect);
        assert_eq!(slots(Settings::default(), text), extractor.finish().slots, "{text}");
    };
    check("w\u{200B}in a p\u{AD}rize", "win a prize", SPELLING[0]);
    check("w\u{456}n a \u{440}riz\u{435}", "win a prize", SPELLING[1]);
    check("\u{412}uy now", "buy now", SPELLING[1]);
    check("ｗｉｎ １２３", "win 123", SPELLING[2]);
    check("YOU HAVE WON A LOT OF MONEY, really", "you have won a lot of money, really", SPELLING[3]);
}

#[test]
fn what_is_innocent_is_said_of_nothing() {
    for text in [
        "❤\u{FE0F} see you 👩\u{200D}👧",
        "привет, как дела",
        "Grüße, Café, naïve, kadın",
        "你好吗",
        "OK",
        "می\u{200C}خواهم",
    ] {
        let mut extractor = Extractor::default();
        for effect in SPELLING {
            extractor.begin();
            extractor.add("spelling", effect);
            let said = extractor.finish().slots.to_vec();
            let both = slots(Settings::default(), text).into_iter().filter(|slot| said.contains(slot)).count();
            assert_eq!(both, 1, "only what every message has: {text} {effect}");
        }
    }
}

#[test]
fn kinds_are_told_apart() {
    let mut extractor = Extractor::default();
    extractor.begin();
    extractor.add("host", "a.example");
    extractor.add("from", "a.example");
    extractor.add_words("subject", "free");
    extractor.add_text("free");
    // Both facts, the subject's word, the text's five with the one of every message.
    assert_eq!(extractor.finish().slots.len(), 8);
}

#[test]
fn words_and_grams_of_the_same_bytes_differ() {
    // Of " free ": the grams " fre", "free", "ree ", the word, and the one of every message.
    assert_eq!(slots(Settings::default(), "free").len(), 5);
    // Too short for more than one gram: " a ", as a word and the one of every message.
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
fn of_a_long_text_beginning_middle_and_end_are_read() {
    let settings = settings(|values| values.max_bytes = 64);
    let long =
        |others: &str, end: &str| format!("{}{}{}{}", "ham ".repeat(20), others.repeat(1000), "ham ".repeat(20), end);
    let with = |others: &str, end: &str| slots(settings, &long(others, end)).len();
    assert_eq!(with("x", "é"), with("y", "é"), "of what is between little is read");
    assert_ne!(
        slots(settings, &long("x", "free prize now free prize now ok")),
        slots(settings, &long("x", &"ham ".repeat(8)))
    );
    let middle = |middle: &str| format!("{}{}{}", "ham ".repeat(20), middle, "ham ".repeat(20));
    assert_ne!(slots(settings, &middle("prize now")), slots(settings, &middle("ham ham h")), "and the middle");
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
        // Each of three parts may grow to the whole window and a character beyond; no more grams and pairs of characters than bytes, and a
        // word with its pair for two bytes.
        prop_assert!(features.slots.len() <= 3 * (max_bytes + 64) * 3);
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
