//! Who a credential belongs to, and which profile a new login goes to.
//!
//! Invariant: a login never takes over the profile of another account. An e-mail is a
//! label: one e-mail can hold several accounts (workspaces), and one workspace can hold
//! several people.

use super::{ProfileId, ProviderId};

/// What a credential says about its account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The e-mail, in the case in which the server gave it.
    pub email: Option<String>,
    /// The account (workspace) at the provider.
    pub account_id: Option<String>,
    /// A stable subject: who signed in.
    pub subject: Option<String>,
}

/// Whether two credentials belong to the same account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameAccount {
    /// Something that both say agrees, and nothing contradicts it.
    Yes,
    /// Something that both say differs.
    No,
    /// There is nothing to compare.
    Unknown,
}

impl Identity {
    /// Compares account id, then subject, then e-mail (without regard to case).
    pub fn same_account(&self, other: &Self) -> SameAccount {
        let account = agree(self.account_id.as_deref(), other.account_id.as_deref());
        let subject = agree(self.subject.as_deref(), other.subject.as_deref());
        let email = match (&self.email, &other.email) {
            (Some(a), Some(b)) => Some(a.eq_ignore_ascii_case(b)),
            _ => None,
        };
        match (account, subject, email) {
            (Some(false), ..) | (_, Some(false), _) | (_, None, Some(false)) => SameAccount::No,
            // A workspace has many members: alone, it says nothing when one side names its
            // member and the other does not.
            (_, None, None) if self.names_member() != other.names_member() => SameAccount::Unknown,
            (None, None, None) => SameAccount::Unknown,
            _ => SameAccount::Yes,
        }
    }

    const fn names_member(&self) -> bool {
        self.email.is_some() || self.subject.is_some()
    }

    /// Whether nothing is known about the account.
    pub const fn is_unknown(&self) -> bool {
        self.email.is_none() && self.account_id.is_none() && self.subject.is_none()
    }
}

fn agree(a: Option<&str>, b: Option<&str>) -> Option<bool> {
    Some(a? == b?)
}

/// The profile id for a login to `provider` as `identity`.
///
/// `name` is the last part of the id when nothing names the account, `default` without it.
/// `existing` lists the provider's profiles with their identities; `wanted` is an id
/// that the user asked for; `taken` answers for ids of any provider. The second value
/// names the profile of another account that the id would otherwise have replaced.
pub fn choose_profile_id(
    provider: &ProviderId,
    name: Option<&str>,
    identity: &Identity,
    wanted: Option<&ProfileId>,
    existing: &[(ProfileId, Identity)],
    taken: impl Fn(&ProfileId) -> bool,
) -> (ProfileId, Option<ProfileId>) {
    let natural = wanted.cloned().unwrap_or_else(|| natural_id(provider, name, identity));
    let is_same = |id: &ProfileId, other: &Identity| match identity.same_account(other) {
        SameAccount::Yes => true,
        SameAccount::No => false,
        // The id itself names the account, or neither side knows more.
        SameAccount::Unknown => *id == natural && (identity.email.is_some() || other.is_unknown()),
    };
    if let Some((id, _)) = existing.iter().find(|(id, other)| *id == natural && is_same(id, other))
    {
        return (id.clone(), None);
    }
    if wanted.is_none()
        && let Some((id, _)) = existing.iter().find(|(id, other)| is_same(id, other))
    {
        return (id.clone(), None);
    }
    if !taken(&natural) {
        return (natural, None);
    }
    let text = natural.as_str();
    let mut own = ProfileId::from(match &identity.account_id {
        Some(account) => format!("{text}:{account}"),
        None => format!("{text}-2"),
    });
    let mut number = 2;
    while taken(&own) {
        number += 1;
        own = format!("{text}-{number}").into();
    }
    (own, Some(natural))
}

/// `<provider>:<email>`, else `<provider>:id-<base64url subject>`, else
/// `<provider>:<name>`.
fn natural_id(provider: &ProviderId, name: Option<&str>, identity: &Identity) -> ProfileId {
    use base64::Engine;
    let provider = provider.as_str();
    if let Some(email) = &identity.email {
        return format!("{provider}:{email}").into();
    }
    if let Some(subject) = &identity.subject {
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(subject);
        return format!("{provider}:id-{encoded}").into();
    }
    format!("{provider}:{}", name.unwrap_or("default")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(email: &str, account: &str, subject: &str) -> Identity {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Identity { email: some(email), account_id: some(account), subject: some(subject) }
    }

    fn choose(
        identity: &Identity,
        wanted: Option<&str>,
        existing: &[(&str, Identity)],
    ) -> (String, Option<String>) {
        let existing: Vec<_> = existing.iter().map(|(id, i)| ((*id).into(), i.clone())).collect();
        let wanted = wanted.map(ProfileId::from);
        let taken = |id: &ProfileId| existing.iter().any(|(other, _)| other == id);
        let (id, replaced) =
            choose_profile_id(&"p".into(), None, identity, wanted.as_ref(), &existing, taken);
        (id.as_str().to_owned(), replaced.map(|id| id.as_str().to_owned()))
    }

    #[test]
    fn a_new_account_is_named_by_its_email_then_subject() {
        assert_eq!(choose(&identity("a@x", "1", "s"), None, &[]).0, "p:a@x");
        assert_eq!(choose(&identity("", "1", "s|1"), None, &[]).0, "p:id-c3wx");
        assert_eq!(choose(&identity("", "", ""), None, &[]).0, "p:default");
    }

    #[test]
    fn a_login_to_a_known_account_updates_its_profile() {
        let mine = identity("a@x", "1", "s");
        assert_eq!(choose(&mine, None, &[("p:default", mine.clone())]).0, "p:default");
        let renamed = identity("new@x", "1", "s");
        assert_eq!(choose(&renamed, None, &[("p:a@x", mine)]).0, "p:a@x");
    }

    #[test]
    fn an_id_of_another_account_is_never_taken_over() {
        let team = identity("a@x", "team", "s");
        let personal = identity("a@x", "personal", "s");
        assert_eq!(
            choose(&personal, None, &[("p:a@x", team.clone())]),
            ("p:a@x:personal".into(), Some("p:a@x".into()))
        );
        assert_eq!(
            choose(&personal, Some("p:work"), &[("p:work", team)]),
            ("p:work:personal".into(), Some("p:work".into()))
        );
    }

    #[test]
    fn colleagues_in_one_workspace_are_different_accounts() {
        let mine = identity("a@x", "team", "");
        let yours = identity("b@x", "team", "");
        assert_eq!(mine.same_account(&yours), SameAccount::No);
        let unnamed = identity("", "team", "");
        assert_eq!(mine.same_account(&unnamed), SameAccount::Unknown);
    }

    #[test]
    fn a_login_without_identity_renews_only_a_profile_without_identity() {
        let unknown = Identity::default();
        assert_eq!(choose(&unknown, None, &[("p:default", unknown.clone())]).0, "p:default");
        assert_eq!(
            choose(&unknown, None, &[("p:default", identity("a@x", "", ""))]),
            ("p:default-2".into(), Some("p:default".into()))
        );
    }
}
