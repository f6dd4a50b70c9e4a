//! What is remembered of a message: which text it had, which label was learned, and what that changed.
//!
//! So the same label counts once however often it comes, and another one corrects: since the steps of learning add up,
//! the one that the former label took is taken back before the new label is learned. A label that comes before its text
//! waits for it.

use super::learning::Lesson;

/// Words of a row; a row of zero words is a message that is not known.
pub(super) const WIDTH: usize = 4;

const KEPT: u32 = 0xFFFF;
const WHOLE: u32 = 1 << 16;
const TAUGHT: u32 = 1 << 17;
const SAMPLE: u32 = 1 << 18;
const OWN: u32 = 1 << 19;
/// Where the label's class stands, plus one; 0 is none.
const CLASS_SHIFT: u32 = 20;
const CLASS: u32 = 0x3F;
/// Where the class stands that the label was learned against.
const WRONG_SHIFT: u32 = 26;
const WRONG: u32 = 0x1F;
const KNOWN: u32 = 1 << 31;

/// A message as it is known; by default it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Remembered {
    /// What it said; none as long as only a label came.
    pub(super) text: Option<Text>,
    /// What it is said to be.
    pub(super) label: Option<u8>,
    /// What the label taught; none as long as it has not.
    pub(super) taught: Option<Taught>,
    /// When it was first seen: seconds since 1970 by its record's time.
    pub(super) seconds: u32,
}

/// What is remembered of a message, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMessage {
    /// The class of the latest label.
    pub label: Option<u8>,
    /// Whether the label was learned; if not, it waits for its text.
    pub learned: bool,
    /// Features that are kept; none of a message of which only a label came.
    pub features: u32,
    /// Whether these are all features of its text.
    pub whole: bool,
    /// When it was first seen, by its record's time: seconds since 1970.
    pub first_seen: u32,
}

impl KnownMessage {
    /// Out of a row of [`super::REMEMBERED`]; none where the row is of no message.
    #[must_use]
    pub fn from_row(row: &[u32]) -> Option<Self> {
        let first_seen = first_seen(row)?;
        let known = Remembered::from_words(row);
        let (features, whole) = known.text.map_or((0, false), |text| (text.kept, text.whole));
        Some(Self { label: known.label, learned: known.taught.is_some(), features, whole, first_seen })
    }
}

/// The text whose features are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// Tells it from others.
    pub(super) fingerprint: u32,
    /// Features that are kept.
    pub(super) kept: u32,
    /// Whether these are all.
    pub(super) whole: bool,
}

/// A step that was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Taught {
    /// What it taught each feature.
    pub(super) lesson: Lesson,
    /// Whether it did so for the features that are kept, and not for all.
    pub(super) sample: bool,
    /// Whether only the tenant's own copies of them were taught.
    pub(super) own: bool,
}

/// What is to be done with a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// There is none.
    Nothing,
    /// It was learned before, or waits already.
    Repeat,
    /// There is no text to learn it with.
    Wait(u8),
    /// Take a step back, where there is one that can be, and learn the label.
    Learn { label: u8, undo: Option<Taught>, corrects: bool },
}

impl Remembered {
    /// Out of a row.
    pub(super) fn from_words(row: &[u32]) -> Self {
        let &[state, change, fingerprint, seconds] = row else { return Self::default() };
        let has = |flag| state & flag != 0;
        if !has(KNOWN) {
            return Self::default();
        }
        let text = Text { fingerprint, kept: state & KEPT, whole: has(WHOLE) };
        let lesson = Lesson { change: f32::from_bits(change), wrong: (state >> WRONG_SHIFT & WRONG) as u8 };
        let taught = Taught { lesson, sample: has(SAMPLE), own: has(OWN) };
        Self {
            text: (text.kept > 0).then_some(text),
            label: ((state >> CLASS_SHIFT & CLASS) as u8).checked_sub(1),
            taught: has(TAUGHT).then_some(taught),
            seconds,
        }
    }

    /// As a row.
    pub(super) fn to_words(self) -> [u32; WIDTH] {
        let flag = |flag, is| if is { flag } else { 0 };
        let label = self.label.map_or(0, |class| ((u32::from(class) + 1) & CLASS) << CLASS_SHIFT);
        let text = self.text.map_or(0, |text| text.kept.min(KEPT) | flag(WHOLE, text.whole));
        let wrong = |taught: Taught| (u32::from(taught.lesson.wrong) & WRONG) << WRONG_SHIFT;
        let taught = self
            .taught
            .map_or(0, |taught| TAUGHT | flag(SAMPLE, taught.sample) | flag(OWN, taught.own) | wrong(taught));
        let change = self.taught.map_or(0, |taught| taught.lesson.change.to_bits());
        let fingerprint = self.text.map_or(0, |text| text.fingerprint);
        [KNOWN | label | text | taught, change, fingerprint, self.seconds]
    }

    /// As it is known at this time, if it is remembered for so long.
    pub(super) fn at(self, seconds: u32, remembered_seconds: u32) -> Self {
        let is_over = seconds > self.seconds.saturating_add(remembered_seconds);
        if is_over || self == Self::default() { Self { seconds, ..Self::default() } } else { self }
    }

    /// With a text that has come. If it is another one than before, what that one's label taught stays.
    pub(super) fn with_text(self, text: Text) -> Self {
        let same = self.text.is_some_and(|known| known.fingerprint == text.fingerprint);
        let nothing = |lesson: Lesson| Lesson { change: 0.0, ..lesson };
        let stays =
            |taught: Taught| Taught { lesson: if same { taught.lesson } else { nothing(taught.lesson) }, ..taught };
        Self { text: Some(text), taught: self.taught.map(stays), ..self }
    }

