//! The binary frames: golden files, round trips, damage.

mod damage;
mod golden;
mod owned;
mod round_trip;
