//! Texts with holes: `<name>` stands for a value, the same one wherever the name is.

use std::collections::BTreeMap;

/// The values of the holes, by name.
pub(super) type Values = BTreeMap<String, String>;

/// Holds `text` against `template`. A hole that has no value yet takes whatever stands
/// before the next literal part.
#[track_caller]
pub(super) fn expect(template: &str, text: &str, values: &mut Values) {
    let mut rest = text;
    let mut parts = template.split('<');
    let differs =
        || panic!("this is not what was expected\n  expected: {template}\n  found:    {text}\n");
    let Some(after) = rest.strip_prefix(parts.next().unwrap_or_default()) else { differs() };
    rest = after;
    for part in parts {
        let (name, literal) = part.split_once('>').unwrap();
        let length = match (values.get(name), literal) {
            (Some(value), _) => value.len(),
            (None, "") => rest.len(),
            (None, literal) => rest.find(literal).unwrap_or_else(|| differs()),
        };
        let Some((value, after)) = rest.split_at_checked(length) else { differs() };
        if values.get(name).is_some_and(|known| known != value) || value.is_empty() {
            differs()
        }
        values.insert(name.to_owned(), value.to_owned());
        let Some(after) = after.strip_prefix(literal) else { differs() };
        rest = after;
    }
    if !rest.is_empty() {
        differs()
    }
}
