//! As much of JSON Schema as our files use. A crate that knows all of it brings thirty others; a keyword that this does
//! not know fails the test, so that no rule of a file goes unchecked.

use serde_json::Value;

/// Keywords that say something to people only.
const REMARKS: [&str; 6] = ["$schema", "$id", "title", "description", "examples", "$defs"];

/// Why `value` is not as `schema` (a part of `whole`) says, or `None`.
pub(crate) fn refusal(whole: &Value, schema: &Value, value: &Value) -> Option<String> {
    let rules = schema.as_object().unwrap_or_else(|| panic!("{schema} is no schema"));
    rules.iter().find_map(|(keyword, rule)| match keyword.as_str() {
        keyword if REMARKS.contains(&keyword) => None,
        "$ref" => {
            let place = rule.as_str().and_then(|place| place.strip_prefix('#')).unwrap();
            refusal(whole, whole.pointer(place).unwrap_or_else(|| panic!("{rule} leads nowhere")), value)
        }
        "properties" => {
            let rules = rule.as_object().unwrap();
            let object = value.as_object();
            rules.iter().find_map(|(name, rule)| {
                refusal(whole, rule, object?.get(name)?).map(|reason| format!("{name}: {reason}"))
            })
        }
        "additionalProperties" => {
            // Of objects whose names are not our own: no schema here lists some beside.
            let mut entries = value.as_object().into_iter().flatten();
            entries.find_map(|(name, value)| refusal(whole, rule, value).map(|reason| format!("{name}: {reason}")))
        }
        "items" => value
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .find_map(|(index, value)| refusal(whole, rule, value).map(|reason| format!("{index}: {reason}"))),
        "anyOf" => {
            let fits = rule.as_array().unwrap().iter().any(|rule| refusal(whole, rule, value).is_none());
            (!fits).then(|| "fits none of anyOf".to_owned())
        }
        _ => (!holds(keyword, rule, value)).then(|| format!("{value} breaks {keyword} {rule}")),
    })
}

/// Whether `value` obeys one keyword that needs no other schema; each is about one type and lets others pass.
fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = value.as_str().map(|text| text.chars().count() as u64);
    match keyword {
        "type" => match rule {
            Value::Array(names) => names.iter().any(|name| has_type(name, value)),
            name => has_type(name, value),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "required" => value.as_object().is_none_or(|object| {
            rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
        }),
        "minLength" => length.is_none_or(|length| length >= rule.as_u64().unwrap()),
        "maxLength" => length.is_none_or(|length| length <= rule.as_u64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        _ => panic!("the keyword {keyword} is not known to this test"),
    }
}

fn has_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known to this test"),
    }
}
