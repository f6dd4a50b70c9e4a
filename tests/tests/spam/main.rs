//! The spam filter on real messages: it is right often enough, every message is scored once whatever is killed, labels
//! count as they are meant to, and the gateway says of a text what a worker would.

mod answers;
mod classes;
mod corpus;
mod filter;
mod labels;
mod policies;
mod scores;
mod tenants;
