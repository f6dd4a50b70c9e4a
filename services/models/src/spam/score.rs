//! From rows to what is said of a message: the same for the worker that scores and the gateway that answers.

use weir_learn::{balance, calibration, text};
use weir_ps::words;
use weir_wire::message;
use weir_wire::verdict::Probabilities;

use super::learning::{Learning, Method, lead};
use super::{CALIBRATION, CALIBRATION_KEY, CLASSES, CLASSES_KEY, Content, ContentExtractor, WEIGHTS, tenants, verdict};

/// The key of a feature's weight. Slots are small numbers, and row tables want keys whose bits all vary; to multiply by
/// an odd number gives every slot a key of its own.
#[must_use]
#[inline]
pub fn weight_key(slot: u32) -> u64 {
    (u64::from(slot) + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// What is said of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// What it is taken for.
    pub label: message::Label,
    /// How likely it is unwanted, from 0 to 1.
    pub probability: f32,
    /// Above 0 is unwanted.
    pub margin: f32,
    /// How likely each class is, where there are more than two.
    pub probabilities: Option<Probabilities>,
}

/// A row of the calibration table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration(pub(super) [f32; calibration::WIDTH]);

impl Default for Calibration {
    /// The row that nothing was learned on yet.
    fn default() -> Self {
        Self(calibration::INITIAL)
    }
}

impl Calibration {
    /// Out of a row's values.
    #[must_use]
    pub fn from_values(values: &[f32]) -> Self {
        values.as_array().map_or_else(Self::default, |values| Self(*values))
    }

    fn probability(self, margin: f32) -> f32 {
        let probability = calibration::probability(&self.0, margin);
        if probability.is_nan() { 0.5 } else { probability }
    }
}

/// What scores depend on beside a message's own rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The calibration's rows.
    pub(super) calibrations: Vec<Calibration>,
    /// Labels of each class.
    pub(super) counts: Vec<u64>,
}

impl Learning {
    /// The class that the scores speak for, of several equal ones a wanted one.
    fn answer(&self, scores: &[f32]) -> usize {
        let (classes, [unwanted, wanted]) = (&self.classes, self.best(scores));
        match &self.method {
            Method::Two(..) => classes.of_side(scores[0] <= 0.0 || scores[0].is_nan()).next().unwrap_or_default(),
            Method::Several(..) if scores[unwanted] > scores[wanted] => unwanted,
            Method::Several(..) => wanted,
        }
    }

    /// The class of the highest value on each side, unwanted and wanted; of several the first.
    fn best(&self, values: &[f32]) -> [usize; 2] {
        let value = |class: usize| values.get(class).copied().unwrap_or_default();
        let best = |best: usize, class: usize| if value(class) > value(best) { class } else { best };
        [false, true].map(|wanted| self.classes.of_side(wanted).reduce(best).unwrap_or_default())
    }

    /// Above 0 is unwanted.
    pub(super) fn margin(&self, scores: &[f32]) -> f32 {
        let [unwanted, wanted] = self.best(scores);
        match &self.method {
            Method::Two(..) => scores[0],
            Method::Several(..) => scores[unwanted] - scores[wanted],
        }
    }

    /// What scores say.
    ///
    /// The label is what the scores are highest for. While one side is ahead of the other by more than the balance allows, all scores lean
    /// to it, and the calibration, which learns in a balanced way, decides.
    pub(super) fn score(&self, scores: &[f32], known: &Known) -> Score {
        let classes = &self.classes;
        let [unwanted, wanted] = classes.sides(&known.counts);
        let mut likely = self.likely(scores, known);
        hold_back(&mut likely, |class| classes.is_wanted(class), balance::surest(wanted));
        let probability: f32 = classes.of_side(false).map(|class| likely[class]).sum();
        let answer = if self.balance.is_lopsided(unwanted, wanted) {
            self.best(&likely)[usize::from(probability <= 0.5)]
        } else {
            self.answer(scores)
        };
        let named = || Probabilities(classes.labels().iter().copied().zip(likely.iter().copied()).collect());
        Score {
            label: classes.labels()[answer],
            probability: probability.clamp(0.0, 1.0),
            margin: self.margin(scores),
            probabilities: (classes.len() > 2).then(named),
        }
    }

    /// How likely each class is. Of several each is calibrated against all others, and what comes out is made to sum to 1.
    ///
    /// Source: Zadrozny, Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates", KDD 2002, section 5.
    fn likely(&self, scores: &[f32], known: &Known) -> Vec<f32> {
        let calibration = |place: usize| known.calibrations.get(place).copied().unwrap_or_default();
        if let Method::Two(..) = self.method {
            let unwanted = calibration(0).probability(scores[0]);
            let of = |class| if self.classes.is_wanted(class) { 1.0 - unwanted } else { unwanted };
            return (0..2).map(of).collect();
        }
        let mut likely: Vec<f32> =
            (0..scores.len()).map(|class| calibration(class).probability(lead(scores, class))).collect();
        let sum: f32 = likely.iter().sum();
        let even = 1.0 / likely.len() as f32;
        for likely in &mut likely {
            *likely = if sum > 0.0 { *likely / sum } else { even };
        }
        likely
    }
}

