//! The log of events as what is trained from, and a new generation as where the model goes.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use weir_kafka::{Admin, Isolation, Record, committed_patience};
use weir_models::{Description, Named, describe};
use weir_ps::ShardRows;
use weir_runtime::Settings;

use super::{Origin, TrainCommand, write};
use crate::accept_loss::logs::read_to_end;
use crate::arguments::CommonOptions;
use crate::snapshot::{ImportModelCommand, import};
use crate::topics;

const LOOKUP: Duration = Duration::from_secs(10);

/// The input topic of a model.
pub(super) struct Log<'a> {
    admin: Admin,
    settings: &'a Settings,
    options: &'a CommonOptions,
    input: String,
    /// How far it was read: the offset next to read by partition.
    covered: RefCell<Vec<(u32, u64)>>,
}

impl<'a> Log<'a> {
    /// # Errors
    /// The broker cannot be reached; there is no such topic, or no such model.
    pub(super) fn open(command: &'a TrainCommand, settings: &'a Settings) -> anyhow::Result<Self> {
        let model = command.model();
        let named = Named::parse(model).ok_or_else(|| anyhow::anyhow!("there is no model {model} in this build"))?;
        let input = describe(named, settings)?.input.to_string();
        let admin = Admin::connect(&topics::connection(settings), LOOKUP)?;
        Ok(Self { admin, settings, options: &command.options, input, covered: RefCell::default() })
    }

    /// Reads every committed event from the first to the end that is there now, one partition after the other.
    pub(super) fn read(&self, on_record: &mut dyn FnMut(&Record<'_>)) -> anyhow::Result<()> {
        let (input, connection) = (&self.input, topics::connection(self.settings));
        let count = self.admin.partition_count(input)?;
        let count = count.ok_or_else(|| anyhow::anyhow!("there is no topic {input}"))?;
        let patience = committed_patience(Duration::from_millis(self.settings.kafka.transaction_timeout_ms));
        let bar = ProgressBar::new(0).with_message("reading the log");
        bar.set_style(ProgressStyle::with_template("{msg} {bar:40} {percent} % {eta} left")?);
        for partition in 0..count {
            let marks = self.admin.watermarks(input, partition, Isolation::ReadCommitted)?;
            bar.inc_length(marks.end.saturating_sub(marks.first));
            let mut next = marks.first;
            read_to_end(&connection, input, partition, marks.first, patience, &mut |record| {
                next = record.offset + 1;
                on_record(&record);
                bar.inc(1);
            })?;
            self.covered.borrow_mut().push((partition, next));
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Begins a generation with what was trained. It goes on with the first event that was not read.
    pub(super) fn save(&self, description: &Description, shards: &[ShardRows], of_what: &str) -> anyhow::Result<()> {
        let (dir, covered) = (tempfile::tempdir()?, self.covered.borrow().clone());
        let file = dir.path().join("trained.weir");
        let origin = Origin { input: &self.input, covered, cluster_id: self.admin.cluster_id() };
        let rows = write(&file, description, origin, shards)?;
        println!("{rows} rows of {of_what}");
        import(&ImportModelCommand::of(file, self.options.clone()), self.settings)
    }
}

/// Where a record is, for whoever looks for it.
pub(super) fn at(record: &Record<'_>) -> String {
    format!("partition {} offset {}", record.partition, record.offset)
}
