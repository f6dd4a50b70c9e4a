//! Labels that come without a text, twice, late, or wrong at first; and what is refused.

use serde_json::json;
use weir_tests::{Event, topic};

use crate::filter::{Counts, Filter, deployment, event};

const PRIZE: &str = "You have won a free prize, call 09061 now";
const DINNER: &str = "shall we have dinner at home tonight?";

fn margin(filter: &Filter, text: &str) -> f64 {
    let asked = json!({"messages": [{"id": "asked", "text": text}]});
    let answer = filter.rest().post("/v1/messages/score", &asked).expect(200);
    answer["scores"][0]["margin"].as_f64().unwrap_or_else(|| panic!("no margin in {answer}"))
}

#[test]
fn labels_count_once_come_late_and_correct() {
    let mut filter = Filter::start(deployment("labels", 2).with("SPAM__LABELS_WAIT", true), 1, 1);
    let mut expected = Counts::default();
    let mut check = |filter: &mut Filter, events: Vec<Event>, more: Counts| {
        drop(filter.write(events));
        filter.wait_contained();
        expected.events += more.events;
        expected.scored += more.scored;
        expected.learned += more.learned;
        expected.corrected += more.corrected;
        expected.repeated += more.repeated;
        assert_eq!(filter.counts(), expected);
    };
    let spam = || event("a", Some(PRIZE), Some("spam"));
    check(
        &mut filter,
        vec![spam(), spam()],
        Counts { events: 2, scored: 2, learned: 1, repeated: 1, ..Counts::default() },
    );
    assert!(margin(&filter, PRIZE) > 0.5, "{}", margin(&filter, PRIZE));
    // Late, and for a message that no worker has in its batch or cache any more.
    check(&mut filter, vec![event("b", Some(DINNER), None)], Counts { events: 1, scored: 1, ..Counts::default() });
    filter.cluster.kill_all();
    filter.cluster.start_all();
    assert!(margin(&filter, DINNER).abs() < 0.5, "it is not learned yet");
    let late = || event("b", None, Some("ham"));
    check(&mut filter, vec![late(), late()], Counts { events: 2, learned: 1, repeated: 1, ..Counts::default() });
    assert!(margin(&filter, DINNER) < -0.5, "{}", margin(&filter, DINNER));
    // It was wrong.
    check(&mut filter, vec![event("a", None, Some("ham"))], Counts { events: 1, corrected: 1, ..Counts::default() });
    assert!(margin(&filter, PRIZE) < -0.5, "{}", margin(&filter, PRIZE));
    // The label comes first, and waits.
    let first = vec![event("c", None, Some("spam")), event("c", Some("cheap pills"), None)];
    check(&mut filter, first, Counts { events: 2, scored: 1, learned: 1, ..Counts::default() });
    assert!(margin(&filter, "cheap pills") > 0.5, "{}", margin(&filter, "cheap pills"));
    // A message that is forgotten teaches anew.
    let gone = Event { partition: None, key: Some(b"a".to_vec()), payload: None };
    check(&mut filter, vec![gone, spam()], Counts { events: 2, scored: 1, learned: 1, ..Counts::default() });
    let scored = filter.scored();
    assert_eq!(scored.len() as u64, filter.counts().scored);
}

#[test]
fn a_message_that_is_none_is_refused_and_the_rest_is_scored() {
    let mut filter = Filter::start(deployment("refused", 1), 1, 1);
    let bad: [(&[u8], &str); 6] = [
        (b"not json", "undecodable_json"),
        (b"{\"id\": \"m\"}", "missing_field"),
        (b"{\"text\": \"t\"}", "missing_field"),
        (b"{\"id\": \"m\", \"text\": 7}", "wrong_type"),
        (b"{\"id\": \"m\", \"text\": \"t\", \"label\": \"eggs\"}", "unknown_label"),
        (b"{\"id\": \"\", \"text\": \"t\"}", "empty_id"),
    ];
    for (value, _) in bad {
        drop(filter.write([Event::raw(0, value), event("good", Some("t"), None)]));
    }
    let large = json!({"id": "m", "text": "x".repeat(600 * 1024)});
    drop(filter.write([Event::raw(0, large.to_string())]));
    filter.wait_contained();
    assert_eq!(filter.scored().len(), bad.len());
    let deployment = filter.cluster.deployment();
    let rejected = topic::read_all(deployment.brokers(), &format!("{}.rejected", deployment.messages_topic()));
    let reasons: Vec<&str> = rejected.iter().map(|record| record.header("reason")).collect();
    let expected: Vec<&str> = bad.iter().map(|(_, reason)| *reason).chain(["too_large"]).collect();
    assert_eq!(reasons, expected);
    assert_eq!(rejected[0].header("topic"), deployment.messages_topic());
}
