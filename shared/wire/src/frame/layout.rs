//! The layout in every barrier: under which cluster, topics, seeds and tables its rows came about.

use serde::{Deserialize, Serialize};

use super::FrameError;

/// What a shard's rows depend on besides the log: another one at start is an error, never a mixture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Kafka's cluster id.
    pub cluster_id: String,
    /// Topic ids by topic name: a topic that was deleted and made anew is another log.
    pub topic_ids: Vec<(String, String)>,
    /// Name of the rule that maps keys to shards.
    pub partitioner: String,
    /// Number of shards.
    pub shards: u32,
    /// Seed of [`crate::key`].
    pub hash_seed: u64,
    /// Seed of the rows' initial values.
    pub model_seed: u64,
    /// The tables.
    pub tables: Vec<TableLayout>,
    /// Version of the model's own logic.
    pub logic_version: u32,
    /// What else the rows depend on, by the setting's name; absent in JSON where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(String, u64)>,
}

/// A field in which two layouts differ: `shards is 4, expected 3`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct LayoutDifference {
    /// Name of the field.
    pub field: &'static str,
    /// Its value as it should be.
    pub expected: String,
    /// Its value as it is.
    pub found: String,
}

/// One table of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLayout {
    /// Number of the table in frames.
    pub id: u8,
    /// Name of the table, for people.
    pub name: String,
    /// 32-bit words per row.
    pub width: u16,
}

impl Layout {
    /// The layout as JSON, with a stable order of fields.
    ///
    /// # Errors
    /// [`FrameError::Layout`] if serialising fails, which strings and numbers give no reason for.
    pub fn to_json(&self) -> Result<Vec<u8>, FrameError> {
        serde_json::to_vec(self).map_err(|error| FrameError::Layout(error.to_string()))
    }

    /// The first field in which `found` differs, with this layout's value and the other's, for an error message.
    #[must_use]
    pub fn difference(&self, found: &Self) -> Option<LayoutDifference> {
        let pairs = [
            ("cluster_id", format!("{:?}", self.cluster_id), format!("{:?}", found.cluster_id)),
            ("topic_ids", format!("{:?}", self.topic_ids), format!("{:?}", found.topic_ids)),
            ("partitioner", format!("{:?}", self.partitioner), format!("{:?}", found.partitioner)),
            ("shards", self.shards.to_string(), found.shards.to_string()),
            ("hash_seed", self.hash_seed.to_string(), found.hash_seed.to_string()),
            ("model_seed", self.model_seed.to_string(), found.model_seed.to_string()),
            // A layout of another version may differ in everything below, and none of it is to blame.
            ("logic_version", self.logic_version.to_string(), found.logic_version.to_string()),
            ("settings", beyond(&self.settings, &found.settings), beyond(&found.settings, &self.settings)),
            ("tables", format!("{:?}", self.tables), format!("{:?}", found.tables)),
        ];
        let (field, expected, found) = pairs.into_iter().find(|(_, expected, found)| expected != found)?;
        Some(LayoutDifference { field, expected, found })
    }

    /// Reads what [`Layout::to_json`] wrote; fields that are not known are ignored.
    ///
    /// # Errors
    /// [`FrameError::Layout`] if it is not the JSON of a layout.
    pub fn from_json(json: &[u8]) -> Result<Self, FrameError> {
        serde_json::from_slice(json).map_err(|error| FrameError::Layout(error.to_string()))
    }
}

/// The settings that `others` do not have as well, in words.
fn beyond(settings: &[(String, u64)], others: &[(String, u64)]) -> String {
    let own = settings.iter().filter(|setting| !others.contains(setting));
    let own: Vec<String> = own.map(|(name, value)| format!("{name} = {value}")).collect();
    if own.is_empty() { "none".to_owned() } else { own.join(", ") }
}
