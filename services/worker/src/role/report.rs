//! What the loop tells the metrics each time round.

use weir_models::InputModel;

use super::{Committing, Role};

impl<M: InputModel> Role<'_, M> {
    /// Tells the metrics what has changed, the end of the load too.
    pub(super) fn report(&mut self) {
        let member = self.channels.member.stats();
        self.broker.look(member.connected(), self.context);
        self.watch.look(member, self.committing.as_ref().map(Committing::began), &self.context.metrics);
        let (worker, stats) = (&self.worker, self.worker.stats());
        let (in_flight, unapplied) = (worker.in_flight(), worker.unapplied());
        let levels = [in_flight, unapplied, worker.cached_rows(), self.channels.input.len()];
        let before = self.reported.replace((stats, levels));
        if before == self.reported {
            return;
        }
        let before = before.map(|(stats, _)| stats).unwrap_or_default();
        let (metrics, name) = (&self.context.metrics.worker, self.trained.name());
        (before.asked..stats.asked).for_each(|_| metrics.pull_sent(name, false));
        (before.asked_again..stats.asked_again).for_each(|_| metrics.pull_sent(name, true));
        metrics.cache_used(name, stats.hits - before.hits, stats.misses - before.misses, worker.cached_rows());
        metrics.waiting(name, in_flight, unapplied, self.channels.input.len());
    }
}