/// Lets the unwanted classes have at most `most` together; what they lose the others get.
fn hold_back(likely: &mut [f32], is_wanted: impl Fn(usize) -> bool, most: f32) {
    let of = |likely: &[f32], side: bool| {
        let of_side = likely.iter().enumerate().filter(|(class, _)| is_wanted(*class) == side);
        (of_side.clone().map(|(_, likely)| likely).sum::<f32>(), of_side.count() as f32)
    };
    let ((unwanted, _), (wanted, classes)) = (of(likely, false), of(likely, true));
    if unwanted <= most {
        return;
    }
    for (class, likely) in likely.iter_mut().enumerate() {
        *likely = match (is_wanted(class), wanted > 0.0) {
            (false, _) => *likely * most / unwanted,
            (true, true) => *likely * (1.0 - most) / wanted,
            (true, false) => (1.0 - most) / classes,
        };
    }
}

/// Scores texts with rows from anywhere, and keeps the room it needs.
#[derive(Clone, Debug)]
pub struct TextScorer {
    pub(super) extractor: ContentExtractor,
    learning: Learning,
    slots: u32,
    nothing: Vec<f32>,
    rows: Vec<f32>,
    scores: Vec<f32>,
}

impl TextScorer {
    /// With a model's features and learning.
    #[must_use]
    pub fn new(settings: text::Settings, learning: Learning) -> Self {
        let nothing = vec![0.0; learning.width()];
        Self {
            extractor: ContentExtractor::new(settings),
            slots: settings.slots(),
            learning,
            nothing,
            rows: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// Scores one text of this tenant ([`super::tenant_key`]); `row` gives the row of a table under a key, none where there is none.
    pub fn score<'a>(
        &mut self,
        content: Content<'_>,
        tenant: u64,
        row: impl Fn(u8, u64) -> Option<&'a [u32]>,
    ) -> Score {
        let calibration = |place: usize| {
            let row = row(CALIBRATION, CALIBRATION_KEY + place as u64);
            row.map_or_else(Calibration::default, |row| Calibration::from_values(words::f32s(row)))
        };
        let mut known =
            Known { calibrations: (0..self.learning.calibrations()).map(calibration).collect(), counts: Vec::new() };
        let classes = row(CLASSES, CLASSES_KEY).unwrap_or_default();
        verdict::counts(classes, self.learning.classes.len(), &mut known.counts);
        self.gather(content, tenant, &row);
        self.learning.score(&self.scores, &known)
    }

    /// What features of one message of this tenant, each of this value, add to its margin.
    pub(super) fn margin_of<'a>(
        &mut self,
        slots: &[u32],
        (value, tenant): (f32, u64),
        row: &impl Fn(u8, u64) -> Option<&'a [u32]>,
    ) -> f32 {
        gather_rows((&mut self.rows, &self.nothing), slots, (tenant, self.slots), row);
        self.learning.scores(&self.rows, value, &mut self.scores);
        self.learning.margin(&self.scores)
    }

    fn gather<'a>(&mut self, content: Content<'_>, tenant: u64, row: &impl Fn(u8, u64) -> Option<&'a [u32]>) {
        let features = self.extractor.extract(content);
        let rows = (&mut self.rows, self.nothing.as_slice());
        gather_rows(rows, features.slots, (tenant, self.slots), row);
        self.learning.scores(&self.rows, features.value, &mut self.scores);
    }
}

/// Collects the rows of features, and of a tenant's copies of them, `nothing` where there is none.
fn gather_rows<'a>(
    (rows, nothing): (&mut Vec<f32>, &[f32]),
    features: &[u32],
    (tenant, slots): (u64, u32),
    row: &impl Fn(u8, u64) -> Option<&'a [u32]>,
) {
    rows.clear();
    let copies = features.iter().filter(|_| tenant != 0).map(|&slot| tenants::copy(slot, tenant, slots));
    for slot in features.iter().copied().chain(copies) {
        let row = row(WEIGHTS, weight_key(slot)).map(words::f32s).filter(|row| row.len() == nothing.len());
        rows.extend_from_slice(row.unwrap_or(nothing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_goes_to_the_wanted_classes() {
        let check = |likely: [f32; 3], most, expected: [f32; 3]| {
            let mut found = likely;
            hold_back(&mut found, |class| class > 0, most);
            let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
            assert!(near, "{found:?}, not {expected:?}");
        };
        check([0.4, 0.3, 0.3], 0.5, [0.4, 0.3, 0.3]);
        check([0.8, 0.15, 0.05], 0.5, [0.5, 0.375, 0.125]);
        check([1.0, 0.0, 0.0], 0.5, [0.5, 0.25, 0.25]);
    }
}
