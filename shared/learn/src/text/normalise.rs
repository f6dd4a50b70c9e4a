//! One spelling for what reads the same or differs in numbers only.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// Letters from which on a text can be in capitals.
const FEW_LETTERS: usize = 20;

/// Names of what a text may have to be freed of; features of the kind `spelling`.
pub const SPELLING: [&str; 4] =
    ["invisible characters", "letters that look like others", "letters of another form", "capital letters"];

/// What a text had to be freed of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Invisible characters within words of ASCII.
    pub(super) invisible: bool,
    /// Letters of other scripts within words of Latin letters that they look like.
    pub(super) lookalikes: bool,
    /// Letters and digits in another form, such as full width.
    pub(super) forms: bool,
    letters: usize,
    capitals: usize,
}

impl Effects {
    /// Their names.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let is_loud = self.letters >= FEW_LETTERS && 2 * self.capitals > self.letters;
        let found = [self.invisible, self.lookalikes, self.forms, is_loud];
        SPELLING.into_iter().zip(found).filter_map(|(name, is_so)| is_so.then_some(name))
    }
}

/// Appends `text` in compatibility form (NFKC), without invisible characters and without case, letters that look like Latin ones as those, every
/// ASCII digit as 0, until `limit` bytes or a few more were appended; notes in `effects` what that changed.
///
/// ASCII, which most texts are all of, is only put into lower case; what follows a border between the two is not affected by what is
/// before it, save that the last ASCII character may be the base of marks that follow.
pub(super) fn normalise(mut text: &str, limit: usize, normalised: &mut Vec<u8>, effects: &mut Effects) {
    let end = normalised.len().saturating_add(limit);
    while !text.is_empty() && normalised.len() < end {
        let (ascii, others) = split_run(text);
        let (plain, run) = text.split_at(ascii);
        effects.letters += plain.bytes().filter(u8::is_ascii_alphabetic).count();
        effects.capitals += plain.bytes().filter(u8::is_ascii_uppercase).count();
        normalised.extend(plain.bytes().map(fold_ascii));
        let (run, rest) = run.split_at(others);
        let base = usize::from(run.as_bytes().first().is_some_and(u8::is_ascii));
        let next = rest.bytes().next();
        note_invisible(run, next, effects);
        let mut characters = run.chars().filter(|character| !is_invisible(*character)).nfkc().enumerate().peekable();
        let mut beside_latin = false;
        while let Some((number, character)) = characters.next() {
            if normalised.len() >= end {
                return;
            }
            let after = characters.peek().map_or_else(|| next.map(char::from), |(_, next)| Some(*next));
            effects.forms |= number >= base && character.is_ascii_alphanumeric();
            beside_latin |= after.is_some_and(|after| after.is_ascii_alphanumeric());
            beside_latin = fold(character, beside_latin, normalised, effects);
        }
        text = rest;
    }
}

/// Notes invisible characters between letters of ASCII, where nothing innocent has them: emoji and scripts that join letters need theirs.
fn note_invisible(run: &str, next: Option<u8>, effects: &mut Effects) {
    let Some(first) = run.bytes().next() else { return };
    let is_all = run.chars().skip(1).all(is_invisible) && run.len() > 1;
    effects.invisible |=
        is_all && first.is_ascii_alphanumeric() && next.is_some_and(|next| next.is_ascii_alphanumeric());
}

/// Appends a character without case, as the Latin letter that it looks like if its small form does, or if it stands beside a Latin
/// letter and does itself. Returns whether the next one stands beside one.
fn fold(character: char, beside_latin: bool, normalised: &mut Vec<u8>, effects: &mut Effects) -> bool {
    let mut folded = character.to_uppercase().flat_map(char::to_lowercase);
    let small = folded.next().filter(|small| folded.next().is_none() && is_of_confusable_script(*small));
    let latin = small.and_then(|small| lookalike(small).or_else(|| lookalike(character).filter(|_| beside_latin)));
    let Some(latin) = latin else {
        fold_case(character, normalised);
        return character.is_ascii_alphanumeric();
    };
    effects.lookalikes |= beside_latin;
    normalised.push(fold_ascii(latin));
    beside_latin
}

/// Scripts whose letters are taken for Latin ones: those of Europe, Cherokee, Lisu and some beyond the first plane. Arabic has strokes that look
/// like letters too, and every text in it would be torn.
fn is_of_confusable_script(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{58F}' | '\u{13A0}'..='\u{13FF}' | '\u{1C80}'..='\u{1DFF}' | '\u{2C00}'..='\u{2DFF}'
        | '\u{A4D0}'..='\u{A4FF}' | '\u{A640}'..='\u{A7FF}' | '\u{AB30}'..='\u{ABBF}' | '\u{10280}'..='\u{10FFF}')
}

/// The ASCII letter or digit that stands for everything that looks like this (Unicode's UTS 39); none if it stands for more or other.
fn lookalike(character: char) -> Option<u8> {
    let mut bytes = [0; 4];
    let mut skeleton = skeleton(character.encode_utf8(&mut bytes));
    let (first, second) = (skeleton.next()?, skeleton.next());
    (first.is_ascii_alphanumeric() && second.is_none()).then_some(first as u8)
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
        normalise(text, limit, &mut bytes, &mut Effects::default());
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
        check("STRASSE Straße ΣΊΣΥΦΟΣ σίσυφος", "strasse strasse oίouφoo oίouφoo");
        check("\u{440}а\u{443}\u{440}al раураl", "paypal paypal");
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
            text in prop_oneof!["[ -~\u{4E00}-\u{4E80}\u{FF01}-\u{FF5E}]{0,40}", "[a-cA-C \u{301}\u{327}\u{308}éßﬁ\u{1100}\u{1161}\u{200B}½]{0,40}"],
        ) {
            let mut whole = Vec::new();
            for character in text.chars().filter(|character| !is_invisible(*character)).nfkc() {
                fold_case(character, &mut whole);
            }
            prop_assert_eq!(normalised(&text, usize::MAX).into_bytes(), whole);
        }

        #[test]
        fn case_does_not_matter(
            // Words of one script: beside Latin letters the capitals of others look like other Latin letters than the small ones.
            text in prop_oneof!["[a-zA-ZäöüÄÖÜß ]{0,40}", "[ \u{391}-\u{3A1}\u{3B1}-\u{3C1}]{0,40}"],
        ) {
            prop_assert_eq!(normalised(&text.to_uppercase(), 1000), normalised(&text, 1000));
        }
    }
}
