//! Tenants: everyone's weights from the first message on, weights of their own, and bounds between them.

use super::*;

pub(super) fn of(tenant: &str, record: Record) -> Record {
    let value = record.value.as_deref().map(|value| value.replacen('{', &format!(r#"{{"tenant":"{tenant}","#), 1));
    Record { value, ..record }
}

fn asked(tenant: Option<&str>) -> Record {
    let record = said("asked", Some(PRIZE), None);
    tenant.map_or(record.clone(), |tenant| of(tenant, record))
}

/// Margins of the last records.
fn last(settings: SpamSettings, records: Vec<Record>, count: usize) -> Vec<f32> {
    let scored = scored(&learn_all(settings, vec![records], &plan(5)));
    scored[scored.len() - count..].iter().map(|said| said.margin).collect()
}

#[test]
fn a_new_tenant_is_scored_by_the_weights_of_everyone() {
    let taught = vec![said("s", Some(PRIZE), Some("spam")), said("h", Some(DINNER), Some("ham"))];
    let records = taught.into_iter().chain([asked(None), asked(Some("a")), asked(Some("b"))]).collect();
    let margins = last(settings(), records, 3);
    assert!(margins[0] > 0.5 && margins[0] == margins[1] && margins[0] == margins[2], "{margins:?}");
}

#[test]
fn what_a_tenant_teaches_counts_for_itself_most() {
    let taught =
        (0..5).map(|number| of("a", said(&format!("s{number}"), Some(PRIZE), Some("spam")))).collect::<Vec<_>>();
    let records = taught.into_iter().chain([asked(Some("a")), asked(Some("b")), asked(None)]).collect();
    let margins = last(settings(), records, 3);
    // Half of each step is everyone's.
    assert!((margins[0] - 1.0).abs() < 1e-3 && (margins[1] - 0.5).abs() < 1e-3, "{margins:?}");
    assert_eq!(margins[1], margins[2]);
}

#[test]
fn a_tenant_moves_the_weights_of_everyone_no_further_than_it_may() {
    let bounded = |steps| SpamSettings { influence: Influence { steps, share: 0.0 }, ..settings() };
    // A tenant to whom everything that others want is spam.
    let text = |number: u64| format!("{DINNER} w{}", weir_wire::key(number, "word") % 50);
    let hostile = |number: u64| {
        of("a", said(&format!("m{number}"), Some(&text(number)), Some(if number % 5 == 4 { "ham" } else { "spam" })))
    };
    let outcome = learn_all(bounded(0.6), vec![(0..300).map(hostile).collect()], &plan(2));
    let slots = u64::from(settings().text.slots());
    let everyone: std::collections::BTreeSet<u64> = (0..slots as u32).map(weight_key).collect();
    let length = |own: bool| -> f32 {
        let rows = rows(&outcome, WEIGHTS).filter(|(key, ..)| everyone.contains(key) != own);
        rows.map(|(_, _, row)| f32::from_bits(row[0]).powi(2)).sum::<f32>().sqrt()
    };
    assert!((0.1..=0.6).contains(&length(false)), "{}", length(false));
    assert!(length(true) > 1.0, "its own weights go on learning: {}", length(true));
    let counted: Vec<u64> = rows(&outcome, TENANTS).map(|(_, _, row)| words::u64_at(row, 0)).collect();
    assert!(counted.len() == 2 && counted[0] == counted[1] && counted[0] <= 600_000, "{counted:?}");
    // Nothing at all is allowed, and what it teaches is still learned for itself.
    let taught = of("a", said("s", Some(PRIZE), Some("spam")));
    let margins = last(bounded(0.0), vec![taught, asked(Some("a")), asked(None)], 2);
    assert!((margins[0] - 1.0).abs() < 1e-3 && margins[1] == 0.0, "{margins:?}");
}

#[test]
fn a_tenant_with_its_share_goes_on_as_others_do() {
    let influence = Influence { steps: 0.0, share: 0.5 };
    let spam = |id: &str| said(id, Some(PRIZE), Some("spam"));
    let ham = |id: &str, text: &str| of("a", said(id, Some(text), Some("ham")));
    // The first would be all of everything, the third is at most half of it, and so may the fourth and fifth be or not.
    let records = vec![
        of("a", spam("m1")),
        spam("m2"),
        ham("m3", DINNER),
        ham("m4", "see you in the garden"),
        ham("m5", "minutes of monday"),
    ];
    let outcome = learn_all(SpamSettings { influence, ..settings() }, vec![records], &plan(2));
    let mut counted: Vec<u64> = rows(&outcome, TENANTS).map(|(_, _, row)| words::u64_at(row, 0)).collect();
    counted.sort_unstable();
    assert!(counted.len() == 2 && counted[0] > 0 && counted[0] <= counted[1] / 2 + 1, "{counted:?}");
}

/// All weights, copies too, by key.
fn same(records: Vec<Record>, expected: Vec<Record>) {
    assert_eq!(weights(&learn(records)), weights(&learn(expected)));
}

#[test]
fn labels_of_tenants_count_once_and_correct() {
    let text = |label| of("a", said("m", Some(PRIZE), label));
    let only = |label| of("a", said("m", None, Some(label)));
    same(vec![text(Some("spam")), text(Some("spam")), only("spam")], vec![text(Some("spam"))]);
    same(vec![text(None), only("spam")], vec![text(Some("spam"))]);
    same(vec![text(Some("spam")), only("ham")], vec![text(Some("ham"))]);
    // What taught the tenant alone is taken back there alone.
    let bounded = SpamSettings { influence: Influence { steps: 0.0, share: 0.0 }, ..settings() };
    let of_bounded = |records| weights(&learn_all(bounded.clone(), vec![records], &plan(1)));
    assert_eq!(of_bounded(vec![text(Some("spam")), only("ham")]), of_bounded(vec![text(Some("ham"))]));
}

#[test]
fn messages_of_tenants_are_known_to_them_alone() {
    let strict = SpamSettings { labels_wait: false, ..settings() };
    let text = |tenant| of(tenant, said("m", Some(PRIZE), None));
    let label = || said("m", None, Some("spam"));
    let records = vec![text("a"), label(), of("b", label()), of("a", label())];
    let outcome = learn_all(strict, vec![records], &plan(1));
    assert_eq!(counts(&outcome), [2, 1, 1, 0, 0], "only the tenant's own label is learned");
    assert_eq!(refused(&outcome).len(), 2);
    let both = learn(vec![of("a", said("m", Some(PRIZE), Some("spam"))), of("b", said("m", Some(PRIZE), Some("ham")))]);
    assert_eq!((counts(&both), rows(&both, REMEMBERED).count()), ([2, 2, 2, 0, 0], 2));
}

/// Whoever answers from a copy of the rows says to a tenant what a worker would.
#[test]
fn answers_to_tenants_are_a_workers() {
    let mut records = vec![said("h", Some(DINNER), Some("ham"))];
    records.extend((0..3).map(|number| of("a", said(&format!("s{number}"), Some(PRIZE), Some("spam")))));
    records.extend([asked(Some("a")), asked(Some("b"))]);
    let outcome = learn(records);
    let row = |table, key| outcome.shards.iter().find_map(|shard| shard.table(table)?.get(key));
    let mut scorer = TextScorer::new(settings().text, settings().learning);
    let scored = scored(&outcome);
    for (said, tenant) in scored[scored.len() - 2..].iter().zip(["a", "b"]) {
        let score = scorer.score(Content::new(PRIZE, None), tenant_key(settings().hash_seed(), Some(tenant)), row);
        assert!((score.margin - said.margin).abs() < 1e-5, "{tenant}: {score:?} {said:?}");
    }
}
