//! The operator's word about a person: addresses, groups, claims and organizations, then the hook.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};
use tracing::Instrument;

use crate::{
    config::{LoginRequest, Options},
    event::{Reason, Told},
    limits::HOOK_TIMEOUT,
    provider::{ClaimRule, Identity, ORGANIZATIONS, Provider, first_of},
};

/// Why a person does not come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    /// The operator says no.
    #[error("{detail}")]
    No {
        /// Which rule.
        reason: Reason,
        /// What the person and the client may read.
        description: Cow<'static, str>,
        /// Which option and why, for the operator.
        detail: Told,
    },
    /// The hook did not answer.
    #[error("{detail}")]
    Later {
        /// For the operator.
        detail: Told,
    },
}

/// What the operator demands of people, and of one provider's.
pub(super) struct Demands {
    options: Arc<Options>,
    rules: Vec<ClaimRule>,
}

impl Demands {
    /// `None`: those on all people alone.
    pub(super) fn new(options: &Arc<Options>, provider: Option<&Provider>) -> Self {
        let rules = options.people.rules().into_iter();
        let theirs = provider.into_iter().flat_map(Provider::people_rules);
        Self {
            options: Arc::clone(options),
            rules: rules.chain(theirs).collect(),
        }
    }

    /// Whether there are any.
    pub(super) fn are_made(&self) -> bool {
        self.options.on_login.is_some()
            || self.options.allow_list.is_wanted()
            || !self.rules.is_empty()
    }

    /// Whether these claims of a person say all that the lists are about.
    pub(super) fn are_spoken_of(&self, sources: &[&Map<String, Value>]) -> bool {
        let is_named = |claims: &&Map<String, Value>| claims.contains_key("email");
        let has_address = || sources.first().is_some_and(is_named);
        (!self.options.allow_list.is_wanted() || has_address())
            && self.rules.iter().all(|rule| rule.is_named_in(sources))
    }

    /// Claims that were said before, without those that the lists are about: where the provider is asked anew, its
    /// silence is no word for the person, and who left the last group may have no such claim at all. The
    /// organization is one of the login, and stays.
    pub(super) fn beside_rules(&self, mut before: Map<String, Value>) -> Map<String, Value> {
        let rules = self.rules.iter();
        let rules = rules.filter(|rule| rule.option() != ORGANIZATIONS);
        let names: Vec<String> = rules
            .flat_map(ClaimRule::claims)
            .map(|name| first_of(name))
            .collect();
        before.retain(|name, _| name == "sub" || !names.contains(name));
        before
    }

    /// Asks the lists, which answer at once, and then the hook. `more` are claims beside the person's own.
    pub(super) async fn ask(
        &self,
        request: LoginRequest,
        more: Option<&Map<String, Value>>,
    ) -> Result<(), NotAdmitted> {
        self.ask_lists(&request.person, more)?;
        let Some(hook) = &self.options.on_login else {
            return Ok(());
        };
        let (who, hook) = (who(&request.person), Arc::clone(hook));
        // In a task of its own: a hook that panics must not take the renewal with it that asks.
        let asked = async move { hook(request).await };
        let mut asked = tokio::spawn(asked.in_current_span());
        match tokio::time::timeout(HOOK_TIMEOUT, &mut asked).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(no))) => {
                let description = no.into_description();
                Err(NotAdmitted::No {
                    reason: Reason::HookDenied,
                    detail: Told::of_person(
                        format!("`on_login` refused {who}: {description}"),
                        format!("`on_login` refused the person: {description}"),
                    ),
                    description,
                })
            }
            Ok(Err(_)) => Err(NotAdmitted::Later {
                detail: Told::of_person(
                    format!("`on_login` panicked about {who}"),
                    "`on_login` panicked",
                ),
            }),
            Err(_) => {
                asked.abort();
                Err(NotAdmitted::Later {
                    detail: Told::of_person(
                        format!("`on_login` did not answer within {HOOK_TIMEOUT:?} about {who}"),
                        format!("`on_login` did not answer within {HOOK_TIMEOUT:?}"),
                    ),
                })
            }
        }
    }

    /// Addresses and domains are one list; each of the others has to be met besides.
    pub(super) fn ask_lists(
        &self,
        person: &Identity,
        more: Option<&Map<String, Value>>,
    ) -> Result<(), NotAdmitted> {
        if let Some(why) = self.options.allow_list.refusal(person) {
            return Err(not_allowed(why.into()));
        }
        let sources: Vec<_> = [&person.claims].into_iter().chain(more).collect();
        let refusal = |rule: &ClaimRule| Some((rule.option(), rule.refusal(&sources)?));
        let Some((option, why)) = self.rules.iter().find_map(refusal) else {
            return Ok(());
        };
        let untold = person.untold.as_ref();
        let untold = untold.map(|said| format!("; {said}")).unwrap_or_default();
        let (of_person, without) = (
            format!("`{option}`: {} ", who(person)),
            format!("`{option}`: the person "),
        );
        Err(not_allowed(why.after(&of_person, &without).and(untold)))
    }
}

fn not_allowed(detail: Told) -> NotAdmitted {
    NotAdmitted::No {
        reason: Reason::NotAllowed,
        description: "this account may not use this service".into(),
        detail,
    }
}

/// The person in an operator's words: the address is what the lists are about.
fn who(person: &Identity) -> String {
    let subject = person.subject.as_deref().unwrap_or("(unknown)");
    match (&person.email, person.email_verified) {
        (None, _) => format!("subject {subject}, for whom the provider gives no address,"),
        (Some(email), true) => format!("subject {subject} with the verified address {email}"),
        (Some(email), false) => {
            format!(
                "subject {subject} with the address {email}, which the provider does not verify,"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_reads_who_and_whether_the_address_is_verified() {
        let mut person = Identity {
            subject: Some("7".into()),
            ..Identity::default()
        };
        assert!(who(&person).contains("subject 7, for whom the provider gives no address"));
        person.email = Some("a@b.example".into());
        assert!(who(&person).contains("a@b.example, which the provider does not verify"));
        person.email_verified = true;
        assert!(who(&person).ends_with("the verified address a@b.example"));
    }
}
