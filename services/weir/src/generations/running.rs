//! The generations that a process runs: each that is not retired, with the roles of the process, on threads of its own.
//!
//! Of each model the first generation has the threads that the process starts with, every other one gets its own as soon as
//! the control topic names it. They share nothing but the process: what one of them cannot go on from ends that one, and
//! the process only if it is the one that serves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use weir_gateway::{Gateway, ServedModel, materialise};
use weir_models::Description;
use weir_runtime::{Backoff, Context, Shutdown, supervise};
use weir_wire::Generation;
use weir_wire::control::{Entry, Stage, State};

use super::ROLE_LOOKUP;
use super::control::{Control, States, state_of};
use super::own::settings_of;
use crate::learner::Learner;
use crate::roles::Role;
use crate::topics;

/// All generations of a process.
pub(crate) struct Generations {
    pub(super) context: Context,
    roles: Vec<Role>,
    learners: Vec<Learner>,
    pub(super) gateway: Option<Gateway>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Whether the control topic was read.
    known: bool,
    states: States,
    members: BTreeMap<(&'static str, Generation), Member>,
}

/// One generation that runs here, or did.
struct Member {
    description: Description,
    shutdown: Shutdown,
    speaks: Arc<AtomicBool>,
    served: Option<Arc<ServedModel>>,
    /// By the names of their parts; the first generation's are the process's own.
    threads: Vec<(String, JoinHandle<anyhow::Result<()>>)>,
}

impl Generations {
    /// The first generation of each of `learners`, in a process of these `roles`.
    pub(crate) fn new(context: &Context, roles: &[Role], learners: &[Learner], gateway: Option<&Gateway>) -> Arc<Self> {
        let served = gateway.map(Gateway::models).unwrap_or_default();
        let member = |learner: &Learner| {
            let description = learner.description().clone();
            let served = served.iter().find(|model| model.name() == description.name).cloned();
            let (shutdown, speaks) = (context.shutdown.child(), Arc::new(AtomicBool::new(true)));
            let key = (description.name, description.generation);
            (key, Member { description, shutdown, speaks, served, threads: Vec::new() })
        };
        let members = learners.iter().map(member).collect();
        Arc::new(Self {
            context: context.clone(),
            roles: roles.to_vec(),
            learners: learners.to_vec(),
            gateway: gateway.cloned(),
            inner: Mutex::new(Inner { members, ..Inner::default() }),
        })
    }

    /// Runs a role of a model's first generation until the process is asked to stop. Once the generation is retired,
    /// nothing is run any more, and this waits.
    ///
    /// # Errors
    /// The broker cannot be reached, or what `run` says.
    pub(crate) fn first(
        &self,
        model: &'static str,
        part: &str,
        run: impl FnOnce(&Context, Arc<AtomicBool>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.know()?;
        let found = {
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let member = inner.members.get(&(model, Generation::FIRST));
            member.map(|member| (member.shutdown.clone(), Arc::clone(&member.speaks)))
        };
        let (shutdown, speaks) = found.ok_or_else(|| anyhow::anyhow!("model {model} is not one of this process"))?;
        if !shutdown.is_requested() {
            run(&Context { shutdown: shutdown.clone(), ..self.context.clone() }, speaks)?;
        }
        if shutdown.is_requested() && !self.context.shutdown.is_requested() {
            self.context.health.part(part).remove();
            tracing::info!(part, "retired");
            if let Some(learner) = self.learners.iter().find(|learner| learner.description().part("server") == part) {
                self.remove_stores(learner.description());
            }
            while !self.context.shutdown.wait(Duration::from_hours(1)) {}
        }
        Ok(())
    }

    /// Makes sure that what the control topic says is followed.
    fn know(&self) -> anyhow::Result<()> {
        if self.inner.lock().unwrap_or_else(PoisonError::into_inner).known {
            return Ok(());
        }
        let settings = &self.context.settings;
        let admin = weir_kafka::Admin::connect(&topics::connection(settings), ROLE_LOOKUP)?;
        self.apply(if admin.is_embedded() { States::new() } else { Control::new(&admin, settings).read()? });
        Ok(())
    }

    /// Follows these states, where they are newer than those that are followed.
    pub(super) fn apply(&self, states: States) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for (model, state) in states {
            if state.follows(&state_of(&inner.states, &model)) {
                inner.states.insert(model, state);
            }
        }
        inner.known = true;
        for learner in &self.learners {
            let state = state_of(&inner.states, learner.description().name);
            self.follow_one(&mut inner, learner, &state);
        }
    }

