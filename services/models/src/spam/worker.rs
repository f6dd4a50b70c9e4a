//! The worker's side: what a batch of messages pulls, scores, learns and puts out.

use std::borrow::Cow;
use std::sync::Arc;

use weir_learn::{calibration, text};
use weir_ps::{Batch, Output, Pulls, WorkerLogic, Workspace, words};
use weir_wire::Generation;
use weir_wire::message::Label;
use weir_wire::scored::{Model, Scored, Source};
use weir_wire::verdict::ListReason;

use super::decode::{Features, Kind, SpamEvent};
use super::measures::{self, Said, Wrong};
use super::remembered::{Remembered, Step, Taught, Text};
use super::score::{Known, weight_key};
use super::{
    CALIBRATION, CALIBRATION_KEY, CLASSES, CLASSES_KEY, COUNTS, Calibration, Count, FEATURES, Grounds, Influence,
    Learning, Policy, REMEMBERED, SCORED, Score, SpamSettings, TENANTS, WEIGHTS, counts_key, features, refuse, tenants,
    verdict,
};
use crate::Named;

/// Scores and learns messages.
#[derive(Clone, Debug)]
pub struct SpamWorker {
    topic: Arc<str>,
    /// The name of its generation, for scored records.
    generation: Arc<str>,
    learning: Learning,
    influence: Influence,
    slots: u32,
    remembered_seconds: u32,
    features_width: usize,
    labels_wait: bool,
    policy: Policy,
    /// The rows of the message at hand, and what they say.
    rows: Vec<f32>,
    /// Those rows as they were, and as they were when what is to be corrected was taken back.
    before: [Vec<f32>; 2],
    scores: Vec<f32>,
    known: Known,
    /// A row of features under construction.
    row: Vec<u32>,
}

/// Slots of the tables that have one row for the whole batch, which is pulled first.
const ONLY: u32 = 0;

impl SpamWorker {
    /// With these settings, as a worker of this generation.
    #[must_use]
    pub fn new(settings: &SpamSettings, generation: Generation) -> Self {
        let features_width = features::width(settings.remembered_bytes);
        Self {
            topic: Arc::clone(&settings.topic),
            generation: generation.to_string().into(),
            learning: settings.learning.clone(),
            influence: settings.influence,
            slots: settings.text.slots(),
            remembered_seconds: settings.remembered_seconds,
            features_width,
            labels_wait: settings.labels_wait,
            policy: settings.policy,
            rows: Vec::new(),
            before: Default::default(),
            scores: Vec::new(),
            known: Known::default(),
            row: vec![0; features_width],
        }
    }

    fn handle(&mut self, event: SpamEvent, batch: &mut Batch<SpamEvent>, work: &mut Workspace) {
        let [slot, _] = event.slots;
        let known = Remembered::from_words(work.row(REMEMBERED, slot)).at(event.seconds, self.remembered_seconds);
        if self.is_unknown(&event, known) {
            work.refuse(refuse::unknown_id(&event, &self.topic, batch));
            return;
        }
        count(work, Count::Events);
        let now = match event.kind {
            Kind::Forget => {
                work.forget(FEATURES, event.id);
                work.forget(REMEMBERED, event.id);
                return;
            }
            Kind::Text(label) => {
                let text = self.keep_features(&event, known, &batch.words, work);
                self.gather(event.features, &batch.words, work);
                self.put_out(&event, label, batch, work);
                self.learn(&event, known.with_text(text), label, true, &batch.words, work)
            }
            Kind::Label(label) => {
                let known = with_features(known, &event);
                self.gather(event.features, &batch.words, work);
                self.learn(&event, known, Some(label), false, &batch.words, work)
            }
        };
        work.row_mut(REMEMBERED, slot).copy_from_slice(&now.to_words());
    }

    /// Whether an event is a label for a message of which there is no text, and which must not wait for it.
    fn is_unknown(&self, event: &SpamEvent, known: Remembered) -> bool {
        let Kind::Label(label) = event.kind else { return false };
        !self.labels_wait && matches!(with_features(known, event).step(Some(label), false), Step::Wait(_))
    }

