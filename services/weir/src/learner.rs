//! Models as a process runs them: servers and workers, each model's on threads of their own.

use std::sync::Arc;

use anyhow::Context as _;
use weir_models::counting::CountingRatings;
use weir_models::recommender::RecommenderModel;
use weir_models::spam::SpamModel;
use weir_models::{
    Description, InputModel, Named, describe, message_mapping, predictions, rating_mapping, recommender_settings,
    spam_settings,
};
use weir_runtime::{Context, Fatal, Settings, Supervisor};
use weir_server::ServedModel;
use weir_wire::Generation;
use weir_worker::TrainedModel;

use crate::roles::Role;
use crate::{policies, topics};

/// A model and what it is called: what [`crate::run`] needs to run its roles.
#[derive(Clone)]
pub struct Learner {
    description: Description,
    roles: Arc<dyn Roles>,
}

/// The roles of one model, whatever its types are.
trait Roles: Send + Sync {
    fn server(&self, description: &Description, context: &Context, name: &str) -> anyhow::Result<()>;
    fn worker(&self, description: &Description, context: &Context, name: &str) -> anyhow::Result<()>;
}

impl Learner {
    /// A model of a third party, under a description of its schema, input topic and partitioner.
    ///
    /// # Errors
    /// It has the name of a model of this build, which REST would take it for.
    pub fn new(description: Description, model: impl InputModel) -> anyhow::Result<Self> {
        let name = description.name;
        anyhow::ensure!(Named::parse(name).is_none(), "there is a model {name} already; give yours a name of its own");
        Ok(Self::of(description, model))
    }

    fn of(description: Description, model: impl InputModel) -> Self {
        Self { description, roles: Arc::new(Typed(model)) }
    }

    /// What everyone but its worker and server sees of it.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }
}

/// The models that the setting `models` names.
///
/// # Errors
/// There is no such model in this build, or its settings are refused.
pub fn built_in(settings: &Settings) -> anyhow::Result<Vec<Learner>> {
    settings.models.iter().map(|name| learner(name, Generation::FIRST, settings)).collect()
}

fn learner(name: &str, generation: Generation, settings: &Settings) -> anyhow::Result<Learner> {
    let named = Named::parse(name).with_context(|| format!("there is no model {name}"))?;
    let (description, recommender) =
        (describe(named, settings)?.in_generation(generation), recommender_settings(settings)?);
    Ok(match named {
        Named::Recommender => {
            let model = RecommenderModel::new(recommender).with_mapping(rating_mapping(settings)?);
            let predictions = predictions(settings).map(|predictions| predictions.in_generation(generation));
            Learner::of(description, model.with_predictions(predictions))
        }
        Named::Spam => {
            let model = SpamModel::new(spam_settings(settings)?).with_mapping(message_mapping(settings)?);
            let policies = description.policies.clone().unwrap_or_default();
            Learner::of(description, model.with_policies(policies).in_generation(generation))
        }
        Named::Counting => {
            let model = CountingRatings::new(recommender.hash_seed);
            Learner::of(description, model.with_mapping(rating_mapping(settings)?))
        }
    })
}

/// Starts the servers and workers among `roles` for every learner.
///
/// # Errors
/// The operating system refuses a thread.
pub(crate) fn spawn(supervisor: &mut Supervisor, roles: &[Role], learners: &[Learner]) -> anyhow::Result<()> {
    for learner in learners {
        if roles.contains(&Role::Server) {
            let (learner, name) = (learner.clone(), learner.description.part("server"));
            supervisor.spawn(&name.clone(), move |context| {
                judged("server", context, learner.roles.server(&learner.description, context, &name))
            })?;
        }
        if roles.contains(&Role::Worker) {
            let (learner, name) = (learner.clone(), learner.description.part("worker"));
            supervisor.spawn(&name.clone(), move |context| {
                judged("worker", context, learner.roles.worker(&learner.description, context, &name))
            })?;
        }
    }
    Ok(())
}

struct Typed<M>(M);

impl<M: InputModel> Roles for Typed<M> {
    fn server(&self, description: &Description, context: &Context, name: &str) -> anyhow::Result<()> {
        let cluster_id = topics::prepare_role(context, description)?;
        let served = ServedModel::new(description.clone(), &cluster_id, context)?;
        weir_server::run(&self.0, &served, context, &context.health.part(name))
    }

    fn worker(&self, description: &Description, context: &Context, name: &str) -> anyhow::Result<()> {
        topics::prepare_role(context, description)?;
        policies::wait(context, description);
        let trained = TrainedModel::new(description.clone(), context);
        weir_worker::run(&self.0, &trained, context, &context.health.part(name))
    }
}

/// What an error of Kafka means for the process.
fn judged(role: &str, context: &Context, outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    outcome.map_err(|error| match error.downcast_ref::<weir_kafka::Error>() {
        // Two processes under one name would take turns in fencing each other.
        Some(kafka) if kafka.is_fenced() => {
            context.metrics.fenced(role);
            Fatal::new(format!("{error:#}; give each instance a name of its own (--name)")).into()
        }
        Some(kafka) if kafka.is_unreachable() => {
            context.metrics.broker_error(role);
            error
        }
        _ => error,
    })
}
