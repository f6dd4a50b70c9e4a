//! Every endpoint and every error, over views that were filled by hand.

mod alike;
mod answers;
mod catalogue;
mod problems;
mod sockets;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;
use weir_models::descriptions;
use weir_runtime::{Health, Metrics, Registry, Settings, Shutdown};

use super::*;
use crate::catalogue::Catalogue;
use crate::sides::Sides;
use crate::view::tests::{Filled, filter, recommender, settings};

const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

/// A gateway with views by hand and a broker that nobody can reach.
struct Api {
    gateway: Gateway,
    router: Router,
    context: Context,
}

struct Answer {
    status: StatusCode,
    content_type: String,
    body: Vec<u8>,
    response: axum::http::response::Parts,
}

impl Api {
    fn empty(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        settings.brokers = "127.0.0.1:1".into();
        settings.gateway.at_least_timeout_ms = 50;
        change(&mut settings);
        let context = Context {
            settings: Arc::new(settings),
            instance: "test".into(),
            metrics: Arc::new(Metrics::new(Registry::new()).expect("metrics")),
            health: Health::new(),
            shutdown: Shutdown::new(),
        };
        let models = descriptions(&context.settings).expect("settings");
        models.iter().filter_map(|model| model.policies.as_ref()).for_each(|book| book.set_loaded());
        let gateway = Gateway::new(&context, models).expect("a gateway");
        let empty = || Catalogue::new(0);
        gateway.catalogue.publish(&Arc::new(Sides::new(empty(), empty())));
        let router = router(gateway.clone(), &context);
        Self { gateway, router, context }
    }

    /// With the models of [`recommender`] and [`filter`], and a counting model of two users.
    fn loaded() -> Self {
        let api = Self::empty(|_| {});
        api.publish(recommender());
        let mut counting = Filled::new("counting");
        counting.barriers(&[2, 1]);
        api.publish(counting);
        api.publish(filter(0.5));
        api
    }

    fn publish(&self, filled: Filled) {
        let model = self.gateway.model(filled.model.name()).expect("configured");
        let spare = filled.model.empty_view(2);
        model.publish(&Arc::new(Sides::new(filled.view, spare)));
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (response, body) = response.into_parts();
        let content_type = response.headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().expect("text"));
        Answer {
            status: response.status,
            content_type: content_type.to_owned(),
            body: to_bytes(body, usize::MAX).await.expect("a body").to_vec(),
            response,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, JSON);
        self.send(request.body(body.into()).expect("a request")).await
    }
}

impl Answer {
    /// The body of a good answer.
    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!((self.status, self.content_type.as_str()), (StatusCode::OK, JSON), "{}", self.text());
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A problem with this status and code.
    #[track_caller]
    fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.content_type.as_str()), (status, PROBLEM), "{}", self.text());
        let problem: Value = serde_json::from_slice(&self.body).expect("JSON");
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()), "{problem}");
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {problem}");
        }
        problem
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
