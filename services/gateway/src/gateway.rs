//! What all requests share.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tokio::sync::Semaphore;
use weir_kafka::Connection;
use weir_models::{Description, Named, message_mapping, rating_mapping};
use weir_runtime::{Context, GatewaySettings, Metrics};
use weir_wire::message::MessageMapping;
use weir_wire::rating::RatingMapping;

use crate::alias::Alias;
use crate::catalogue::{Moment, Shared};
use crate::http::ApiError;
use crate::pages::Pages;
use crate::producer::Producer;
use crate::served::ServedModel;
use crate::view::View;

/// Requests that may be under way at once: each may hold a body of `gateway.body_limit_bytes`.
const MOST_REQUESTS: usize = 1_024;

/// The configured models, the producer of events, and the bounds of what may go on at once. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    models: Arc<[Alias]>,
    pub(crate) producer: Arc<Producer>,
    pub(crate) ratings_topic: Arc<str>,
    /// How workers read the ratings topic, so that nothing is accepted which they would refuse.
    pub(crate) ratings: Arc<RatingMapping>,
    pub(crate) messages_topic: Arc<str>,
    pub(crate) policies_topic: Arc<str>,
    /// The same for messages.
    pub(crate) messages: Arc<MessageMapping>,
    pub(crate) settings: GatewaySettings,
    pub(crate) metrics: Arc<Metrics>,
    /// Lists that are read page by page.
    pub(crate) pages: Arc<Pages>,
    /// What is known of items besides what is learned.
    pub(crate) catalogue: Arc<Shared>,
    /// One permit per core for requests that read whole tables.
    scans: Arc<Semaphore>,
    /// One permit per request under way.
    pub(crate) requests: Arc<Semaphore>,
}

impl Gateway {
    /// With these models, all empty. It waits for no broker.
    ///
    /// # Errors
    /// A setting is refused, by a model or by Kafka's client.
    pub fn new(context: &Context, models: Vec<Description>) -> anyhow::Result<Self> {
        let settings = &context.settings;
        context.metrics.gateway.begins();
        let models = models.into_iter().map(|model| Ok(Alias::new(Arc::new(ServedModel::new(model, settings)?))));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            models: models.collect::<anyhow::Result<_>>()?,
            producer: Arc::new(Producer::open(connection(context)).context("producer of events")?),
            ratings_topic: settings.topics.ratings.as_str().into(),
            ratings: Arc::new(rating_mapping(settings)?),
            messages_topic: settings.topics.messages.as_str().into(),
            policies_topic: settings.topics.policies.as_str().into(),
            messages: Arc::new(message_mapping(settings)?),
            settings: settings.gateway.clone(),
            metrics: Arc::clone(&context.metrics),
            pages: Arc::new(Pages::new(fastrand::u64(..))),
            catalogue: Arc::default(),
            scans: Arc::new(Semaphore::new(cores)),
            requests: Arc::new(Semaphore::new(MOST_REQUESTS)),
        })
    }

    /// The models, of each the generation that serves. Whoever asks twice may be told of two generations.
    #[must_use]
    pub fn models(&self) -> Vec<Arc<ServedModel>> {
        self.models.iter().map(Alias::serving).collect()
    }

    /// Lets a generation of one of the models serve, as soon as it has a view; unless `at_once`, as soon as that view
    /// covers what answers cover now. [`Gateway::settle`] looks whether it has come to that.
    pub fn serve(&self, model: &Arc<ServedModel>, at_once: bool) {
        if let Some(alias) = self.models.iter().find(|alias| alias.serving().name() == model.name()) {
            alias.serve(model, at_once);
        }
    }

    /// Lets generations serve that can do so by now.
    pub fn settle(&self) {
        self.models.iter().for_each(Alias::settle);
    }

    /// Frees the memory of a generation that is no more, once no answer is made from it.
    pub fn release(&self, model: &Arc<ServedModel>) {
        if let Some(alias) = self.models.iter().find(|alias| alias.serving().name() == model.name()) {
            alias.release(model);
        }
    }

    /// The generation that serves of the model called `name`. An answer is made from one that was asked for once.
    pub(crate) fn model(&self, name: &str) -> Result<Arc<ServedModel>, ApiError> {
        let found = self.models.iter().map(Alias::serving).find(|model| model.name() == name);
        found.ok_or_else(|| ApiError::UnknownModel(name.to_owned()))
    }

    /// The recommender.
    pub(crate) fn recommender(&self) -> Result<Arc<ServedModel>, ApiError> {
        self.model(Named::Recommender.name())
    }

    /// The spam filter.
    pub(crate) fn spam(&self) -> Result<Arc<ServedModel>, ApiError> {
        self.model(Named::Spam.name())
    }

    /// Reads a model's view. It waits for nobody, so it may run on an async worker; what takes long is for [`Self::scan`].
    ///
    /// # Errors
    /// [`ApiError::NotLoaded`] before the first view serves.
    pub(crate) fn read<T>(model: &ServedModel, read: impl FnOnce(&View) -> T) -> Result<T, ApiError> {
        model.read(read).ok_or_else(|| ApiError::NotLoaded(model.name()))
    }

    /// As [`Self::read`], with what may be shown now.
    ///
    /// # Errors
    /// As [`Self::read`]; [`ApiError::NotRead`] before the catalogue is read.
    pub(crate) fn show<T>(
        &self,
        model: &ServedModel,
        read: impl FnOnce(&View, Moment<'_>) -> T,
    ) -> Result<T, ApiError> {
        let now_ms = now_ms();
        let shown = self.catalogue.read(|catalogue| {
            let moment = Moment { now_ms, catalogue };
            model.read(|view| read(view, moment))
        });
        shown.ok_or(ApiError::NotRead("items"))?.ok_or_else(|| ApiError::NotLoaded(model.name()))
    }

    /// As [`Self::show`], for what reads whole tables: away from the async workers, and no more at once than there are cores.
    ///
    /// # Errors
    /// As [`Self::show`].
    pub(crate) async fn scan_shown<T: Send + 'static>(
        &self,
        model: &Arc<ServedModel>,
        read: impl FnOnce(&View, Moment<'_>) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let (gateway, model) = (self.clone(), Arc::clone(model));
        self.aside(move || gateway.show(&model, read)).await?
    }

    /// As [`Self::read`], for what reads whole tables: away from the async workers, and no more at once than there are cores.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        model: &Arc<ServedModel>,
        read: impl FnOnce(&View) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let reading = Arc::clone(model);
        self.aside(move || Self::read(&reading, read)).await?
    }

    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let _permit = self.scans.acquire().await.map_err(|error| ApiError::Internal(error.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))
    }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How the gateway reaches Kafka.
pub(crate) fn connection(context: &Context) -> Connection {
    let settings = &context.settings;
    let client_id = format!("{}-gateway-{}", settings.prefix, context.instance);
    Connection::new(&settings.brokers, client_id).with_settings(&settings.kafka.settings)
}