    /// What to do with the label of an event, if it has one, or else with one that waits. `all` says that all features
    /// of the text are at hand, and not only those that are kept.
    pub(super) fn step(self, label: Option<u8>, all: bool) -> Step {
        let waiting = self.label.filter(|_| self.taught.is_none());
        let Some(label) = label.or(waiting) else { return Step::Nothing };
        let corrects = match self.taught {
            Some(_) if self.label == Some(label) => return Step::Repeat,
            Some(_) => true,
            None => false,
        };
        let Some(text) = self.text else {
            return if waiting == Some(label) { Step::Repeat } else { Step::Wait(label) };
        };
        // A step on all features cannot be taken back from some of them.
        let undo = self.taught.filter(|taught| all || text.whole || taught.sample);
        Step::Learn { label, undo, corrects }
    }

    /// With a label that was learned.
    pub(super) fn with_lesson(self, label: u8, taught: Taught) -> Self {
        Self { label: Some(label), taught: Some(taught), ..self }
    }

    /// With a label that waits for a text.
    pub(super) fn with_waiting(self, label: u8) -> Self {
        Self { label: Some(label), taught: None, ..self }
    }

    /// With its features gone: a text that cannot be taught any more is as good as none.
    pub(super) fn without_text(self) -> Self {
        Self { text: None, ..self }
    }
}

/// When a row's message was first seen; none if the row is of no message.
pub(super) fn first_seen(row: &[u32]) -> Option<u32> {
    match row {
        [state, _, _, seconds] if state & KNOWN != 0 => Some(*seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: Text = Text { fingerprint: 7, kept: 5, whole: true };
    const LONG: Text = Text { whole: false, ..TEXT };
    const SPAM: u8 = 0;
    const HAM: u8 = 1;
    const SPAM_STEP: Taught = Taught { lesson: Lesson { change: 0.25, wrong: 0 }, sample: false, own: false };

    fn unlabelled(text: Text) -> Remembered {
        Remembered { text: Some(text), ..Remembered::default() }
    }

    fn spam(text: Text) -> Remembered {
        unlabelled(text).with_lesson(SPAM, SPAM_STEP)
    }

    fn learn(label: u8, undo: Option<Taught>, corrects: bool) -> Step {
        Step::Learn { label, undo, corrects }
    }

    #[test]
    fn a_label_is_learned_once_and_another_corrects_it() {
        let (spam_label, ham_label) = (Some(SPAM), Some(HAM));
        assert_eq!(unlabelled(TEXT).step(None, true), Step::Nothing);
        assert_eq!(unlabelled(TEXT).step(spam_label, true), learn(SPAM, None, false));
        assert_eq!(unlabelled(LONG).step(spam_label, false), learn(SPAM, None, false));
        assert_eq!(spam(TEXT).step(spam_label, true), Step::Repeat);
        assert_eq!(spam(TEXT).step(None, true), Step::Nothing);
        assert_eq!(spam(TEXT).step(ham_label, false), learn(HAM, Some(SPAM_STEP), true));
        assert_eq!(spam(LONG).step(ham_label, true), learn(HAM, Some(SPAM_STEP), true));
        assert_eq!(spam(LONG).step(ham_label, false), learn(HAM, None, true), "only a sample is at hand");
    }

    #[test]
    fn a_label_waits_for_its_text() {
        let nobody = Remembered::default();
        assert_eq!(nobody.step(Some(SPAM), false), Step::Wait(SPAM));
        let waiting = nobody.with_waiting(SPAM);
        assert_eq!(waiting.step(Some(SPAM), false), Step::Repeat);
        assert_eq!(waiting.step(Some(HAM), false), Step::Wait(HAM));
        assert_eq!(waiting.with_text(TEXT).step(None, true), learn(SPAM, None, false));
        assert_eq!(waiting.with_text(TEXT).step(Some(HAM), true), learn(HAM, None, false));
    }

    #[test]
    fn another_text_takes_nothing_back() {
        let other = spam(TEXT).with_text(Text { fingerprint: 8, ..TEXT });
        let nothing = Taught { lesson: Lesson { change: 0.0, wrong: 0 }, ..SPAM_STEP };
        assert_eq!(other.step(Some(SPAM), true), Step::Repeat);
        assert_eq!(other.step(Some(HAM), true), learn(HAM, Some(nothing), true));
        assert_eq!(spam(TEXT).with_text(TEXT), spam(TEXT));
        assert_eq!(spam(TEXT).without_text().step(Some(HAM), false), Step::Wait(HAM));
    }

    #[test]
    fn messages_are_remembered_for_their_time() {
        let known = Remembered { seconds: 100, ..spam(TEXT) };
        assert_eq!(known.at(150, 50), known);
        assert_eq!(known.at(151, 50), Remembered { seconds: 151, ..Remembered::default() });
        assert_eq!(known.at(0, 50), known, "times may go back");
        assert_eq!(first_seen(&known.to_words()), Some(100));
        assert_eq!(first_seen(&[0; WIDTH]), None);
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_went_in(
            text in prop::option::of((any::<u32>(), 1..1_u32 << 16, any::<bool>())),
            label in prop::option::of(0..32_u8),
            taught in prop::option::of((-1.0_f32..1.0, any::<bool>(), 0..32_u8, any::<bool>())),
            seconds in any::<u32>(),
        ) {
            let text = text.map(|(fingerprint, kept, whole)| Text { fingerprint, kept, whole });
            let taught = taught.map(|(change, sample, wrong, own)| Taught { lesson: Lesson { change, wrong }, sample, own });
            let remembered = Remembered { text, label, taught, seconds };
            prop_assert_eq!(Remembered::from_words(&remembered.to_words()), remembered);
            prop_assert_eq!(Remembered::from_words(&[0; WIDTH]), Remembered::default());
        }
    }
}
