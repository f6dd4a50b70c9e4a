//! `GET`, `PUT` and `DELETE /v1/tenants/{tenant}/policy`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;
use weir_kafka::OutRecord;
use weir_models::spam::PolicyBook;
use weir_wire::policy::{self, TenantPolicy};
use weir_wire::verdict::Thresholds;

use super::ApiError;
use super::extract::{JsonBytes, id_problem};
use crate::Gateway;
use crate::producer::Fate;

/// Between two looks at whether a policy is read again.
const LOOK: Duration = Duration::from_millis(5);

/// The body of an answer.
#[derive(Debug, Serialize)]
pub(super) struct InForce {
    tenant: String,
    /// Its own policy; none where it has none.
    policy: Option<TenantPolicy>,
    /// Where actions begin for its messages.
    thresholds: Thresholds,
}

/// What holds for the messages of a tenant.
pub(super) async fn get(State(gateway): State<Gateway>, Path(tenant): Path<String>) -> Result<Json<InForce>, ApiError> {
    check(&tenant)?;
    in_force(&gateway, tenant).map(Json)
}

/// Sets a tenant's policy.
pub(super) async fn put(
    State(gateway): State<Gateway>,
    Path(tenant): Path<String>,
    JsonBytes { bytes, due }: JsonBytes,
) -> Result<Response, ApiError> {
    check(&tenant)?;
    // What workers would refuse is refused here.
    let policy = policy::parse(&bytes).map_err(|reject| ApiError::Field {
        index: None,
        field: reject.field.map(str::to_owned),
        reason: reject.reason.as_str(),
        detail: reject.to_string(),
    })?;
    let value = serde_json::to_vec(&policy).map_err(|error| ApiError::Internal(error.to_string()))?;
    write(&gateway, tenant, Some(value), due).await
}

/// Removes it.
pub(super) async fn delete(State(gateway): State<Gateway>, Path(tenant): Path<String>) -> Result<Response, ApiError> {
    check(&tenant)?;
    let due = Instant::now() + Duration::from_millis(gateway.settings.at_least_timeout_ms);
    write(&gateway, tenant, None, due).await
}

fn check(tenant: &str) -> Result<(), ApiError> {
    id_problem(tenant).map_or(Ok(()), |problem| Err(ApiError::parameter("tenant", problem)))
}

fn in_force(gateway: &Gateway, tenant: String) -> Result<InForce, ApiError> {
    let model = &gateway.spam()?;
    let book = model.policies()?;
    let policy = book.own(&tenant).map(|rules| rules.policy().clone());
    let thresholds = book.of(Some(&tenant)).and_then(|rules| rules.policy().thresholds);
    Ok(InForce { tenant, policy, thresholds: thresholds.unwrap_or(model.policy().thresholds) })
}

/// Writes a record of the topic of policies, and answers when this process has read it: 200 with what is in force, or 202 where
/// that takes too long.
async fn write(gateway: &Gateway, tenant: String, value: Option<Vec<u8>>, due: Instant) -> Result<Response, ApiError> {
    let model = gateway.spam()?;
    let book = model.policies()?;
    let topic = Arc::clone(&gateway.policies_topic);
    let record = OutRecord::new(Arc::clone(&topic), None, Some(tenant.clone().into_bytes()), value);
    let deadline = due - (due - Instant::now()) / 10;
    let fates = gateway.producer.send(vec![record], deadline).await;
    let Some(Fate::Acknowledged { partition, offset }) = fates.first() else {
        let fates =
            json!([{ "index": 0, "failed": "the broker has not acknowledged the policy; it may still arrive" }]);
        return Err(ApiError::NotAcknowledged { acknowledged: 0, events: 1, fates });
    };
    if is_read(book, *partition, *offset, deadline).await {
        return Ok(Json(in_force(gateway, tenant)?).into_response());
    }
    let accepted = json!({ "accepted": [{ "topic": &*topic, "partition": partition, "offset": offset }] });
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

async fn is_read(book: &PolicyBook, partition: u32, offset: u64, deadline: Instant) -> bool {
    while !book.covers(partition, offset) {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
    true
}
