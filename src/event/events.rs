//! The one place that events leave by.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{
    narrowed::{Detail, without_person},
    reason::Reason,
    what::Event,
};
use crate::metrics;

/// The operator's callback.
pub(crate) type EventCallback = Box<dyn Fn(&Event) + Send + Sync>;

/// The name of a client by its id, as far as it is known without asking any other server.
type ClientNames = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where events go.
#[derive(Default)]
pub(crate) struct Events {
    callback: Option<EventCallback>,
    instance: Option<Arc<str>>,
    detail: Detail,
    client_names: OnceLock<ClientNames>,
}

impl Events {
    pub(crate) fn new(callback: Option<EventCallback>) -> Self {
        Self {
            callback,
            ..Self::default()
        }
    }

    /// The name of this process in each event.
    #[must_use]
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// The name of this instance.
    pub(crate) fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    /// How much of a person they say.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Says the names of clients where a step knows the id alone. The clients are put together after this is, and
    /// report here themselves: so only the first call counts, and the closure must not keep this alive.
    pub(crate) fn know_clients(
        &self,
        names: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) {
        let _ = self.client_names.set(Box::new(names));
    }

    /// Hands the event to `tracing` and to the operator's callback.
    pub(crate) fn emit(&self, event: &Event) {
        let event = self.completed(event.clone());
        to_tracing(&event);
        metrics::step(event.step.as_str(), event.reason.map(Reason::as_str));
        if let Some(callback) = &self.callback {
            callback(&event);
        }
    }

    /// The event with what every one has, and without what the operator does not want in it.
    fn completed(&self, mut event: Event) -> Event {
        event.instance.clone_from(&self.instance);
        if let (Some(id), None, Some(name_of)) =
            (&event.client, &event.client_name, self.client_names.get())
        {
            let name = name_of(id);
            event = event.with_client_name(name.as_deref());
        }
        match self.detail {
            Detail::Full => event,
            Detail::NoPersons => without_person(event),
        }
    }
}

/// The fields have the same names as those of the event. The ids come first: a log line is read from the left.
fn to_tracing(event: &Event) {
    let step = event.step.as_str();
    let reason = event.reason.map(Reason::as_str);
    let (login, grant) = (event.login.as_deref(), event.grant.as_deref());
    let (client, client_name) = (event.client.as_deref(), event.client_name.as_deref());
    let (subject, email) = (event.subject.as_deref(), event.email.as_deref());
    let (redirect_host, provider) = (event.redirect_host.as_deref(), event.provider.as_deref());
    let (resource, scopes) = (event.resource.as_deref(), event.scopes.as_deref());
    let (instance, detail) = (event.instance.as_deref(), event.detail.as_deref());
    macro_rules! say {
        ($level:ident, $said:literal) => {
            tracing::$level!(
                target: "tower_oauth_proxy",
                step, reason, login, grant, client, client_name, subject, email, redirect_host, provider,
                resource, scopes, instance, detail,
                $said
            )
        };
    }
    match event.reason {
        None => say!(info, "done"),
        Some(Reason::NoCredentials) => say!(debug, "refused"),
        Some(_) => say!(warn, "refused"),
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::event::{Step, Told};

    fn told(events: impl Fn(Events) -> Events) -> (Events, Arc<Mutex<Vec<Event>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&told);
        let callback = move |event: &Event| keep.lock().unwrap().push(event.clone());
        (events(Events::new(Some(Box::new(callback)))), told)
    }

    #[test]
    fn every_event_says_the_instance_and_the_name_of_a_client_that_is_known() {
        let (events, told) = told(|events| events.named("blue"));
        events.know_clients(|id| (id == "app").then(|| "App\n".to_owned()));
        for id in ["app", "other"] {
            events.emit(&Event::done(Step::Redeem).client(id, None));
        }
        events.emit(&Event::done(Step::Redeem).client("app", Some("Its document's name")));
        let told = told.lock().unwrap();
        let said: Vec<_> = told
            .iter()
            .map(|event| (event.instance.as_deref(), event.client_name.as_deref()))
            .collect();
        assert_eq!(
            said,
            [
                (Some("blue"), Some("App\u{fffd}")),
                (Some("blue"), None),
                (Some("blue"), Some("Its document's name")),
            ]
        );
    }

    #[test]
    fn where_no_person_may_be_named_the_callback_hears_of_none() {
        let (events, told) = told(|events| events.with_detail(Detail::NoPersons));
        let words = Told::of_person("ada said x", "said something");
        let event = Event::refused(Step::Callback, Reason::NotAllowed);
        events.emit(
            &event
                .person(Some("ada"), Some("ada@example.com"))
                .told(&words),
        );
        let told = told.lock().unwrap();
        let all = format!("{told:?}");
        assert!(!all.contains("ada"), "{all}");
        assert!(all.contains("said something"), "{all}");
    }
}