    /// Collects the rows of an event's features, what they say, and what else its score depends on.
    fn gather(&mut self, features: Features, batch: &[u32], work: &Workspace) {
        self.rows.clear();
        for &slot in features.slots(batch).iter().chain(features.copies(batch)) {
            self.rows.extend_from_slice(words::f32s(work.row(WEIGHTS, slot)));
        }
        self.learning.scores(&self.rows, text::unit_value(features.len()), &mut self.scores);
        let row = |place: usize| Calibration::from_values(words::f32s(work.row(CALIBRATION, place as u32)));
        self.known.calibrations.clear();
        self.known.calibrations.extend((0..self.learning.calibrations()).map(row));
        verdict::counts(work.row(CLASSES, ONLY), self.learning.classes.len(), &mut self.known.counts);
    }

    fn score(&self) -> Score {
        self.learning.score(&self.scores, &self.known)
    }

    /// Keeps the features of a text that is not the one that is known.
    fn keep_features(&mut self, event: &SpamEvent, known: Remembered, batch: &[u32], work: &mut Workspace) -> Text {
        let fingerprint = event.fingerprint;
        if let Some(text) = known.text.filter(|text| text.fingerprint == fingerprint) {
            return text;
        }
        let kept = features::write(&mut self.row, fingerprint, event.features.of(batch));
        work.push(FEATURES, event.id, &self.row);
        Text { fingerprint, kept: kept as u32, whole: kept == event.features.len() }
    }

    /// Writes the scored record, from the rows as they are before the event is learned.
    fn put_out(&self, event: &SpamEvent, true_class: Option<u8>, batch: &mut Batch<SpamEvent>, work: &mut Workspace) {
        count(work, Count::Scored);
        let Score { label, probability, margin, probabilities } = self.score();
        let id = batch.names.get(event.id_name);
        let scored = Scored {
            id: Cow::Borrowed(id),
            label,
            probability,
            probabilities,
            margin,
            true_label: true_class.and_then(|class| self.learning.classes.label(class)),
            action: None,
            state: None,
            labels: None,
            thresholds: None,
            reason: None,
            source: Source { topic: Cow::Borrowed(&self.topic), partition: batch.range.source, offset: event.offset },
            model: Model {
                name: Cow::Borrowed(Named::Spam.name()),
                generation: Cow::Borrowed(&self.generation),
                learned: Some(words::u64_at(work.row(COUNTS, ONLY), Count::Learned as usize)),
            },
        };
        let reason = event.listed.map(|(list, kind, pattern)| {
            let pattern = batch.names.get(pattern).to_owned();
            ListReason { list, kind, pattern }
        });
        let grounds = Grounds { thresholds: event.thresholds, reason };
        let verdict = self.policy.verdict(probability, &self.learning.classes, work.row(CLASSES, ONLY), grounds);
        let action = verdict.action;
        let scored = scored.with_verdict(verdict);
        let mut value = Vec::with_capacity(SCORED_BYTES + id.len());
        // Nothing is refused: the score is finite, and its probability lies between 0 and 1.
        if scored.write(&mut value).is_ok() {
            let key = Some(id.as_bytes().to_vec());
            let class = self.learning.classes.class(label).filter(|_| self.learning.classes.len() > 2);
            let said = Said {
                unwanted: !self.is_wanted(label),
                class,
                action,
                listed: event.listed.is_some(),
                features: event.features.len(),
                extraction_seconds: event.extraction_seconds,
            };
            said.measure(work);
            work.output(Output { stream: SCORED, key, value: Some(value), headers: Vec::new() });
        }
    }

    fn is_wanted(&self, label: Label) -> bool {
        let classes = &self.learning.classes;
        classes.class(label).is_some_and(|class| classes.is_wanted(class.into()))
    }

