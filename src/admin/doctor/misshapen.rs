//! What is in a document of profiles and not read as it is meant, in words.

use crate::external::Tool;
use crate::profile::{AgentId, Kind, ProfileId, ProviderId};
use crate::store::{Document, Location, Misshape, Store};
use crate::text::printable;
use std::fmt;

/// Something in a document that is not read as it is meant.
#[derive(Clone, Debug)]
pub struct Misshapen {
    /// What it is.
    pub shape: Misshape,
    /// The document.
    pub location: Location,
    /// The agent whose store that is.
    pub agent_id: AgentId,
    /// The profile, where it is one that can be stored anew: its id, type and provider.
    pub profile: Option<(ProfileId, Kind, ProviderId)>,
}

impl Misshapen {
    /// Whether it is of that profile.
    pub(super) fn is_of(&self, id: &ProfileId) -> bool {
        let of = match &self.shape {
            Misshape::OtherFile { .. } | Misshape::Nested { .. } => return false,
            Misshape::Beside { id, .. }
            | Misshape::Entry { id, .. }
            | Misshape::Misnamed { id, .. }
            | Misshape::OtherType { id, .. }
            | Misshape::Empty { id }
            | Misshape::Masked { id, .. }
            | Misshape::OddCharacters { id, .. }
            | Misshape::Expiry { id } => id,
        };
        of == id.as_str()
    }

    /// All in a document.
    pub(super) fn all(store: &Store, document: &Document) -> Vec<Self> {
        let shapes = document.misshapes().into_iter().filter(|shape| !is_of_program(shape));
        let misshapen = shapes.map(|shape| Self {
            profile: profile(document, &shape),
            location: store.location(),
            agent_id: store.agent_id().clone(),
            shape,
        });
        misshapen.collect()
    }
}

/// The profile of another program may be there by its name alone.
fn is_of_program(shape: &Misshape) -> bool {
    let Misshape::Empty { id } = shape else { return false };
    Tool::managing_stored(&id.as_str().into()).is_some()
}

fn profile(document: &Document, shape: &Misshape) -> Option<(ProfileId, Kind, ProviderId)> {
    let of = |id: &str| {
        let credential = document.credential(id)?;
        Some((id.into(), credential.kind(), credential.provider))
    };
    match shape {
        Misshape::OtherFile { .. }
        | Misshape::Nested { .. }
        | Misshape::Entry { .. }
        | Misshape::OtherType { .. } => None,
        Misshape::Beside { id, kind, provider } => {
            Some((id.as_str().into(), (*kind)?, provider.as_str().into()))
        }
        Misshape::Misnamed { id, .. }
        | Misshape::Empty { id }
        | Misshape::Masked { id, .. }
        | Misshape::OddCharacters { id, .. }
        | Misshape::Expiry { id } => of(id),
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = &self.location;
        let shown = |id: &String| format!("`{}` in {location}", ProfileId::from(id.as_str()));
        let text = match &self.shape {
            Misshape::Beside { id, .. } => {
                format!("{} stands beside `profiles`, where nothing reads it", shown(id))
            }
            Misshape::OtherFile { member, of } => {
                format!("`{member}` in {location} has the form of {of}, and nothing reads it")
            }
            Misshape::Nested { member } => {
                format!(
                    "`{}` in {location} holds profiles, and nothing reads them",
                    printable(member, 80)
                )
            }
            Misshape::Entry { id, fault } => {
                format!("the entry {} cannot be interpreted and is not used: {fault}", shown(id))
            }
            Misshape::Misnamed { id, written, read } => {
                format!("{} holds `{written}`, which nothing reads: it is `{read}`", shown(id))
            }
            Misshape::OtherType { id, field } => {
                format!("{} is of the type oauth, whose `{field}` nothing reads", shown(id))
            }
            Misshape::Empty { id } => format!("{} holds no credential", shown(id)),
            Misshape::Masked { id, field } => {
                format!("`{field}` of {} is not a secret: it is masked, or an example", shown(id))
            }
            Misshape::OddCharacters { id, field } => {
                format!("`{field}` of {} holds characters that no secret has", shown(id))
            }
            Misshape::Expiry { id } => {
                format!("`expires` of {} is not a time, so the token is not used", shown(id))
            }
        };
        f.write_str(&text)
    }
}
