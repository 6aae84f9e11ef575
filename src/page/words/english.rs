//! English.

use std::borrow::Cow::Borrowed as t;

use super::texts::Words;

pub(super) fn words() -> Words {
    Words {
        help: t("Something wrong?"),
        id: t("ID"),
        try_again: t("Try again"),

        consent_title: t("Access to {service}"),
        consent_heading: t("An app asks for access to {service}"),
        app: t("App"),
        calls_itself: t("It calls itself"),
        no_name: t("It gives no name"),
        name_not_checked: t("{service} has not checked this name."),
        name_of_operator: t("{service} has set up this app."),
        described_by: t("Described by"),
        goes_to: t("Access goes to"),
        this_computer: t("this computer"),
        this_computer_port: t("this computer, port {port}"),
        app_on_this_computer: t("an app on this computer"),
        whole_address: t("Show the whole address"),
        caution_local: t(
            "Any program on this computer can call itself by this name. Go on only if you started this login \
             yourself, just now.",
        ),
        caution_local_described: t(
            "Any program on this computer can call itself by this name, and show this description. Go on only \
             if you started this login yourself, just now.",
        ),
        caution_host: t(
            "The name is the app's own word; the address that describes it was checked. Go on only if you know \
             that address and started this login yourself.",
        ),
        caution_other_address: t(
            "The name is the app's own word; the address that describes it was checked, and access goes to \
             another one. Go on only if you know both and started this login yourself.",
        ),
        caution_address: t(
            "The name is the app's own word. Go on only if you know the address above and started this login \
             yourself.",
        ),
        at: t("At"),
        it_may: t("If you allow it, it can"),
        act_for_you: t("use {service} in your name"),
        scope_names: t("Show the technical names"),
        scopes: t("Scopes"),
        scopes_of_service: t("On {service}"),
        scopes_of_person: t("About you"),
        scope_openid: t("recognize you when you come back"),
        scope_profile: t("see your name and your picture"),
        scope_email: t("see your e-mail address"),
        scope_address: t("see your postal address"),
        scope_phone: t("see your phone number"),
        scope_offline_access: t("stay connected until you end it"),
        allow: t("Allow and log in"),
        allow_with: t("Allow, then log in with {provider}"),
        deny: t("Deny"),

        log_in_to: t("Log in to {service}"),
        log_in_with: t("Log in with"),
        choose: t("Choose where you want to log in."),
        go_on: t("Continue"),
        cancel: t("Cancel"),

        account_heading: t("You are logged in"),
        account_name: t("Name"),
        account_address: t("Account"),
        account_unconfirmed: t("(not confirmed by the account provider)"),
        account_unnamed: t("The account provider gives no name"),
        account_text: t("If you continue, the app acts with this account on {service}."),
        account_caution: t(
            "Is this not your account, or did you not start this login? Then do not continue: what you do in the \
             app would end up in somebody else's account.",
        ),
        another_account: t("Use another account"),
        account_log_out_first: t(
            "To use another account, log out at the account provider first. Then start the login from your app \
             again.",
        ),

        for_apps_title: t("{service} is for apps"),
        for_apps_text: t(
            "This address is for apps such as AI assistants and editors (MCP clients). There is nothing to see \
             here in a browser.",
        ),
        for_apps_address: t("Address"),
        for_apps_steps: t(
            "To use it, add this address to your app as an MCP server. The app then opens your browser, so that \
             you can log in.",
        ),

        done_title: t("You are logged in"),
        done_text: t("Go back to your app. You can close this page."),
        cancelled_title: t("The login was cancelled"),
        cancelled_text: t("The app has got no access. You can close this page."),

        unreadable_request_title: t("This login link cannot be read"),
        unreadable_request: t("Nothing was changed. Start the login from your app again."),
        embedded_title: t("A login needs its own window"),
        embedded: t(
            "Another site put this address into its page. Nothing was changed. Start the login from your app.",
        ),
        unknown_client_title: t("This app is not known here"),
        unknown_client: t(
            "Its registration is not valid at this server. Remove the server from your app and add it again, so \
             that the app registers again.",
        ),
        denied_client_title: t("This app may not log in here"),
        denied_client: t("The operator of this server has blocked it. Nothing was changed."),
        no_document_title: t("This app cannot be checked right now"),
        no_document: t(
            "It says that its description is at an address of its own, and that address does not answer. Nothing \
             was changed. Try again in a moment.",
        ),
        bad_document_title: t("This app cannot be checked"),
        bad_document: t(
            "It says that its description is at an address of its own, and there is none that is valid. Nothing \
             was changed. Ask the makers of the app; once they have mended it, start the login from the app \
             again.",
        ),
        unproven_redirect_title: t("This app asks for an address that is not its own"),
        unproven_redirect: t(
            "The login would send your access to an address that the app did not register. It was stopped. If \
             you just updated the app, remove the server from it and add it again.",
        ),
        cannot_start_title: t("The login cannot start right now"),
        cannot_start: t(
            "Something that this server needs is not responding. Try again in a moment.",
        ),
        crowded_title: t("Many people are logging in right now"),
        crowded: t(
            "More logins have begun than this server takes on at once. Nothing was lost: reload this page in a moment.",
        ),
        not_waiting_title: t("This login is not waiting in this browser"),
        not_waiting: t(
            "It may have ended, or it was started in another browser. Nothing was changed. Start the login from \
             your app again, and allow cookies for this site.",
        ),
        no_cookies_title: t("This browser sends no cookies"),
        no_cookies: t(
            "A login needs cookies, so that no one else can finish it. Nothing was changed. Allow cookies for this \
             site, then start the login from your app again.",
        ),
        expired_title: t("This login has expired"),
        expired: t("It took too long. Nothing was changed. Start the login from your app again."),
        unreadable_form_title: t("This form cannot be read"),
        unreadable_form: t("Nothing was changed. Start the login from your app again."),
        not_this_browser_title: t("This login does not belong to this browser"),
        not_this_browser: t(
            "It may have expired, it may have been used already, or it was started in another browser. If \
             someone sent you this link, do not use it. Otherwise start the login from your app again, and allow \
             cookies for this site.",
        ),
        unreadable_answer_title: t("The identity provider's answer cannot be read"),
        unreadable_answer: t("Nothing was changed. Start the login from your app again."),
        already_used_title: t("This login was already used"),
        already_used: t(
            "If your app is still waiting, start the login from it again. You can close this page.",
        ),
        cannot_finish_title: t("The login cannot be finished right now"),
        cannot_finish: t(
            "Something that this server needs is not responding. Nothing was lost: reload this page in a moment.",
        ),
        wrong_method_title: t("This address is for web browsers"),
        wrong_method: t("Nothing was changed. Start the login from your app."),
    }
}
