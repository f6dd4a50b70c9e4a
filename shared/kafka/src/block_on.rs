//! Waiting for one future on the thread at hand: rdkafka's administration calls are futures, weir's are not.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `future` to its end. It must have a time-out of its own.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            // A wake-up before this line is remembered, so none can be missed.
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn waits_for_another_thread() {
        let done = Arc::new(AtomicBool::new(false));
        let future = std::future::poll_fn(|context| {
            if done.load(Ordering::Acquire) {
                return Poll::Ready(7);
            }
            let (done, waker) = (Arc::clone(&done), context.waker().clone());
            thread::spawn(move || {
                done.store(true, Ordering::Release);
                waker.wake();
            });
            Poll::Pending
        });
        assert_eq!(block_on(future), 7);
    }
}
