use axum::body::to_bytes;
use serde_json::Value;

use super::*;

fn acknowledged(partition: u32, offset: u64) -> Fate {
    Fate::Acknowledged { partition, offset }
}

async fn body(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test]
async fn all_acknowledged_is_a_202_in_order() {
    let response = answer("ratings", &[acknowledged(2, 9), acknowledged(0, 4)]).expect("accepted");
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let expected = json!({"accepted": [
        {"topic": "ratings", "partition": 2, "offset": 9},
        {"topic": "ratings", "partition": 0, "offset": 4},
    ]});
    assert_eq!(body(response).await, expected);
}

#[tokio::test]
async fn anything_less_says_what_became_of_each() {
    let fates = [acknowledged(2, 9), Fate::Failed("queue full".into()), Fate::Unknown];
    let response = answer("ratings", &fates).expect_err("not all").into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem = body(response).await;
    assert_eq!(problem["acknowledged"], 1);
    assert_eq!(problem["events"][0], json!({"index": 0, "topic": "ratings", "partition": 2, "offset": 9}));
    assert_eq!(problem["events"][1], json!({"index": 1, "failed": "queue full"}));
    assert_eq!(problem["events"][2]["index"], 2);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.starts_with("1 of 3 events")), "{problem}");
}

#[test]
fn an_empty_list_is_nothing_to_wait_for() {
    assert!(answer("ratings", &[]).is_ok_and(|response| response.status() == StatusCode::ACCEPTED));
}
