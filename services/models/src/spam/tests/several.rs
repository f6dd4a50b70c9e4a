//! More classes than two, through worker and shards.

use weir_learn::passive_aggressive::{
    self as pa,
    multiclass::{self, Costs, Update},
};

use super::*;

const TOPICS: [(&str, &str); 4] = [
    ("spam", "win a free prize now"),
    ("ham", "see you at home tonight"),
    ("news", "this week in our garden letter"),
    ("phishing", "your account is locked, confirm the password"),
];

fn several(update: Update, costs: Costs) -> SpamSettings {
    let labels: Vec<Label> = TOPICS.iter().filter_map(|(name, _)| Label::named(name)).collect();
    let method = Method::Several(pa::Settings::default(), update, costs);
    let classes = Classes::new(&labels, &labels[1..3]);
    SpamSettings { learning: Learning { classes, method, ..settings().learning }, ..settings() }
}

fn model(settings: &SpamSettings) -> SpamModel {
    let known = settings.learning.classes.labels().to_vec();
    let sources = weir_wire::message::MessageSources { known, ..weir_wire::message::MessageSources::default() };
    SpamModel::new(settings.clone()).with_mapping(weir_wire::message::MessageMapping::new(&sources).unwrap())
}

/// Messages of all classes, each with its label.
fn messages(count: u64) -> Vec<Record> {
    let word = |number: u64| format!("w{}", weir_wire::key(number, "word") % 60);
    let record = |number: u64| {
        let (label, topic) = TOPICS[(weir_wire::key(number, "class") % 4) as usize];
        let words: Vec<String> = (0..4).map(|place| word(number * 8 + place)).collect();
        said(&format!("m{number}"), Some(&format!("{topic} {}", words.join(" "))), Some(label))
    };
    (0..count).map(record).collect()
}

fn run_all(settings: &SpamSettings, records: Vec<Record>, plan: &Plan) -> Outcome {
    learn_with(&model(settings), vec![records], plan)
}

/// The same rows in memory, by the formulas of the library.
struct Rows {
    settings: SpamSettings,
    table: BTreeMap<u32, Vec<f32>>,
}

impl Rows {
    fn next(&mut self, text: &str, right: usize) -> Vec<f32> {
        let Method::Several(learner, update, costs) = &self.settings.learning.method else { panic!("two classes") };
        let mut extractor = weir_learn::text::Extractor::new(self.settings.text);
        let features = extractor.extract(text);
        let row = |slot: &u32| self.table.get(slot).cloned().unwrap_or_else(|| vec![0.0; 4]);
        let mut rows: Vec<f32> = features.slots.iter().flat_map(row).collect();
        let mut scores = vec![0.0; 4];
        multiclass::scores(&rows, features.value, &mut scores);
        let lesson =
            multiclass::lesson(learner, costs, *update, &scores, (features.slots.len(), features.value), right);
        multiclass::learn(&mut rows, 4, right, lesson);
        for (slot, row) in features.slots.iter().zip(rows.chunks(4)) {
            self.table.insert(*slot, row.to_vec());
        }
        scores
    }
}

#[test]
fn every_message_gets_the_scores_of_the_paper_and_a_probability_for_each_class() {
    let costs = Costs::new(&[[1.0; 4].to_vec(), vec![3.0, 1.0, 2.0, 5.0], [1.0; 4].to_vec(), [2.0; 4].to_vec()]);
    for update in [Update::PredictionBased, Update::MaxLoss] {
        let settings = several(update, costs.clone().unwrap());
        let (records, mut rows) = (messages(200), Rows { settings: settings.clone(), table: BTreeMap::new() });
        let outcome = run_all(&settings, records.clone(), &plan(3));
        let mut right = 0;
        for (number, (output, record)) in outcome.outputs.iter().zip(&records).enumerate() {
            let scored = weir_wire::scored::parse(output.value.as_deref().unwrap()).unwrap();
            let class = settings.learning.classes.class(scored.true_label.unwrap()).unwrap().into();
            let scores = rows.next(record.text.as_deref().unwrap(), class);
            let margin = scores[0].max(scores[3]) - scores[1].max(scores[2]);
            assert!((scored.margin - margin).abs() < 1e-4, "{update:?} {number}: {scored:?} {scores:?}");
            let likely = scored.probabilities.unwrap().0;
            assert!((likely.iter().map(|(_, likely)| likely).sum::<f32>() - 1.0).abs() < 1e-5, "{likely:?}");
            assert!((likely[0].1 + likely[3].1 - scored.probability).abs() < 1e-5, "{likely:?}");
            right += usize::from(number >= 50 && scored.label.as_str() == TOPICS[class].0);
        }
        assert!(right >= 140, "{update:?}: {right} of 150");
    }
}

#[test]
fn labels_of_several_classes_count_once_and_correct() {
    let settings = several(Update::MaxLoss, Costs::equal(4).unwrap());
    let learn = |records| run_all(&settings, records, &plan(1));
    let text = |label| said("a", Some(TOPICS[3].1), label);
    let only = |label| said("a", None, Some(label));
    let other = || said("b", Some(TOPICS[2].1), Some("news"));
    let check = |records, same, expected: [u64; COUNT_VALUES]| {
        let outcome = learn(records);
        assert_eq!(all_weights(&outcome), all_weights(&learn(same)));
        assert_eq!(counts(&outcome), expected);
        classes(&outcome)
    };
    let phishing = || vec![other(), text(Some("phishing"))];
    let found = check(vec![other(), text(Some("phishing")), only("phishing")], phishing(), [3, 2, 2, 0, 1]);
    assert_eq!(found, [[0, 0, 0, 0, 1, 0, 1, 0]]);
    check(vec![other(), text(None), only("phishing")], phishing(), [3, 2, 2, 0, 0]);
    let found = check(vec![other(), text(Some("ham")), only("phishing")], phishing(), [3, 2, 2, 1, 0]);
    assert_eq!(found, [[0, 0, 0, 0, 1, 0, 1, 0]]);
}

/// As [`weights`], of all classes.
fn all_weights(outcome: &Outcome) -> BTreeMap<u64, Vec<i64>> {
    let rounded = |row: &[u32]| words::f32s(row).iter().map(|weight| (weight * 1e6).round() as i64).collect();
    let all = rows(outcome, WEIGHTS).map(|(key, _, row)| (key, rounded(row)));
    all.filter(|(_, row): &(u64, Vec<i64>)| row.iter().any(|weight| *weight != 0)).collect()
}