    fn follow_one(&self, inner: &mut Inner, learner: &Learner, state: &State) {
        let (name, live) = (learner.description().name, state.live());
        let runs = |entry: &&Entry| !matches!(entry.stage, Stage::Loading | Stage::Retired);
        for entry in state.generations.iter().filter(runs) {
            if inner.members.contains_key(&(name, entry.generation)) {
                continue;
            }
            match self.start(learner, entry) {
                Ok(member) => drop(inner.members.insert((name, entry.generation), member)),
                Err(error) => {
                    tracing::error!(model = name, generation = %entry.generation, "a generation is not run here: {error:#}");
                }
            }
        }
        for entry in state.generations.iter().filter(|entry| entry.stage == Stage::Retired) {
            // Retired while this process was not there.
            if !inner.members.contains_key(&(name, entry.generation)) {
                self.remove_stores(&learner.description().clone().in_generation(entry.generation));
            }
        }
        for ((_, generation), member) in inner.members.iter().filter(|((model, _), _)| *model == name) {
            let stage = state.entry(*generation).map_or(Stage::Retired, |entry| entry.stage);
            member.speaks.store(Some(*generation) == live, Ordering::Release);
            if stage == Stage::Retired {
                member.shutdown.request();
            } else {
                self.parts(&member.description).for_each(|part| self.context.health.count(&part, stage == Stage::Live));
            }
        }
        let serving = live.and_then(|live| inner.members.get(&(name, live))?.served.as_ref());
        if let Some((gateway, model)) = self.gateway.as_ref().zip(serving) {
            let current = gateway.models().into_iter().find(|model| model.name() == name);
            // Who promotes keeps what served; who rolls back wants to be rid of it now.
            let is_promotion = current.is_some_and(|current| state.served.contains(&current.generation()));
            gateway.serve(model, !is_promotion);
        }
    }

    /// The names of the parts of a generation in this process.
    fn parts(&self, description: &Description) -> impl Iterator<Item = String> {
        self.roles.iter().map(|role| description.part(role.name()))
    }

    fn start(&self, learner: &Learner, entry: &Entry) -> anyhow::Result<Member> {
        let settings = settings_of(&self.context.settings, &entry.settings)?;
        let learner = learner.in_generation(entry.generation, &settings)?;
        let shutdown = self.context.shutdown.child();
        let context = Context { settings: Arc::new(settings), shutdown: shutdown.clone(), ..self.context.clone() };
        let description = learner.description().clone();
        let (speaks, is_gateway) = (Arc::<AtomicBool>::default(), self.gateway.is_some());
        let served = is_gateway.then(|| ServedModel::new(description.clone(), &context.settings)).transpose()?;
        let served = served.map(Arc::new);
        let has = |role| self.roles.contains(&role);
        let mut threads = Vec::new();
        if has(Role::Server) {
            let learner = learner.clone();
            let run = move |context: &Context, part: &str| learner.server(context, part);
            threads.push(spawn(description.part(Role::Server.name()), &context, run)?);
        }
        if has(Role::Worker) {
            let speaks = Arc::clone(&speaks);
            let run = move |context: &Context, part: &str| learner.worker(context, part, Arc::clone(&speaks));
            threads.push(spawn(description.part(Role::Worker.name()), &context, run)?);
        }
        if let Some(model) = served.clone() {
            let run = move |context: &Context, _: &str| materialise(context, &model);
            threads.push(spawn(description.part(Role::Gateway.name()), &context, run)?);
        }
        let member = Member { description, shutdown, speaks, served, threads };
        tracing::info!(model = member.description.name, generation = %entry.generation, "a generation is run too");
        Ok(member)
    }

    /// Looks after threads that have ended.
    ///
    /// # Errors
    /// One of the generation that serves cannot go on.
    pub(super) fn reap(&self) -> anyhow::Result<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { states, members, .. } = &mut *inner;
        for ((model, generation), member) in members {
            let ended: Vec<_> = member.threads.extract_if(.., |(_, thread)| thread.is_finished()).collect();
            let is_live = state_of(states, model).live() == Some(*generation);
            let is_gone = member.shutdown.is_requested() && !self.context.shutdown.is_requested();
            if let Some((gateway, model)) = self.gateway.as_ref().zip(member.served.as_ref()).filter(|_| is_gone) {
                gateway.release(model);
            }
            for (part, thread) in ended {
                // A panic of a role is caught inside.
                let outcome = thread.join().unwrap_or(Ok(()));
                if is_gone {
                    self.context.health.part(&part).remove();
                    tracing::info!(part, "retired");
                    if part == member.description.part(Role::Server.name()) {
                        self.remove_stores(&member.description);
                    }
                }
                match outcome {
                    Err(error) if is_live => return Err(error),
                    Err(error) => {
                        tracing::error!(part, "a generation has ended, the one that serves has not: {error:#}");
                    }
                    Ok(()) => {}
                }
            }
        }
        Ok(())
    }

    /// Removes what servers of a retired generation have stored here. What cannot be removed takes room and nothing else.
    fn remove_stores(&self, description: &Description) {
        let directory = weir_server::store_directory(description, &self.context.settings);
        match std::fs::remove_dir_all(&directory) {
            Ok(()) => tracing::info!(directory = %directory.display(), "stores of a retired generation removed"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(directory = %directory.display(), %error, "stores left"),
        }
    }

    /// Waits until all threads have ended; they are asked to with the process.
    pub(super) fn join(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = inner.members.values_mut().flat_map(|member| std::mem::take(&mut member.threads));
        let threads: Vec<_> = threads.collect();
        drop(inner);
        for (_, thread) in threads {
            let _ = thread.join();
        }
    }
}

fn spawn(
    part: String,
    context: &Context,
    run: impl Fn(&Context, &str) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<(String, JoinHandle<anyhow::Result<()>>)> {
    let (name, context) = (part.clone(), context.clone());
    let supervised = move || supervise(&name, &context, Backoff::default(), || run(&context, &name));
    let thread = std::thread::Builder::new().name(part.clone()).spawn(supervised)?;
    Ok((part, thread))
}
