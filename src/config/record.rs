//! Recording profiles in the configuration: `auth.profiles`, and the orders in `auth.order`.
//!
//! Any number of profiles is one edit, each looked up once: an object of the document finds
//! its members by walking over all of them.

use super::edit::{child, edit, set};
use super::{ConfigEdit, ConfigError};
use crate::profile::{Kind, ProfileId, ProviderId};
use indexmap::IndexMap;
use jsonc_parser::cst::{CstArray, CstInputValue, CstObject, CstObjectProp};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Records a profile as `auth.profiles.<id> = {provider, mode}`. Where the provider has
/// an order, the profile comes first in it: an order that leaves it out would hide it.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub fn record_profile(
    path: &Path,
    id: &ProfileId,
    provider: &ProviderId,
    mode: Kind,
) -> Result<ConfigEdit, ConfigError> {
    record_profiles(path, &[(id, provider, mode)])
}

/// As [`record_profile`], for several profiles in one edit.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub fn record_profiles(
    path: &Path,
    recorded: &[(&ProfileId, &ProviderId, Kind)],
) -> Result<ConfigEdit, ConfigError> {
    edit(path, |root| {
        let auth = child(root, "auth")?;
        let profiles = child(&auth, "profiles")?;
        let properties = profiles.properties();
        let named = properties.into_iter().filter_map(|it| Some((it.decoded_name()?, it)));
        let mut properties: HashMap<String, CstObjectProp> = HashMap::new();
        let mut modes = Modes::default();
        for (id, property) in named {
            let value = property.to_serde_value().unwrap_or_default();
            if let Some(provider) = value["provider"].as_str() {
                modes.note(&id, &provider.into(), value["mode"].as_str().unwrap_or_default());
            }
            properties.insert(id, property);
        }
        // Into an empty object, all go at once: the document walks over it at each change.
        let is_empty = properties.is_empty();
        let mut added = IndexMap::new();
        let mut orders = Orders::default();
        for (id, provider, mode) in recorded {
            let id = id.as_str();
            match properties.get(id) {
                Some(property) => match property.object_value() {
                    Some(profile) => {
                        set(&profile, "provider", CstInputValue::from(provider.spelling()));
                        set(&profile, "mode", CstInputValue::from(mode.name()));
                    }
                    None => set(&profiles, id, members(provider, *mode)),
                },
                None if is_empty => {
                    added.insert(id.to_owned(), members(provider, *mode));
                }
                None => {
                    let property = profiles.append(id, members(provider, *mode));
                    properties.insert(id.to_owned(), property);
                }
            }
            modes.note(id, provider, mode.name());
            orders.put_first(&auth, &modes, id, provider, *mode);
        }
        if !added.is_empty() {
            set(&auth, "profiles", CstInputValue::Object(added.into_iter().collect()));
        }
        Ok(())
    })
}

fn members(provider: &ProviderId, mode: Kind) -> CstInputValue {
    CstInputValue::Object(vec![
        ("provider".to_owned(), CstInputValue::from(provider.spelling())),
        ("mode".to_owned(), CstInputValue::from(mode.name())),
    ])
}

/// The profiles of each provider with their modes, in the order of the file.
#[derive(Default)]
struct Modes(HashMap<ProviderId, Vec<(String, String)>>);

impl Modes {
    fn note(&mut self, id: &str, provider: &ProviderId, mode: &str) {
        let of_provider = self.0.entry(provider.clone()).or_default();
        match of_provider.iter_mut().find(|(other, _)| other == id) {
            Some(present) => mode.clone_into(&mut present.1),
            None => of_provider.push((id.to_owned(), mode.to_owned())),
        }
    }
}

/// The orders that were looked at: the arrays of each provider, with what is in them.
#[derive(Default)]
struct Orders(HashMap<ProviderId, Vec<Order>>);

/// An order, which nobody changes where it is no array, and what is in it.
type Order = (Option<CstArray>, HashSet<String>);

impl Orders {
    /// Puts a profile first in the order of its provider. Without an order, one is made when
    /// the provider's other profiles have another mode: otherwise their kind would decide.
    fn put_first(
        &mut self,
        auth: &CstObject,
        modes: &Modes,
        id: &str,
        provider: &ProviderId,
        mode: Kind,
    ) {
        let arrays = self.0.entry(provider.clone()).or_insert_with(|| arrays_of(auth, provider));
        for (array, ids) in arrays.iter_mut() {
            if let Some(array) = array
                && ids.insert(id.to_owned())
            {
                array.insert(0, CstInputValue::from(id));
            }
        }
        let all = modes.0.get(provider).map_or(&[][..], Vec::as_slice);
        let others = all.iter().filter(|(other, _)| other != id);
        if !arrays.is_empty() || !others.clone().any(|(_, other)| other != mode.name()) {
            return;
        }
        let ids = std::iter::once(id).chain(others.map(|(other, _)| other.as_str()));
        let ids = CstInputValue::Array(ids.map(CstInputValue::from).collect());
        let order = auth.object_value("order").or_else(|| auth.object_value_or_create("order"));
        if let Some(order) = order {
            set(&order, provider.spelling(), ids);
            *arrays = arrays_of(auth, provider);
        }
    }
}

/// The orders of a provider.
fn arrays_of(auth: &CstObject, provider: &ProviderId) -> Vec<Order> {
    let order = auth.object_value("order");
    let properties = order.iter().flat_map(CstObject::properties);
    let own = properties
        .filter(|property| provider.is_spelt(&property.decoded_name().unwrap_or_default()));
    own.map(|property| {
        let array = property.array_value();
        let elements = array.iter().flat_map(CstArray::elements);
        let texts = elements.filter_map(|it| it.to_serde_value()?.as_str().map(str::to_owned));
        let ids = texts.collect();
        (array, ids)
    })
    .collect()
}
