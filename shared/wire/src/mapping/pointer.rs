//! JSON pointers (RFC 6901), checked.

use std::fmt;

use super::MappingError;

/// Longest pointer in bytes: it is quoted in refusals.
const MAX_BYTES: usize = 256;

/// Most levels of a pointer; each is one more look at what it leads through.
const MAX_LEVELS: usize = 16;

/// A path from the top of an event to one of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    text: Box<str>,
}

impl Pointer {
    /// The pointer to the field `name` at the top; `name` has nothing to escape.
    pub(super) fn to_field(name: &str) -> Self {
        Self { text: format!("/{name}").into() }
    }

    /// Checks what was configured for `field`.
    pub(super) fn parse(field: &'static str, text: &str) -> Result<Self, MappingError> {
        let refuse = |rule| Err(MappingError::Pointer { field, pointer: text.to_owned(), rule });
        if text.is_empty() {
            return refuse("is empty, a JSON pointer to a field begins with \"/\"");
        }
        if !text.starts_with('/') {
            return refuse("a JSON pointer begins with \"/\", as \"/customer/id\" does");
        }
        if text.len() > MAX_BYTES {
            return refuse("is longer than 256 bytes");
        }
        if text.chars().any(char::is_control) {
            return refuse("has a control character");
        }
        let pointer = Self { text: text.into() };
        if pointer.tokens().count() > MAX_LEVELS {
            return refuse("has more than 16 levels");
        }
        // Of an escaped pointer nothing is left after its good escapes but text without "~".
        if text.replace("~0", "").replace("~1", "").contains('~') {
            return refuse("has a \"~\" that is neither \"~0\" (for \"~\") nor \"~1\" (for \"/\")");
        }
        Ok(pointer)
    }

    /// The names and numbers on the way, unescaped.
    pub(super) fn tokens(&self) -> impl Iterator<Item = String> {
        self.text.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The element that a token means in an array: decimal without leading zeros.
pub(super) fn array_index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { token.parse().ok() } else { None }
}
