//! A credential that is made when it is needed: by the operator's code, or with a key.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{redaction::without_tokens, upstream_error::UpstreamError};
use crate::{
    error::{BoxError, with_causes},
    limits::{CREDENTIAL_TIMEOUT, MAX_CREDENTIAL, MAX_ERROR_DESCRIPTION, RENEW_AHEAD},
    oauth::printable,
    time::Unix,
};

/// What a credential is to prove, and to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) now: Unix,
}

/// A credential, and how long it can be used; `None` is once.
pub(crate) struct Made {
    pub(crate) text: SecretString,
    pub(crate) until: Option<Unix>,
}

pub(crate) type Making = Pin<Box<dyn Future<Output = Result<Made, BoxError>> + Send>>;
type Maker = dyn Fn(&Wanted<'_>) -> Making + Send + Sync;

/// Makes credentials, and keeps one that can be used again. One is made at a time where they are kept.
pub(crate) struct Supply {
    maker: Box<Maker>,
    kept: Mutex<Option<Kept>>,
    /// Whether the last one could be kept: else each request needs one of its own, and none waits for
    /// another's.
    keeps: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Kept {
    text: SecretString,
    audience: String,
    made_at: Unix,
    /// Another is wanted from here on.
    again_at: Unix,
    until: Unix,
}

impl Kept {
    fn is_for(&self, wanted: &Wanted<'_>, end: Unix) -> bool {
        // Made later than now: the clock was set back, and its age is unknown.
        self.audience == wanted.audience && (self.made_at..end).contains(&wanted.now)
    }
}

impl Supply {
    pub(crate) fn new(maker: impl Fn(&Wanted<'_>) -> Making + Send + Sync + 'static) -> Self {
        Self {
            maker: Box::new(maker),
            kept: Mutex::default(),
            keeps: AtomicBool::new(true),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// A credential that is good now. Takes 10 seconds at most.
    ///
    /// An error is trouble of the operator's side. It says nothing about a person or a grant.
    pub(crate) async fn credential(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<SecretString, UpstreamError> {
        if let Some(kept) = self.fresh(&wanted) {
            return Ok(kept);
        }
        let made = timeout(CREDENTIAL_TIMEOUT, self.made(&wanted)).await;
        let made = made.unwrap_or_else(|_| {
            let seconds = CREDENTIAL_TIMEOUT.as_secs();
            Err(format!("it was not supplied within {seconds} seconds").into())
        });
        made.or_else(|error| {
            // To its end: what makes them may be well again by then.
            let old = self.kept().clone();
            let old = old.filter(|kept| kept.is_for(&wanted, kept.until));
            let words = || {
                printable(
                    &without_tokens(&with_causes(&*error)),
                    MAX_ERROR_DESCRIPTION,
                )
            };
            old.map(|kept| kept.text)
                .ok_or_else(|| UpstreamError::Credential(words()))
        })
    }

    async fn made(&self, wanted: &Wanted<'_>) -> Result<SecretString, BoxError> {
        let _turn = match self.keeps.load(Ordering::Acquire) {
            true => Some(self.turn.lock().await),
            false => None,
        };
        // The one before may have made it.
        if let Some(kept) = self.fresh(wanted) {
            return Ok(kept);
        }
        let made = (self.maker)(wanted).await?;
        check(made.text.expose_secret())?;
        self.keeps.store(made.until.is_some(), Ordering::Release);
        if let Some(until) = made.until {
            if until <= wanted.now {
                return Err("it has ended already".into());
            }
            let ahead = RENEW_AHEAD.min(until.since(wanted.now) / 10);
            *self.kept() = Some(Kept {
                text: made.text.clone(),
                audience: wanted.audience.to_owned(),
                made_at: wanted.now,
                again_at: until - ahead,
                until,
            });
        }
        Ok(made.text)
    }

    /// Does not hand this one out again: the provider refused it.
    pub(crate) fn forget(&self, refused: &str) {
        let mut kept = self.kept();
        if kept
            .as_ref()
            .is_some_and(|kept| kept.text.expose_secret() == refused)
        {
            *kept = None;
        }
    }

    fn fresh(&self, wanted: &Wanted<'_>) -> Option<SecretString> {
        let kept = self.kept();
        let kept = kept.as_ref()?;
        kept.is_for(wanted, kept.again_at)
            .then(|| kept.text.clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supply").finish_non_exhaustive()
    }
}

/// What cannot be a secret or an assertion, said here instead of by the provider.
fn check(text: &str) -> Result<(), BoxError> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if text.len() > MAX_CREDENTIAL {
        return Err(format!("it is longer than {MAX_CREDENTIAL} bytes").into());
    }
    match text.chars().any(char::is_control) {
        // Read from a file, it comes with the file's last line break.
        true => Err("it holds a line break or another control character".into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering::Relaxed},
        },
        time::Duration,
    };

    use super::*;

    const NOW: Unix = Unix::at(1_000);

    fn wanted(now: Unix) -> Wanted<'static> {
        Wanted {
            client_id: "app",
            audience: "https://idp.example",
            now,
        }
    }

    /// Counts up; each is good for this long.
    fn counting(life: Option<Duration>) -> (Arc<Supply>, Arc<AtomicU64>) {
        let made = Arc::new(AtomicU64::new(0));
        let count = made.clone();
        let supply = Supply::new(move |wanted| {
            let until = life.map(|life| wanted.now + life);
            let number = count.fetch_add(1, Relaxed);
            Box::pin(async move {
                tokio::task::yield_now().await;
                let text = format!("assertion-{number}").into();
                Ok(Made { text, until })
            })
        });
        (Arc::new(supply), made)
    }

    async fn text(supply: &Supply, now: Unix) -> String {
        let credential = supply.credential(wanted(now)).await.unwrap();
        credential.expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_credential_is_kept_until_it_nears_its_end_and_one_for_one_request_is_not() {
        let (supply, made) = counting(Some(Duration::from_secs(600)));
        for (at, number) in [(0, 0), (539, 0), (540, 1), (541, 1), (540 + 541, 2)] {
            let expected = format!("assertion-{number}");
            assert_eq!(
                text(&supply, NOW + Duration::from_secs(at)).await,
                expected,
                "{at}"
            );
        }
        // A clock that was set back: its age is unknown.
        assert_eq!(text(&supply, NOW).await, "assertion-3");
        assert_eq!(made.load(Relaxed), 4);
        let (once, _) = counting(None);
        assert_ne!(text(&once, NOW).await, text(&once, NOW).await);
    }

    #[tokio::test]
    async fn many_who_want_one_at_once_cause_one() {
        let (supply, made) = counting(Some(Duration::from_secs(600)));
        let all = (0..50).map(|_| {
            let supply = supply.clone();
            tokio::spawn(async move { text(&supply, NOW).await })
        });
        for one in all.collect::<Vec<_>>() {
            assert_eq!(one.await.unwrap(), "assertion-0");
        }
        assert_eq!(made.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn one_that_the_provider_refused_is_not_handed_out_again() {
        let (supply, _) = counting(Some(Duration::from_secs(600)));
        let first = text(&supply, NOW).await;
        supply.forget("another");
        assert_eq!(text(&supply, NOW).await, first);
        supply.forget(&first);
        assert_ne!(text(&supply, NOW).await, first);
    }

    #[tokio::test]
    async fn one_for_another_audience_is_made_for_it() {
        let (supply, _) = counting(Some(Duration::from_secs(600)));
        let first = text(&supply, NOW).await;
        let moved = Wanted {
            audience: "https://other.example",
            ..wanted(NOW)
        };
        let other = supply.credential(moved).await.unwrap();
        assert_ne!(other.expose_secret(), first);
    }

    #[tokio::test]
    async fn the_old_one_is_used_to_its_end_while_no_other_can_be_had() {
        let is_down = Arc::new(AtomicBool::new(false));
        let down = is_down.clone();
        let supply = Supply::new(move |wanted| {
            let until = Some(wanted.now + Duration::from_secs(600));
            let is_down = down.load(Relaxed);
            Box::pin(async move {
                match is_down {
                    true => Err("no such host".into()),
                    false => Ok(Made {
                        text: "first".to_owned().into(),
                        until,
                    }),
                }
            })
        });
        assert_eq!(text(&supply, NOW).await, "first");
        is_down.store(true, Relaxed);
        assert_eq!(text(&supply, NOW + Duration::from_secs(599)).await, "first");
        let error = supply
            .credential(wanted(NOW + Duration::from_secs(600)))
            .await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no such host"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_used_or_does_not_come_is_trouble_and_names_no_secret() {
        let of = |text: String, until| {
            Supply::new(move |_| {
                let text = text.clone().into();
                Box::pin(async move { Ok(Made { text, until }) })
            })
        };
        let hung = Supply::new(|_| Box::pin(std::future::pending()));
        let said = Supply::new(|_| {
            let words = "refused: eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl0123456789";
            Box::pin(async move { Err(words.into()) })
        });
        for (supply, expected) in [
            (of(String::new(), None), "is empty"),
            (of("hunter2\n".into(), None), "line break"),
            (of("x".repeat(MAX_CREDENTIAL + 1), None), "longer than"),
            (of("hunter2".into(), Some(NOW)), "has ended already"),
            (hung, "within 10 seconds"),
            (said, "refused: [redacted]"),
        ] {
            let error = supply.credential(wanted(NOW)).await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert_eq!(error.finality(), super::super::Finality::Trouble);
        }
    }
}
