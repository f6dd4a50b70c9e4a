//! Labels of one class only, and a hundred of one for each of the other.

use super::*;

/// Texts of a class share their topic and draw from the words that all have.
fn text(number: u64, topic: &str) -> String {
    let word = |place: u64| format!("w{}", weir_wire::key(number * 8 + place, "word") % 80);
    format!("{topic} {}", (0..6).map(word).collect::<Vec<_>>().join(" "))
}

fn of(label: &str, number: u64, labelled: bool) -> Record {
    let topic = if label == "spam" { "win a prize" } else { "see you at home" };
    said(&format!("{label}-{number}"), Some(&text(number, topic)), labelled.then_some(label))
}

/// Shares of other messages of each class that are taken for spam after these were learned, and the highest probability of either.
fn after(learned: Vec<Record>) -> [(f32, f32); 2] {
    let count = learned.len();
    let asked = ["spam", "ham"].map(|label| (0..100).map(move |number| of(label, 10_000 + number, false)));
    let records = learned.into_iter().chain(asked.into_iter().flatten()).collect();
    let scored = scored(&learn(records));
    let of = |asked: &[Said]| {
        let spam = asked.iter().filter(|said| said.label == Label::SPAM).count();
        (spam as f32 / asked.len() as f32, asked.iter().map(|said| said.probability).fold(0.0, f32::max))
    };
    [of(&scored[count..count + 100]), of(&scored[count + 100..])]
}

#[test]
fn who_knows_only_one_class_marks_nothing() {
    let [(spam, surest), (ham, _)] = after((0..300).map(|number| of("spam", number, true)).collect());
    assert_eq!((spam, ham), (0.0, 0.0));
    assert!(surest <= 0.5, "{surest}");
    let [(spam, _), (ham, surest)] = after((0..300).map(|number| of("ham", number, true)).collect());
    assert_eq!((spam, ham), (0.0, 0.0));
    assert!(surest <= 0.5, "{surest}");
}

#[test]
fn a_hundred_to_one_does_not_decide_what_the_one_is() {
    for (many, few) in [("spam", "ham"), ("ham", "spam")] {
        let record = |number: u64| of(if number % 101 == 50 { few } else { many }, number, true);
        let [(spam, _), (ham, _)] = after((0..1_010).map(record).collect());
        assert!(spam >= 0.8, "{many}: {spam} of the spam is found");
        assert!(ham <= 0.2, "{many}: {ham} of the ham is taken for spam");
    }
}
