//! One language: the table of all texts.

use std::borrow::Cow;

/// Makes [`Words`], and the list of its texts with the values that each may hold.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident $([$($value:literal)+])?,)+) => {
        /// The words of every page in one language.
        ///
        /// Take a language that is there, change what should read differently, and give it to
        /// [`page_words`](crate::OAuthProxyConfigBuilder::page_words). A text is plain text of one or a few
        /// sentences; HTML in it is shown as it is written. A value in braces, such as `{service}`, is put in
        /// where the text has it; a text may leave it out, and cannot hold another one.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Words {
            $($(#[doc = $doc])+ pub $name: Cow<'static, str>,)+
        }

        impl Words {
            /// Each text: its name, the values that it may hold, and what it says.
            pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str], &str)> {
                [$((stringify!($name), &[$($($value),+)?] as &[&str], &*self.$name),)+].into_iter()
            }
        }
    };
}

texts! {
    // ---- every page

    /// At the foot of each page, before the operator's contact.
    help,
    /// Before the id at the foot of each page, by which the operator finds the event.
    id,
    /// On a link that does the same once more.
    try_again,

    // ---- the consent page

    /// In the browser's title bar. May hold `{service}`.
    consent_title ["service"],
    /// The heading. May hold `{service}`.
    consent_heading ["service"],
    /// Before the name of an app that the operator configured.
    app,
    /// Before the name of any other app: it is the app's own word.
    calls_itself,
    /// In the place of a name where the app gives none.
    no_name,
    /// Below a name that is the app's own word. May hold `{service}`.
    name_not_checked ["service"],
    /// Below the name of an app that the operator configured. May hold `{service}`.
    name_of_operator ["service"],
    /// Before the host of the document that describes the app: that was checked.
    described_by,
    /// Before the place where the code is sent.
    goes_to,
    /// The place, where it is a program on the person's own computer.
    this_computer,
    /// The same, with the port at which the program waits. Should hold `{port}`.
    this_computer_port ["port"],
    /// The place, where it is an app that has a URI scheme of its own. Stands beside the scheme.
    app_on_this_computer,
    /// Opens the whole redirect URI.
    whole_address,
    /// Beside an app on this computer.
    caution_local,
    /// The same, where the app has shown a description of itself.
    caution_local_described,
    /// Beside an app whose description comes from where its access goes.
    caution_host,
    /// Beside an app whose description comes from another place.
    caution_other_address,
    /// Beside any other app that the operator did not configure.
    caution_address,
    /// Before the resource that the app wants to reach.
    at,
    /// Above what the app may do, as things that a person does: each is a scope's text.
    it_may,
    /// What the app may do where it asks for no scope of the service. May hold `{service}`.
    act_for_you ["service"],
    /// Opens the names that the scopes have in the protocol.
    scope_names,
    /// Before those names.
    scopes,
    /// Above the scopes of the service. May hold `{service}`.
    scopes_of_service ["service"],
    /// Above the scopes that tell the service about the person.
    scopes_of_person,
    /// The scope `openid`.
    scope_openid,
    /// The scope `profile`.
    scope_profile,
    /// The scope `email`.
    scope_email,
    /// The scope `address`.
    scope_address,
    /// The scope `phone`.
    scope_phone,
    /// The scope `offline_access`.
    scope_offline_access,
    /// The button that grants access, where the person chooses the account provider.
    allow,
    /// The same, where there is one. May hold `{provider}`.
    allow_with ["provider"],
    /// The button that refuses.
    deny,

    // ---- the choice of an account provider

    /// The heading of the page that asks for nothing else. May hold `{service}`.
    log_in_to ["service"],
    /// Above the providers.
    log_in_with,
    /// To one who has not chosen.
    choose,
    /// The button that goes on.
    go_on,
    /// The button that does not.
    cancel,

    // ---- the account page

    /// The heading, after the provider has sent the person back.
    account_heading,
    /// Before the person's name, as the provider gives it.
    account_name,
    /// Before the person's address or name of login.
    account_address,
    /// Beside an address that the provider does not vouch for.
    account_unconfirmed,
    /// In the place of both, where the provider gives neither.
    account_unnamed,
    /// What happens next. May hold `{service}`.
    account_text ["service"],
    /// When not to go on.
    account_caution,
    /// The button that starts again at the provider.
    another_account,
    /// In its place, where the provider cannot be asked for another account.
    account_log_out_first,

    // ---- a browser at an address for apps

    /// The heading. May hold `{service}`.
    for_apps_title ["service"],
    /// What the address is. May hold `{service}`.
    for_apps_text ["service"],
    /// Before the address.
    for_apps_address,
    /// What to do with it.
    for_apps_steps,

    // ---- after the last step

    /// The person comes back to a login of theirs that gave access.
    done_title,
    /// What to do then.
    done_text,
    /// The person said no, and there is no app that could be told.
    cancelled_title,
    /// What to do then.
    cancelled_text,

    // ---- what happened: a title and what to do

    /// The authorization request cannot be read.
    unreadable_request_title,
    /// What to do then.
    unreadable_request,
    /// Another site put the authorization request into its page.
    embedded_title,
    /// What to do then.
    embedded,
    /// The app is not known.
    unknown_client_title,
    /// What to do then.
    unknown_client,
    /// The operator denied the app.
    denied_client_title,
    /// What to do then.
    denied_client,
    /// The document about the app cannot be fetched right now.
    no_document_title,
    /// What to do then.
    no_document,
    /// There is no valid document about the app where its id says.
    bad_document_title,
    /// What to do then.
    bad_document,
    /// The redirect URI is not one of the app's.
    unproven_redirect_title,
    /// What to do then.
    unproven_redirect,
    /// The store does not answer, so the login cannot start.
    cannot_start_title,
    /// What to do then.
    cannot_start,
    /// More people log in than the operator's limits allow, or than this process takes.
    crowded_title,
    /// What to do then.
    crowded,
    /// This browser holds no login that waits for a decision.
    not_waiting_title,
    /// What to do then.
    not_waiting,
    /// This browser sends no cookies.
    no_cookies_title,
    /// What to do then.
    no_cookies,
    /// The login took too long.
    expired_title,
    /// What to do then.
    expired,
    /// The posted decision cannot be read.
    unreadable_form_title,
    /// What to do then.
    unreadable_form,
    /// This browser holds no login that the provider's answer belongs to.
    not_this_browser_title,
    /// What to do then.
    not_this_browser,
    /// The provider's answer cannot be read.
    unreadable_answer_title,
    /// What to do then.
    unreadable_answer,
    /// The login has finished before.
    already_used_title,
    /// What to do then.
    already_used,
    /// The store, the provider or this process cannot finish the login now.
    cannot_finish_title,
    /// What to do then.
    cannot_finish,
    /// The request's method is not a browser's.
    wrong_method_title,
    /// What to do then.
    wrong_method,
}
