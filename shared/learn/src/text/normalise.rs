//! One spelling for what reads the same or differs in numbers only.

use unicode_normalization::UnicodeNormalization;

/// Appends `text` in compatibility form (NFKC), without invisible characters and without case, every ASCII digit as 0, until `limit`
/// bytes or a few more were appended.
///
/// ASCII, which most texts are all of, is only put into lower case; what follows a border between the two is not affected by what is
/// before it, save that the last ASCII character may be the base of marks that follow.
pub(super) fn normalise(mut text: &str, limit: usize, normalised: &mut Vec<u8>) {
    let end = normalised.len().saturating_add(limit);
    while !text.is_empty() && normalised.len() < end {
        let (ascii, others) = split_run(text);
        let (plain, run) = text.split_at(ascii);
        normalised.extend(plain.bytes().map(fold_ascii));
        let (run, rest) = run.split_at(others);
        for character in run.chars().filter(|character| !is_invisible(*character)).nfkc() {
            if normalised.len() >= end {
                return;
            }
            fold_case(character, normalised);
        }
        text = rest;
    }
}

/// Bytes of the ASCII that `text` begins with and need not be looked at, and of the run of other characters after it.
fn split_run(text: &str) -> (usize, usize) {
    let Some(first) = text.bytes().position(|byte| !byte.is_ascii()) else {
        return (text.len(), 0);
    };
    let base = first.saturating_sub(1);
    let others =
        text.as_bytes()[first..].iter().position(u8::is_ascii).map_or(text.len() - base, |end| first + end - base);
    (base, others)
}

/// Upper case and then lower: as Unicode's full case folding (ß and SS are ss, all sigmas are σ), which the standard library has no
/// table of; beyond it, the Turkish dotless i is an i.
fn fold_case(character: char, normalised: &mut Vec<u8>) {
    let mut bytes = [0; 4];
    for folded in character.to_uppercase().flat_map(char::to_lowercase) {
        normalised.extend(folded.encode_utf8(&mut bytes).bytes().map(fold_ascii));
    }
}

/// Lower case, and 0 for all digits: that there is a number of seven digits says more than which.
fn fold_ascii(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_lowercase() }
}

/// Characters that show nothing and serve to break words unseen: Unicode's property `Default_Ignorable_Code_Point`.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(text: &str, limit: usize) -> String {
        let mut bytes = Vec::new();
        normalise(text, limit, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_reads_the_same_is_spelled_the_same() {
        let check = |text, expected| assert_eq!(normalised(text, 1000), expected, "{text}");
        check("FREE Entry!", "free entry!");
        check("", "");
        check("ＦＲＥＥ ﬁve ①", "free five 0");
        check("fr\u{200B}e\u{AD}e \u{FEFF}x", "free x");
        check("Cafe\u{301} CAFÉ", "café café");
        check("STRASSE Straße ΣΊΣΥΦΟΣ σίσυφος", "strasse strasse σίσυφοσ σίσυφοσ");
        check("K Å", "k å");
        check("£150 £", "£000 £");
        check("\u{200B}", "");
    }

    #[test]
    fn growth_ends_at_the_limit() {
        assert_eq!(normalised("abc", 3), "abc");
        // One character that is eighteen in compatibility form.
        let long = "\u{FDFA}".repeat(100);
        assert!(normalised(&long, 50).len() < 50 + 4);
        assert_eq!(normalised("é", 0), "");
    }

    proptest! {
        #[test]
        fn runs_are_normalised_as_the_whole_would_be(
            text in prop_oneof!["\\PC{0,40}", "[a-cA-C \u{301}\u{327}\u{308}éßﬁ\u{1100}\u{1161}\u{200B}Σ½]{0,40}"],
        ) {
            let mut whole = Vec::new();
            for character in text.chars().filter(|character| !is_invisible(*character)).nfkc() {
                fold_case(character, &mut whole);
            }
            prop_assert_eq!(normalised(&text, usize::MAX).into_bytes(), whole);
        }

        #[test]
        fn case_does_not_matter(text in "[a-zA-ZäöüÄÖÜß \u{391}-\u{3A1}\u{3B1}-\u{3C1}]{0,40}") {
            prop_assert_eq!(normalised(&text.to_uppercase(), 1000), normalised(&text, 1000));
        }
    }
}
