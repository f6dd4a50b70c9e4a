//! A model as requests meet it: what it is called, the view that serves, and how far that view reaches.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use weir_learn::{seen::Ring, text};
use weir_models::recommender::RowParts;
use weir_models::spam::{self, Learning, Policy, PolicyBook};
use weir_models::{Description, ExpectedLayout, Named, recommender_settings, spam_settings};
use weir_ps::TableSpec;
use weir_runtime::Settings;
use weir_wire::Generation;

use crate::http::ApiError;
use crate::sides::Sides;
use crate::view::{Offsets, Taste, View};

/// One configured model. Its materialiser publishes views, requests read the one that serves.
pub struct ServedModel {
    description: Description,
    taste: Taste,
    text: text::Settings,
    learning: Arc<Learning>,
    policy: Policy,
    parameters_topic: String,
    /// The view that serves; none before the first one has caught up. No reader waits, neither for a batch that is applied nor for a view that
    /// takes another's place.
    serving: ArcSwapOption<Sides<View>>,
    offsets: watch::Sender<Offsets>,
}

impl ServedModel {
    /// A model under these settings.
    ///
    /// # Errors
    /// The recommender's or the spam filter's settings are out of their ranges.
    pub fn new(description: Description, settings: &Settings) -> anyhow::Result<Self> {
        let (shape, filter) = (recommender_settings(settings)?, spam_settings(settings)?);
        Ok(Self {
            taste: Taste {
                half_lives_hours: shape.half_lives_hours,
                neighbours: shape.neighbours,
                blend: shape.blend,
                ring: Ring::for_items(shape.seen_items),
                parts: RowParts::new(&shape.factors, &shape.ranking),
            },
            text: filter.text,
            learning: Arc::new(filter.learning),
            policy: filter.policy,
            parameters_topic: description.topics(&settings.prefix).parameters,
            serving: ArcSwapOption::empty(),
            offsets: watch::Sender::new(Arc::from([])),
            description,
        })
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.description.name
    }

    /// The label of its metrics.
    pub(crate) fn label(&self) -> &'static str {
        self.description.label()
    }

    /// Whether there is a view that answers.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.serving.load().is_some()
    }

    /// Per partition of the input, the offset next to read that answers cover.
    #[must_use]
    pub fn covered(&self) -> Vec<u64> {
        self.offsets.borrow().to_vec()
    }

    /// The name of its materialiser's thread and health part.
    #[must_use]
    pub fn role(&self) -> String {
        self.description.part("gateway")
    }

    /// Its generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.description.generation
    }

    /// What its rows look like.
    pub(crate) fn schema(&self) -> &Arc<dyn weir_ps::Schema> {
        &self.description.schema
    }

    /// The number that marks its frames.
    pub(crate) fn hash(&self) -> u32 {
        self.description.hash()
    }

    /// The topic that it learns from.
    pub(crate) fn input_topic(&self) -> &str {
        &self.description.input
    }

    /// Its changelog.
    pub(crate) fn parameters_topic(&self) -> &str {
        &self.parameters_topic
    }

    /// Number of shards.
    pub(crate) fn shards(&self) -> u32 {
        self.description.partitioner.shards()
    }

    /// What its changelog must be the state of on the cluster of this id.
    pub(crate) fn layout(&self, cluster_id: &str) -> ExpectedLayout {
        self.description.layout(cluster_id)
    }

    /// The key of an id.
    pub(crate) fn key(&self, id: &str) -> u64 {
        weir_wire::key(self.description.seed, id)
    }

    /// The key of a tenant, for the spam filter.
    pub(crate) fn tenant_key(&self, tenant: Option<&str>) -> u64 {
        spam::tenant_key(self.description.seed, tenant)
    }

    /// The key of a tenant's message, for the spam filter.
    pub(crate) fn message_key(&self, tenant: Option<&str>, id: &str) -> u64 {
        spam::message_key(self.description.seed, tenant, id)
    }

    /// What reading the recommender's rows depends on.
    pub(crate) fn taste(&self) -> Taste {
        self.taste
    }

    /// How texts become the spam filter's features, and what its rows of them hold.
    pub(crate) fn text(&self) -> (text::Settings, Arc<Learning>) {
        (self.text, Arc::clone(&self.learning))
    }

    /// What tenants want of the spam filter.
    ///
    /// # Errors
    /// They are not read yet.
    pub(crate) fn policies(&self) -> Result<&Arc<PolicyBook>, ApiError> {
        let book = self.description.policies.as_ref().filter(|book| book.is_loaded());
        book.ok_or(ApiError::NotLoaded(self.name()))
    }

    /// What is made of the spam filter's scores.
    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// The tables that answers are made from. What is remembered for workers only, readers need not remember too.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &TableSpec> {
        let unread = self.description.unread_tables;
        self.schema().tables().iter().filter(|spec| !unread.contains(&spec.id))
    }

    /// An empty view, over an input of at least `partitions` partitions.
    pub(crate) fn empty_view(&self, partitions: u32) -> View {
        let tables = self.tables().map(|spec| spec.id).collect();
        let (schema, events_table) = (Arc::clone(self.schema()), self.description.events_table);
        let view = View::new(schema, tables, events_table, self.shards(), partitions);
        if self.name() == Named::Recommender.name() { view.with_orders(self.taste) } else { view }
    }

    /// From now on `view` serves.
    pub(crate) fn publish(&self, view: &Arc<Sides<View>>) {
        self.serving.store(Some(Arc::clone(view)));
        self.announce(view.read(View::offsets));
    }

    /// No view serves any more, and its memory is free when the last answer from it is made.
    pub(crate) fn unload(&self) {
        self.serving.store(None);
    }

    /// Tells those who wait how far the serving view reaches.
    pub(crate) fn announce(&self, offsets: Offsets) {
        self.offsets.send_if_modified(|known| {
            let moved = *known != offsets;
            *known = offsets;
            moved
        });
    }

    /// How far the serving view reaches, to be waited for; empty before there is one.
    pub(crate) fn offsets(&self) -> watch::Receiver<Offsets> {
        self.offsets.subscribe()
    }

    /// Reads the serving view; none before there is one. It waits for nobody.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&View) -> T) -> Option<T> {
        Some(self.serving.load_full()?.read(read))
    }
}