    /// Learns a label on the rows that were gathered, and returns what is remembered from now on. `all` says that
    /// the event has all features of its text.
    fn learn(
        &mut self,
        event: &SpamEvent,
        known: Remembered,
        label: Option<u8>,
        all: bool,
        batch: &[u32],
        work: &mut Workspace,
    ) -> Remembered {
        let (class, undo, corrects) = match known.step(label, all) {
            Step::Nothing => return known,
            Step::Repeat => {
                count(work, Count::Repeated);
                return known;
            }
            Step::Wait(class) => return known.with_waiting(class),
            Step::Learn { label, undo, corrects } => (label, undo, corrects),
        };
        self.before[0].clone_from(&self.rows);
        if let (Some(taught), Some(before)) = (undo, known.label) {
            self.take_back(event, taught, before, batch);
        }
        let balance = self.learning.weight(class, &self.known.counts);
        if !corrects {
            // Of what was learned before, the model would be far too sure.
            self.measure(class, work);
            self.calibrate(class, balance, work);
        }
        let taught = Taught { sample: !all, ..self.teach(event, class, balance, work) };
        count(work, if corrects { Count::Corrected } else { Count::Learned });
        verdict::count_label(work.row_mut(CLASSES, ONLY), class, known.label.filter(|_| corrects));
        let tenant = (event.tenant != 0).then_some(taught.own);
        measures::learned(corrects, taught.lesson.change != 0.0, tenant, work);
        if taught.lesson.change != 0.0 || undo.is_some() {
            let (features, rows) = (event.features, self.rows.chunks_exact(self.learning.width()));
            for (&slot, row) in features.slots(batch).iter().chain(features.copies(batch)).zip(rows) {
                words::f32s_mut(work.row_mut(WEIGHTS, slot)).copy_from_slice(row);
            }
        }
        known.with_lesson(class, taught)
    }

    /// Teaches the rows at hand, or only the tenant's own if it has moved everyone's as far as it may.
    fn teach(&mut self, event: &SpamEvent, class: u8, balance: f32, work: &mut Workspace) -> Taught {
        let Self { learning, rows, scores, before: [before, undone], .. } = self;
        let value = text::unit_value(event.features.len());
        let everyone = event.features.len() * learning.width();
        undone.clone_from(rows);
        let lesson = learning.lesson(rows, value, scores, class, balance);
        learning.learn(rows, value, class, lesson);
        let tenant = (event.tenant != 0).then_some(event.tenant_slot);
        let step = learning.shift(&before[..everyone], &rows[..everyone]);
        if tenant.is_none_or(|slot| tenants::may_shift(self.influence, slot, step, work)) {
            tenants::shifted(tenant, step, work);
            return Taught { lesson, sample: false, own: false };
        }
        rows.clone_from(undone);
        let lesson = learning.lesson(&rows[everyone..], value, scores, class, balance);
        learning.learn(&mut rows[everyone..], value, class, lesson);
        tenants::shifted(tenant, learning.shift(&before[..everyone], &rows[..everyone]), work);
        Taught { lesson, sample: false, own: true }
    }

    /// Takes back what the label `before` taught.
    fn take_back(&mut self, event: &SpamEvent, taught: Taught, before: u8, batch: &[u32]) {
        let features = event.features.of(batch);
        let some = if taught.sample { features::fitting(features, self.features_width) } else { usize::MAX };
        let everyone = event.features.len() * self.learning.width();
        let some = some.saturating_mul(self.learning.width()).min(everyone);
        if !taught.own {
            self.learning.take_back(&mut self.rows[..some], before, taught.lesson);
        }
        if event.tenant != 0 {
            self.learning.take_back(&mut self.rows[everyone..][..some], before, taught.lesson);
        }
        self.learning.scores(&self.rows, text::unit_value(event.features.len()), &mut self.scores);
    }

    /// How wrong the score of a message was before its label is learned.
    fn measure(&self, class: u8, work: &mut Workspace) {
        let (score, unwanted) = (self.score(), !self.learning.classes.is_wanted(class.into()));
        let likelihood = match &score.probabilities {
            Some(probabilities) => probabilities.0.get(usize::from(class)).map_or(0.0, |(_, likely)| *likely),
            None if unwanted => score.probability,
            None => 1.0 - score.probability,
        };
        let error = self.learning.classes.label(class) != Some(score.label);
        let said_unwanted = !self.is_wanted(score.label);
        Wrong { probability: score.probability, likelihood, error, unwanted, said_unwanted }.measure(work);
    }

