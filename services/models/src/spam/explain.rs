//! Which parts of a text spoke most for and against it: each part's weight is how much the margin would change without
//! it, so what is said is what the model does, whatever its features are.
//!
//! Parts are what stands between spaces; of what has no spaces for long, a few characters each, so that texts in any
//! language fall into parts.

use serde::Serialize;

use super::TextScorer;

/// Bytes of a text that are explained; the rest is not looked at.
pub const EXPLAINED_BYTES: usize = 16 * 1_024;
/// Different parts of a text that are tried.
const MOST_PARTS: usize = 200;
/// Parts that are named for each side.
const NAMED_PARTS: usize = 8;
/// Characters of a part that is not cut.
const WHOLE_CHARACTERS: usize = 24;
/// Characters of the pieces that longer ones are cut into.
const PIECE_CHARACTERS: usize = 8;
/// Less than this is how sums round.
const LEAST_WEIGHT: f32 = 1e-4;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// As it stands in the text.
    pub part: String,
    /// By how much it raises the margin, all its occurrences together; below 0 it speaks for ham.
    pub weight: f32,
}

/// What spoke most for either class, the heaviest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// For what is unwanted.
    pub spam: Vec<Part>,
    /// For what is wanted.
    pub ham: Vec<Part>,
}

impl TextScorer {
    /// Tells what spoke most for and against the beginning of `text`; `tenant` and `row` as for [`TextScorer::score`].
    pub fn explain<'a>(&mut self, text: &str, tenant: u64, row: impl Fn(u8, u64) -> Option<&'a [u32]>) -> Explanation {
        let text = beginning(text);
        let parts = parts(text);
        let whole = self.margin(text, tenant, &row);
        let mut weighed: Vec<Part> = Vec::new();
        let mut without = String::with_capacity(text.len());
        for part in different(&parts) {
            leave_out(text, &parts, part, &mut without);
            let weight = whole - self.margin(&without, tenant, &row);
            if weight.abs() >= LEAST_WEIGHT {
                weighed.push(Part { part: part.to_owned(), weight });
            }
        }
        let side = |sign: f32| {
            let mut side: Vec<Part> = weighed.iter().filter(|part| part.weight * sign > 0.0).cloned().collect();
            side.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
            side.truncate(NAMED_PARTS);
            side
        };
        Explanation { spam: side(1.0), ham: side(-1.0) }
    }
}

/// As much of a text as is explained.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(EXPLAINED_BYTES)]
}

/// The parts of a text, each with where it starts.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let start_of = |part: &str| part.as_ptr().addr() - text.as_ptr().addr();
    text.split_whitespace().flat_map(pieces).map(|part| (start_of(part), part)).collect()
}

/// A word as it is, or in pieces if it is long.
fn pieces(word: &str) -> Vec<&str> {
    let starts: Vec<usize> = word.char_indices().map(|(start, _)| start).collect();
    if starts.len() <= WHOLE_CHARACTERS {
        return vec![word];
    }
    let ends = starts.iter().skip(PIECE_CHARACTERS).step_by(PIECE_CHARACTERS).copied().chain([word.len()]);
    starts.iter().step_by(PIECE_CHARACTERS).zip(ends).map(|(&start, end)| &word[start..end]).collect()
}

/// The first parts that differ, in their order.
fn different<'a>(parts: &[(usize, &'a str)]) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    parts.iter().map(|&(_, part)| part).filter(|part| seen.insert(*part)).take(MOST_PARTS).collect()
}

/// Writes `text` without the occurrences of `left_out`.
fn leave_out(text: &str, parts: &[(usize, &str)], left_out: &str, without: &mut String) {
    without.clear();
    let mut next = 0;
    for &(start, part) in parts.iter().filter(|(_, part)| *part == left_out) {
        without.push_str(&text[next..start]);
        next = start + part.len();
    }
    without.push_str(&text[next..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_learn::linear::Learner;
    use weir_learn::passive_aggressive;
    use weir_learn::text;

    use super::*;
    use crate::spam::{Learning, weight_key};

    fn names(parts: &[Part]) -> Vec<&str> {
        parts.iter().map(|part| part.part.as_str()).collect()
    }

    /// Weights by which the features of `spam` speak for it and those of `ham` against.
    fn explain(spam: &str, ham: &str, text: &str) -> Explanation {
        let mut extractor = text::Extractor::new(text::Settings::default());
        let mut weights = std::collections::BTreeMap::<u64, [u32; 1]>::new();
        for (text, weight) in [(spam, 1.0), (ham, -1.0)] {
            for &slot in extractor.extract(text).slots {
                let [sum] = weights.entry(weight_key(slot)).or_insert([0]);
                *sum = (f32::from_bits(*sum) + weight).to_bits();
            }
        }
        let learner = Learner::PassiveAggressive(passive_aggressive::Settings::default());
        let row = |_, key| weights.get(&key).map(<[u32; 1]>::as_slice);
        TextScorer::new(text::Settings::default(), Learning::two(learner)).explain(text, 0, row)
    }

    #[test]
    fn what_spoke_for_and_against_is_named() {
        let said = explain("lottery", "dinner", "lottery with dinner and lottery");
        assert_eq!((said.spam[0].part.as_str(), said.ham[0].part.as_str()), ("lottery", "dinner"), "{said:?}");
        assert!(said.spam[0].weight > 0.0 && said.ham[0].weight < 0.0, "{said:?}");
        let lottery = said.spam.iter().filter(|part| part.part == "lottery").count();
        assert_eq!(lottery, 1, "all its occurrences together");
        assert_eq!(explain("lottery", "dinner", ""), Explanation::default());
    }

    #[test]
    fn texts_without_spaces_fall_into_pieces() {
        let text = "免费彩票".repeat(7);
        assert_eq!(pieces(&text).len(), 4);
        assert_eq!(pieces(&text).concat(), text);
        assert_eq!(pieces("x").concat(), "x");
    }

    proptest! {
        #[test]
        fn any_text_is_explained_within_bounds(text in "\\PC{0,400}|[ab \u{3000}é]{0,200}") {
            let said = explain("free prize a", "home b", &text);
            prop_assert!(said.spam.len() <= NAMED_PARTS && said.ham.len() <= NAMED_PARTS);
            prop_assert!(names(&said.spam).iter().chain(&names(&said.ham)).all(|part| text.contains(part)));
            let parts = parts(&text);
            prop_assert!(parts.iter().all(|&(start, part)| text[start..].starts_with(part)));
        }
    }
}
