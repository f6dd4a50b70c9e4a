//! The worker role: learns one model from its input topic.
//!
//! Three threads around one loop. One reads and decodes the input as a member of the workers' group and cuts it into
//! batches, one reads replies, one commits steps (pushes, outputs and input offsets in one transaction). The loop owns
//! the learning: it sends pulls, learns a batch when its rows are there, and hands finished batches over.
//!
//! Deliberately not here: what is learned (`weir_models`), in which order and with which rows (`weir_ps`), the rules of
//! transactions (`weir_kafka`), and any state that must survive: every error ends the role, which starts again from
//! what is committed.

mod commit;
mod input;
mod lag;
mod model;
mod replies;
mod role;
mod room;
mod watch;

pub use model::TrainedModel;
pub use role::run;
