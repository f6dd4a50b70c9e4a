//! All roles as separate processes, several of each.

use std::time::Duration;

use crate::http::Client;
use crate::weir::{Deployment, Instance, Role, wait_contained_and};

/// Servers, workers and one gateway of a deployment, in this order.
#[derive(Debug)]
pub struct Cluster {
    deployment: Deployment,
    instances: Vec<Instance>,
    /// Whether calls into Kafka may hang: whoever ends itself for that is started again.
    calls_may_hang: bool,
}

impl Cluster {
    /// Creates the topics and starts everything; all are ready when it returns.
    ///
    /// # Panics
    /// When something does not become ready.
    #[must_use]
    pub fn start(deployment: Deployment, servers: usize, workers: usize) -> Self {
        deployment.create_topics();
        let named = |role: Role, number: usize| deployment.instance(role, &format!("{}-{number}", role.as_str()));
        let mut instances: Vec<Instance> = (1..=servers).map(|number| named(Role::Server, number)).collect();
        instances.extend((1..=workers).map(|number| named(Role::Worker, number)));
        instances.push(named(Role::Gateway, 1));
        let mut cluster = Self { deployment, instances, calls_may_hang: false };
        cluster.start_all();
        cluster
    }

    /// What the processes share.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The processes, to do something to.
    pub fn instances(&mut self) -> &mut [Instance] {
        &mut self.instances
    }

    /// One process.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn instance(&mut self, name: &str) -> &mut Instance {
        let found = self.instances.iter_mut().find(|instance| instance.name() == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Starts one more process of a role, not yet ready.
    pub fn add(&mut self, role: Role, name: &str) {
        // The gateway stays the last one.
        self.instances.insert(0, self.deployment.start(role, name));
    }

    /// Stops a process for good, in good order.
    ///
    /// # Panics
    /// When it does not end as it should.
    pub fn retire(&mut self, name: &str) {
        let status = self.instance(name).terminate();
        assert!(status.success(), "{name}: {status}");
        self.instances.retain(|instance| instance.name() != name);
    }

    /// Kills the gateway and starts it again: it reads the changelogs from their beginning.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn restart_gateway(&mut self) {
        let gateway = self.instances.last_mut().unwrap_or_else(|| panic!("a cluster has a gateway"));
        gateway.kill();
        gateway.start();
        gateway.wait_ready();
    }

    /// The REST client.
    ///
    /// # Panics
    /// Never: a cluster has a gateway.
    #[must_use]
    pub fn rest(&self) -> Client {
        self.gateway().rest()
    }

    /// The gateway.
    ///
    /// # Panics
    /// Never: a cluster has one.
    #[must_use]
    pub fn gateway(&self) -> &Instance {
        self.instances.last().unwrap_or_else(|| panic!("a cluster has a gateway"))
    }

    /// The processes of one role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Instance> {
        self.instances.iter().filter(move |instance| instance.role() == role)
    }

    /// Starts all processes, again if need be, and waits until they are ready.
    ///
    /// # Panics
    /// When one does not become ready.
    pub fn start_all(&mut self) {
        self.instances.iter_mut().for_each(Instance::start);
        self.instances.iter_mut().for_each(Instance::wait_ready);
    }

    /// kill -9 for everything.
    pub fn kill_all(&mut self) {
        self.instances.iter_mut().for_each(Instance::kill);
    }

    /// Removes all data directories; nothing may be running.
    ///
    /// # Panics
    /// When something runs.
    pub fn delete_data(&self) {
        self.instances.iter().for_each(Instance::delete_data);
    }

    /// A counter's sum over all labels and processes.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        self.instances.iter().map(|instance| instance.metric(name)).sum()
    }

    /// From here on a process that ends itself because a Kafka call does not return is started again, as by a supervisor
    /// ([`Instance::supervise`]): where the broker itself goes away, librdkafka may take longer than the watchdog allows.
    pub fn let_calls_hang(&mut self) {
        self.calls_may_hang = true;
    }

    /// Waits until all processes are ready.
    ///
    /// # Panics
    /// When one does not become ready, or has ended by itself.
    pub fn wait_ready(&mut self) {
        let wait = if self.calls_may_hang { Instance::wait_ready_supervised } else { Instance::wait_ready };
        self.instances.iter_mut().for_each(wait);
    }

    /// Waits until the gateway's model contains the input up to these ends, one per partition.
    ///
    /// # Panics
    /// When it does not after `timeout`, or a process has ended by itself.
    pub fn wait_contained(&mut self, model: &str, ends: &[u64], timeout: Duration) {
        let (rest, topic) = (self.rest(), self.deployment.input_topic(model).to_owned());
        let look_after = || {
            if self.calls_may_hang {
                self.instances.iter_mut().for_each(Instance::supervise);
            }
        };
        wait_contained_and(&rest, model, &topic, ends, timeout, look_after);
        for instance in &mut self.instances {
            if self.calls_may_hang {
                instance.supervise();
            }
            let ended = instance.exit_status();
            assert!(ended.is_none(), "{} has ended by itself: {ended:?}", instance.name());
        }
    }
}
