//! Tables of the program as expressions in Rust: a command that asks one question of them
//! would otherwise spend most of its time on reading JSON.

use serde_json::{Map, Value};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Writes `catalog.rs` (a slice of `BuiltIn`), `conventions.rs` and `names.rs` (a `Table` each)
/// into `directory`; returns what they were made from.
pub(super) fn write(directory: &Path) -> Result<[PathBuf; 3], Box<dyn Error>> {
    let sources = ["catalog", "conventions", "names"].map(|name| {
        let source = PathBuf::from("src/provider").join(name).with_extension("json");
        (name, source)
    });
    for (name, source) in &sources {
        let text = std::fs::read_to_string(source)?;
        let expression = match &serde_json::from_str(&text)? {
            Value::Array(rows) => {
                let rows: Vec<_> = rows.iter().map(built_in).collect();
                format!("&[{}]", rows.concat())
            }
            Value::Object(members) => format!("Table {{ {} }}", fields(members)),
            _ => return Err(format!("{}: not a table", source.display()).into()),
        };
        std::fs::write(directory.join(name).with_extension("rs"), expression)?;
    }
    Ok(sources.map(|(_, source)| source))
}

/// A row, its names beside the text of the whole.
fn built_in(row: &Value) -> String {
    let names = |key: &str| row.get(key).map_or_else(|| "&[]".to_owned(), literal);
    let (id, aliases, variables) = (&row["id"], names("aliases"), names("env"));
    let text = row.to_string();
    format!("BuiltIn {{ id: {id}, aliases: {aliases}, variables: {variables}, text: {text:?} }},\n")
}

/// The members of an object as those of a structure.
fn fields(members: &Map<String, Value>) -> String {
    let mut fields = String::new();
    for (key, value) in members {
        for character in key.chars() {
            if character.is_ascii_uppercase() {
                fields.push('_');
            }
            fields.push(character.to_ascii_lowercase());
        }
        fields += ": ";
        fields += &literal(value);
        fields += ",\n";
    }
    fields
}

/// Texts, slices, and slices of pairs for objects.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(literal).collect();
            format!("&[{}]", elements.join(", "))
        }
        Value::Object(members) => {
            let pairs = members.iter().map(|(key, value)| format!("({key:?}, {})", literal(value)));
            format!("&[{}]", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
