//! What a process holds before its roles begin.

use std::net::TcpListener;
use std::sync::Arc;

use weir_models::Description;
use weir_runtime::{Context, DataDirectory, Health, Metrics, Registry, Settings, Shutdown, bind, init_logs};

/// Ports bound, directory locked, signals caught.
pub(crate) struct Process {
    pub(crate) context: Context,
    /// For REST, health and metrics.
    pub(crate) rest: Option<TcpListener>,
    /// For health and metrics alone.
    pub(crate) ops: Option<TcpListener>,
    /// Locked until the process ends.
    pub(crate) data: DataDirectory,
}

impl Process {
    /// Takes all that another process may hold, in one go and before any work; each refusal is one sentence.
    pub(crate) fn prepare(settings: Settings, models: &[Description], with_rest: bool) -> anyhow::Result<Self> {
        let names = || models.iter().map(|model| model.name);
        if let Some(twice) = names().enumerate().find(|(index, name)| names().take(*index).any(|other| other == *name))
        {
            anyhow::bail!("two models are called {}; each needs a name of its own", twice.1);
        }
        let rest = with_rest.then(|| bind("listen", &settings.listen)).transpose()?;
        let ops = settings.ops.as_deref().map(|address| bind("ops", address)).transpose()?;
        let data = DataDirectory::lock(&settings.data_dir)?;
        let instance = data.instance_name(settings.name.as_deref())?;
        init_logs(&settings.log)?;
        let shutdown = Shutdown::new();
        shutdown.on_signals()?;
        let metrics = Arc::new(Metrics::new(Registry::new())?);
        let context = Context { settings: Arc::new(settings), instance, metrics, health: Health::new(), shutdown };
        let process = Self { context, rest, ops, data };
        process.announce(models);
        Ok(process)
    }

    fn announce(&self, models: &[Description]) {
        let address = |listener: &Option<TcpListener>| {
            listener.as_ref().and_then(|bound| bound.local_addr().ok()).map(tracing::field::display)
        };
        let settings = &self.context.settings;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            instance = self.context.instance,
            brokers = settings.brokers,
            prefix = settings.prefix,
            models = models.iter().map(|model| model.name).collect::<Vec<_>>().join(","),
            data_dir = %settings.data_dir.display(),
            listen = address(&self.rest),
            ops = address(&self.ops),
            "weir starts"
        );
    }
}
