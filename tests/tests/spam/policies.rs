//! What tenants want: thresholds and lists, changed while everything runs.

use serde_json::{Value, json};
use weir_tests::{Event, Producer, Role, wait_until};

use crate::filter::{Filter, PATIENCE, Scored, deployment, event, said};

const PRIZE: &str = "You have won a free prize, call 09061 now";
const DINNER: &str = "shall we have dinner at home tonight?";

/// A message as an event and as one asked over REST.
fn message(id: &str, text: &str, tenant: Option<&str>, sender: Option<&str>) -> Value {
    json!({"id": id, "text": text, "tenant": tenant, "sender": sender})
}

/// What the gateway says of a message, and what a worker says of it once it knows the same policies.
fn both(filter: &mut Filter, message: &Value) -> [Scored; 2] {
    let answer = filter.rest().post("/v1/messages/score", &json!({"messages": [message]})).expect(200);
    let by_gateway = said(&answer["scores"][0]);
    let by_worker = wait_until("a worker follows the policy", PATIENCE, || {
        let place = filter.write([Event::keyed(&by_gateway.id, message)])[0];
        filter.wait_contained();
        filter
            .scored()
            .remove(&place)
            .filter(|said| (&said.grounds, &said.reason) == (&by_gateway.grounds, &by_gateway.reason))
    });
    [by_gateway, by_worker]
}

#[track_caller]
fn check(filter: &mut Filter, message: &Value, action: &str, thresholds: &Value, reason: &Value) {
    for said in both(filter, message) {
        assert_eq!((said.action.as_str(), &said.grounds[1], &said.reason), (action, thresholds, reason), "{said:?}");
    }
}

#[test]
fn thresholds_and_lists_of_tenants_are_followed_while_everything_runs() {
    let mut filter = Filter::start(deployment("policies", 2).with("SPAM__READY_LABELS", 2), 1, 1);
    let taught =
        [("s1", PRIZE, "spam"), ("s2", "free pills", "spam"), ("h1", DINNER, "ham"), ("h2", "home at noon", "ham")];
    drop(filter.write(taught.map(|(id, text, label)| event(id, Some(text), Some(label)))));
    filter.wait_contained();
    let (usual, none) = (json!({"review": 0.5, "reject": 0.9}), json!(null));
    let of_shop = |text| message("m", text, Some("shop"), None);
    check(&mut filter, &of_shop(DINNER), "accept", &usual, &none);
    // Stricter for one tenant, and for nobody else.
    let strict = json!({"review": 0.0, "reject": 0.25});
    let policy = json!({"thresholds": strict, "allow": {"ids": ["keep-*"]}, "deny": {"senders": ["*@bulk.example"], "hosts": ["bad.example"]}});
    let answer = filter.rest().put("/v1/tenants/shop/policy", &policy).expect(200);
    assert_eq!((&answer["thresholds"], &answer["policy"]["deny"]["hosts"]), (&strict, &json!(["bad.example"])));
    check(&mut filter, &of_shop(PRIZE), "reject", &strict, &none);
    check(&mut filter, &message("m", DINNER, None, None), "accept", &usual, &none);
    // What is on a list is said, with the pattern.
    let reason = |list, kind, pattern| json!({"list": list, "kind": kind, "pattern": pattern});
    let by_sender = reason("deny", "sender", "*@bulk.example");
    check(&mut filter, &message("m", DINNER, Some("shop"), Some("news@BULK.example")), "reject", &strict, &by_sender);
    let link = format!("{DINNER} http://bad.example/x");
    check(&mut filter, &of_shop(&link), "reject", &strict, &reason("deny", "host", "bad.example"));
    let kept = message("keep-1", PRIZE, Some("shop"), Some("news@bulk.example"));
    check(&mut filter, &kept, "accept", &strict, &reason("allow", "id", "keep-*"));
    check(&mut filter, &message("keep-1", &link, Some("other"), None), "accept", &usual, &none);
    // What is no policy is counted, and the one before stays; all of it survives the loss of every process.
    let deployment = filter.cluster.deployment();
    let policies = Producer::new(deployment.brokers(), &deployment.policies_topic());
    drop(policies.send([
        Event::keyed("shop", &json!({"thresholds": {"review": 2, "reject": 1}})),
        Event::keyed("shop", &json!([])),
    ]));
    let rejected = |role| filter.cluster.of(role).map(|weir| weir.metric("weir_policies_rejected_total")).sum::<f64>();
    for role in [Role::Worker, Role::Gateway] {
        wait_until("bad policies are counted", PATIENCE, || (rejected(role) == 2.0).then_some(()));
    }
    filter.cluster.kill_all();
    filter.cluster.start_all();
    check(&mut filter, &of_shop(PRIZE), "reject", &strict, &none);
    // For everyone who has none of their own; and back.
    let lax = json!({"review": 0.75, "reject": 1.0});
    let _ = filter.rest().put("/v1/tenants/default/policy", &json!({"thresholds": lax})).expect(200);
    check(&mut filter, &message("m", DINNER, Some("other"), None), "accept", &lax, &none);
    check(&mut filter, &of_shop(PRIZE), "reject", &strict, &none);
}

#[test]
fn policies_that_make_no_sense_are_refused_by_name() {
    let filter = Filter::start(deployment("no-policies", 1), 1, 1);
    let rest = filter.rest();
    for (body, field) in [
        (json!({"thresholds": {"review": 0.9, "reject": 0.5}}), "thresholds"),
        (json!({"allow": {"hosts": [""]}}), "allow.hosts"),
        (json!({"deny": {"senders": vec!["a"; 1_001]}}), "deny.senders"),
    ] {
        let problem = rest.put("/v1/tenants/shop/policy", &body).problem(422);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let problem = rest.put("/v1/tenants/shop/policy", &json!({"denied": {}})).problem(422);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("denied")), "{problem}");
    let long = format!("/v1/tenants/{}/policy", "x".repeat(300));
    assert_eq!(rest.put(&long, &json!({})).problem(400)["field"], "tenant");
    let none = rest.get("/v1/tenants/shop/policy").expect(200);
    assert_eq!(none, json!({"tenant": "shop", "policy": null, "thresholds": {"review": 0.5, "reject": 0.9}}));
}
