//! Tenants: one model for all from the start, weights of their own, and nothing of each other.

use serde_json::{Value, json};
use weir_tests::{Event, topic};

use crate::filter::{Filter, deployment, said};

const PRIZE: &str = "You have won a free prize, call 09061 now";
const DINNER: &str = "shall we have dinner at home tonight?";

fn event(id: &str, text: Option<&str>, label: Option<&str>, tenant: Option<&str>) -> Event {
    let mut event = json!({"id": id});
    for (name, value) in [("text", text), ("label", label), ("tenant", tenant)] {
        if let Some(value) = value {
            event[name] = value.into();
        }
    }
    Event::keyed(id, &event)
}

/// What the gateway says of a text to these tenants.
fn margins(filter: &Filter, text: &str, tenants: [Option<&str>; 3]) -> [f64; 3] {
    let ask = |tenant| json!({"id": "asked", "text": text, "tenant": tenant});
    let answer = filter.rest().post("/v1/messages/score", &json!({"messages": tenants.map(ask)})).expect(200);
    [0, 1, 2].map(|place| said(&answer["scores"][place]).margin)
}

#[test]
fn tenants_begin_with_what_everyone_knows_and_learn_for_themselves() {
    let deployment = deployment("tenants", 2).with("SPAM__TENANT_INFLUENCE", 1.0).with("SPAM__TENANT_SHARE", 0.0);
    let mut filter = Filter::start(deployment, 2, 2);
    let all = [Some("shop"), Some("bank"), None];
    drop(filter.write([event("s", Some(PRIZE), Some("spam"), None), event("h", Some(DINNER), Some("ham"), None)]));
    filter.wait_contained();
    let new = margins(&filter, PRIZE, all);
    assert!(new[0] > 0.5 && new[0] == new[1] && new[0] == new[2], "{new:?}");
    // One tenant labels everything the other way round, a hundred times, with everything killed in the middle.
    let hostile = |number: u32| {
        let (text, label) = if number.is_multiple_of(2) { (PRIZE, "ham") } else { (DINNER, "spam") };
        event(&format!("m{number}"), Some(&format!("{text} {number}")), Some(label), Some("shop"))
    };
    drop(filter.write((0..50).map(hostile)));
    filter.cluster.kill_all();
    filter.cluster.start_all();
    drop(filter.write((50..100).map(hostile)));
    filter.wait_contained();
    let after = margins(&filter, PRIZE, all);
    assert!(after[0] < -0.5, "its own weights say what it wants: {after:?}");
    assert!(after[1] == after[2] && (after[1] - new[1]).abs() <= 1.0, "others moved by no more than it may: {after:?}");
    // A worker says to a tenant what the gateway says.
    let places = filter.write(all.map(|tenant| event("w", Some(PRIZE), None, tenant)));
    filter.wait_contained();
    let scored = filter.scored();
    assert_eq!([0, 1, 2].map(|place: usize| scored[&places[place]].margin), after);
    check_apart(&mut filter);
}

/// What one tenant's message is, nobody else sees, nor can they label it.
fn check_apart(filter: &mut Filter) {
    drop(filter.write([event("secret", Some(DINNER), Some("ham"), Some("bank"))]));
    filter.wait_contained();
    let known = filter.rest().get("/v1/messages/secret?tenant=bank").expect(200);
    assert_eq!(known["label"], "ham");
    for path in ["/v1/messages/secret", "/v1/messages/secret?tenant=shop"] {
        let _ = filter.rest().get(path).problem(404);
    }
    let label = |body: &Value| drop(filter.rest().post("/v1/messages/secret/label", body).expect(202));
    label(&json!({"label": "spam", "tenant": "shop"}));
    label(&json!({"label": "spam"}));
    filter.wait_contained();
    assert_eq!(filter.rest().get("/v1/messages/secret?tenant=bank").expect(200)["label"], "ham");
    let deployment = filter.cluster.deployment();
    let rejected = topic::read_all(deployment.brokers(), &format!("{}.rejected", deployment.messages_topic()));
    assert_eq!(rejected.iter().map(|record| record.header("reason")).collect::<Vec<_>>(), ["unknown_id"; 2]);
    let _ = filter.rest().post("/v1/messages/secret/label", &json!({"label": "spam", "tenant": "bank"})).expect(202);
    filter.wait_contained();
    assert_eq!(filter.rest().get("/v1/messages/secret?tenant=bank").expect(200)["label"], "spam");
}
