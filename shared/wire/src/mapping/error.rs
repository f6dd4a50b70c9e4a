//! What can be wrong with a mapping.

/// Why a mapping is refused; every message quotes what was configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A field that events of this kind do not have.
    #[error("\"{field}\" is no field of these events, they have {known}")]
    UnknownField {
        /// As configured.
        field: String,
        /// The fields there are.
        known: String,
    },
    /// Text that is no JSON pointer, or too long a one.
    #[error("{field} = \"{pointer}\": {rule}")]
    Pointer {
        /// The field.
        field: &'static str,
        /// As configured.
        pointer: String,
        /// What a pointer must be.
        rule: &'static str,
    },
    /// Two pointers of which one leads into the other's value, which would have to be an object and an id at once.
    #[error("{inner_field} = \"{inner}\" leads into {outer_field} = \"{outer}\", which must be a single value")]
    Inside {
        /// The field of the longer pointer.
        inner_field: &'static str,
        /// The longer pointer.
        inner: String,
        /// The field of the shorter pointer.
        outer_field: &'static str,
        /// The shorter pointer.
        outer: String,
    },
    /// A constant that is no number, for a field that is one.
    #[error("{field}: the constant \"{text}\" is no number")]
    Constant {
        /// The field.
        field: &'static str,
        /// As configured.
        text: String,
    },
    /// No event could be right under this mapping.
    #[error("no event could be right: {reject}")]
    Unusable {
        /// Why every event would be refused.
        reject: String,
    },
    /// A type of event, a weight or a label that makes no sense.
    #[error("{kind} \"{name}\": {rule}")]
    Value {
        /// What it is: `event type`, `label`.
        kind: &'static str,
        /// As configured.
        name: String,
        /// What is wrong with it.
        rule: String,
    },
}
