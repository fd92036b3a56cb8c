//! Holds JSON against a JSON Schema (draft 2020-12), as far as the schemas of `docs/schema` use
//! it. Another keyword fails, and so does a member that a schema does not describe.

use serde_json::{Map, Value};

/// What is wrong with `value` by `schema`, each with its place.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    look(schema, value, "$", &mut faults);
    faults
}

fn look(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else {
        return faults.push(format!("{at}: the schema is no object"));
    };
    for (keyword, wanted) in schema {
        let fault = match keyword.as_str() {
            "$schema" | "title" | "description" => None,
            "const" => (value != wanted).then(|| format!("is not {wanted}")),
            "enum" => (!list(wanted).contains(value)).then(|| format!("is none of {wanted}")),
            "type" => (!is_of(wanted, value)).then(|| format!("is no {wanted}")),
            "required" => {
                let is_missing = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
                list(wanted).iter().find(is_missing).map(|name| format!("has no {name}"))
            }
            "properties" => {
                members(wanted.as_object().unwrap(), value, at, faults);
                None
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    look(wanted, item, &format!("{at}[{number}]"), faults);
                }
                None
            }
            "oneOf" => {
                let fitting = list(wanted).iter().filter(|one| self::faults(one, value).is_empty());
                let count = fitting.count();
                (count != 1).then(|| format!("fits {count} of the alternatives"))
            }
            other => Some(format!("the keyword `{other}` is not known")),
        };
        faults.extend(fault.map(|fault| format!("{at}: {value} {fault}")));
    }
}

fn members(properties: &Map<String, Value>, value: &Value, at: &str, faults: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match properties.get(name) {
            Some(schema) => look(schema, value, &format!("{at}.{name}"), faults),
            None => faults.push(format!("{at}.{name}: is not described")),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        _ => false,
    };
    wanted.as_str().map_or_else(|| list(wanted).iter().filter_map(Value::as_str).any(is), is)
}

#[test]
fn faults_are_found_in_every_place() {
    use serde_json::json;
    let schema = json!({"type": "object", "required": ["a"], "properties": {
        "a": {"type": "array", "items": {"enum": [1, "x"]}},
        "b": {"type": ["string", "null"]},
        "c": {"oneOf": [{"const": 1}, {"type": "integer"}]},
    }});
    let count = |value: Value| faults(&schema, &value).len();
    assert_eq!(count(json!({"a": [1, "x"], "b": null, "c": 2})), 0);
    assert_eq!(count(json!({})), 1);
    assert_eq!(count(json!({"a": [2, "x"]})), 1);
    assert_eq!(count(json!({"a": [], "b": 5, "d": 1})), 2);
    assert_eq!(count(json!({"a": [], "c": 1})), 1);
    assert_eq!(count(json!({"a": [], "c": 1.5})), 1);
    assert_eq!(faults(&json!({"minimum": 5}), &json!(7)).len(), 1);
}
