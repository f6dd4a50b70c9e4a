//! What happens in a server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::metrics::ServerMetrics;

/// How much a shard holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardSize {
    /// Values of 32 bits in all rows.
    pub parameters: usize,
    /// Bytes of memory that rows, keys and index take.
    pub memory_bytes: usize,
}

impl ServerMetrics {
    /// A server begins to serve a model; what has not happened yet is shown as 0.
    pub fn begins(&self, model: &str) {
        self.store_failures.with_label_values(&[model]);
        for outcome in ["answered", "waited", "dropped"] {
            self.pulls.with_label_values(&[model, outcome]);
        }
        for (what, why) in
            [("users", "age"), ("users", "room"), ("items", "age"), ("items", "room"), ("neighbours", "room")]
        {
            self.let_go.with_label_values(&[model, what, why]);
        }
        let of_what_is_stored =
            ["damaged", "other_cluster", "other_topics", "other_layout", "too_old", "beyond_changelog"];
        for reason in of_what_is_stored.into_iter().chain(["write_failed", "unusable"]) {
            self.stores_discarded.with_label_values(&[reason]);
        }
    }

    /// A shard let so many go, of what and why in a fixed word each.
    pub fn let_go(&self, model: &str, what: &str, why: &str, count: u64) {
        self.let_go.with_label_values(&[model, what, why]).inc_by(count);
    }

    /// A shard is taken over: its store is as old as that until it is written.
    pub fn taken_over(&self, model: &str, shard: u32) {
        self.store_written.with_label_values(&[model, &shard.to_string()]).set(now_seconds());
    }

    /// A shard applied `frames` push frames with `rows` rows and stands before the offset `next` of the pushes topic.
    pub fn applied(&self, model: &str, shard: u32, frames: u64, rows: u64, next: u64) {
        self.frames.with_label_values(&[model]).inc_by(frames);
        self.applied_rows.with_label_values(&[model]).inc_by(rows);
        self.applied_offset.with_label_values(&[model, &shard.to_string()]).set(next as i64);
    }

    /// A pull was answered.
    pub fn pull_answered(&self, model: &str) {
        self.pulls.with_label_values(&[model, "answered"]).inc();
    }

    /// A pull has to wait until its position is applied.
    pub fn pull_waits(&self, model: &str) {
        self.pulls.with_label_values(&[model, "waited"]).inc();
    }

    /// A pull was dropped because too many wait; it will be asked again.
    pub fn pull_dropped(&self, model: &str) {
        self.pulls.with_label_values(&[model, "dropped"]).inc();
    }

    /// A push record was applied `duration` after its worker wrote it.
    pub fn push_applied(&self, model: &str, duration: Duration) {
        self.push_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// A table of a shard has `rows` rows.
    pub fn rows(&self, model: &str, shard: u32, table: &str, rows: usize) {
        self.rows.with_label_values(&[model, &shard.to_string(), table]).set(rows as i64);
    }

    /// A shard holds this much, `dirty` of its rows changed since its last barrier.
    pub fn held(&self, model: &str, shard: u32, size: ShardSize, dirty: usize) {
        let labels = [model, &shard.to_string()];
        self.parameters.with_label_values(&labels).set(size.parameters as i64);
        self.parameter_bytes.with_label_values(&labels).set(size.parameters as i64 * 4);
        self.memory_bytes.with_label_values(&labels).set(size.memory_bytes as i64);
        self.dirty_rows.with_label_values(&labels).set(dirty as i64);
    }

    /// Records of the push log that a shard may have by now and has not applied.
    pub fn lag(&self, model: &str, shard: u32, records: u64) {
        self.lag_records.with_label_values(&[model, &shard.to_string()]).set(records as i64);
    }

    /// A reply frame of `bytes` bytes was sent.
    pub fn replied_bytes(&self, model: &str, bytes: usize) {
        self.replied_bytes.with_label_values(&[model]).inc_by(bytes as u64);
    }

    /// `bytes` were written to the changelog.
    pub fn published_bytes(&self, model: &str, bytes: usize) {
        self.published_bytes.with_label_values(&[model]).inc_by(bytes as u64);
    }

    /// A shard's publish of `rows` rows took `duration` and committed a barrier before the push offset `next`.
    pub fn published(&self, model: &str, shard: u32, rows: usize, duration: Duration, next: u64) {
        self.publish_rows.with_label_values(&[model]).observe(rows as f64);
        self.publish_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
        let labels = [model, &shard.to_string()];
        self.barrier_offset.with_label_values(&labels).set(next as i64);
        self.barrier_committed.with_label_values(&labels).set(now_seconds());
    }

    /// A shard stood still for so long while its changes were copied for the local store.
    pub fn store_paused(&self, model: &str, duration: Duration) {
        self.store_pause_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// `bytes` of a shard were written to the local store just now, which has `disk_bytes` in all.
    pub fn stored(&self, model: &str, shard: u32, (bytes, disk_bytes): (u64, u64), duration: Duration) {
        self.store_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
        self.store_bytes.with_label_values(&[model]).inc_by(bytes);
        self.store_disk_bytes.with_label_values(&[model]).set(disk_bytes as i64);
        self.store_written.with_label_values(&[model, &shard.to_string()]).set(now_seconds());
    }

    /// A write to a local store failed, and the store was given up.
    pub fn store_failed(&self, model: &str) {
        self.store_failures.with_label_values(&[model]).inc();
        self.store_discarded("write_failed");
    }

    /// A local store was given up; `reason` is a fixed name such as `damaged` or `too_old`.
    pub fn store_discarded(&self, reason: &'static str) {
        self.stores_discarded.with_label_values(&[reason]).inc();
    }

    /// A phase of a restore is over: the local store is loaded, or the changelog behind it is read.
    pub fn restore_phase(&self, model: &str, phase: &'static str, duration: Duration) {
        self.restore_phase_seconds.with_label_values(&[model, phase]).observe(duration.as_secs_f64());
    }

    /// A shard was restored: so many records were read of its changelog behind the store, and so many of its push log,
    /// which begins at `first`, are still to be applied.
    pub fn shard_restored(&self, model: &str, shard: u32, (changelog, pushes): (u64, u64), first: u64) {
        let labels = &[model, &shard.to_string()];
        self.restored_changelog.with_label_values(labels).set(changelog as i64);
        self.restored_pushes.with_label_values(labels).set(pushes as i64);
        self.push_log_begins(model, shard, first);
    }

    /// A shard's push log reaches back to the offset `first`.
    pub fn push_log_begins(&self, model: &str, shard: u32, first: u64) {
        self.push_log_first.with_label_values(&[model, &shard.to_string()]).set(first as i64);
    }

    /// A shard answers again, `duration` after it was assigned.
    pub fn restored(&self, model: &str, duration: Duration) {
        self.restore_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// A shard went to another server, whose figures count from now on.
    pub fn shard_gone<'a>(&self, model: &str, shard: u32, tables: impl IntoIterator<Item = &'a str>) {
        let shard = shard.to_string();
        let gauges = [
            &self.parameters,
            &self.parameter_bytes,
            &self.memory_bytes,
            &self.dirty_rows,
            &self.applied_offset,
            &self.lag_records,
            &self.barrier_offset,
            &self.barrier_committed,
            &self.store_written,
            &self.restored_changelog,
            &self.restored_pushes,
            &self.push_log_first,
        ];
        for gauge in gauges {
            let _ = gauge.remove_label_values(&[model, &shard]);
        }
        for table in tables {
            let _ = self.rows.remove_label_values(&[model, &shard, table]);
        }
    }
}

fn now_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}
