//! Servers and workers of the configured models, each model's on threads of their own.

use anyhow::Context as _;
use weir_models::counting::CountingRatings;
use weir_models::recommender::RecommenderModel;
use weir_models::spam::SpamModel;
use weir_models::{
    Description, InputModel, Named, describe, message_mapping, rating_mapping, recommender_settings, spam_settings,
};
use weir_runtime::{Context, Fatal, Supervisor};
use weir_server::ServedModel;
use weir_worker::TrainedModel;

use crate::roles::Role;
use crate::topics;

/// Starts the servers and workers among `roles` for every configured model.
///
/// # Errors
/// A setting is refused, or the operating system refuses a thread.
pub(crate) fn spawn(supervisor: &mut Supervisor, context: &Context, roles: &[Role]) -> anyhow::Result<()> {
    let (recommender, spam) = (recommender_settings(&context.settings)?, spam_settings(&context.settings)?);
    for name in &context.settings.models {
        let named = Named::parse(name).with_context(|| format!("there is no model {name}"))?;
        let description = describe(named, &context.settings)?;
        match named {
            Named::Recommender => {
                let model = RecommenderModel::new(recommender).with_mapping(rating_mapping(&context.settings)?);
                spawn_model(supervisor, roles, &model, &description)?;
            }
            Named::Spam => {
                let model = SpamModel::new(spam.clone()).with_mapping(message_mapping(&context.settings)?);
                spawn_model(supervisor, roles, &model, &description)?;
            }
            Named::Counting => {
                let model = CountingRatings::new(recommender.hash_seed);
                let model = model.with_mapping(rating_mapping(&context.settings)?);
                spawn_model(supervisor, roles, &model, &description)?;
            }
        }
    }
    Ok(())
}

fn spawn_model<M: InputModel + Clone>(
    supervisor: &mut Supervisor,
    roles: &[Role],
    model: &M,
    description: &Description,
) -> anyhow::Result<()> {
    let name = |role: &str| format!("{role}-{}", description.name);
    if roles.contains(&Role::Server) {
        let (model, description, name) = (model.clone(), description.clone(), name("server"));
        supervisor.spawn(&name.clone(), move |context| {
            judged("server", context, run_server(&model, &description, context, &name))
        })?;
    }
    if roles.contains(&Role::Worker) {
        let (model, description, name) = (model.clone(), description.clone(), name("worker"));
        supervisor.spawn(&name.clone(), move |context| {
            judged("worker", context, run_worker(&model, &description, context, &name))
        })?;
    }
    Ok(())
}

fn run_server<M: InputModel>(
    model: &M,
    description: &Description,
    context: &Context,
    name: &str,
) -> anyhow::Result<()> {
    let cluster_id = topics::prepare(&context.settings)?.cluster_id;
    let served = ServedModel::new(description.clone(), &cluster_id, context)?;
    weir_server::run(model, &served, context, &context.health.part(name))
}

fn run_worker<M: InputModel>(
    model: &M,
    description: &Description,
    context: &Context,
    name: &str,
) -> anyhow::Result<()> {
    topics::prepare(&context.settings)?;
    let trained = TrainedModel::new(description.clone(), context);
    weir_worker::run(model, &trained, context, &context.health.part(name))
}

/// What an error of Kafka means for the process.
fn judged(role: &str, context: &Context, outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    outcome.map_err(|error| match error.downcast_ref::<weir_kafka::Error>() {
        // Two processes under one name would take turns in fencing each other.
        Some(kafka) if kafka.is_fenced() => {
            Fatal::new(format!("{error:#}; give each instance a name of its own (--name)")).into()
        }
        Some(kafka) if kafka.is_unreachable() => {
            context.metrics.broker_error(role);
            error
        }
        _ => error,
    })
}
