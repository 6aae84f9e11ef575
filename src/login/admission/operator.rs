//! The operator's word about a person: the allow lists, then the hook.

use std::{borrow::Cow, sync::Arc};

use crate::{
    config::{LoginRequest, Options},
    event::Reason,
    limits::HOOK_TIMEOUT,
    provider::Identity,
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
        /// Who, and which option, for the operator.
        detail: String,
    },
    /// The hook did not answer.
    #[error("{detail}")]
    Later {
        /// For the operator.
        detail: String,
    },
}

/// Asks the allow lists, which answer at once, and then the hook.
pub(super) async fn ask(options: &Options, request: LoginRequest) -> Result<(), NotAdmitted> {
    ask_lists(options, &request.person)?;
    let Some(hook) = &options.on_login else {
        return Ok(());
    };
    let (who, hook) = (who(&request.person), Arc::clone(hook));
    // In a task of its own: a hook that panics must not take the renewal with it that asks.
    let mut asked = tokio::spawn(async move { hook(request).await });
    match tokio::time::timeout(HOOK_TIMEOUT, &mut asked).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(no))) => {
            let description = no.into_description();
            Err(NotAdmitted::No {
                reason: Reason::HookDenied,
                detail: format!("on_login refused {who}: {description}"),
                description,
            })
        }
        Ok(Err(_)) => Err(NotAdmitted::Later {
            detail: format!("on_login panicked about {who}"),
        }),
        Err(_) => {
            asked.abort();
            Err(NotAdmitted::Later {
                detail: format!("on_login did not answer within {HOOK_TIMEOUT:?} about {who}"),
            })
        }
    }
}

/// `allowed_emails` and `allowed_domains`.
pub(super) fn ask_lists(options: &Options, person: &Identity) -> Result<(), NotAdmitted> {
    if options.allow_list.admits(person) {
        return Ok(());
    }
    Err(NotAdmitted::No {
        reason: Reason::NotAllowed,
        description: "this account may not use this service".into(),
        detail: format!(
            "{} is in neither allowed_emails nor allowed_domains",
            who(person)
        ),
    })
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
