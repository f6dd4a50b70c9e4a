//! Models as a process runs them: servers and workers, each model's on threads of their own.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use weir_models::counting::CountingRatings;
use weir_models::recommender::RecommenderModel;
use weir_models::spam::{PolicyBook, SpamModel};
use weir_models::{
    Description, InputModel, Named, describe, message_mapping, predictions, rating_mapping, recommender_settings,
    spam_settings,
};
use weir_runtime::{Context, Fatal, Settings, Supervisor};
use weir_server::ServedModel;
use weir_wire::Generation;
use weir_worker::TrainedModel;

use crate::generations::Generations;
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
    fn worker(
        &self,
        description: &Description,
        context: &Context,
        name: &str,
        speaks: Arc<AtomicBool>,
    ) -> anyhow::Result<()>;
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

    /// The same model in another generation, under its settings. What tenants want is the same for all generations.
    ///
    /// # Errors
    /// It is no model of this build, whose settings a generation may have of its own; or they are refused.
    pub(crate) fn in_generation(&self, generation: Generation, settings: &Settings) -> anyhow::Result<Self> {
        build(self.description.name, generation, settings, self.description.policies.as_ref())
    }

    /// Runs its server until the shutdown is requested.
    ///
    /// # Errors
    /// What fails.
    pub(crate) fn server(&self, context: &Context, part: &str) -> anyhow::Result<()> {
        judged("server", context, self.roles.server(&self.description, context, part))
    }

    /// Runs its worker until the shutdown is requested; it puts out while `speaks` is true.
    ///
    /// # Errors
    /// What fails.
    pub(crate) fn worker(&self, context: &Context, part: &str, speaks: Arc<AtomicBool>) -> anyhow::Result<()> {
        judged("worker", context, self.roles.worker(&self.description, context, part, speaks))
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
    settings.models.iter().map(|name| build(name, Generation::FIRST, settings, None)).collect()
}

fn build(
    name: &str,
    generation: Generation,
    settings: &Settings,
    policies: Option<&Arc<PolicyBook>>,
) -> anyhow::Result<Learner> {
    let named = Named::parse(name).with_context(|| format!("there is no model {name} in this build"))?;
    let (mut description, recommender) =
        (describe(named, settings)?.in_generation(generation), recommender_settings(settings)?);
    if policies.is_some() {
        description.policies = policies.cloned();
    }
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

/// Starts the servers and workers among `roles` for every learner, of the first generation.
///
/// # Errors
/// The operating system refuses a thread.
pub(crate) fn spawn(
    supervisor: &mut Supervisor,
    roles: &[Role],
    learners: &[Learner],
    generations: &Arc<Generations>,
) -> anyhow::Result<()> {
    for learner in learners {
        for role in roles.iter().copied().filter(|role| *role != Role::Gateway) {
            let (learner, generations) = (learner.clone(), Arc::clone(generations));
            let part = learner.description.part(role.name());
            supervisor.spawn(&part.clone(), move |context| {
                let Learner { description, roles } = &learner;
                let run = |context: &Context, speaks| match role {
                    Role::Server => roles.server(description, context, &part),
                    _ => roles.worker(description, context, &part, speaks),
                };
                judged(role.name(), context, generations.first(description.name, &part, run))
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

    fn worker(
        &self,
        description: &Description,
        context: &Context,
        name: &str,
        speaks: Arc<AtomicBool>,
    ) -> anyhow::Result<()> {
        topics::prepare_role(context, description)?;
        policies::wait(context, description);
        let trained = TrainedModel::new(description.clone(), context).speaking(speaks);
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