    fn calibrate(&self, class: u8, weight: f32, work: &mut Workspace) {
        for place in 0..self.learning.calibrations() {
            let (margin, side) = self.learning.calibrated(place, &self.scores, class);
            if let Some(row) = words::f32s_mut(work.row_mut(CALIBRATION, place as u32)).as_mut_array() {
                calibration::learn_weighted(row, margin, side, weight);
            }
        }
    }

    /// The features of a message that only its label has come for: what an event earlier in the batch has `brought`, or
    /// what the row says.
    fn remembered_features(
        &self,
        event: &SpamEvent,
        brought: Option<Features>,
        words: &mut Vec<u32>,
        pulls: &mut Pulls<'_>,
    ) -> Features {
        if let Some(features) = brought {
            return features.first(features::fitting(features.of(words), self.features_width));
        }
        let [slot, features_slot] = event.slots;
        let Some(text) = Remembered::from_words(pulls.row(REMEMBERED, slot)).text else { return Features::default() };
        let start = words.len();
        if !features::read(pulls.row(FEATURES, features_slot), text.fingerprint, text.kept as usize, words) {
            words.truncate(start);
            return Features::default();
        }
        let features = Features::since(words, start, event.tenant != 0);
        let copy = |feature| tenants::copy(feature, event.tenant, self.slots);
        features.pull(words, copy, |feature| pulls.pull(WEIGHTS, weight_key(feature)));
        features
    }
}

/// Bytes of a scored record besides its id, about.
const SCORED_BYTES: usize = 384;

/// A message without its text where the features of it are not there.
fn with_features(known: Remembered, event: &SpamEvent) -> Remembered {
    if event.features.len() > 0 { known } else { known.without_text() }
}

fn count(work: &mut Workspace, count: Count) {
    let row = work.row_mut(COUNTS, ONLY);
    let place = count as usize;
    words::set_u64(row, place, words::u64_at(row, place).wrapping_add(1));
}

impl WorkerLogic for SpamWorker {
    type Event = SpamEvent;

    fn on_recv(&mut self, batch: &mut Batch<SpamEvent>, pulls: &mut Pulls<'_>) {
        if batch.events.is_empty() {
            return;
        }
        for place in 0..self.learning.calibrations() {
            pulls.pull(CALIBRATION, CALIBRATION_KEY + place as u64);
        }
        pulls.pull(CLASSES, CLASSES_KEY);
        pulls.pull(TENANTS, tenants::EVERYONE);
        pulls.pull(COUNTS, counts_key(batch.range.source));
        for event in &mut batch.events {
            event.slots[0] = pulls.pull(REMEMBERED, event.id);
            if matches!(event.kind, Kind::Label(_)) {
                event.slots[1] = pulls.pull_latest(FEATURES, event.id);
            }
            if event.tenant != 0 {
                event.tenant_slot = pulls.pull(TENANTS, tenants::row_key(event.tenant));
            }
            let copy = |feature| tenants::copy(feature, event.tenant, self.slots);
            event.features.pull(&mut batch.words, copy, |feature| pulls.pull(WEIGHTS, weight_key(feature)));
        }
    }

    /// Where only a label has come, it is known now which features its message has, and so which weights it needs.
    fn pull_more(&mut self, batch: &mut Batch<SpamEvent>, pulls: &mut Pulls<'_>) {
        if !batch.events.iter().any(|event| matches!(event.kind, Kind::Label(_))) {
            return;
        }
        let slots = batch.events.iter().map(|event| event.slots[0] as usize + 1).max().unwrap_or(0);
        let mut brought = vec![None; slots];
        for event in &mut batch.events {
            let brought = &mut brought[event.slots[0] as usize];
            match event.kind {
                Kind::Forget => *brought = Some(Features::default()),
                Kind::Text(_) => *brought = Some(event.features),
                Kind::Label(_) => {
                    event.features = self.remembered_features(event, *brought, &mut batch.words, pulls);
                }
            }
        }
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<SpamEvent>, work: &mut Workspace) {
        for index in 0..batch.events.len() {
            self.handle(batch.events[index], batch, work);
        }
    }
}
