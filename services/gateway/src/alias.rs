//! Which generation of a model serves. A request asks once and keeps what it got, so no answer mixes two.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::served::ServedModel;

/// A model's name and the generation behind it.
pub(crate) struct Alias {
    serving: ArcSwap<ServedModel>,
    next: Mutex<Option<Next>>,
}

/// The generation that is to serve.
struct Next {
    model: Arc<ServedModel>,
    /// What it is to cover before that.
    wanted: Vec<u64>,
}

impl Alias {
    pub(crate) fn new(model: Arc<ServedModel>) -> Self {
        Self { serving: ArcSwap::new(model), next: Mutex::default() }
    }

    /// The generation that serves.
    pub(crate) fn serving(&self) -> Arc<ServedModel> {
        self.serving.load_full()
    }

    /// From now on `model` is to serve: as soon as it has a view, and unless `at_once` as soon as that view covers what
    /// answers cover now. Where nobody can answer yet it takes the place at once.
    pub(crate) fn serve(&self, model: &Arc<ServedModel>, at_once: bool) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.serving();
        if Arc::ptr_eq(&current, model) {
            *next = None;
        } else if !current.is_loaded() {
            self.switch(model);
            *next = None;
        } else if at_once || next.as_ref().is_none_or(|next| !Arc::ptr_eq(&next.model, model)) {
            let wanted = if at_once { Vec::new() } else { current.covered() };
            *next = Some(Next { model: Arc::clone(model), wanted });
        }
        drop(next);
        self.settle();
    }

    /// Lets the one that is to serve do so, if it can by now.
    pub(crate) fn settle(&self) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let can = |next: &Next| {
            let covered = next.model.covered();
            let reached = |(partition, wanted): (usize, &u64)| covered.get(partition).is_some_and(|now| now >= wanted);
            next.model.is_loaded() && next.wanted.iter().enumerate().all(reached)
        };
        if let Some(next) = next.take_if(|next| can(next)) {
            self.switch(&next.model);
        }
    }

    /// Frees the memory of a generation that is no more, unless answers are made from it still.
    pub(crate) fn release(&self, model: &Arc<ServedModel>) {
        // While this is held nobody is made to serve.
        let _next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&self.serving(), model) && model.is_loaded() {
            model.unload();
        }
    }

    fn switch(&self, model: &Arc<ServedModel>) {
        let (name, generation) = (model.name(), model.generation());
        tracing::info!(model = name, generation = %generation, "serves from now on");
        self.serving.store(Arc::clone(model));
    }
}

#[cfg(test)]
mod tests {
    use weir_models::{Named, describe};

    use super::*;
    use crate::sides::Sides;
    use crate::view::tests::{Filled, settings};

    fn generation(name: &str) -> Arc<ServedModel> {
        let settings = settings();
        let description = describe(Named::Counting, &settings).unwrap().in_generation(name.parse().unwrap());
        Arc::new(ServedModel::new(description, &settings).unwrap())
    }

    /// Lets `model` answer from what covers `offsets`.
    fn publish(model: &ServedModel, offsets: &[u64]) {
        let mut filled = Filled::new("counting");
        filled.barriers(offsets);
        model.publish(&Arc::new(Sides::new(filled.view, model.empty_view(2))));
    }

    #[test]
    fn a_promotion_waits_for_what_answers_cover_and_a_rollback_does_not() {
        let (first, second) = (generation("g1"), generation("g2"));
        let alias = Alias::new(Arc::clone(&first));
        let serving = || alias.serving().generation().to_string();
        publish(&first, &[5, 3]);
        alias.serve(&second, false);
        assert_eq!(serving(), "g1", "the second has no view");
        publish(&second, &[5, 2]);
        alias.settle();
        assert_eq!(serving(), "g1", "it covers less");
        // What is asked again, with each change of the control topic, asks for no more than before.
        publish(&first, &[9, 9]);
        alias.serve(&second, false);
        publish(&second, &[5, 3]);
        alias.settle();
        assert_eq!(serving(), "g2");
        publish(&first, &[0, 0]);
        alias.serve(&first, true);
        assert_eq!(serving(), "g1");
        publish(&first, &[7, 7]);
        alias.serve(&second, false);
        alias.serve(&first, false);
        publish(&second, &[9, 9]);
        alias.settle();
        assert_eq!(serving(), "g1", "a promotion that was taken back is none");
    }

    #[test]
    fn the_memory_of_a_generation_that_is_no_more_is_freed_once_it_serves_nobody() {
        let (first, second) = (generation("g1"), generation("g2"));
        let alias = Alias::new(Arc::clone(&first));
        publish(&first, &[5, 3]);
        alias.serve(&second, false);
        alias.release(&first);
        assert!(first.is_loaded(), "it still answers");
        publish(&second, &[5, 3]);
        alias.settle();
        alias.release(&first);
        assert!(!first.is_loaded() && alias.serving().is_loaded());
    }

    #[test]
    fn who_cannot_answer_yet_makes_room_at_once() {
        let (first, second) = (generation("g1"), generation("g2"));
        let alias = Alias::new(Arc::clone(&first));
        alias.serve(&second, false);
        publish(&first, &[1, 1]);
        alias.settle();
        assert_eq!((alias.serving().generation().to_string(), alias.serving().is_loaded()), ("g2".to_owned(), false));
    }
}
