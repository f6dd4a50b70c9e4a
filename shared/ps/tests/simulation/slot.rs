//! A name under which processes run: one after the other, and sometimes two at once.

use crate::environment::Environment;

struct Running<P> {
    process: P,
    paused_until_ms: u64,
}

/// The processes of one name; the last one is the one that should be there.
pub(crate) struct Slot<P> {
    running: Vec<Running<P>>,
    start_at_ms: Option<u64>,
}

impl<P> Slot<P> {
    pub(crate) fn new() -> Self {
        Self { running: Vec::new(), start_at_ms: Some(0) }
    }

    pub(crate) fn is_to_start(&mut self, now_ms: u64) -> bool {
        self.start_at_ms.is_some_and(|at| now_ms >= at)
    }

    /// Starts a process; older ones under this name go on.
    pub(crate) fn put(&mut self, process: P) {
        self.start_at_ms = None;
        self.running.push(Running { process, paused_until_ms: 0 });
    }

    /// One of the processes that are not paused.
    pub(crate) fn pick(&self, env: &mut Environment) -> Option<usize> {
        let awake = |index: &usize| self.running[*index].paused_until_ms <= env.now_ms;
        let awake: Vec<usize> = (0..self.running.len()).filter(awake).collect();
        env.random.choice(awake)
    }

    pub(crate) fn process(&mut self, index: usize) -> &mut P {
        &mut self.running[index].process
    }

    /// The process that should be there, if it is.
    pub(crate) fn current(&self) -> Option<&P> {
        if self.start_at_ms.is_some() { None } else { self.running.last().map(|running| &running.process) }
    }

    /// All processes that run, older namesakes too.
    pub(crate) fn all(&self) -> impl Iterator<Item = &P> {
        self.running.iter().map(|running| &running.process)
    }

    /// The newest process, whether or not another is about to take its place.
    pub(crate) fn newest(&mut self) -> Option<&mut P> {
        self.running.last_mut().map(|running| &mut running.process)
    }

    /// Ends a process. Its successor starts after a while; an older namesake has one already.
    pub(crate) fn end(&mut self, index: usize, env: &mut Environment) {
        let is_current = self.start_at_ms.is_none() && index + 1 == self.running.len();
        self.running.remove(index);
        if is_current {
            // Mostly in place; sometimes so late that the group has given everything to others.
            let after_ms = if env.one_in(4) { env.random.u64(100..500) } else { env.random.u64(5..40) };
            self.start_at_ms = Some(env.now_ms + after_ms);
        }
    }

    /// Kills the process that should be there; false if there is none.
    pub(crate) fn crash(&mut self, env: &mut Environment) -> bool {
        let there = self.current().is_some();
        if there {
            self.end(self.running.len() - 1, env);
        }
        there
    }

    /// Kills all processes of this name.
    pub(crate) fn crash_all(&mut self, env: &mut Environment) {
        while !self.running.is_empty() {
            self.end(self.running.len() - 1, env);
        }
    }

    /// Stops the process that should be there for a while; false if there is none, or it stands still already.
    pub(crate) fn pause(&mut self, now_ms: u64, for_ms: u64) -> bool {
        let there = self.current().is_some();
        let awake = self.running.last_mut().filter(|running| there && running.paused_until_ms <= now_ms);
        awake.map(|running| running.paused_until_ms = now_ms + for_ms).is_some()
    }

    /// Lets a namesake start beside the process that should be there; false if there is none, or two already.
    pub(crate) fn double(&mut self, now_ms: u64) -> bool {
        let alone = self.current().is_some() && self.running.len() == 1;
        if alone {
            self.start_at_ms = Some(now_ms);
        }
        alone
    }

    /// Lets everything go on.
    pub(crate) fn resume(&mut self) {
        self.running.iter_mut().for_each(|running| running.paused_until_ms = 0);
    }
}
